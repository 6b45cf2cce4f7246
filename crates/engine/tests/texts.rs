//! Text forms of objects, subjects and keys.

#![allow(missing_docs, reason = "a test file")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use grantd_engine::{Key, Object, RelationName, Subject, TypeName};
use proptest::prelude::*;

#[test]
fn punctuation_and_white_space_in_an_id_are_percent_encoded() {
    let object = Object::new("doc", "50% #1 *a:b@c\u{a0}é").unwrap();
    assert_eq!(object.to_string(), "doc:50%25%20%231%20%2Aa%3Ab@c%C2%A0é");
    assert_eq!(object.to_string().parse::<Object>().unwrap(), object);
}

#[test]
fn the_type_ends_at_the_first_colon() {
    let object: Object = "doc:a:b".parse().unwrap();
    assert_eq!((object.kind(), object.id()), ("doc", "a:b"));
    assert_eq!(object.to_string(), "doc:a%3Ab");
}

#[test]
fn a_star_is_a_wildcard_only_when_it_is_not_encoded() {
    assert_eq!("user:*".parse::<Subject>().unwrap(), Subject::Wildcard("user".parse().unwrap()));
    let star = Object::new("user", "*").unwrap();
    assert_eq!(star.to_string(), "user:%2A");
    assert_eq!("user:%2A".parse::<Subject>().unwrap(), Subject::Object(star));
}

#[test]
fn a_key_has_its_three_parts() {
    let key: Key = "doc:a@b%23c#viewer@role:qa#member".parse().unwrap();
    assert_eq!(key.resource.id(), "a@b#c");
    assert_eq!(key.relation.as_str(), "viewer");
    assert_eq!(key.subject.to_string(), "role:qa#member");
    assert_eq!(key.to_string(), "doc:a@b%23c#viewer@role:qa#member");
}

#[test]
fn broken_texts_are_refused_with_a_message_that_shows_them() {
    for text in [
        "", "doc", "doc:", ":a", "doc:a b", "doc:a*", "doc:%", "doc:%2", "doc:%zz", "doc:%FF", "do c:a",
        "doc:%00",
    ] {
        let error = text.parse::<Object>().unwrap_err().to_string();
        assert!(error.contains('`'), "{error}");
        assert!(!error.ends_with('.'), "{error}");
    }
    for text in
        ["doc:a", "doc:a#viewer", "doc:a@user:b", "doc:a#@user:b", "doc:a#viewer@", "doc:a#viewer@user:*#x"]
    {
        assert!(text.parse::<Key>().is_err(), "`{text}`");
    }
}

#[test]
fn lengths_end_where_the_limits_say() {
    assert!(TypeName::try_new(&"a".repeat(64)).is_ok());
    assert!(TypeName::try_new(&"a".repeat(65)).is_err());
    assert!(RelationName::try_new("").is_err());
    assert!(RelationName::try_new("a.b").is_err());
    assert!(Object::new("doc", &"a".repeat(1024)).is_ok());
    assert!(Object::new("doc", &"a".repeat(1025)).is_err());
    assert!(Object::new("doc", "").is_err());
    assert!(Object::new("doc", "a\nb").is_err());
    assert!(Object::new("doc", "a\u{85}b").is_err());
}

#[test]
fn keys_are_ordered_by_their_parts() {
    let texts = [
        "doc:a#viewer@user:z",
        "doc:a#viewer@role:a#member",
        "doc:a#viewer@user:*",
        "doc:a#writer@user:a",
        "doc:b#viewer@user:a",
        "folder:a#viewer@user:a",
    ];
    let keys: Vec<Key> = texts.iter().map(|text| text.parse().unwrap()).collect();
    assert!(keys.is_sorted());
}

proptest! {
    #[test]
    fn every_object_comes_back_from_its_text(id in "\\PC{1,20}") {
        let object = Object::new("doc", &id).unwrap();
        prop_assert_eq!(object.to_string().parse::<Object>().unwrap(), object);
    }

    #[test]
    fn no_text_makes_the_readers_panic(text in ".{0,40}") {
        let _ = text.parse::<Key>();
        if let Ok(subject) = text.parse::<Subject>() {
            prop_assert_eq!(subject.to_string().parse::<Subject>().unwrap(), subject);
        }
    }
}
