//! The inbox, as a browser without a script sees it, and its stream.

use std::time::Duration;

use grantd_node::Request as Submission;
use grantd_node::realm::Caller;
use grantd_node::realm::caller::Actor;
use grantd_node::realm::request::{CreateRequest, NewRequest, Request, Status};
use uuid::Uuid;

use crate::browser::Browser;
use crate::support::{Answer, Rig};

const SECOND: i64 = 1_000_000;

impl Rig {
    /// An API key asks.
    async fn asks(&self, session: &str, command: &str) -> Uuid {
        self.asks_as(Actor::ApiKey(Uuid::from_u128(7)), session, command).await
    }

    async fn asks_as(&self, actor: Actor, session: &str, command: &str) -> Uuid {
        let action = format!("Execute command: {}", command.chars().take(100).collect::<String>());
        let new = NewRequest {
            session: session.into(),
            tool: "Bash".into(),
            description: action.clone(),
            action,
            params: serde_json::json!({ "command": command }).to_string(),
            path: None,
            parent_tool_call: None,
            timeout: 60 * SECOND,
        };
        let caller = Caller { actor, conferred: Caller::system("test").conferred };
        let command = CreateRequest::new(new).unwrap();
        let request = Submission { command, caller, via: "test", reason: None, idempotency: None };
        self.node.realm("default").await.unwrap().submit(request).await.unwrap().answer
    }

    async fn request(&self, id: Uuid) -> Request {
        let published = self.node.realm("default").await.unwrap().published();
        Request::clone(published.state.requests().get(id).unwrap())
    }

    /// A server with the user `ann`, an approver who is signed in.
    async fn with_approver() -> (Self, Browser) {
        let rig = Self::new().await;
        rig.person("ann").await;
        rig.relate(&["grantd:default#approver@user:ann"]).await;
        let mut ann = Browser::new(&rig);
        ann.signs_in("ann").await;
        (rig, ann)
    }
}

async fn inbox(browser: &mut Browser) -> String {
    browser.get("/inbox").await.is(200).text
}

#[tokio::test]
async fn only_the_inbox_runs_a_script_and_only_ours() {
    let (rig, mut ann) = Rig::with_approver().await;
    let id = rig.asks("s", "ls").await;
    for path in ["/inbox", &format!("/inbox/{id}")] {
        let page = ann.get(path).await.is(200);
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self';") && policy.contains("connect-src 'self';"), "{policy}");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.text.matches("<script").count(), 1, "{path}");
        assert!(page.text.contains("<script src=\"/assets/inbox.js?v="), "{path}");
        for forbidden in ["style=", " onclick", " onerror", "<style"] {
            assert!(!page.text.contains(forbidden), "{path} has {forbidden}");
        }
    }
    for path in ["/inbox/history", "/inbox/rules", "/account"] {
        let page = ann.get(path).await.is(200);
        assert!(!page.header("content-security-policy").contains("script-src"), "{path}");
        assert!(!page.text.contains("<script"), "{path}");
    }
    let script = ann.get("/assets/inbox.js").await.is(200);
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
}

#[tokio::test]
async fn who_may_not_decide_sees_nothing() {
    let (rig, mut ann) = Rig::with_approver().await;
    rig.person("ben").await;
    let id = rig.asks("theirs", "echo secret").await;
    let mut ben = Browser::elsewhere(&rig, 9);
    ben.signs_in("ben").await;
    assert!(!inbox(&mut ben).await.contains("echo secret"));
    for path in [format!("/inbox/{id}"), format!("/inbox/{id}/card"), "/inbox/nonsense".into()] {
        assert!(!ben.get(&path).await.is(404).text.contains("echo secret"));
    }
    ben.get("/inbox").await.is(200);
    ben.post(&format!("/inbox/{id}/decide"), &[("verdict", "grant")]).await.is(404);
    assert_eq!(rig.request(id).await.status, Status::Pending);
    // An approver of the session, and of no other.
    rig.asks("others", "echo others").await;
    rig.relate(&["mix_session:theirs#approver@user:ben"]).await;
    let page = inbox(&mut ben).await;
    assert!(page.contains("echo secret") && !page.contains("echo others"), "{page}");
    ben.post(&format!("/inbox/{id}/decide"), &[("verdict", "deny"), ("reason", "no")]).await.is(303);
    assert!(ben.get("/inbox/history").await.text.contains("echo secret"));
    assert!(ann.get("/inbox/history").await.text.contains("by ben"));
    rig.person("eve").await;
    let mut eve = Browser::elsewhere(&rig, 10);
    eve.signs_in("eve").await;
    assert!(!eve.get("/inbox/history").await.is(200).text.contains("echo secret"));
}

