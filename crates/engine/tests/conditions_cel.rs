//! Random expressions come to the same as in the `cel` crate's interpreter.

#![allow(missing_docs, reason = "a test file")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use grantd_engine::condition::{Inputs, Layers, Outcome};
use grantd_engine::{Properties, Schema, Source};
use proptest::prelude::*;

type Text = BoxedStrategy<String>;

fn one_of(texts: &[&str]) -> Text {
    proptest::sample::select(texts.iter().map(ToString::to_string).collect::<Vec<_>>()).boxed()
}

fn binary(left: Text, operators: &'static [&'static str], right: Text) -> Text {
    (left, one_of(operators), right).prop_map(|(a, o, b)| format!("({a} {o} {b})")).boxed()
}

fn ints(depth: u32) -> Text {
    let leaf = one_of(&["0", "1", "2", "-3", "7", "x", "y", "9223372036854775807"]);
    if depth == 0 {
        return leaf;
    }
    let less = || ints(depth - 1);
    prop_oneof![
        2 => leaf,
        3 => binary(less(), &["+", "-", "*", "/", "%"], less()),
        1 => texts(depth - 1).prop_map(|text| format!("size({text})")),
        1 => lists(depth - 1).prop_map(|list| format!("{list}.size()")),
        1 => (lists(depth - 1), less()).prop_map(|(list, at)| format!("{list}[{at}]")),
        1 => (bools(depth - 1), less(), less()).prop_map(|(c, a, b)| format!("({c} ? {a} : {b})")),
        1 => less().prop_map(|of| format!("int(string({of}))")),
    ]
    .boxed()
}

fn texts(depth: u32) -> Text {
    let leaf = one_of(&["''", "'a'", "\"ab\"", "'b\\n'", "r'\\n'", "s", "'\\u00e9'"]);
    if depth == 0 {
        return leaf;
    }
    prop_oneof![
        2 => leaf,
        1 => binary(texts(depth - 1), &["+"], texts(depth - 1)),
        1 => ints(depth - 1).prop_map(|of| format!("string({of})")),
    ]
    .boxed()
}

fn lists(depth: u32) -> Text {
    let leaf = one_of(&["[]", "[1]", "[1, 2, 0]", "l"]);
    if depth == 0 {
        return leaf;
    }
    prop_oneof![
        2 => leaf,
        1 => binary(lists(depth - 1), &["+"], lists(depth - 1)),
        1 => (ints(depth - 1), ints(depth - 1)).prop_map(|(a, b)| format!("[{a}, {b}]")),
        1 => (lists(depth - 1), bools(depth - 1)).prop_map(|(l, b)| format!("{l}.filter(x, {b})")),
        1 => (lists(depth - 1), ints(depth - 1)).prop_map(|(l, v)| format!("{l}.map(x, {v})")),
    ]
    .boxed()
}

fn bools(depth: u32) -> Text {
    let leaf = one_of(&["true", "false", "b", "has(m.a)", "has(m.z)", "(m.a == 1)"]);
    if depth == 0 {
        return leaf;
    }
    let less = || bools(depth - 1);
    prop_oneof![
        1 => leaf,
        3 => binary(less(), &["&&", "||"], less()),
        1 => less().prop_map(|of| format!("!({of})")),
        3 => binary(ints(depth - 1), &["==", "!=", "<", "<=", ">", ">="], ints(depth - 1)),
        1 => binary(texts(depth - 1), &["==", "!=", "<", ">="], texts(depth - 1)),
        1 => binary(lists(depth - 1), &["==", "!="], lists(depth - 1)),
        1 => binary(ints(depth - 1), &["in"], lists(depth - 1)),
        1 => (texts(depth - 1), one_of(&["contains", "startsWith", "endsWith"]), texts(depth - 1))
            .prop_map(|(a, f, b)| format!("{a}.{f}({b})")),
        2 => (lists(depth - 1), one_of(&["all", "exists", "exists_one"]), less())
            .prop_map(|(l, f, b)| format!("{l}.{f}(x, {b})")),
    ]
    .boxed()
}

/// What we say: yes, no, or broken.
fn ours(expression: &str) -> Option<bool> {
    let text = format!(
        "type user\ntype doc\n relations\n define a: [user with c]\n\
         condition c(x: int, y: int, b: bool, s: string, l: list<int>, m: map<int>) {{ {expression} }}\n"
    );
    let schema = Schema::parse(&[Source { name: "m", text: &text }]).unwrap();
    let context: Properties =
        r#"{"x": 3, "y": -1, "b": true, "s": "abc", "l": [3, 1, 3], "m": {"a": 1}}"#.parse().unwrap();
    let none = Layers { request: Properties::EMPTY, stored: Properties::EMPTY };
    let inputs = Inputs {
        relationship: Properties::EMPTY,
        subject: none,
        action: none,
        resource: none,
        context: &context,
    };
    match schema.condition("c").unwrap().evaluate(&inputs) {
        Outcome::Holds => Some(true),
        Outcome::Fails => Some(false),
        Outcome::Broken(_) => None,
        Outcome::Missing(names) => panic!("{expression}: {names:?}"),
    }
}

fn theirs(expression: &str) -> Option<bool> {
    let program = cel::Program::compile(expression).unwrap();
    let mut context = cel::Context::default();
    context.add_variable("x", 3_i64).unwrap();
    context.add_variable("y", -1_i64).unwrap();
    context.add_variable("b", true).unwrap();
    context.add_variable("s", "abc").unwrap();
    context.add_variable("l", vec![3_i64, 1, 3]).unwrap();
    context.add_variable("m", std::collections::HashMap::from([("a", 1_i64)])).unwrap();
    match program.execute(&context) {
        Ok(cel::Value::Bool(holds)) => Some(holds),
        Ok(other) => panic!("{expression}: {other:?}"),
        Err(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn expressions_come_to_the_same(expression in bools(4)) {
        prop_assert_eq!(ours(&expression), theirs(&expression), "{}", expression);
    }
}
