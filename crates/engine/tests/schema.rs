//! What the schema language takes, and what it says about the rest.

#![allow(missing_docs, reason = "a test file")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use grantd_engine::{Condition, Schema, Source};
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
        assert_eq!(schema.admits(&key_of(key), None), Ok(()), "{key}");
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
        assert_eq!(schema.admits(&key_of(key), None).unwrap_err().to_string(), said);
    }
    let computed = parse("type user\ntype doc\n relations\n define a: [user]\n define b: a\n").unwrap();
    assert_eq!(
        computed.admits(&key_of("doc:x#b@user:y"), None).unwrap_err().to_string(),
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
            "m.fga:1: `typ` begins no statement: expected `type`, `path type`, `relations`, `define` or `condition`",
        ),
    ] {
        assert_eq!(parse(&text).unwrap_err(), said);
    }
}

#[test]
fn operators_are_not_mixed_without_parentheses() {
    let head = "type user\ntype doc\n relations\n define b: [user]\n define c: [user]\n define d: [user]\n define a: ";
    for fits in ["b or c or d", "b and c and d", "b but not c", "(b or c) and d", "b but not (c or d)", "(b)"]
    {
        parse(&format!("{head}{fits}")).unwrap();
    }
    for (text, said) in [
        (
            "b or c and d",
            "`and` cannot follow `or` without parentheses: write `(a or b) and c` or `a or (b and c)`",
        ),
        (
            "b and c but not d",
            "`but not` cannot follow `and` without parentheses: write `(a and b) but not c` or `a and (b but not c)`",
        ),
        (
            "b but not c but not d",
            "`but not` cannot follow `but not` without parentheses: write `(a but not b) but not c`, or \
             `a but not (b or c)` to take both away",
        ),
        ("b but c", "expected `not` after `but` but found `c`"),
        ("b or", "expected `[`, `(` or a relation's name but found the end of the line"),
        (
            "b or or c",
            "expected `[`, `(` or a relation's name but found `or`, which is a word of the language",
        ),
        ("b or b", "`b` stands twice between the same operators"),
        ("b but not b", "what is taken away is all there is: nobody can ever have it"),
        ("[user, user]", "`user` stands twice in one list"),
        (
            "[user] or [user:*]",
            "a relation has at most one `[...]`: write one list, or define a relation of its own for the second",
        ),
        ("[user with c]", "there is no condition `c`: define it with `condition c(...) { ... }`"),
        ("[user with]", "expected a condition's name but found `]`"),
        ("self", "expected `[`, `(` or a relation's name but found `self`, which is a word of the language"),
    ] {
        let said = format!("m.fga:7: relation `a` of type `doc`: {said}");
        assert_eq!(parse(&format!("{head}{text}")).unwrap_err(), said);
    }
    for (word, said) in [
        ("extend type doc", "`extend` is not supported: define all relations of a type in one place"),
        ("module m", "`module` is not supported: leave the line out, all sources make one schema"),
    ] {
        assert_eq!(parse(word).unwrap_err(), format!("m.fga:1: {said}"));
    }
}

#[test]
fn what_stands_after_from_names_objects() {
    let head = "type user\ntype team\n relations\n define member: [user]\ntype doc\n relations\n";
    for (text, said) in [
        (
            "define a: x from b\n define b: [team]",
            "6: relation `a` of type `doc`: `x from b`: no type of `b` has a relation `x`: it names `team`",
        ),
        (
            "define a: member from b\n define b: [team:*]",
            "6: relation `a` of type `doc`: `b` after `from` must name objects: its direct type `team:*` is none",
        ),
        (
            "define a: member from b\n define b: [team, team#member]",
            "6: relation `a` of type `doc`: `b` after `from` must name objects: its direct type `team#member` is none",
        ),
        (
            "define a: member from b\n define b: [team] or c\n define c: [team]",
            "6: relation `a` of type `doc`: `b` after `from` must be a relation of direct types only, as in `define b: [...]`",
        ),
        (
            "define a: member from b",
            "6: relation `a` of type `doc`: type `doc` has no relation `b`: define it with `define b: ...`",
        ),
        (
            "define a: member from",
            "6: relation `a` of type `doc`: expected a relation's name after `from` but found the end of the line",
        ),
    ] {
        let text = text.replace("\n ", "\n");
        assert_eq!(
            parse(&format!("{head}{text}")).unwrap_err(),
            format!("m.fga:{said}").replace(":6:", ":7:")
        );
    }
    parse(&format!("{head} define a: member from b\n define b: [user, team]")).unwrap();
}

