//! GET and POST `/oauth2/authorize`: on the way to a code.

use grantd_node::realm::app::AppSettings;

use super::world::{BACK, CHALLENGE, Client, Fields, SCOPES, VERIFIER, World, confidential, pair, register};
use crate::browser::Browser;
use crate::support::Answer;

const HERE: &str = "/oauth2/authorize";

/// A request with these parameters.
fn asking(parameters: &[(&str, &str)]) -> String {
    format!("{HERE}?{}", serde_urlencoded::to_string(parameters).unwrap())
}

/// What a confidential app asks for, with some of it otherwise: an empty value takes a parameter away.
fn otherwise(app: &str, changes: &[(&str, &str)]) -> String {
    let usual = [
        ("client_id", app),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", SCOPES),
        ("state", "a state & more"),
    ];
    let changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
    let kept = usual.into_iter().filter(|(name, _)| !changed(name));
    let changed = changes.iter().copied().filter(|(_, value)| !value.is_empty());
    asking(&kept.chain(changed).collect::<Vec<_>>())
}

/// The parameters of an answer that leads to the app.
fn led(answer: &Answer, back: &str) -> Vec<(String, String)> {
    let there = answer.header("location");
    let query = there.strip_prefix(back).unwrap_or_else(|| panic!("{there}: {}", answer.text));
    serde_urlencoded::from_str(&query[1..]).unwrap()
}

fn value<'p>(parameters: &'p [(String, String)], name: &str) -> Option<&'p str> {
    parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

impl World {
    async fn ann(&self) -> Browser {
        let mut ann = Browser::new(&self.rig);
        ann.signs_in("ann").await;
        ann
    }
}

impl Browser {
    /// Opens the page and answers its form.
    async fn decides(&mut self, path: &str, decision: &str) -> Answer {
        let page = self.get(path).await.is(200);
        let fields = hidden(&page.text);
        let fields = fields.iter().filter(|(name, _)| name != "csrf");
        let mut fields: Vec<_> = fields.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.push(("decision", decision));
        self.post(path, &fields).await
    }
}

/// The hidden fields of the page's consent form.
fn hidden(page: &str) -> Vec<(String, String)> {
    let form = page.split("<form").find(|form| form.contains("/oauth2/authorize")).expect("the form");
    let inputs = form.split("<input").skip(1).filter(|input| input.contains("type=\"hidden\""));
    let attribute = |input: &str, name: &str| {
        let value = input.split(&format!("{name}=\"")).nth(1).unwrap_or_default();
        value.split('"').next().unwrap_or_default().replace("&#38;", "&").replace("&amp;", "&")
    };
    inputs.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect()
}

#[tokio::test]
async fn a_yes_leads_to_the_app_with_a_code() {
    let world = World::new().await;
    let mut ann = world.ann().await;
    let path = otherwise(&world.shop.id, &[]);
    let answer = ann.decides(&path, "allow").await.is(303);
    let told = led(&answer, BACK);
    assert_eq!(value(&told, "state"), Some("a state & more"));
    assert_eq!(value(&told, "iss"), Some(world.rig.base()));
    let code = value(&told, "code").unwrap();
    pair(&world.redeem(&world.shop, code, &[]).await.is(200));
    // Once all is agreed on, nobody is asked again.
    let told = led(&ann.get(&path).await.is(303), BACK);
    pair(&world.redeem(&world.shop, value(&told, "code").unwrap(), &[]).await.is(200));
    // Unless the app wants it so, or wants more.
    ann.get(&otherwise(&world.shop.id, &[("approval_prompt", "force")])).await.is(200);
    ann.get(&otherwise(&world.shop.id, &[("scope", "payments.read refunds.write")])).await.is(200);
}

#[tokio::test]
async fn a_no_leads_to_the_app_without_one() {
    let world = World::new().await;
    let mut ann = world.ann().await;
    let before = world.rig.revision().await;
    let answer = ann.decides(&otherwise(&world.shop.id, &[]), "deny").await.is(303);
    let told = led(&answer, BACK);
    assert_eq!(value(&told, "error"), Some("access_denied"));
    assert_eq!(value(&told, "state"), Some("a state & more"));
    assert_eq!(value(&told, "iss"), Some(world.rig.base()));
    assert!(value(&told, "code").is_none());
    assert_eq!(world.rig.revision().await, before);
}

