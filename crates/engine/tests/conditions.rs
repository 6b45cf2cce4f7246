//! What conditions come to.

#![allow(missing_docs, reason = "a test file")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use grantd_engine::condition::{ConditionDefinition, Inputs, Layers, Outcome};
use grantd_engine::{Properties, PropertySource, Schema, Source};

/// The condition `c` with these parameters.
fn condition(parameters: &str, expression: &str) -> Result<Arc<ConditionDefinition>, String> {
    let text = format!(
        "type user\ntype doc\n relations\n define a: [user with c]\ncondition c({parameters}) {{ {expression} }}\n"
    );
    let schema = Schema::parse(&[Source { name: "m", text: &text }]).map_err(|error| error.to_string())?;
    Ok(schema.condition("c").unwrap().clone())
}

fn map(json: &str) -> Properties {
    json.parse().unwrap()
}

/// What an expression comes to with this context.
fn outcome(parameters: &str, expression: &str, context: &str) -> Outcome {
    let context = map(context);
    let none = Layers { request: Properties::EMPTY, stored: Properties::EMPTY };
    let inputs = Inputs {
        relationship: Properties::EMPTY,
        subject: none,
        action: none,
        resource: none,
        context: &context,
    };
    condition(parameters, expression)
        .unwrap_or_else(|error| panic!("{expression}: {error}"))
        .evaluate(&inputs)
}

fn missing(names: &[&str]) -> Outcome {
    Outcome::Missing(names.iter().map(ToString::to_string).collect())
}

fn is_broken(outcome: &Outcome, said: &str) -> bool {
    matches!(outcome, Outcome::Broken(problem) if problem.contains(said))
}

