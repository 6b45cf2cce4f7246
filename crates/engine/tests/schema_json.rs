//! The JSON form of a schema, and its text form written again.

#![allow(missing_docs, reason = "a test file")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use grantd_engine::{Schema, Source};
use proptest::prelude::*;
use serde_json::json;

fn parse(text: &str) -> Schema {
    Schema::parse(&[Source { name: "m.fga", text }]).unwrap()
}

const MODEL: &str = "
type user
type group
  relations
    define member: [user, group#member]
path type folder
  relations
    define parent: [folder with late]
    define viewer: [user, user:*, group#member with late] or (editor but not blocked) or viewer from parent
    define editor: ([user] and member) but not (blocked or viewer)
    define member: [user]
    define blocked: [user]
condition late(hour: int, names: list<map<string>>, since: timestamp) {
  // Late.
  hour > 17 &&
    size(names) > 0
}
";

#[test]
fn a_schema_is_the_same_after_its_json_and_its_text() {
    let text = MODEL.replace(" or viewer)", ")");
    let schema = parse(&text);
    let written = schema.to_text();
    assert_eq!(parse(&written), schema, "{written}");
    assert_eq!(parse(&written).to_text(), written);
    let json = schema.to_json().to_string();
    assert_eq!(Schema::from_json("m.json", &json).unwrap(), schema, "{json}");
    assert!(written.contains("define editor: ([user] and member) but not blocked\n"), "{written}");
    assert!(written.contains("path type folder\n"), "{written}");
}

#[test]
fn the_json_form_is_openfgas() {
    let schema = parse(
        "type user\ntype doc\n relations\n define p: [doc]\n define a: [user, user:*, doc#p with c] or a from p\n\
         condition c(x: list<int>) { size(x) > 0 }\n",
    );
    assert_eq!(
        schema.to_json(),
        json!({
            "schema_version": "1.1",
            "type_definitions": [
                {
                    "type": "doc",
                    "relations": {
                        "p": {"this": {}},
                        "a": {"union": {"child": [
                            {"this": {}},
                            {"tupleToUserset": {"tupleset": {"relation": "p"}, "computedUserset": {"relation": "a"}}},
                        ]}},
                    },
                    "metadata": {"relations": {
                        "p": {"directly_related_user_types": [{"type": "doc"}]},
                        "a": {"directly_related_user_types": [
                            {"type": "user"},
                            {"type": "user", "wildcard": {}},
                            {"type": "doc", "relation": "p", "condition": "c"},
                        ]},
                    }},
                },
                {"type": "user"},
            ],
            "conditions": {"c": {
                "name": "c",
                "expression": "size(x) > 0",
                "parameters": {"x": {"type_name": "TYPE_NAME_LIST", "generic_types": [{"type_name": "TYPE_NAME_INT"}]}},
            }},
        })
    );
}

#[test]
fn errors_in_json_name_type_and_relation() {
    let doc = |relation: &str, metadata: &str| {
        format!(
            r#"{{"schema_version": "1.1", "type_definitions": [{{"type": "user"}}, {{"type": "doc", "relations": {{"a": {relation}}},
            "metadata": {{"relations": {{"a": {metadata}}}}}}}]}}"#
        )
    };
    let user = r#"{"directly_related_user_types": [{"type": "user"}]}"#;
    for (text, said) in [
        ("[]".to_owned(), "m.json: not a JSON object: "),
        ("{}".to_owned(), "m.json: `schema_version` must be `1.1`"),
        (r#"{"schema_version": "1.1"}"#.to_owned(), "m.json: `type_definitions` must be a list"),
        (r#"{"schema_version": "1.1", "type_definitions": [1]}"#.to_owned(), "m.json: `type` must be a name"),
        (
            r#"{"schema_version": "1.1", "type_definitions": [{"type": "a"}, {"type": "a"}]}"#.to_owned(),
            "m.json: type `a` is defined twice: keep one of the two",
        ),
        (doc("{}", user), "m.json: relation `a` of type `doc`: expected one of `this`"),
        (doc(r#"{"this": {}}"#, "{}"), "m.json: relation `a` of type `doc`: `this` needs `directly_related_user_types`"),
        (
            doc(r#"{"computedUserset": {"relation": "a"}}"#, user),
            "m.json: relation `a` of type `doc`: it has direct types in its metadata, but no `this`",
        ),
        (
            doc(r#"{"this": {}}"#, r#"{"directly_related_user_types": [{"type": "nobody"}]}"#),
            "m.json: relation `a` of type `doc`: there is no type `nobody`",
        ),
        (doc(r#"{"union": {"child": []}}"#, "{}"), "m.json: relation `a` of type `doc`: `child` must be a list"),
        (
            doc(&format!("{}{{\"this\": {{}}}}{}", r#"{"union": {"child": ["#.repeat(33), "]}}".repeat(33)), user),
            "m.json: relation `a` of type `doc`: more than 32 operators in each other",
        ),
        (
            r#"{"schema_version": "1.1", "type_definitions": [], "conditions": {"c": {"expression": "x", "parameters": {}}}}"#
                .to_owned(),
            "m.json: condition `c`: a condition has at least one parameter",
        ),
        (
            r#"{"schema_version": "1.1", "type_definitions": [], "conditions": {"c": {"expression": "x } type y", "parameters": {}}}}"#
                .to_owned(),
            "m.json: condition `c`: the braces of its `expression` do not match",
        ),
        (
            r#"{"schema_version": "1.1", "type_definitions": [], "conditions": {"c": {"expression": "x",
            "parameters": {"x": {"type_name": "TYPE_NAME_THING"}}}}}"#
                .to_owned(),
            "m.json: condition `c`: parameter `x` has no type that is known",
        ),
    ] {
        let found = Schema::from_json("m.json", &text).unwrap_err().to_string();
        assert!(found.starts_with(said), "{text}: {found}");
    }
}

#[test]
fn a_schema_is_extended_beside_what_it_has() {
    let base = parse("type user\npath type vm\n relations\n define login: [user]\n");
    let extend =
        |text: &str| base.extend(&[Source { name: "own.fga", text }]).map_err(|error| error.to_string());
    let both =
        extend("type user\npath type vm\ntype doc\n relations\n define a: [user, vm#login]\n").unwrap();
    assert_eq!(both.types().count(), 3);
    assert_eq!(both.relations("vm").count(), 1);
    // The base's types need not be named.
    assert_eq!(extend("type doc\n relations\n define a: [user, vm#login]\n").unwrap(), both);
    let own = both.without(&base);
    assert_eq!(
        own.to_text(),
        "model\n  schema 1.1\n\ntype doc\n  relations\n    define a: [user, vm#login]\n\ntype user\n\npath type vm\n"
    );
    assert_eq!(extend(&own.to_text()).unwrap(), both);
    assert_eq!(base.extend_json("own.json", &own.to_json().to_string()).unwrap(), both);
    for (text, said) in [
        (
            "type user\n relations\n define a: [user]",
            "own.fga:3: relation `a` of type `user`: the type is built in: it can be named, but not changed",
        ),
        ("type vm", "own.fga:1: `vm` is built in: name it `path type vm`"),
        ("path type user", "own.fga:1: `user` is built in: name it `type user`"),
    ] {
        assert_eq!(extend(text).unwrap_err(), said);
    }
}

proptest! {
    #[test]
    fn no_json_makes_the_reader_panic(text in r#"(\{"schema_version": "1.1", "type_definitions": \[\{"type": "a", "relations": )?(\{|\}|\[|\]|:|,|"a"|"this"|"union"|"child"|"type"|"relation"|1|null){0,40}"#) {
        let _ = Schema::from_json("m", &text);
    }

    #[test]
    fn no_text_of_a_condition_makes_the_compiler_panic(
        body in r#"(x|y|1|2u|1\.5|'a'|"b\}"|r'\\'|\(|\)|\[|\]|\{|\}|\.|,|\+|-|\*|/|%|!|&&|\|\||==|<|\?|:| in |size|has|all|map|matches|int|timestamp|//|\\|é|\n){0,30}"#
    ) {
        let text = format!("type user\ntype d\n relations\n define a: [user with c]\ncondition c(x: int, y: map<any>) {{{body}}}");
        if let Ok(schema) = Schema::parse(&[Source { name: "m", text: &text }]) {
            let written = schema.to_text();
            prop_assert_eq!(Schema::parse(&[Source { name: "m", text: &written }]).unwrap(), schema);
        }
    }
}
