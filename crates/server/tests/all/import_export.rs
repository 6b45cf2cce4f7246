//! Many relationships in and out, as streams.

use std::fmt::Write as _;

use grantd_testkit::faulty_store::Fault;
use grantd_testkit::ledger::store::StoreError;
use serde_json::{Value, json};

use crate::support::{Answer, Rig};

const IMPORT: &str = "/api/v1/relationships/import";
const EXPORT: &str = "/api/v1/relationships/export?managed=false";
/// What the first user was granted when they were made.
const OF_ADMIN: u64 = 6;
const JSONL: &str = "application/x-ndjson";

async fn import(rig: &Rig, query: &str, body: &str) -> Answer {
    rig.call("POST", &format!("{IMPORT}{query}")).text(JSONL, body).await
}

fn line(role: &str, user: &str) -> String {
    format!("{{\"resource\":\"role:{role}\",\"relation\":\"member\",\"subject\":\"user:{user}\"}}\n")
}

fn counts(body: &Value) -> (u64, u64, u64, u64) {
    let count = |name: &str| body[name].as_u64().unwrap();
    (count("lines"), count("written"), count("unchanged"), count("refused"))
}

#[tokio::test]
async fn what_was_exported_is_imported_elsewhere() {
    let rig = Rig::new().await;
    rig.create_realm("acme").await;
    let write = json!({"write": [
        {"resource": "role:qa", "relation": "member", "subject": "user:ann"},
        {"resource": "role:qa", "relation": "member", "subject": {"type": "user", "id": "a,\"b\" c"},
         "until": "2099-01-01T00:00:00Z"},
        {"resource": "role:dev", "relation": "member", "subject": "role:qa#member"},
        {"resource": "fs_repo:r", "relation": "read", "subject": "identity:i"},
    ]});
    rig.call("POST", "/api/v1/relationships").json(write).await.is(200);
    for (format, content_type) in [("jsonl", JSONL), ("csv", "text/csv")] {
        let whole = rig.call("GET", &format!("{EXPORT}&format={format}")).send().await.is(200);
        assert!(whole.header("content-type").starts_with(content_type));
        assert_eq!(whole.revision().1, rig.revision().await);
        let into = |path: String| rig.call("POST", &path).text(content_type, &whole.text);
        let imported = into(format!("/r/acme{IMPORT}")).await.is(200);
        let header = u64::from(format == "csv");
        assert_eq!(imported.body["refused"], 0, "{}", imported.text);
        assert_eq!(imported.body["lines"].as_u64().unwrap(), 4 + OF_ADMIN + header, "{}", imported.text);
        let again = rig.call("GET", &format!("/r/acme{EXPORT}&format={format}")).send().await.is(200);
        assert_eq!(again.text, whole.text);
    }
    let narrow = rig.call("GET", &format!("{EXPORT}&resource_type=fs_repo")).send().await.is(200);
    assert_eq!(
        narrow.text,
        "{\"resource\":\"fs_repo:r\",\"relation\":\"read\",\"subject\":\"identity:i\"}\n"
    );
}

#[tokio::test]
async fn an_import_says_what_it_refused_and_where() {
    let rig = Rig::new().await;
    let mut body = line("qa", "ann");
    body.push_str("{\"resource\": 7}\n\nnonsense\n");
    body.push_str(&line("super-users", "eve"));
    body.push_str(&line("qa", "bob"));
    body.push_str("{\"resource\":\"nothing:x\",\"relation\":\"member\",\"subject\":\"user:a\"}");
    let before = rig.revision().await;
    let dry = import(&rig, "?dry_run=true", &body).await.is(200);
    assert_eq!(rig.revision().await, before, "nothing was written");
    let wet = import(&rig, "", &body).await.is(200);
    for answer in [&dry, &wet] {
        assert_eq!(counts(&answer.body), (7, 2, 0, 4), "{}", answer.text);
        let told =
            |error: &Value| (error["line"].as_u64().unwrap(), error["code"].as_str().unwrap().to_owned());
        let told: Vec<_> = answer.body["errors"].as_array().unwrap().iter().map(told).collect();
        let expected =
            [(2, "invalid_field"), (4, "not_json"), (5, "managed_relation"), (7, "invalid_request")];
        assert_eq!(told, expected.map(|(line, code)| (line, code.to_owned())), "{}", answer.text);
    }
    assert_eq!(rig.revision().await, before + 1, "one entry");
    assert_eq!(wet.body["revision"], before + 1);
    let again = import(&rig, "", &body).await.is(200);
    assert_eq!(counts(&again.body), (7, 0, 2, 4), "{}", again.text);
    assert_eq!(rig.revision().await, before + 1);
}

