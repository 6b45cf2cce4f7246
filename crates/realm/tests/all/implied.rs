//! What an authority gives besides itself is what `schemas/grantd.fga` says, also where the rules rely on it.

use grantd_realm::Refusal;
use grantd_realm::api_key::CreateApiKey;
use grantd_realm::caller::{Authorities, Authority};

use crate::support::{World, with};

/// By the engine.
fn follows_from(authority: Authority) -> Authorities {
    let mut world = World::new();
    world.user_with("ann", &[authority]).authorities(&world.state, world.now)
}

fn key_with(grant: Authority) -> CreateApiKey {
    CreateApiKey { name: "key".into(), expires: None, grants: vec![grant], secret: None }
}

#[test]
fn an_authority_is_given_by_who_holds_all_that_follows_from_it() {
    for grant in Authority::ALL {
        let given = follows_from(grant);
        assert!(given.contains(grant));
        let needed = given.missing_from(Authorities::default());
        for lacking in needed {
            let mut all_but: Vec<_> = Authority::ALL.into_iter().filter(|one| *one != lacking).collect();
            let outcome = World::new().tries(&with(&all_but), key_with(grant)).map(|made| made.id);
            let expected = if lacking == Authority::Operator {
                // Making keys at all needs it, so that its lack is noticed first.
                Refusal::NotAllowed(Authority::Operator)
            } else {
                Refusal::NotHeld(lacking)
            };
            assert_eq!(outcome, Err(expected), "{grant:?} without {lacking:?}");
            all_but.push(lacking);
            assert!(World::new().tries(&with(&all_but), key_with(grant)).is_ok());
        }
    }
}

#[test]
fn nothing_more_is_asked_of_the_giver() {
    for grant in Authority::ALL {
        let mut just_enough: Vec<_> = follows_from(grant).missing_from(Authorities::default()).collect();
        just_enough.push(Authority::Operator);
        let outcome = World::new().tries(&with(&just_enough), key_with(grant));
        assert!(outcome.is_ok(), "{grant:?}: {outcome:?}");
    }
}