#[tokio::test]
async fn a_decision_needs_the_proof_of_our_page() {
    let (rig, mut ann) = Rig::with_approver().await;
    let id = rig.asks("s", "ls").await;
    inbox(&mut ann).await;
    let path = format!("/inbox/{id}/decide");
    let form = [("verdict", "grant")];
    ann.call("POST", &path).form(&form, "").await.is(403);
    ann.call("POST", &path).form(&form, &ann.csrf.chars().rev().collect::<String>()).await.is(403);
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "http://evil.example")] {
        ann.call("POST", &path).header(name, value).form(&form, &ann.csrf).await.is(403);
    }
    ann.call("GET", &format!("{path}?verdict=grant")).send().await.is(405);
    assert_eq!(rig.request(id).await.status, Status::Pending);
    ann.call("POST", &path).header("sec-fetch-site", "same-origin").form(&form, &ann.csrf).await.is(303);
    assert_eq!(rig.request(id).await.status, Status::Granted);
}

#[tokio::test]
async fn ones_own_request_is_somebody_elses_to_decide() {
    let (rig, mut ann) = Rig::with_approver().await;
    let id = rig.asks_as(Actor::User("ann".into()), "s", "ls").await;
    let page = inbox(&mut ann).await;
    assert!(page.contains("somebody else decides it") && !page.contains("value=\"grant\""), "{page}");
    let answer = ann.post(&format!("/inbox/{id}/decide"), &[("verdict", "grant")]).await.is(403);
    assert!(answer.text.contains("role=\"alert\""), "{}", answer.text);
    assert_eq!(rig.request(id).await.status, Status::Pending);
}

#[tokio::test]
async fn what_is_settled_is_not_decided_again() {
    let (rig, mut ann) = Rig::with_approver().await;
    let (id, over) = (rig.asks("s", "ls").await, rig.asks("s", "late").await);
    inbox(&mut ann).await;
    let path = format!("/inbox/{id}/decide");
    ann.post(&path, &[("verdict", "deny")]).await.is(303);
    ann.post(&path, &[("verdict", "deny")]).await.is(303);
    let other = ann.post(&path, &[("verdict", "grant")]).await.is(409);
    assert!(other.text.contains("Denied"), "{}", other.text);
    let piece = ann.call("POST", &path).header("grantd-fragment", "card");
    let piece = piece.form(&[("verdict", "grant")], &ann.csrf).await.is(409);
    assert!(piece.text.starts_with("<article") && piece.text.contains("role=\"alert\""), "{}", piece.text);
    assert_eq!(rig.request(id).await.status, Status::Denied);
    rig.clock.advance(61 * SECOND);
    let late = ann.post(&format!("/inbox/{over}/decide"), &[("verdict", "grant")]).await.is(409);
    assert!(late.text.contains("Timed out"), "{}", late.text);
    ann.post(&path, &[("verdict", "perhaps")]).await.is(400);
    ann.post(&format!("/inbox/{}/decide", Uuid::nil()), &[("verdict", "grant")]).await.is(404);
}

