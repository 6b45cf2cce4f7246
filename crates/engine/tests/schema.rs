//! What the schema language takes, and what it says about the rest.

#![allow(missing_docs, reason = "a test file")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use grantd_engine::{Schema, Source};
use grantd_testkit::world::key_of;
use proptest::prelude::*;

fn parse(text: &str) -> Result<Schema, String> {
    Schema::parse(&[Source { name: "m.fga", text }]).map_err(|error| error.to_string())
}

const MODEL: &str = "\
# A comment.
model
  schema 1.1

type user # another
type team
  relations
    define member: [user, team#member]
path type folder
  relations
    define editor: [user,
      team#member]   # over two lines
    define viewer: ([user, user:*] or editor) or (editor)
";

#[test]
fn the_schema_knows_its_types_and_relations() {
    let schema = parse(MODEL).unwrap();
    assert_eq!(schema.types().map(ToString::to_string).collect::<Vec<_>>(), ["folder", "team", "user"]);
    assert_eq!(schema.relations("folder").map(ToString::to_string).collect::<Vec<_>>(), ["editor", "viewer"]);
    assert_eq!(schema.relations("nothing").count(), 0);
    assert!(schema.is_path("folder") && !schema.is_path("team") && !schema.is_path("nothing"));
    assert_eq!(schema.object("folder", "/a").unwrap().id(), "/a/");
    assert_eq!(schema.object("team", "/a").unwrap().id(), "/a");
    assert!(schema.object("folder", "//").is_err());
}

#[test]
fn relationships_are_admitted_by_the_direct_types() {
    let schema = parse(MODEL).unwrap();
    for key in [
        "team:a#member@user:b",
        "team:a#member@team:b#member",
        "folder:/a/#viewer@user:*",
        "folder:/#editor@user:b",
    ] {
        assert_eq!(schema.admits(&key_of(key)), Ok(()), "{key}");
    }
    for (key, said) in [
        ("tram:a#member@user:b", "there is no type `tram`: the schema has `folder`, `team`, `user`"),
        ("team:a#lead@user:b", "type `team` has no relation `lead`: it has `member`"),
        ("user:a#lead@user:b", "type `user` has no relation `lead`: it has none"),
        (
            "team:a#member@user:*",
            "`user:*` cannot be `member` of a `team`: allowed are `user`, `team#member`",
        ),
        (
            "team:a#member@team:b",
            "`team:b` cannot be `member` of a `team`: allowed are `user`, `team#member`",
        ),
        ("folder:/a#editor@user:b", "`/a` is not a path of type `folder` in its one spelling: write `/a/`"),
    ] {
        assert_eq!(schema.admits(&key_of(key)).unwrap_err().to_string(), said);
    }
    let computed = parse("type user\ntype doc\n relations\n define a: [user]\n define b: a\n").unwrap();
    assert_eq!(
        computed.admits(&key_of("doc:x#b@user:y")).unwrap_err().to_string(),
        "`b` of type `doc` follows from other relations: nothing can be written to it"
    );
}

#[test]
fn errors_name_file_line_type_and_relation() {
    let head = "type user\ntype doc\n relations\n";
    for (text, said) in [
        (
            format!("{head} define a: [nobody]"),
            "m.fga:4: relation `a` of type `doc`: there is no type `nobody`: define it with `type nobody`",
        ),
        (
            format!("{head} define a: b"),
            "m.fga:4: relation `a` of type `doc`: type `doc` has no relation `b`: define it with `define b: ...`",
        ),
        (
            format!("{head} define a: [doc#b]"),
            "m.fga:4: relation `a` of type `doc`: type `doc` has no relation `b`: define it with `define b: ...`",
        ),
        (
            format!("{head} define a: [user]\n define a: [user]"),
            "m.fga:5: relation `a` of type `doc`: defined before, at m.fga:4: keep one of the two",
        ),
        (
            format!("{head} define a: [user"),
            "m.fga:4: relation `a` of type `doc`: expected `,` but found the end of the line",
        ),
        (
            format!("{head} define a [user]"),
            "m.fga:4: relation `a` of type `doc`: expected `:` but found `[`",
        ),
        (
            format!("{head} define a: [user] [user]"),
            "m.fga:4: relation `a` of type `doc`: `[` was not expected here",
        ),
        (
            format!("{head} define a: ([user]"),
            "m.fga:4: relation `a` of type `doc`: expected `)` but found the end of the line",
        ),
        ("define a: [user]".to_owned(), "m.fga:1: `define` without a type: write `type name` before it"),
        ("relations".to_owned(), "m.fga:1: `relations` without a type: write `type name` before it"),
        ("path user".to_owned(), "m.fga:1: `path` stands before `type`: write `path type name`"),
        (
            "model\n schema 1.2".to_owned(),
            "m.fga:2: the version of the modelling language must be `schema 1.1`",
        ),
        (
            "type user\ntype user".to_owned(),
            "m.fga:2: type `user` is defined before, at m.fga:1: keep one of the two",
        ),
        (
            "typ user".to_owned(),
            "m.fga:1: `typ` begins no statement: expected `type`, `path type`, `relations` or `define`",
        ),
    ] {
        assert_eq!(parse(&text).unwrap_err(), said);
    }
}

#[test]
fn what_is_not_there_yet_is_refused_by_name() {
    let head = "type user\ntype doc\n relations\n define b: [user]\n define a: ";
    for (rest, word) in
        [("b and b", "and"), ("[user] but not b", "but not"), ("b from b", "from"), ("[user with c]", "with")]
    {
        let said = parse(&format!("{head}{rest}")).unwrap_err();
        assert!(
            said.starts_with(&format!("m.fga:5: relation `a` of type `doc`: `{word}` is not supported yet")),
            "{said}"
        );
    }
    for word in ["condition", "extend", "module"] {
        let said = parse(&format!("{word} x")).unwrap_err();
        assert!(said.starts_with(&format!("m.fga:1: `{word}` is not supported yet")), "{said}");
    }
}

#[test]
fn several_sources_make_one_schema() {
    let base =
        Source { name: "base.fga", text: "type user\ntype role\n relations\n define member: [user]\n" };
    let own = Source {
        name: "own.fga",
        text: "type user\ntype role\ntype doc\n relations\n define viewer: [role#member]\n",
    };
    let schema = Schema::parse(&[base, own]).unwrap();
    assert_eq!(schema.types().count(), 3);
    assert_eq!(Schema::parse(&[own, base]).unwrap(), schema);
    let extended = Source { name: "own.fga", text: "type role\n relations\n define boss: [role]\n" };
    assert_eq!(
        Schema::parse(&[base, extended]).unwrap_err().to_string(),
        "own.fga:3: relation `boss` of type `role`: the type has its relations at base.fga:4: define them all there"
    );
    let path = Source { name: "own.fga", text: "path type role" };
    assert_eq!(
        Schema::parse(&[base, path]).unwrap_err().to_string(),
        "own.fga:1: type `role` is no path type at base.fga:2: name it in the same way"
    );
}

#[test]
fn deep_parentheses_are_refused() {
    let deep =
        |n| format!("type user\ntype doc\n relations\n define a: {}[user]{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&deep(32)).is_ok());
    assert!(parse(&deep(33)).unwrap_err().contains("parentheses"));
    assert!(parse(&deep(100_000)).is_err());
}

#[test]
fn the_built_in_models_are_schemas() {
    let grantd = Source { name: "grantd.fga", text: include_str!("../../../schemas/grantd.fga") };
    let freestyle = Source { name: "freestyle.fga", text: include_str!("../../../schemas/freestyle.fga") };
    let schema = Schema::parse(&[grantd, freestyle]).unwrap();
    assert!(schema.is_path("fs_vm"));
    assert_eq!(schema.relations("grantd").count(), 7);
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "(type |path |relations|define |model|schema 1.1|or |[a-c]|[\\[\\]():#*, \n]|é){0,40}") {
        let _ = parse(&text);
    }
}