#[test]
fn somebody_can_have_each_relation() {
    let never = "nobody can ever have it: it follows only from itself or from relations that nobody can have; add a direct \
                 type, as in `[user]`";
    for text in [
        "define a: b\n define b: a",
        "define a: a",
        "define a: [doc#a]",
        "define a: b and c\n define b: [user]\n define c: [doc#c]",
        "define a: c but not b\n define b: [user]\n define c: [doc#a]",
        "define p: [doc]\n define a: a from p",
    ] {
        let text = format!("type user\ntype doc\n relations\n {text}");
        let said = parse(&text).unwrap_err();
        assert!(said.ends_with(never), "{said}");
    }
    for text in [
        "define a: [user] or b\n define b: a",
        "define a: [user, doc#a]",
        "define p: [doc]\n define a: [user] or a from p",
        "define a: [user:*]",
    ] {
        parse(&format!("type user\ntype doc\n relations\n {text}")).unwrap();
    }
}

#[test]
fn no_relation_depends_on_its_own_absence() {
    for (text, said) in [
        (
            "define a: [user] but not a",
            "4: relation `a` of type `doc`: it depends on its own absence, through `but not`: `doc#a` -> `doc#a`",
        ),
        (
            "define a: [user] but not b\n define b: [user] or c\n define c: [user] or a",
            "4: relation `a` of type `doc`: it depends on its own absence, through `but not`: `doc#a` -> `doc#b` -> `doc#c` -> `doc#a`",
        ),
        (
            "define p: [doc]\n define a: [user] but not b\n define b: [user] or a from p",
            "5: relation `a` of type `doc`: it depends on its own absence, through `but not`: `doc#a` -> `doc#b` -> `doc#a`",
        ),
        (
            "define a: [user] but not b\n define b: [doc#a]",
            "4: relation `a` of type `doc`: it depends on its own absence, through `but not`: `doc#a` -> `doc#b` -> `doc#a`",
        ),
        (
            "define c: [user]\n define a: [user] but not (c but not a)",
            "5: relation `a` of type `doc`: it depends on its own absence, through `but not`: `doc#a` -> `doc#a`",
        ),
    ] {
        let text = format!("type user\ntype doc\n relations\n {text}");
        let said = format!("m.fga:{said}; take one of these mentions out");
        assert_eq!(parse(&text).unwrap_err(), said);
    }
    for text in [
        "define a: [user, doc#a] but not b\n define b: [user, doc#b]",
        "define p: [doc]\n define a: [user] or (a from p but not b)\n define b: [user] or b from p",
    ] {
        parse(&format!("type user\ntype doc\n relations\n {text}")).unwrap();
    }
    // A chain as long as it may be is looked at without recursion.
    let mut text = "type user\ntype doc\n relations\n define r0: [user]\n".to_owned();
    for at in 1..9_000 {
        text.push_str(&format!(" define r{at}: [user] but not r{}\n", at - 1));
    }
    parse(&text).unwrap();
}