#[tokio::test]
async fn parameters_are_changed_before_the_grant() {
    let (rig, mut ann) = Rig::with_approver().await;
    let id = rig.asks("s", "rm -r /").await;
    let page = ann.get(&format!("/inbox/{id}")).await.is(200);
    assert!(page.text.contains("<textarea") && page.text.contains("rm -r /"));
    let path = format!("/inbox/{id}/decide");
    for params in ["", "[]", "{", "null", "\"x\""] {
        let answer = ann.post(&path, &[("verdict", "grant"), ("params", params)]).await.is(422);
        assert!(answer.text.contains("must be a JSON object"), "{params}: {}", answer.text);
    }
    assert_eq!(rig.request(id).await.status, Status::Pending);
    let changed = r#"{"command": "rm -r build", "n": 12345678901234567890123}"#;
    ann.post(&path, &[("verdict", "grant"), ("params", changed)]).await.is(303);
    let granted = rig.request(id).await;
    assert_eq!(
        granted.edited_params.unwrap().text(),
        Some(r#"{"command":"rm -r build","n":12345678901234567890123}"#)
    );
    let same = rig.asks("s", "ls \u{202e}").await;
    let page = ann.get(&format!("/inbox/{same}")).await.text;
    let shown = page.split("autocomplete=\"off\">{").nth(1).unwrap().split("</textarea>").next().unwrap();
    let shown = format!("{{{shown}").replace("&#34;", "\"").replace('\n', "\r\n");
    assert!(shown.contains("\\u202e"), "{shown}");
    ann.post(&format!("/inbox/{same}/decide"), &[("verdict", "grant"), ("params", &shown)]).await.is(303);
    assert!(rig.request(same).await.edited_params.is_none(), "what comes back as it was is no change");
}

#[tokio::test]
async fn hostile_text_is_text() {
    let (rig, mut ann) = Rig::with_approver().await;
    let hostile = "</pre><script>alert(1)</script>\u{202e}\u{0}\u{1b}[2K\u{200b}\r\" onload='x'";
    let id = rig.asks("s", hostile).await;
    for path in
        ["/inbox".into(), format!("/inbox/{id}"), format!("/inbox/{id}/card"), "/inbox/history".into()]
    {
        if path.ends_with("history") {
            ann.get("/inbox").await;
            ann.post(&format!("/inbox/{id}/decide"), &[("verdict", "deny"), ("reason", hostile)])
                .await
                .is(303);
        }
        let page = ann.get(&path).await.is(200).text;
        assert!(!page.contains("<script>alert") && page.contains("&lt;/pre&gt;"), "{path}: {page}");
        assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("U+202E"), "{path}: {page}");
        for raw in ['\u{202e}', '\0', '\u{1b}', '\u{200b}', '\r'] {
            assert!(!page.contains(raw), "{path} holds {raw:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_all_shown_is_not_granted_there() {
    let (rig, mut ann) = Rig::with_approver().await;
    let script = format!("{}\nrm -r ~", "echo x\n".repeat(15_000));
    let id = rig.asks("s", &script).await;
    let page = inbox(&mut ann).await;
    assert!(!page.contains("value=\"grant\"") && page.contains("value=\"deny\""));
    assert!(page.len() < 50_000 && page.contains("more bytes are not shown here"));
    let page = ann.get(&format!("/inbox/{id}")).await.is(200).text;
    assert!(page.contains("rm -r ~</pre>") && page.contains("value=\"grant\""));
}

/// The next event of a stream, as name and data; nothing when it has ended.
async fn event(stream: &mut reqwest::Response, rest: &mut String) -> Option<(String, String)> {
    loop {
        if let Some((block, after)) = rest.split_once("\n\n") {
            let (block, after) = (block.to_owned(), after.to_owned());
            *rest = after;
            let field = |name: &str| {
                let lines = block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                lines.collect::<Vec<_>>().join("\n")
            };
            if field("event").is_empty() {
                continue;
            }
            return Some((field("event"), field("data")));
        }
        let piece =
            tokio::time::timeout(Duration::from_secs(30), stream.chunk()).await.expect("an event in time");
        rest.push_str(std::str::from_utf8(&piece.ok()??).unwrap());
    }
}

#[tokio::test]
async fn the_stream_says_what_waits() {
    let (rig, ann) = Rig::with_approver().await;
    let first = rig.asks("s", "echo first").await;
    let mut stream = ann.call("GET", "/inbox/events").0.send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(stream.headers()["cache-control"], "no-store");
    let mut rest = String::new();
    let (name, data) = event(&mut stream, &mut rest).await.unwrap();
    assert_eq!(name, "list");
    assert!(data.contains("echo first") && data.contains("data-pending=\"1\""), "{data}");
    rig.asks("s", "echo second").await;
    let (_, data) = event(&mut stream, &mut rest).await.unwrap();
    assert!(data.contains("echo first") && data.contains("echo second"), "{data}");
    let token = data.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    ann.call("POST", &format!("/inbox/{first}/decide")).form(&[("verdict", "grant")], &token).await.is(303);
    let (_, data) = event(&mut stream, &mut rest).await.unwrap();
    assert!(!data.contains("echo first") && data.contains("echo second"), "{data}");
    // A request is over by the clock, whether or not anybody writes that down.
    rig.clock.advance(61 * SECOND);
    let (_, data) = event(&mut stream, &mut rest).await.unwrap();
    assert!(!data.contains("echo second") && data.contains("data-pending=\"0\""), "{data}");
}

#[tokio::test]
async fn the_stream_ends_with_the_session() {
    let (rig, ann) = Rig::with_approver().await;
    let mut stream = ann.call("GET", "/inbox/events").0.send().await.unwrap();
    let mut rest = String::new();
    event(&mut stream, &mut rest).await.unwrap();
    let mut other = Browser::new(&rig);
    other.signs_in("ann").await;
    other.post("/account/sessions/end", &[]).await.is(303);
    rig.asks("s", "echo secret").await;
    let (name, data) = event(&mut stream, &mut rest).await.unwrap();
    assert_eq!((name.as_str(), data.as_str()), ("over", "over"));
    assert!(event(&mut stream, &mut rest).await.is_none(), "it has ended");
    let nobody: Answer = rig.bare("GET", "/inbox/events").send().await.is(303);
    assert_eq!(nobody.header("location"), "/login?next=%2Finbox%2Fevents");
}

#[tokio::test]
async fn a_realm_has_an_inbox_of_its_own() {
    let (rig, _) = Rig::with_approver().await;
    rig.create_realm("acme").await;
    rig.person_at("/r/acme", "ann").await;
    rig.asks("s", "echo default").await;
    let mut ann = Browser::at(&rig, "/r/acme");
    ann.signs_in("ann").await;
    let page = inbox(&mut ann).await;
    assert!(!page.contains("echo default"));
    assert!(page.contains("data-events=\"/r/acme/inbox/events\""), "{page}");
}

/// Far more than anybody can look at: the page is bounded, and says how many more there are. How quick it is, `clients/pages` sees.
#[tokio::test]
async fn thousands_of_requests_make_no_endless_page() {
    let (rig, mut ann) = Rig::with_approver().await;
    let first = rig.asks("s0", "echo number 0").await;
    for n in 1..3_000 {
        rig.asks(&format!("s{}", n % 40), &format!("echo number {n} {}", "x".repeat(200))).await;
    }
    let page = inbox(&mut ann).await;
    assert!(page.contains("And 2940 more"), "{}", page.len());
    assert!(page.len() < 400_000, "{} bytes", page.len());
    assert!(page.contains(&first.to_string()), "what was asked first is shown first");
}
