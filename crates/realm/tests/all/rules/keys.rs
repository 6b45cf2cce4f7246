//! API keys and tokens.

use grantd_realm::api_key::{CreateApiKey, DEFAULT_GRANTS, KEY_PREFIX, RevokeApiKey, grants};
use grantd_realm::caller::Authority::{Admin, Operator, Writer};
use grantd_realm::command::Secret;
use grantd_realm::entropy::secret_hash;
use grantd_realm::identity::{CreateIdentity, DeleteIdentity};
use grantd_realm::token::{Bearer, CreateToken, RevokeToken, TOKEN_PREFIX};

use crate::support::{World, invalid_field, root};

fn key() -> CreateApiKey {
    CreateApiKey { name: "ci".into(), expires: None, grants: Vec::new(), secret: None }
}

#[test]
fn a_key_made_without_naming_anything_may_ask_and_request() {
    let mut world = World::new();
    let id = world.does(key()).id;
    assert_eq!(grants(&world.state, id), DEFAULT_GRANTS);
    let id = world.does(CreateApiKey { grants: vec![Writer, Operator, Writer], ..key() }).id;
    assert_eq!(grants(&world.state, id), [Operator, Writer]);
}

#[test]
fn a_secret_is_found_by_its_hash_and_is_nowhere_else() {
    let mut world = World::new();
    let made = world.does(key());
    let secret = made.secret.unwrap().0;
    assert!(secret.strip_prefix(KEY_PREFIX).is_some_and(|rest| rest.len() == 43), "{} bytes", secret.len());
    assert_eq!(world.state.bearer(&secret_hash(&secret)), Some(Bearer::ApiKey(made.id)));
    let snapshot = world.state.to_snapshot();
    assert!(!snapshot.windows(secret.len()).any(|window| window == secret.as_bytes()));
    world.does(RevokeApiKey { id: made.id });
    assert_eq!(world.state.bearer(&secret_hash(&secret)), None);
}

#[test]
fn a_secret_is_used_once() {
    let mut world = World::new();
    let given = || CreateApiKey { secret: Some(Secret("gdk_given_for_the_first_start".into())), ..key() };
    let first = world.does(given()).id;
    assert_eq!(invalid_field(world.tries(&root(), given())), "key");
    world.does(RevokeApiKey { id: first });
    assert!(world.tries(&root(), given()).is_ok());
}

#[test]
fn a_key_ends_in_the_future_or_never() {
    let mut world = World::new();
    let ends = |expires| CreateApiKey { expires: Some(expires), ..key() };
    let now = world.now;
    assert_eq!(invalid_field(world.tries(&root(), ends(now))), "expires");
    assert_eq!(invalid_field(world.tries(&root(), ends(now - 1))), "expires");
    assert!(world.tries(&root(), ends(now + 1)).is_ok());
}

#[test]
fn a_token_is_its_identitys_until_revoked() {
    let mut world = World::new();
    let identity = world.does(CreateIdentity { managed: false }).id;
    let (one, two) = (world.does(CreateToken { identity }), world.does(CreateToken { identity }));
    let hash = |made: &grantd_realm::token::TokenCreated| secret_hash(&made.secret.as_ref().unwrap().0);
    assert!(one.secret.as_ref().unwrap().0.starts_with(TOKEN_PREFIX));
    assert_eq!(world.state.bearer(&hash(&one)), Some(Bearer::Token { identity, token: one.id }));
    assert_eq!(world.state.identities().get(identity).unwrap().tokens.ids(), [one.id, two.id]);
    world.does(RevokeToken { identity, token: one.id });
    assert_eq!(world.state.bearer(&hash(&one)), None);
    world.does(DeleteIdentity { id: identity });
    assert_eq!(world.state.bearer(&hash(&two)), None, "gone with the identity");
}

#[test]
fn an_expired_authority_gives_nothing() {
    let mut world = World::new();
    world.user("ann");
    let mut write = crate::support::writing("grantd:default#operator@user:ann");
    write.write[0].until = Some(world.now + 10);
    world.does(write);
    let ann = grantd_realm::Caller::local(grantd_realm::Actor::User("ann".into()));
    assert!(ann.holds(Operator, &world.state, world.now + 9));
    assert!(!ann.holds(Operator, &world.state, world.now + 10));
    assert!(!ann.holds(Admin, &world.state, world.now));
}
