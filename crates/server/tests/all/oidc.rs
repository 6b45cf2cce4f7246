//! Signing in by an OpenID provider: who gets in, as whom, and what proves nothing.

use grantd_node::realm::command::Secret;
use grantd_node::realm::linked_account::Policy;
use grantd_server::oidc::OidcSettings;
use grantd_testkit::clock::Clock as HandClock;
use serde_json::json;

use crate::browser::{Browser, PASSWORD};
use crate::provider::{Account, CLIENT, Fault, Provider, SECRET};
use crate::support::{Answer, Rig, Setup, client};

const MINUTE: i64 = 60 * 1_000_000;

struct World {
    rig: Rig,
    provider: Provider,
    providers_clock: HandClock,
    public_url: String,
}

impl World {
    async fn new() -> Self {
        Self::with(Policy { create_users: true, email_domains: Vec::new() }).await
    }

    async fn with(policy: Policy) -> Self {
        Self::of(policy, &["default"], None).await
    }

    async fn of(policy: Policy, realms: &[&str], public_url: Option<&'static str>) -> Self {
        let providers_clock = HandClock::default();
        let ticking = providers_clock.clone();
        let provider = Provider::start(move || ticking.now()).await;
        let oidc = OidcSettings {
            issuer: provider.issuer.clone(),
            client_id: CLIENT.into(),
            client_secret: Some(Secret(SECRET.into())),
            name: "Example <ID>".into(),
            acr_values: None,
            policy,
            realms: realms.iter().map(ToString::to_string).collect(),
            authorities: Vec::new(),
        };
        let setup = Setup { shared: true, oidc: Some(oidc), public_url, ..Setup::default() };
        let rig = Rig::set_up(setup).await;
        let public_url = public_url.map_or_else(|| rig.base().to_owned(), Into::into);
        Self { rig, provider, providers_clock, public_url }
    }

    fn passes(&self, time: i64) {
        self.rig.clock.advance(time);
        self.providers_clock.advance(time);
    }

    /// To the provider and back to where it sends this browser.
    async fn comes_back(&self, browser: &mut Browser, path: &str) -> String {
        let started = browser.get(path).await;
        assert!([302, 303].contains(&started.status), "{}", started.text);
        let location = started.header("location").to_owned();
        assert!(location.starts_with(&format!("{}/authorize?", self.provider.issuer)), "{location}");
        let back = client().build().unwrap().get(location).send().await.unwrap();
        assert_eq!(back.status(), 303);
        let back = back.headers()["location"].to_str().unwrap().to_owned();
        back.strip_prefix(&self.public_url).expect("our own address").to_owned()
    }

    async fn tries(&self, browser: &mut Browser) -> Answer {
        let back = self.comes_back(browser, "/login/oidc").await;
        browser.get(&back).await
    }

    /// As whom somebody with a new browser is signed in.
    async fn signs_in(&self, account: Account) -> String {
        self.provider.signs_in(account);
        let mut browser = Browser::new(&self.rig);
        let answer = self.tries(&mut browser).await.is(303);
        assert!(answer.header("location").ends_with("/account"), "{:?}", answer.headers);
        who(&browser).await
    }

    async fn is_refused(&self, account: Account, status: u16, text: &str) {
        self.provider.signs_in(account);
        let mut browser = Browser::new(&self.rig);
        let answer = self.tries(&mut browser).await.is(status);
        assert!(answer.text.contains(text), "{text}: {}", answer.text);
        assert!(!browser.is_signed_in().await);
    }
}