#[tokio::test]
async fn a_long_import_is_several_entries_and_its_export_several_pieces() {
    let rig = Rig::new().await;
    let body = (0..45_003).fold(String::new(), |mut body, n| {
        body.push_str(&line(&format!("r{}", n % 7), &format!("u{n:06}")));
        body
    });
    assert!(body.len() > 2 << 20, "more than an ordinary request may hold");
    let before = rig.revision().await;
    let answer = import(&rig, "", &body).await.is(200);
    assert_eq!(counts(&answer.body), (45_003, 45_003, 0, 0));
    let after = rig.revision().await;
    assert_eq!(after, before + 10);
    assert_eq!(answer.revision().1, after);
    let whole = rig.call("GET", &format!("{EXPORT}&resource_type=role")).send().await.is(200);
    let mut lines: Vec<_> = body.lines().collect();
    lines.sort_unstable();
    assert!(whole.text.lines().eq(lines), "in key order, all of them");
}

#[tokio::test]
async fn an_import_goes_on_where_it_was_told_to() {
    let rig = Rig::new().await;
    let body: String = (0..10).map(|n| line("qa", &format!("u{n}"))).collect();
    let answer = import(&rig, "?from_line=8", &body).await.is(200);
    assert_eq!(counts(&answer.body), (10, 3, 0, 0));
    let csv = "resource,relation,subject\nrole:qa,member,user:u0\nrole:qa,member,user:u1\n";
    let call = rig.call("POST", &format!("{IMPORT}?from_line=3")).text("text/csv", csv).await.is(200);
    assert_eq!(counts(&call.body), (3, 1, 0, 0));
    import(&rig, "?from_line=0", &body).await.is_problem(400, "invalid_request");
}

#[tokio::test]
async fn when_the_store_fails_in_the_middle_the_answer_says_from_where_to_go_on() {
    let rig = Rig::new().await;
    let body: String = (0..12_000).map(|n| line("qa", &format!("u{n}"))).collect();
    let full = Fault::Rejected(StoreError::Full("scripted".into()));
    rig.store.on_append(rig.store.appends() + 1, full);
    let failed = import(&rig, "", &body).await.is_problem(503, "store_unavailable");
    let progress = &failed.body["progress"];
    assert_eq!(counts(progress), (5_000, 5_000, 0, 0), "{}", failed.text);
    assert_eq!(progress["resume_from"], 5_001);
    let rest = import(&rig, "?from_line=5001", &body).await.is(200);
    assert_eq!(counts(&rest.body), (12_000, 7_000, 0, 0));
}

#[tokio::test]
async fn only_who_may_write_imports_and_only_what_is_known_is_read() {
    let rig = Rig::new().await;
    let checker = rig.key(&["checker"]).await;
    let body = line("qa", "ann");
    rig.with(&checker, "POST", IMPORT).text(JSONL, &body).await.is_problem(403, "forbidden");
    rig.with(&checker, "GET", EXPORT).send().await.is_problem(403, "forbidden");
    rig.call("POST", IMPORT).text("application/json", &body).await.is_problem(415, "unsupported_media_type");
    import(&rig, "?format=xml", &body).await.is_problem(400, "invalid_request");
    rig.call("POST", IMPORT).text("text/csv", "a,b\n").await.is_problem(400, "invalid_request");
    let writer = rig.key(&["writer"]).await;
    let own = "{\"resource\":\"grantd:default\",\"relation\":\"operator\",\"subject\":\"user:ann\"}";
    let answer = rig.with(&writer, "POST", IMPORT).text(JSONL, own).await.is(200);
    assert_eq!(answer.body["errors"][0]["code"], "not_held", "{}", answer.text);
}

#[tokio::test]
async fn errors_are_bounded_and_all_of_them_counted() {
    let rig = Rig::new().await;
    let body = (0..6_000).fold(String::new(), |mut body, n| {
        let _ = writeln!(
            body,
            "{{\"resource\":\"nothing:{}\",\"relation\":\"r\",\"subject\":\"user:{n}\"}}",
            "x".repeat(900)
        );
        body
    });
    let answer = import(&rig, "", &body).await.is(200);
    assert_eq!(counts(&answer.body), (6_000, 0, 0, 6_000));
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 100);
    assert!(answer.text.len() < 100_000, "{}", answer.text.len());
}
