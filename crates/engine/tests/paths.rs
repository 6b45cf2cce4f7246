//! The cases of `cases/paths.txt`.

#![allow(missing_docs, reason = "a test file")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use grantd_engine::path::{normalise, upwards};

const CASES: &str = include_str!("../../../cases/paths.txt");

fn written_out(text: &str) -> String {
    let text = text.replace("\\s", " ").replace("\\n", "\n");
    match text.split_once("a*6") {
        Some((before, after)) => {
            let (count, after) =
                if let Some(after) = after.strip_prefix('4') { (64, after) } else { (65, &after[1..]) };
            format!("{before}{}{after}", vec!["a"; count].join("/"))
        }
        None => text,
    }
}

fn cases() -> Vec<(String, String)> {
    let lines = CASES.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    lines
        .map(|line| {
            let (given, wanted) = line.split_once("->").unwrap();
            (written_out(given.trim()), written_out(wanted.trim()))
        })
        .collect()
}

#[test]
fn every_case_has_the_spelling_that_the_table_says() {
    let cases = cases();
    assert!(cases.len() > 50, "only {} cases were read", cases.len());
    for (given, wanted) in cases {
        let said = normalise(&given).map_or("refused".to_owned(), std::borrow::Cow::into_owned);
        assert_eq!(said, wanted, "for `{given}`");
    }
}

#[test]
fn a_normal_path_stays_as_it_is() {
    for (_, wanted) in cases().iter().filter(|(_, wanted)| wanted != "refused") {
        assert_eq!(normalise(wanted).unwrap(), *wanted);
    }
}

#[test]
fn the_empty_id_is_no_path() {
    assert!(normalise("").is_err());
}

#[test]
fn upwards_begins_at_the_path_and_ends_at_the_root() {
    assert_eq!(upwards("/a/bc/d/").collect::<Vec<_>>(), ["/a/bc/d/", "/a/bc/", "/a/", "/"]);
    assert_eq!(upwards("/").collect::<Vec<_>>(), ["/"]);
}