async fn who(browser: &Browser) -> String {
    let session = browser.call("GET", "/api/v1/session").send().await.is(200);
    session.body["login"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn somebody_new_becomes_a_user_and_stays_the_same() {
    let world = World::new().await;
    assert_eq!(world.signs_in(Account::of("ann@example.com")).await, "ann@example.com");
    let user = world.rig.call("GET", "/api/v1/users/ann@example.com").send().await.is(200);
    assert_eq!(user.body["name"], "Ann Ångström");
    assert_eq!(user.body["has_password"], false);
    // The subject is who somebody is; the address may become another one.
    let moved = Account { email: Some("ann@elsewhere.example".into()), ..Account::of("ann@example.com") };
    let before = world.rig.revision().await;
    assert_eq!(world.signs_in(moved.clone()).await, "ann@example.com");
    assert_eq!(world.signs_in(Account { verified: json!(false), ..moved }).await, "ann@example.com");
    assert_eq!(world.rig.revision().await, before, "a sign-in makes no entry");
    let ledger = world.rig.call("GET", "/api/v1/ledger?limit=1000").send().await.is(200);
    assert!(ledger.text.contains("account_linked"));
    assert!(!ledger.text.contains("subject of"), "a subject is about a person");
}

#[tokio::test]
async fn nobody_is_made_where_that_is_not_wanted() {
    let world = World::with(Policy::default()).await;
    let ann = Account::of("ann@example.com");
    world.is_refused(ann.clone(), 403, "Nobody has your e-mail address as a login here").await;
    world.rig.user("ann@example.com").await;
    assert_eq!(world.signs_in(ann).await, "ann@example.com");
}

#[tokio::test]
async fn an_address_has_to_be_verified_and_of_a_domain_that_is_taken() {
    let policy = Policy { create_users: true, email_domains: vec!["example.com".into()] };
    let world = World::with(policy).await;
    let ann = Account::of("ann@example.com");
    for verified in [json!(false), json!(null)] {
        world.is_refused(Account { verified, ..ann.clone() }, 403, "is verified").await;
    }
    let without = Account { email: None, ..ann.clone() };
    world.is_refused(without, 403, "is verified").await;
    world.rig.user("bob").await;
    for no_address in ["bob", "@example.com", "bob@", ""] {
        world.is_refused(Account::of(no_address), 403, "is verified").await;
    }
    for other in
        ["ann@example.org", "ann@sub.example.com", "ann@example.com.evil.example", "ann@evil-example.com"]
    {
        world.is_refused(Account::of(other), 403, "of your domain are not taken").await;
    }
    world.is_refused(Account::of("o'neil@example.com"), 403, "cannot be a login").await;
    assert_eq!(world.signs_in(Account::of("ben@EXAMPLE.com")).await, "ben@EXAMPLE.com");
}

#[tokio::test]
async fn an_address_alone_is_nobody_who_runs_the_realm() {
    let world = World::new().await;
    world.rig.person("root@example.com").await;
    world.rig.call("PUT", "/api/v1/roles/super-users/members/user:root@example.com").send().await.is(200);
    world.rig.person("operator@example.com").await;
    world.rig.relate(&["grantd:default#operator@user:operator@example.com"]).await;
    world.rig.relate(&["grantd:default#operator@user:made-later@example.com"]).await;
    world.rig.person("keeper@example.com").await;
    world.rig.call("PUT", "/api/v1/roles/admin/members/user:keeper@example.com").send().await.is(200);
    for address in
        ["root@example.com", "operator@example.com", "made-later@example.com", "keeper@example.com"]
    {
        world.is_refused(Account::of(address), 403, "whom an address alone does not prove").await;
    }
    let path = "/api/v1/users/root@example.com/linked-accounts";
    let account = json!({"subject": "subject of root@example.com"});
    world.rig.call("POST", path).json(account).await.is(201);
    assert_eq!(world.signs_in(Account::of("root@example.com")).await, "root@example.com");
}

#[tokio::test]
async fn who_links_an_account_must_hold_what_its_user_holds() {
    let world = World::new().await;
    let operator = world.rig.key(&["operator"]).await;
    let auditor = world.rig.key(&["auditor"]).await;
    world.rig.person("root").await;
    world.rig.call("PUT", "/api/v1/roles/super-users/members/user:root").send().await.is(200);
    world.rig.person("ann").await;
    let account = json!({"subject": "a"});
    let link = |key: &str, login: &str| {
        let call = world.rig.with(key, "POST", &format!("/api/v1/users/{login}/linked-accounts"));
        call.json(account.clone())
    };
    link(&operator, "root").await.is_problem(403, "not_held");
    link(&auditor, "ann").await.is_problem(403, "forbidden");
    link(&operator, "nobody").await.is_problem(404, "not_found");
    let linked = link(&operator, "ann").await.is(201);
    assert_eq!(linked.body["issuer"], world.provider.issuer);
    assert_eq!(link(&operator, "ann").await.is(201).body, linked.body, "the same again");
    world.rig.person("ben").await;
    link(&operator, "ben").await.is_problem(409, "already_exists");
    for bad in
        [json!({"subject": ""}), json!({"subject": "x".repeat(256)}), json!({"subject": "a\nb"}), json!({})]
    {
        let call = world.rig.with(&operator, "POST", "/api/v1/users/ben/linked-accounts");
        call.json(bad).await.is(400);
    }
    let listed = world.rig.with(&auditor, "GET", "/api/v1/users/ann/linked-accounts").send().await.is(200);
    assert_eq!(listed.body["items"], json!([linked.body]));
    let id = linked.body["id"].as_str().unwrap();
    for path in [
        format!("ben/linked-accounts/{id}"),
        "ann/linked-accounts/x".into(),
        format!("ann/linked-accounts/{}", "0".repeat(64)),
    ] {
        let call = world.rig.with(&operator, "DELETE", &format!("/api/v1/users/{path}"));
        call.send().await.is_problem(404, "not_found");
    }
}

#[tokio::test]
async fn an_address_that_was_given_to_somebody_else_is_not_the_user() {
    let world = World::new().await;
    assert_eq!(world.signs_in(Account::of("ann@example.com")).await, "ann@example.com");
    let successor = Account { subject: "another subject".into(), ..Account::of("ann@example.com") };
    world.is_refused(successor, 403, "another account of this provider").await;
}

#[tokio::test]
async fn what_ends_a_user_or_a_link_ends_their_sign_in() {
    let world = World::new().await;
    let ann = Account::of("ann@example.com");
    let mut browser = Browser::new(&world.rig);
    world.provider.signs_in(ann.clone());
    world.tries(&mut browser).await.is(303);
    assert!(browser.is_signed_in().await);
    let path = "/api/v1/users/ann@example.com";
    let listed = world.rig.call("GET", &format!("{path}/linked-accounts")).send().await.is(200);
    let id = listed.body["items"][0]["id"].as_str().unwrap();
    world.rig.call("DELETE", &format!("{path}/linked-accounts/{id}")).send().await.is(200);
    assert!(!browser.is_signed_in().await, "the session was by that account");

    world.tries(&mut browser).await.is(303);
    assert!(browser.is_signed_in().await, "found by the address, and linked again");
    world.rig.call("PATCH", path).json(json!({"password": PASSWORD})).await.is(200);
    assert!(!browser.is_signed_in().await, "a first password is a new password");
    world.tries(&mut browser).await.is(303);
    world.rig.call("PATCH", path).json(json!({"active": false})).await.is(200);
    assert!(!browser.is_signed_in().await);
    world.is_refused(ann.clone(), 403, "not active").await;

    world.rig.call("DELETE", path).send().await.is(200);
    world.rig.user("ann@example.com").await;
    let listed = world.rig.call("GET", &format!("{path}/linked-accounts")).send().await.is(200);
    assert_eq!(listed.body["items"], json!([]), "a login made again starts with nothing");
}

#[tokio::test]
async fn what_proves_nothing_signs_nobody_in() {
    let world = World::new().await;
    let faults = [
        Fault::WrongNonce,
        Fault::NoNonce,
        Fault::WrongAudience,
        Fault::AnotherAudienceToo,
        Fault::AnotherParty,
        Fault::WrongIssuer,
        Fault::Expired,
        Fault::FromTheFuture,
        Fault::Unsigned,
        Fault::SignedByTheSecret,
        Fault::SignedByThePublicKey,
        Fault::UnknownKey,
        Fault::OtherSignature,
        Fault::NoIdToken,
        Fault::NotJson,
    ];
    for fault in faults {
        world.provider.does(fault);
        let mut browser = Browser::new(&world.rig);
        let answer = world.tries(&mut browser).await;
        let expected = if fault == Fault::NotJson { 503 } else { 400 };
        assert_eq!(answer.status, expected, "{fault:?}: {}", answer.text);
        assert!(answer.text.contains("role=\"alert\""), "{fault:?}");
        assert!(!browser.is_signed_in().await, "{fault:?}");
        assert_eq!(
            world.rig.call("GET", "/api/v1/users/ann@example.com").send().await.status,
            404,
            "{fault:?}"
        );
    }
    world.provider.does(Fault::None);
    assert_eq!(world.signs_in(Account::of("ann@example.com")).await, "ann@example.com");
}

#[tokio::test]
async fn a_sign_in_is_finished_once_by_the_browser_that_began_it() {
    let world = World::new().await;
    let mut ann = Browser::new(&world.rig);
    let back = world.comes_back(&mut ann, "/login/oidc").await;
    let mut mallory = Browser::new(&world.rig);
    mallory.get(&back).await.is(400);
    world.comes_back(&mut mallory, "/login/oidc").await;
    mallory.get(&back).await.is(400);
    assert!(!mallory.is_signed_in().await);

    ann.get(&back).await.is(303);
    let again = ann.clone();
    let replayed = again.call("GET", &back).send().await.is(400);
    assert!(replayed.text.contains("was used already"), "{}", replayed.text);
    assert!(replayed.headers.get("set-cookie").is_none());

    // The provider takes each code once, whoever shows it.
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let fresh = world.comes_back(&mut mallory, "/login/oidc").await;
    let state = fresh.split("state=").nth(1).unwrap();
    mallory.get(&format!("/login/oidc/callback?code={code}&state={state}")).await.is(400);
    for query in ["", "?state=x&code=y", "?code=y", &format!("?state={state}"), "?state=%ff&code=%00"] {
        mallory.get(&format!("/login/oidc/callback{query}")).await.is(400);
    }
    assert!(!mallory.is_signed_in().await);
}

#[tokio::test]
async fn of_many_who_come_back_at_once_one_is_signed_in() {
    let policy = Policy { create_users: true, ..Policy::default() };
    let world = World::of(policy, &["default"], Some("http://grantd.example")).await;
    let there = world.rig.another().await;
    world.provider.does(Fault::CodesLast);
    let mut ann = Browser::new(&world.rig);
    let back = world.comes_back(&mut ann, "/login/oidc").await;
    let comes_back = |n: usize| {
        let (browser, back) = (if n.is_multiple_of(2) { ann.clone() } else { ann.on(&there) }, &back);
        async move { browser.call("GET", back).send().await.status }
    };
    let statuses = futures::future::join_all((0..12).map(comes_back)).await;
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [303, 400].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn somebody_elses_code_is_of_no_use() {
    let world = World::new().await;
    let mut ann = Browser::new(&world.rig);
    let hers = world.comes_back(&mut ann, "/login/oidc").await;
    let code = hers.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let mut mallory = Browser::new(&world.rig);
    let his = world.comes_back(&mut mallory, "/login/oidc").await;
    let state = his.split("state=").nth(1).unwrap();
    let answer = mallory.get(&format!("/login/oidc/callback?code={code}&state={state}")).await;
    answer.is(400);
    assert!(!mallory.is_signed_in().await, "PKCE ties the code to the browser that asked for it");
}

#[tokio::test]
async fn ten_minutes_are_enough() {
    let world = World::new().await;
    let mut ann = Browser::new(&world.rig);
    let back = world.comes_back(&mut ann, "/login/oidc").await;
    world.passes(9 * MINUTE);
    ann.get(&back).await.is(303);
    let mut late = Browser::new(&world.rig);
    let back = world.comes_back(&mut late, "/login/oidc").await;
    world.passes(11 * MINUTE);
    late.get(&back).await.is(400);
}

#[tokio::test]
async fn two_tabs_of_one_browser() {
    let world = World::new().await;
    let mut ann = Browser::new(&world.rig);
    let one = world.comes_back(&mut ann, "/login/oidc?next=/inbox").await;
    let two = world.comes_back(&mut ann, "/login/oidc?next=/account").await;
    assert_eq!(ann.get(&one).await.is(303).header("location"), "/inbox");
    assert_eq!(ann.get(&two).await.is(303).header("location"), "/account");
    assert!(ann.is_signed_in().await);
}

#[tokio::test]
async fn a_visitor_goes_on_to_where_they_wanted_and_nowhere_else() {
    let world = World::new().await;
    let table = [
        ("/inbox", "/inbox"),
        ("//evil.example/", "/account"),
        ("https://evil.example/", "/account"),
        ("/%5Cevil.example", "/%5Cevil.example"),
        ("/\\evil.example", "/account"),
    ];
    for (next, expected) in table {
        let mut browser = Browser::new(&world.rig);
        let query = next.replace('%', "%25").replace('\\', "%5C").replace(':', "%3A");
        let back = world.comes_back(&mut browser, &format!("/login/oidc?next={query}")).await;
        assert_eq!(browser.get(&back).await.is(303).header("location"), expected, "{next}");
    }
    let mut browser = Browser::new(&world.rig);
    let page = browser.get("/login?next=%2Finbox").await.is(200);
    assert!(page.text.contains("href=\"/login/oidc?next=%2Finbox\""), "{}", page.text);
    assert!(page.text.contains("Sign in with Example &#60;ID&#62;"), "{}", page.text);
}

#[tokio::test]
async fn the_provider_may_say_no() {
    let world = World::new().await;
    let mut ann = Browser::new(&world.rig);
    let back = world.comes_back(&mut ann, "/login/oidc").await;
    let state = back.split("state=").nth(1).unwrap();
    let no = format!("/login/oidc/callback?error=access_denied&state={state}");
    let answer = ann.get(&no).await.is(400);
    assert!(answer.text.contains("did not sign you in"), "{}", answer.text);
    ann.get(&back).await.is(400);
    let back = world.comes_back(&mut ann, "/login/oidc").await;
    let other = format!("{back}&iss=https%3A%2F%2Fevil.example");
    ann.get(&other).await.is(400);
    let back = world.comes_back(&mut ann, "/login/oidc").await;
    let iss = world.provider.issuer.replace(':', "%3A").replace('/', "%2F");
    ann.get(&format!("{back}&iss={iss}")).await.is(303);
}

#[tokio::test]
async fn new_keys_are_looked_for_when_a_token_has_one_that_nobody_knows() {
    let world = World::new().await;
    world.signs_in(Account::of("ann@example.com")).await;
    assert_eq!(world.provider.asked("keys"), 1);
    world.provider.changes_its_keys();
    world.signs_in(Account::of("ann@example.com")).await;
    assert_eq!(world.provider.asked("keys"), 2);
    // A token with an invented key does not make us ask again and again.
    world.provider.does(Fault::UnknownKey);
    for _ in 0..5 {
        world.tries(&mut Browser::new(&world.rig)).await.is(400);
    }
    assert_eq!(world.provider.asked("keys"), 2);
}

#[tokio::test]
async fn a_provider_that_is_down_is_a_clear_page() {
    let world = World::new().await;
    world.provider.does(Fault::EndlessAnswer);
    let mut ann = Browser::new(&world.rig);
    let answer = ann.get("/login/oidc").await.is(503);
    assert!(answer.text.contains("cannot be reached now"), "{}", answer.text);
    assert!(!answer.header("retry-after").is_empty());
    assert!(answer.text.contains("name=\"password\""), "one can still sign in by password");
    // Asked again a moment later, nobody waits for it.
    ann.get("/login/oidc").await.is(503);
    assert_eq!(world.provider.asked("document"), 1);

    let world = World::new().await;
    let mut ann = Browser::new(&world.rig);
    let back = world.comes_back(&mut ann, "/login/oidc").await;
    world.provider.stops();
    ann.get(&back).await.is(503);
    assert!(!ann.is_signed_in().await);
}

#[tokio::test]
async fn an_address_that_only_the_userinfo_endpoint_tells() {
    let world = World::new().await;
    let ann = Account { in_token: false, ..Account::of("ann@example.com") };
    assert_eq!(world.signs_in(ann.clone()).await, "ann@example.com");
    let user = world.rig.call("GET", "/api/v1/users/ann@example.com").send().await.is(200);
    assert_eq!(user.body["name"], "Ann Ångström");
    world.provider.does(Fault::WrongSubjectAtUserInfo);
    world.is_refused(Account { subject: "new".into(), ..ann }, 503, "cannot be reached").await;
}

#[tokio::test]
async fn a_provider_that_takes_the_secret_in_the_body_alone() {
    let world = World::new().await;
    world.provider.takes_secrets_by(&["client_secret_post"]);
    assert_eq!(world.signs_in(Account::of("ann@example.com")).await, "ann@example.com");
}

#[tokio::test]
async fn only_the_realms_that_are_named() {
    let world = World::of(Policy { create_users: true, ..Policy::default() }, &["acme"], None).await;
    world.rig.create_realm("acme").await;
    world.rig.create_realm("other").await;
    for mount in ["", "/r/other"] {
        let mut browser = Browser::at(&world.rig, mount);
        browser.get("/login/oidc").await.is(404);
        browser.get("/login/oidc/callback?code=a&state=b").await.is(404);
        assert!(!browser.get("/login").await.is(200).text.contains("Sign in with"));
    }
    let mut ann = Browser::at(&world.rig, "/r/acme");
    let back = world.comes_back(&mut ann, "/login/oidc?next=%2Fr%2Facme%2Finbox").await;
    let answer = ann.get(back.strip_prefix("/r/acme").unwrap()).await.is(303);
    assert_eq!(answer.header("location"), "/r/acme/inbox");
    assert!(ann.cookies.contains_key("grantd_session.acme"), "{:?}", ann.cookies);
}

#[tokio::test]
async fn a_sign_in_begun_on_one_node_is_finished_on_another() {
    let policy = Policy { create_users: true, ..Policy::default() };
    let world = World::of(policy, &["default"], Some("http://grantd.example")).await;
    let there = world.rig.another().await;
    let mut ann = Browser::new(&world.rig);
    let back = world.comes_back(&mut ann, "/login/oidc").await;
    let mut elsewhere = ann.on(&there);
    elsewhere.get(&back).await.is(303);
    assert_eq!(who(&elsewhere).await, "ann@example.com");
    ann.get(&back).await.is(400);
}

#[tokio::test]
async fn nobody_begins_without_end() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.rig);
    let mut begun = 0;
    loop {
        let answer = browser.get("/login/oidc").await;
        match answer.status {
            303 => begun += 1,
            429 => break,
            other => panic!("{other}: {}", answer.text),
        }
        assert!(begun < 1_000, "never limited");
    }
    assert!(begun >= 300, "{begun}");
    Browser::elsewhere(&world.rig, 2).get("/login/oidc").await.is(303);
}

#[tokio::test]
async fn the_catalogue_dialect_signs_in_by_the_same_provider() {
    let world = World::new().await;
    for path in ["/v1/login/oidc", "/tdp/v1/login/oidc", "/tdp/v1/login/oidc/"] {
        let mut ann = Browser::new(&world.rig);
        let back = world.comes_back(&mut ann, path).await;
        assert!(back.starts_with("/tdp/v1/login?"), "{back}");
        let answer = ann.get(&back).await.is(302);
        assert_eq!(answer.header("location"), "/login");
        let checked = ann.get("/v1/auth_check").await.is(200);
        let user = json!({"email": "ann@example.com", "first_name": "Ann", "last_name": "Ångström"});
        assert_eq!(checked.body["user"], user);
        assert_eq!(ann.cookies["csrftoken"], checked.body["csrf"].as_str().unwrap());
        assert!(!ann.is_signed_in().await, "a session of the dialect is none of the pages");
        ann.get(&back).await.is(400);
    }
    let mut ann = Browser::new(&world.rig);
    let back = world.comes_back(&mut ann, "/v1/login/oidc?next=/app").await;
    assert_eq!(ann.get(&back).await.is(302).header("location"), "/app");
    let back = world.comes_back(&mut ann, "/v1/login/oidc?next=//evil.example").await;
    assert_eq!(ann.get(&back).await.is(302).header("location"), "/login");
}

#[tokio::test]
async fn the_catalogue_dialect_says_what_went_wrong_in_its_own_words() {
    let world = World::new().await;
    let down = json!({"error": "Invalid Validation Code Or OpenID Connect Authenticator Down!"});
    let says = async |status: u16, body: serde_json::Value| {
        let mut browser = Browser::new(&world.rig);
        let back = world.comes_back(&mut browser, "/v1/login/oidc").await;
        let answer = browser.get(&back).await.is(status);
        assert_eq!(answer.body, body);
        assert!(!browser.cookies.contains_key("sessionid"));
    };
    for fault in [Fault::WrongNonce, Fault::WrongAudience, Fault::Unsigned, Fault::NotJson] {
        world.provider.does(fault);
        says(400, down.clone()).await;
    }
    world.provider.does(Fault::Expired);
    says(401, json!({"error": "The token is expired."})).await;
    world.provider.does(Fault::None);
    world.provider.signs_in(Account { verified: json!(false), ..Account::of("ann@example.com") });
    says(400, json!({"error": "Unverified email!"})).await;
    world.rig.user("root@example.com").await;
    world.rig.call("PUT", "/api/v1/roles/super-users/members/user:root@example.com").send().await.is(200);
    world.provider.signs_in(Account::of("root@example.com"));
    let mut browser = Browser::new(&world.rig);
    let back = world.comes_back(&mut browser, "/v1/login/oidc").await;
    browser.get(&back).await.is(403);
    for query in ["", "?code=x", "?state=x"] {
        let answer = browser.get(&format!("/v1/login{query}")).await.is(302);
        assert_eq!(answer.header("location"), "/login", "nothing came back: to the sign-in page");
    }
    let answer = browser.get("/v1/login?code=x&state=x").await.is(400);
    assert_eq!(answer.body, down);
    let back = world.comes_back(&mut browser, "/login/oidc").await;
    let query = back.split_once('?').unwrap().1;
    browser.get(&format!("/tdp/v1/login?{query}")).await.is(400);
}
