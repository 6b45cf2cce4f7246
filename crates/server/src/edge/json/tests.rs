#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]
use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only their errors are looked at")]
struct Role {
    name: String,
    kind: Option<Kind>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Big,
    Small,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "only their errors are looked at")]
struct User {
    login: String,
    age: Option<u8>,
    #[serde(default)]
    roles: Vec<Role>,
}

fn wrong(body: impl AsRef<[u8]>) -> (&'static str, String, String) {
    match parse_json::<User>(body.as_ref(), JsonRules::default()) {
        Err(EdgeError::InvalidBody(body)) => (body.code, body.field.unwrap_or_default(), body.message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_fault_has_its_code() {
    assert_eq!(wrong("").0, "empty_body");
    assert_eq!(wrong(" \r\n").0, "empty_body");
    assert_eq!(wrong(b"{\"login\":\"\xff\"}").0, "not_utf8");
    assert_eq!(wrong("{").0, "not_json");
    assert_eq!(wrong("{} {}").0, "invalid_field", "the first value is refused before the rest is read");
    assert_eq!(wrong(r#"{"login":"a"} {}"#).0, "not_json");
    assert_eq!(wrong(format!("{}{}", "[".repeat(65), "]".repeat(65))).0, "too_deep");
    assert_eq!(wrong("[".repeat(100_000)).0, "too_deep");
}

#[test]
fn a_message_names_the_field_and_what_is_expected() {
    let case = |body: &str| {
        let (code, field, message) = wrong(body);
        assert_eq!(code, "invalid_field", "{body}");
        format!("{field}: {message}")
    };
    assert_eq!(case(r#"{}"#), "login: a value is required");
    assert_eq!(case(r#"{"login":"a","roles":[{"kind":"big"}]}"#), "roles[0].name: a value is required");
    assert_eq!(case("7"), ": expected an object");
    assert_eq!(case(r#"{"login":5}"#), "login: expected a string");
    assert_eq!(case(r#"{"login":"a","age":300}"#), "age: expected an integer, not negative");
    assert_eq!(case(r#"{"login":"a","roles":{}}"#), "roles: expected an array");
    assert_eq!(
        case(r#"{"login":"a","roles":[{"name":"x"},{"name":null}]}"#),
        "roles[1].name: expected a string"
    );
    let unknown = r#"{"login":"a","roles":[{"name":"x","nmae":1}]}"#;
    assert_eq!(case(unknown), "roles[0].nmae: unknown field, expected `name` or `kind`");
    assert_eq!(case(r#"{"login":"a","login":"b"}"#), "login: given more than once");
}

#[test]
fn no_value_comes_back() {
    for body in [
        r#"{"login":"a","age":"hunter2"}"#,
        r#"{"login":"a","age":"x, expected hunter2"}"#,
        r#"{"login":"a","roles":"hunter2"}"#,
        r#"{"login":"a","roles":[{"name":"x","kind":"hunter2"}]}"#,
        r#""hunter2""#,
    ] {
        let (_, field, message) = wrong(body);
        assert!(!format!("{field} {message}").contains("hunter2"), "{body}: {field} {message}");
    }
}

#[test]
fn brackets_in_strings_are_no_depth() {
    let body = format!(r#"{{"login":"\"{}"}}"#, "[{".repeat(500));
    assert!(parse_json::<User>(body.as_bytes(), JsonRules::default()).is_ok());
    let deep = format!("{}{}", "[".repeat(64), "]".repeat(64));
    assert!(parse_json::<serde_json::Value>(deep.as_bytes(), JsonRules::default()).is_ok());
}

#[test]
fn content_types() {
    for good in [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/vnd.api+json",
        "application/json; charset=\"utf-8\"",
    ] {
        assert!(is_json(good), "{good}");
    }
    for bad in ["text/plain", "application/jsonx", "application/json; charset=latin1", "", "text/json"] {
        assert!(!is_json(bad), "{bad}");
    }
    let none = HeaderMap::new();
    assert!(check_content_type(&none, ContentTypeRule::OrAbsent).is_ok());
    assert!(check_content_type(&none, ContentTypeRule::Required).is_err());
}