#[test]
fn expressions_hold() {
    for expression in [
        "1 + 2 * 3 == 7 && -2 - 3 == -5 && 7 / 2 == 3 && -7 % 3 == -1",
        "1 < 2u && 2u < 2.5 && 1 == 1.0 && 1u == 1 && !(1 == 2)",
        "-9223372036854775808 < 0 && 0xff == 255 && 1e3 == 1000.0 && .5 == 0.5",
        "'a' + \"b\" == 'ab' && 'a' < 'b' && size('h\u{e9}') == 2 && 'abc'.size() == 3",
        r#"'\u00e9\n' == "\xe9\n" && r'\n' == '\\n' && '''it's''' == "it's" && '\101' == 'A'"#,
        "'hello'.contains('ell') && 'hello'.startsWith('he') && 'hello'.endsWith('lo') && 'hello'.matches('^h.*o$')",
        "matches('aab', 'a{2}b') && !'x'.matches('^y')",
        "[1, 2][1] == 2 && 2 in [1, 2] && !(3 in [1, 2]) && [1] + [2] == [1, 2] && size([1, 2,]) == 2",
        "{'a': 1}.a == 1 && {'a': 1}['a'] == 1 && 'a' in {'a': 1} && {1: 'x'}[1u] == 'x' && {1: 'x'}[1.0] == 'x'",
        "has({'a': 1}.a) && !has({'a': 1}.b) && {'a': 1, 'b': 2} == {'b': 2.0, 'a': 1u}",
        "[1, 2].all(i, i > 0) && [1, 2].exists(i, i > 1) && [1, 2].exists_one(i, i > 1) && ![].exists(i, true)",
        "[1, 2].map(i, i * 2) == [2, 4] && [1, 2].filter(i, i > 1) == [2] && [1, 2].map(i, i > 1, i * 3) == [6]",
        "{'a': 1, 'b': 2}.all(k, k in ['a', 'b']) && [[1], [2]].all(i, i.all(j, j > 0 && i[0] == j))",
        "int('7') == 7 && int(7.9) == 7 && int(7u) == 7 && uint(7) == 7u && double('1.5') == 1.5 && string(7) == '7'",
        "bool('true') && string(true) == 'true' && string(1.5) == '1.5' && dyn(1) == 1 && int(timestamp(3)) == 3",
        "timestamp('2026-11-24T09:30:00Z').getHours() == 9 && timestamp('2026-11-24T09:30:00Z').getDayOfWeek() == 2",
        "timestamp('2026-11-24T23:30:00Z').getHours('+02:00') == 1 && timestamp('2026-11-24T23:30:00Z').getDate('+02:00') == 25",
        "timestamp('2026-03-01T00:00:00Z').getMonth() == 2 && timestamp('2026-03-01T00:00:00Z').getDayOfYear() == 59",
        "timestamp('2026-03-01T00:00:00Z') - timestamp('2026-02-28T00:00:00Z') == duration('24h')",
        "timestamp('2026-03-01T00:00:00Z') + duration('1h') > timestamp('2026-03-01T00:59:59Z')",
        "duration('1h30m').getMinutes() == 90 && duration('90s') < duration('2m') && string(duration('90s')) == '90s'",
        "ipaddr('10.1.2.3').in_cidr('10.0.0.0/8') && !ipaddr('11.1.2.3').in_cidr('10.0.0.0/8')",
        "ipaddr('2001:db8::1').in_cidr('2001:db8::/32') && !ipaddr('1.2.3.4').in_cidr('::/0') && ipaddr('1.2.3.4').in_cidr('0.0.0.0/0')",
        "true || 1 / 0 == 1 && true",
        "1 / 0 == 1 || true",
        "!(1 / 0 == 1 && false)",
        "[0, 1].exists(i, 1 / i == 1) && ![0, 2].all(i, 1 / i == 1)",
        "true ? true : 1 / 0 == 1",
        "null == null && 1 != null && !!true && --1 == 1",
        "!(dyn('a') == 1) && dyn(1) != 'a' && !(1 in dyn({'a': 1}))",
        "double('nan') != double('nan') && !(double('nan') < 1.0) && 9007199254740993 > 9007199254740992.0",
        "x == 1 // a comment\n && true",
    ] {
        assert_eq!(outcome("x: int", expression, r#"{"x": 1}"#), Outcome::Holds, "{expression}");
    }
}

#[test]
fn what_makes_no_sense_is_broken() {
    for (expression, said) in [
        ("9223372036854775807 + x > 0", "integer overflow"),
        ("-9223372036854775808 - x > 0", "integer overflow"),
        ("-(-9223372036854775808 + x - 1) > 0", "integer overflow"),
        ("0u - 1u == 0u", "integer overflow"),
        ("1 / (x - 1) == 0", "division by zero"),
        ("1 % (x - 1) == 0", "division by zero"),
        ("[1][x] == 1", "there is no element of this index"),
        ("[1][-1] == 1", "there is no element of this index"),
        ("{'a': 1}.b == 1", "there is no key `b`"),
        ("{'a': 1}['b'] == 1", "there is no such key"),
        ("dyn(x) + 'a' == 'b'", "`+` cannot take a int and a string"),
        ("dyn(x) < 'a'", "`<` cannot take a int and a string"),
        ("dyn(x)", "a bool"),
        ("dyn(x) && true", "a bool is needed"),
        ("int('x') == 1", "`int` cannot take this string"),
        ("int(1e30) == 1", "`int` cannot take this double"),
        ("uint(-1) == 1u", "`uint` cannot take this int"),
        ("timestamp('x') == timestamp('y')", "`timestamp` cannot take this string"),
        ("timestamp('9999-12-31T23:59:59Z') + duration('1h') > timestamp(0)", "the years 1 to 9999"),
        ("timestamp(0).getHours('Mars') == 1", "there is no time zone `Mars`"),
        ("ipaddr('1.2.3.4').in_cidr('1.2.3.4/33')", "is not a range of addresses"),
        ("ipaddr('1.2.3.4').in_cidr('x')", "is not a range of addresses"),
        ("{'a': 1, 'a': 2} == {}", "the same key twice"),
        ("'a'.matches(string(x) + '(')", "is not a regular expression"),
        ("[0, 0].exists_one(i, 1 / i == 1)", "division by zero"),
        ("[0].exists(i, 1 / i == 1)", "division by zero"),
    ] {
        let found = outcome("x: int", expression, r#"{"x": 1}"#);
        assert!(is_broken(&found, said), "{expression}: {found:?}");
    }
}

#[test]
fn mistakes_are_found_when_the_schema_is_read() {
    for (expression, said) in [
        ("x", "must come to a bool, but it comes to an int"),
        ("x + 'a' == 'b'", "`+` cannot take an int and a string"),
        ("x == 'a'", "`==` cannot take an int and a string"),
        ("x && true", "`&&` needs a bool, but this is an int"),
        ("!x", "`!` needs a bool, but this is an int"),
        ("x ? true : false", "`?` needs a bool"),
        ("x.a == 1", "`.a` needs a map, but this is an int"),
        ("x[0] == 1", "`[...]` needs a list or a map, but this is an int"),
        ("x in [true]", "`in` cannot take an int and a list"),
        ("x.all(i, true)", "a macro runs over a list or a map, but this is an int"),
        ("[1].all(i, i)", "the test of a macro must be a bool, but this is an int"),
        ("x.contains('a')", "`contains` cannot take an int and a string"),
        ("nothing('a')", "there is no function `nothing`"),
        ("size()", "`size` cannot be called with 0 arguments"),
        ("'a'.size(1) == 1", "`size` cannot be called as a method with 1 arguments"),
        ("has(x)", "`has` takes a field, as in `has(resource.owner)`"),
        ("resource.status == 'a'", "there is no parameter `resource`: declared are `x`"),
        ("x == ", "expected a value but found the end of the expression"),
        ("(x == 1", "expected `)` but found the end of the expression"),
        ("x == 1)", "`)` was not expected here"),
        ("x = 1", "`=` has no meaning here"),
        ("'a", "the `{` has no `}`"),
        ("'\\q' == ''", "`\\q` is no escape of a string"),
        ("b'a' == b'a'", "bytes are not supported"),
        ("9223372036854775808 > x", "this number is too great"),
        ("99999999999999999999 > x", "this number is malformed or too great"),
        ("1x > 1", "this number is malformed"),
        ("if == 1", "`if` is a reserved word"),
        ("'a'.matches('(')", "is not a regular expression"),
        ("'a'.matches('((a{100}){100}){100}')", "compiles to more than 256 KiB"),
    ] {
        let found = condition("x: int", expression).unwrap_err();
        assert!(found.contains(said), "{expression}: {found}");
    }
}

#[test]
fn what_nobody_has_said_is_named() {
    let parameters =
        "x: int, y: int, b: bool, m: map<int>, l: list<int>, resource: map<any>, context: map<any>";
    for (expression, context, expected) in [
        ("x > 1", "{}", missing(&["x"])),
        ("x + y > 1", "{}", missing(&["x", "y"])),
        ("x + y > 1", r#"{"x": 1}"#, missing(&["y"])),
        ("b || true", "{}", Outcome::Holds),
        ("true || b", "{}", Outcome::Holds),
        ("b && false", "{}", Outcome::Fails),
        ("b || x > 1", "{}", missing(&["b", "x"])),
        ("b || x > 1", r#"{"x": 2}"#, Outcome::Holds),
        ("b && 1 / 0 == 1", "{}", missing(&["b"])),
        ("b ? x > 1 : y > 1", "{}", missing(&["b"])),
        ("b ? x > 1 : y > 1", r#"{"b": false}"#, missing(&["y"])),
        ("m.a > 1", "{}", missing(&["m"])),
        ("has(m.a)", "{}", missing(&["m"])),
        ("resource.status == 'x'", "{}", missing(&["resource.status"])),
        ("resource['status'] == 'x'", "{}", missing(&["resource.status"])),
        ("has(resource.status)", "{}", Outcome::Fails),
        ("'status' in resource", "{}", Outcome::Fails),
        ("has(resource.status) && resource.status == 'x'", "{}", Outcome::Fails),
        ("resource == {}", "{}", Outcome::Holds),
        ("context.x == 1 && x == 1", r#"{"x": 1}"#, Outcome::Holds),
        ("context.z == 1", r#"{"x": 1}"#, missing(&["context.z"])),
        ("l.exists(i, i == y)", r#"{"l": [1]}"#, missing(&["y"])),
        ("l.exists(i, i == y)", r#"{"l": []}"#, Outcome::Fails),
        ("l.exists(i, i == 1 || i == y)", r#"{"l": [0, 1]}"#, Outcome::Holds),
        ("l.all(i, i == y)", r#"{"l": [1]}"#, missing(&["y"])),
        ("l.all(i, i == 0 && i == y)", r#"{"l": [0, 1]}"#, Outcome::Fails),
        ("l.exists_one(i, i == y)", r#"{"l": [1]}"#, missing(&["y"])),
        ("size(l.filter(i, i == y)) == 0", r#"{"l": [1]}"#, missing(&["y"])),
        ("[x, y] == [1, 2]", "{}", missing(&["x", "y"])),
        ("{'a': x}.a == y", "{}", missing(&["x", "y"])),
        ("x > 1 && y > 1", r#"{"x": 0}"#, Outcome::Fails),
    ] {
        assert_eq!(outcome(parameters, expression, context), expected, "{expression} with {context}");
    }
}

#[test]
fn values_are_converted_to_the_types_of_parameters() {
    for (kind, expression, value) in [
        ("int", "x == 10", "10"),
        ("int", "x == 10", "\"10\""),
        ("int", "x == 1000", "\"1e3\""),
        ("uint", "x == 10u", "10"),
        ("uint", "x == 18446744073709551615u", "18446744073709551615"),
        ("double", "x == 1.5 && x + 1.0 == 2.5", "1.5"),
        ("double", "x + 1.0 == 3.0", "2"),
        ("double", "x == 2.5", "\"2.5\""),
        ("string", "x == '10'", "\"10\""),
        ("bool", "x", "true"),
        ("duration", "x == duration('90m')", "\"1h30m\""),
        ("timestamp", "x == timestamp('2026-11-24T08:00:00Z')", "\"2026-11-24T09:00:00+01:00\""),
        ("ipaddress", "x.in_cidr('192.168.0.0/16')", "\"192.168.1.1\""),
        ("list<timestamp>", "x[0].getFullYear() == 2026", "[\"2026-11-24T09:00:00Z\"]"),
        ("map<list<int>>", "x.a[1] == 2", "{\"a\": [1, \"2\"]}"),
        ("list<any>", "x[0].b[0] == 'c' && x[1] == null", "[{\"b\": [\"c\"]}, null]"),
        ("map<any>", "x.exists(k, k == 'a' && x[k] == 1)", "{\"a\": 1}"),
        ("any", "x.a.b == 1", "{\"a\": {\"b\": 1}}"),
    ] {
        let found = outcome(&format!("x: {kind}"), expression, &format!("{{\"x\": {value}}}"));
        assert_eq!(found, Outcome::Holds, "{kind} {expression} {value}");
    }
    for (kind, expression, value, said) in [
        ("int", "x == 1", "1.5", "`x` must be an int, but it is a number that does not fit"),
        ("int", "x == 1", "9223372036854775808", "`x` must be an int"),
        ("int", "x == 1", "true", "`x` must be an int, but it is a bool"),
        ("int", "x == 1", "null", "`x` must be an int, but it is null"),
        ("uint", "x == 1u", "-1", "`x` must be a uint"),
        ("string", "x == 'a'", "1", "`x` must be a string"),
        ("bool", "x", "\"true\"", "`x` must be a bool"),
        ("timestamp", "x == timestamp(0)", "1", "`x` must be a timestamp"),
        (
            "timestamp",
            "x == timestamp(0)",
            "\"yesterday\"",
            "`x` must be a timestamp, but it is a text that does not fit",
        ),
        ("duration", "x == duration('1s')", "\"1 day\"", "`x` must be a duration"),
        ("ipaddress", "x.in_cidr('::/0')", "\"localhost\"", "`x` must be an ipaddress"),
        ("list<int>", "size(x) == 1", "[\"a\"]", "`x` an element must be an int"),
        ("map<int>", "size(x) == 1", "{\"a\": \"b\"}", "`x` `a` must be an int"),
    ] {
        let found = outcome(&format!("x: {kind}"), expression, &format!("{{\"x\": {value}}}"));
        assert!(is_broken(&found, said), "{kind} {expression} {value}: {found:?}");
    }
}

#[test]
fn each_name_is_found_in_its_layer() {
    let parameters = "subject: map<any>, action: map<any>, resource: map<any>, context: map<any>, x: int";
    let (relationship, request, stored) = (
        map(r#"{"x": 1, "resource": {"a": 1}}"#),
        map(r#"{"a": 2, "b": 2}"#),
        map(r#"{"a": 3, "b": 3, "c": 3}"#),
    );
    let context = map(r#"{"x": 2, "resource": {"a": 4}}"#);
    let layers = Layers { request: &request, stored: &stored };
    let inputs = Inputs {
        relationship: &relationship,
        subject: layers,
        action: layers,
        resource: layers,
        context: &context,
    };
    for expression in [
        "x == 1",
        "resource.a == 1 && resource.b == 2 && resource.c == 3 && !has(resource.d)",
        "subject.a == 2 && subject.c == 3",
        "context.x == 2 && context.resource.a == 4",
        "resource == {'a': 1, 'b': 2, 'c': 3} && size(resource) == 3",
        "resource.all(k, resource[k] > 0)",
    ] {
        assert_eq!(
            condition(parameters, expression).unwrap().evaluate(&inputs),
            Outcome::Holds,
            "{expression}"
        );
    }
    let uses = |expression: &str| -> Vec<_> {
        let uses = condition(parameters, expression).unwrap().uses(&inputs);
        uses.into_iter().map(|used| (used.name, used.source)).collect()
    };
    use PropertySource::{Relationship, Request, Stored};
    let named = |name: &str, source| (name.to_owned(), source);
    assert_eq!(
        uses(
            "resource.c == 3 && resource.a == 1 && x == 1 && subject.b == 2 && has(action.c) && !has(action.d)"
        ),
        [
            named("action.c", Stored),
            named("resource.a", Relationship),
            named("resource.c", Stored),
            named("subject.b", Request),
            named("x", Relationship),
        ]
    );
    assert_eq!(uses("true || x == 1"), []);
    // A map of another type is a parameter like any other.
    let plain = condition("resource: string", "resource == 'a'").unwrap();
    assert_eq!(
        plain.evaluate(&inputs),
        Outcome::Broken("`resource` must be a string, but it is a map".to_owned())
    );
}

#[test]
fn work_is_bounded() {
    let too_many = |expression: &str, context: &str| {
        let found = outcome("l: list<int>, s: string", expression, context);
        assert!(is_broken(&found, "it takes more than 10000 steps"), "{expression}: {found:?}");
    };
    let list: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let list = format!("{{\"l\": [{}]}}", list.join(","));
    too_many("l.all(a, l.all(b, l.all(c, a + b + c >= 0)))", &list);
    too_many("l.all(a, l.all(b, l.all(c, a + b + c >= 0))) || true", &list);
    too_many("size(l.map(a, l.map(b, l + l))) > 0", &list);
    let text = format!("{{\"s\": \"{}\"}}", "a".repeat(100_000));
    too_many("(s + s + s + s).contains('b')", &text);
    too_many("s.matches('^(a{1,50}){1,20}$')", &text);
    // What ends early costs little.
    assert_eq!(outcome("l: list<int>, s: string", "s.startsWith('a')", &text), Outcome::Holds);
    assert_eq!(outcome("l: list<int>, s: string", "150 in l", &list), Outcome::Holds);
}

#[test]
fn nesting_is_bounded() {
    for depth in [65, 1_000, 7_000] {
        for (open, inner, close) in [
            ("(", "true", ")"),
            ("!", "true", ""),
            ("-", "1", ""),
            ("[", "1", "]"),
            ("{1:", "1", "}"),
            ("1+", "1", ""),
            ("true?true:", "true", ""),
            ("size(", "''", ")"),
            ("[1].all(i,", "true", ")"),
            ("'a'==", "'a'", ""),
        ] {
            let text = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
            let found = condition("x: int", &text).unwrap_err();
            let deep =
                found.contains("nested more than 64 levels deep") || found.contains("more than 16384 bytes");
            assert!(deep, "{open} {depth}: {found}");
        }
    }
    let wide = vec!["x > 0"; 1000].join(" && ");
    assert_eq!(outcome("x: int", &wide, r#"{"x": 1}"#), Outcome::Holds);
}
