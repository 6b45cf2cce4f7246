//! Lines and records.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use axum::body::Body;
use bytes::Bytes;
use futures::stream;

use super::{LineReader, Lines, MAX_LINE, record, write_field};

/// The lines of a body that comes in pieces of so many bytes; `-` for one that is too long.
async fn lines(text: &str, piece: usize) -> Vec<String> {
    let pieces: Vec<_> = text
        .as_bytes()
        .chunks(piece)
        .map(|piece| Ok::<_, axum::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    let mut lines = Lines::new(Body::from_stream(stream::iter(pieces)));
    let mut found = Vec::new();
    while let Some(line) = lines.next().await.unwrap_or_else(|error| panic!("{error}")) {
        found.push(line.map_or("-".into(), |line| String::from_utf8(line.to_vec()).unwrap()));
    }
    found
}

#[tokio::test]
async fn a_body_is_cut_the_same_however_it_comes() {
    let text = "one\r\n\ntwo\n  three";
    for piece in 1..=text.len() {
        assert_eq!(lines(text, piece).await, ["one", "", "two", "  three"], "{piece}");
    }
    assert_eq!(lines("", 1).await, [""; 0]);
    assert_eq!(lines("\n", 1).await, [""]);
    assert_eq!(lines("a\n", 9).await, ["a"]);
}

#[tokio::test]
async fn a_line_that_is_too_long_is_passed_over_as_one() {
    let (fits, over) = ("x".repeat(MAX_LINE), "y".repeat(MAX_LINE + 1));
    for piece in [1_000, MAX_LINE, MAX_LINE + 1, MAX_LINE + 2, 1 << 20] {
        let text = format!("{fits}\n{over}\nz\n{over}{over}");
        assert_eq!(lines(&text, piece).await, [&*fits, "-", "z", "-"], "{piece}");
    }
}

#[test]
fn a_record_is_taken_apart() {
    let of = |line: &str| record(line).map_err(|error| error.told().1);
    assert_eq!(of("a,b,c"), Ok(vec!["a".into(), "b".into(), "c".into()]));
    assert_eq!(of(""), Ok(vec![String::new()]));
    assert_eq!(of(",,"), Ok(vec![String::new(); 3]));
    assert_eq!(of(r#""a,b","say ""x""","""#), Ok(vec!["a,b".into(), r#"say "x""#.into(), String::new()]));
    for bad in [r#""a"#, r#"a"b"#, r#""a"b,c"#, r#"""""#] {
        let said = of(bad);
        assert!(said.is_err(), "{bad}: {said:?}");
    }
}

#[test]
fn what_is_written_is_read_again() {
    for field in ["", "plain", "a,b", "\"", "\"\"", "a\"b,\"c\"", ","] {
        let mut out = Vec::new();
        write_field(field, &mut out);
        out.extend_from_slice(b",end");
        let fields = record(std::str::from_utf8(&out).unwrap()).map_err(|error| error.told().1);
        assert_eq!(fields, Ok(vec![field.to_owned(), "end".into()]), "{field}");
    }
}

#[test]
fn a_header_names_each_column_once() {
    let columns = |header: &str| match LineReader::csv(header.as_bytes()) {
        Ok(LineReader::Csv(columns)) => Ok(columns),
        Ok(LineReader::JsonLines) => panic!("not CSV"),
        Err(error) => Err(error.told().1),
    };
    assert_eq!(columns("\u{feff}subject,resource,relation"), Ok(vec![2, 0, 1]));
    assert_eq!(columns("resource,relation,subject,parameters,condition,until"), Ok(vec![0, 1, 2, 5, 4, 3]));
    for bad in
        ["", "resource,relation", "resource,relation,subject,resource", "resource,relation,subject,owner"]
    {
        assert!(columns(bad).is_err(), "{bad}");
    }
}

/// CSV cannot say this; the reading of JSON need not refuse it, because no schema has a condition without a name.
#[test]
fn a_condition_without_a_name_is_no_absent_condition() {
    let schema = grantd_node::realm::builtin::schema().unwrap();
    let line =
        br#"{"resource": "role:qa", "relation": "member", "subject": "user:ann", "condition": {"name": ""}}"#;
    let read = LineReader::JsonLines.read(line, &schema).ok().unwrap();
    assert!(read.condition.is_some());
    assert!(schema.admits(&read.key, read.condition.as_ref()).is_err());
    assert!(schema.admits(&read.key, None).is_ok());
}