#[tokio::test]
async fn a_public_app_is_asked_about_each_time_and_proves_itself_by_its_key() {
    let world = World::new().await;
    let mut ann = world.ann().await;
    let back = "http://127.0.0.1:5000/back";
    let proof = [("redirect_uri", back), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let path = otherwise(&world.phone.id, &proof);
    for _ in 0..2 {
        let told = led(&ann.decides(&path, "allow").await.is(303), back);
        let form = [
            ("grant_type", "authorization_code"),
            ("code", value(&told, "code").unwrap()),
            ("redirect_uri", back),
            ("code_verifier", VERIFIER),
        ];
        pair(&world.post(&world.phone, "/oauth2/tokens", &form).await.is(200));
    }
}

#[tokio::test]
async fn who_is_not_signed_in_signs_in_and_comes_back() {
    let world = World::new().await;
    let path = otherwise(&world.shop.id, &[]);
    let answer = world.rig.bare("GET", &path).send().await.is(303);
    let next = answer.header("location").strip_prefix("/login?").unwrap();
    let next: Vec<(String, String)> = serde_urlencoded::from_str(next).unwrap();
    assert_eq!(next, [("next".to_owned(), path)]);
}

/// Addresses that are nearly the app's own.
#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let world = World::new().await;
    let ann = world.ann().await;
    let local = register(&world.rig, "Local", confidential(&["http://127.0.0.1/back"])).await;
    let fixed = AppSettings { public: true, ..confidential(&["http://127.0.0.1:5000/back"]) };
    let fixed = register(&world.rig, "Fixed", fixed).await;
    let several = register(&world.rig, "Several", confidential(&[BACK, "https://shop.example/2"])).await;
    let table: [(&Client, &[&str]); 5] = [
        (
            &world.shop,
            &[
                "https://shop.example/back/",
                "https://shop.example/back/x",
                "https://shop.example/backdoor",
                "https://shop.example/back?x=1",
                "https://shop.example/back#x",
                "https://shop.example/back#",
                "https://shop.example:443/back",
                "https://shop.example:8443/back",
                "https://ann@shop.example/back",
                "https://shop.example@evil.example/back",
                "https://shop.example.evil.example/back",
                "https://shop.example%2eevil.example/back",
                "https://shop.example\\@evil.example/back",
                "https://SHOP.example/back",
                "https://shop.example/%62ack",
                "https://shop.example/x/../back",
                "http://shop.example/back",
                "//shop.example/back",
                "/back",
                "javascript:alert(1)",
                "https://rival.example/back",
                " https://shop.example/back",
                "https://shop.example/back\r\nx: y",
            ],
        ),
        (
            &world.phone,
            &[
                "http://127.0.0.1:5000/other",
                "http://127.0.0.1:5000/back?x",
                "http://127.0.0.1:5000@evil.example/back",
                "http://127.0.0.1:500000/back",
                "http://127.0.0.1:/back",
                "http://127.0.0.1.evil.example/back",
                "http://localhost:5000/back",
                "http://[::1]:5000/back",
                "https://127.0.0.1:5000/back",
            ],
        ),
        // Another port is for public apps that left it open.
        (&local, &["http://127.0.0.1:5000/back"]),
        (&fixed, &["http://127.0.0.1:5001/back", "http://127.0.0.1/back"]),
        (&several, &[""]),
    ];
    for (app, addresses) in table {
        for address in addresses {
            let path = otherwise(&app.id, &[("redirect_uri", address)]);
            let answer = ann.call("GET", &path).send().await.is(400);
            assert_eq!(answer.header("location"), "", "{address}");
            assert!(answer.header("content-type").starts_with("text/html"), "{address}");
            assert!(!answer.text.contains("evil.example"), "{address}");
        }
    }
}

#[tokio::test]
async fn without_a_sure_app_nobody_is_sent_anywhere() {
    let world = World::new().await;
    let ann = world.ann().await;
    let twice = format!("{}&client_id={}", otherwise(&world.shop.id, &[]), world.rival.id);
    let two_ways =
        format!("{}&redirect_uri=https%3A%2F%2Frival.example%2Fback", otherwise(&world.shop.id, &[]));
    for path in [
        otherwise("app_00000000000000000000000", &[]),
        otherwise("", &[("client_id", "")]),
        twice,
        two_ways,
        HERE.to_owned(),
    ] {
        let answer = ann.call("GET", &path).send().await.is(400);
        assert_eq!(answer.header("location"), "", "{path}");
    }
}