#[test]
fn conditions_are_defined_with_their_types() {
    let model = "\
type user
type group
  relations
    define member: [user]
type doc
  relations
    define viewer: [user, user with late, group#member with late, user:* with in_range]

condition late(
  hour: int,   # of the day
  names: list<map<string>>,
)
{
  // A comment with a } in it.
  hour > 17 &&
    names.all(n, n['}'] != \"{\" && size({'a': 1}) == 1)
}
condition in_range(address: ipaddress) { address.in_cidr('10.0.0.0/8') }
type other
";
    let schema = parse(model).unwrap();
    assert_eq!(schema.types().count(), 4);
    let late = schema.condition("late").unwrap();
    let parameters: Vec<_> = late.parameters().map(|(name, kind)| format!("{name}: {kind}")).collect();
    assert_eq!(parameters, ["hour: int", "names: list<map<string>>"]);
    assert!(late.expression().starts_with("// A comment") && late.expression().ends_with("== 1)"));
    assert_eq!(schema.conditions().count(), 2);
}

#[test]
fn errors_in_conditions_name_their_line() {
    let used = "type user\ntype doc\n relations\n define a: [user with c]\n";
    for (text, said) in [
        ("condition c(x: int) { x >\n\n 'a' }", "5: condition `c`: `>` cannot take an int and a string"),
        (
            "condition c(x: int) {\n x > 1 &&\n y }",
            "7: condition `c`: there is no parameter `y`: declared are `x`",
        ),
        (
            "condition c(x: int) {\n\n x }",
            "5: condition `c`: the expression must come to a bool, but it comes to an int",
        ),
        ("condition c(x: int) { x > 1", "5: condition `c`: the `{` has no `}`"),
        ("condition c(x: int)", "5: condition `c`: expected `{ expression }` after the parameters"),
        ("condition c(x: int) {}", "5: condition `c`: expected a value but found the end of the expression"),
        ("condition c() { true }", "5: condition `c`: a condition has at least one parameter"),
        ("condition c(x: int, x: int) { true }", "5: condition `c`: parameter `x` is declared twice"),
        (
            "condition c(x: text) { true }",
            "5: there is no parameter type `text`: use bool, string, int, uint, double, duration, timestamp, ipaddress, \
             list<...>, map<...> or any",
        ),
        ("condition c(x: list) { true }", "5: expected `<` but found `)`"),
        (
            "condition c(x: int) { true }\ncondition c(x: int) { true }",
            "6: condition `c` is defined before, at m.fga:5: keep one of the two",
        ),
        ("condition c(x: int) { true } type x", "5: `type` was not expected here"),
        (
            "condition c(x: int) { true }\ncondition d(x: int) { true }",
            "6: condition `d` is used nowhere: write `with d` after a direct type, or remove it",
        ),
        (
            "condition c(x-y: int) { true }",
            "5: condition `c`: `x-y` is no name of a parameter: use 1 to 64 of the characters A-Z a-z 0-9 _, a letter first",
        ),
    ] {
        if text.contains("} type x") {
            parse(&format!("{used}{text}")).unwrap();
            continue;
        }
        assert_eq!(parse(&format!("{used}{text}")).unwrap_err(), format!("m.fga:{said}"));
    }
}

#[test]
fn a_relationship_has_a_condition_of_the_relation() {
    let schema = parse(
        "type user\ntype doc\n relations\n define a: [user with c, user:*, doc with c, doc]\n\
         condition c(hour: int, since: timestamp, names: list<string>, resource: map<int>) { hour > 1 }\n",
    )
    .unwrap();
    let condition = |name: &str, parameters: &str| Condition {
        name: name.to_owned(),
        parameters: parameters.parse().unwrap(),
    };
    for (key, given) in [
        ("doc:x#a@user:y", Some(condition("c", "{}"))),
        ("doc:x#a@doc:y", Some(condition("c", "{}"))),
        ("doc:x#a@doc:y", None),
        ("doc:x#a@user:*", None),
        (
            "doc:x#a@user:y",
            Some(condition("c", r#"{"hour": "3", "since": "2026-01-01T00:00:00Z", "names": ["a"]}"#)),
        ),
        ("doc:x#a@user:y", Some(condition("c", r#"{"resource": {"level": 3}}"#))),
    ] {
        assert_eq!(schema.admits(&key_of(key), given.as_ref()), Ok(()), "{key} {given:?}");
    }
    for (key, given, said) in [
        (
            "doc:x#a@user:y",
            None,
            "`user:y` as `a` of a `doc` cannot have no condition: allowed are `user with c`",
        ),
        (
            "doc:x#a@user:*",
            Some(condition("c", "{}")),
            "`user:*` as `a` of a `doc` cannot have condition `c`: allowed are `user:*`",
        ),
        (
            "doc:x#a@doc:y",
            Some(condition("d", "{}")),
            "`doc:y` as `a` of a `doc` cannot have condition `d`: allowed are `doc with c`, `doc`",
        ),
        (
            "doc:x#a@doc:y",
            Some(condition("c", r#"{"our": 1}"#)),
            "condition `c`: it has no parameter `our`: declared are `hour`, `names`, `resource`, `since`",
        ),
        (
            "doc:x#a@doc:y",
            Some(condition("c", r#"{"hour": true}"#)),
            "condition `c`: parameter `hour` must be an int, but it is a bool",
        ),
        (
            "doc:x#a@doc:y",
            Some(condition("c", r#"{"resource": {"level": "x"}}"#)),
            "condition `c`: parameter `resource` `level` must be an int, but it is a text that does not fit",
        ),
    ] {
        assert_eq!(schema.admits(&key_of(key), given.as_ref()).unwrap_err().to_string(), said);
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
