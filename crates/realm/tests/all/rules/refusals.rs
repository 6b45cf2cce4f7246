//! Each refusal has one stable code.

use std::collections::BTreeSet;

use grantd_realm::Refusal;
use grantd_realm::caller::Authority;
use grantd_realm::refusal::Noun;
use uuid::Uuid;

#[test]
fn codes_are_words_and_differ() {
    let all = [
        Refusal::NotAllowed(Authority::Admin),
        Refusal::NotHeld(Authority::Admin),
        Refusal::not_found(Noun::User, "x"),
        Refusal::exists(Noun::User, "x"),
        Refusal::ManagedIdentity(Uuid::nil()),
        Refusal::invalid("x", "y"),
        Refusal::ManagedRelation { relation: "a#b".into(), instead: "c" },
        Refusal::Precondition { relationship: "a:b#c@d:e".into(), must_exist: true },
        Refusal::Orphans(grantd_realm::model::Orphans { count: 1, first: vec!["a:b#c@d:e".into()] }),
        Refusal::IdempotencyKeyReused,
        Refusal::OperationDenied { operation: grantd_realm::pulp::Operation::Read },
        Refusal::SuperUsersFixed,
        Refusal::LastSuperUser { login: "x".into() },
    ];
    let codes: BTreeSet<&str> = all.iter().map(Refusal::code).collect();
    assert_eq!(codes.len(), all.len());
    for refusal in &all {
        assert!(refusal.code().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", refusal.code());
        let text = refusal.to_string();
        assert!(!text.ends_with('.') && text.starts_with(|c: char| c.is_lowercase() || c == '`'), "{text}");
    }
}