/// What is wrong with a request is told to the app, and to nobody else.
#[tokio::test]
async fn what_is_wrong_is_said_to_the_app() {
    let world = World::new().await;
    let ann = world.ann().await;
    let strict = AppSettings { pkce_required: true, ..confidential(&[BACK]) };
    let strict = register(&world.rig, "Strict", strict).await;
    let challenge = ("code_challenge", CHALLENGE);
    let table: [(&Client, Fields<'_>, &str); 17] = [
        (&world.shop, &[("state", "")], "invalid_request"),
        (&world.shop, &[("response_type", "")], "invalid_request"),
        (&world.shop, &[("response_type", "token")], "unsupported_response_type"),
        (&world.shop, &[("response_type", "code id_token")], "unsupported_response_type"),
        (&world.shop, &[("response_mode", "fragment")], "invalid_request"),
        (&world.shop, &[("scope", "")], "invalid_scope"),
        (&world.shop, &[("scope", "payments.read everything.write")], "invalid_scope"),
        (&world.shop, &[("scope", "PAYMENTS.READ")], "invalid_scope"),
        (&world.shop, &[("approval_prompt", "never")], "invalid_request"),
        (&world.shop, &[("request", "x.y.z")], "request_not_supported"),
        (&world.shop, &[("request_uri", "https://shop.example/x")], "request_uri_not_supported"),
        (&world.shop, &[challenge], "invalid_request"),
        (&world.shop, &[challenge, ("code_challenge_method", "plain")], "invalid_request"),
        (&world.shop, &[("code_challenge_method", "S256")], "invalid_request"),
        (&world.shop, &[("code_challenge", "short"), ("code_challenge_method", "S256")], "invalid_request"),
        (&world.phone, &[], "invalid_request"),
        (&strict, &[], "invalid_request"),
    ];
    for (app, changes, error) in table {
        let path = otherwise(&app.id, changes);
        let answer = ann.call("GET", &path).send().await.is(303);
        let told = led(&answer, BACK);
        assert_eq!(value(&told, "error"), Some(error), "{changes:?}");
        assert!(value(&told, "error_description").is_some_and(str::is_ascii), "{changes:?}");
        assert_eq!(value(&told, "iss"), Some(world.rig.base()), "{changes:?}");
        let state = (!changes.contains(&("state", ""))).then_some("a state & more");
        assert_eq!(value(&told, "state"), state, "{changes:?}");
        assert!(value(&told, "code").is_none());
    }
    for twice in ["scope=payments.read", "state=x", "response_type=code", "code_challenge=x"] {
        let path = format!("{}&{twice}&{twice}", otherwise(&world.shop.id, &[]));
        let told = led(&ann.call("GET", &path).send().await.is(303), BACK);
        assert_eq!(value(&told, "error"), Some("invalid_request"), "{twice}");
    }
    // With a proof key, the state is the app's own business.
    let proof = [("state", ""), challenge, ("code_challenge_method", "S256")];
    ann.call("GET", &otherwise(&world.shop.id, &proof)).send().await.is(200);
}

#[tokio::test]
async fn the_page_is_framed_by_nobody_and_takes_nobody_elses_form() {
    let world = World::new().await;
    let mut ann = world.ann().await;
    let path = otherwise(&world.shop.id, &[]);
    let page = ann.get(&path).await.is(200);
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    let fields = hidden(&page.text);
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.retain(|(name, _)| *name != "csrf");
    fields.push(("decision", "allow"));
    let token = ann.csrf.clone();
    let before = world.rig.revision().await;
    let mut stranger = Browser::new(&world.rig);
    stranger.get("/login").await.is(200);
    let forged = [
        ann.call("POST", &path).form(&fields, "").await,
        ann.call("POST", &path).form(&fields, &stranger.csrf).await,
        ann.call("POST", &path).header("sec-fetch-site", "cross-site").form(&fields, &token).await,
        ann.call("POST", &path).header("sec-fetch-site", "same-site").form(&fields, &token).await,
        ann.call("POST", &path).header("origin", "https://evil.example").form(&fields, &token).await,
        ann.call("POST", &path).header("origin", "null").form(&fields, &token).await,
    ];
    for answer in forged {
        assert_eq!(answer.is(403).header("location"), "");
    }
    assert_eq!(world.rig.revision().await, before);
    let answer = ann.call("POST", &path).header("sec-fetch-site", "same-origin").form(&fields, &token).await;
    assert!(value(&led(&answer.is(303), BACK), "code").is_some());
}

#[tokio::test]
async fn who_is_in_no_organization_agrees_to_nothing() {
    let world = World::new().await;
    world.rig.person("eve").await;
    let mut eve = Browser::new(&world.rig);
    eve.signs_in("eve").await;
    let path = otherwise(&world.shop.id, &[]);
    let page = eve.get(&path).await;
    assert!(page.status != 303, "{}", page.header("location"));
    let before = world.rig.revision().await;
    for organization in [world.organization.as_str(), "org_00000000", ""] {
        let fields =
            [("decision", "allow"), ("organization", organization), ("seen", SCOPES), ("scopes", SCOPES)];
        let answer = eve.post(&path, &fields).await;
        assert!(answer.status != 303, "{}", answer.header("location"));
    }
    assert_eq!(world.rig.revision().await, before);
}

/// An app that speaks with two servers can tell whose answer it got (RFC 9207).
#[tokio::test]
async fn each_realms_answers_name_their_own_issuer() {
    let world = World::new().await;
    world.rig.create_realm("acme").await;
    let mut ann = world.ann().await;
    let told = led(&ann.decides(&otherwise(&world.shop.id, &[]), "allow").await.is(303), BACK);
    assert_eq!(value(&told, "iss"), Some(world.rig.base()));
    // The app of one realm is unknown in another.
    let path = format!("/r/acme{}", otherwise(&world.shop.id, &[]));
    world.rig.bare("GET", &path).send().await.is(400);
    let code = value(&told, "code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK)];
    world.post(&world.shop, "/r/acme/oauth2/tokens", &form).await.is_oauth(401, "invalid_client");
}

#[tokio::test]
async fn at_the_dialects_mount_people_are_led_to_the_one_page() {
    let world = World::new().await;
    let path = otherwise(&world.shop.id, &[]);
    let answer = world.rig.bare("GET", &format!("/mollie{path}")).send().await.is(303);
    assert_eq!(answer.header("location"), format!("{}{path}", world.rig.base()));
}
