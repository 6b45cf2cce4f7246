//! The page on which a person consents, without a script: what it says, and what it takes for an answer.

use grantd_node::realm::app::AppSettings;
use grantd_node::realm::authorization::{Authorize, WithdrawScope};
use grantd_node::realm::oauth_token::Give;
use grantd_node::realm::organization::{
    ApproveApp, CreateOrganization, Policy, Seat, SeatMember, SetAuthorizationPolicy,
};
use grantd_node::realm::role::Member;

use super::world::{BACK, CHALLENGE, Client, World, confidential, register};
use crate::browser::Browser;
use crate::support::Answer;

/// The address of a request for these scopes.
fn asking(client: &Client, scopes: &str, more: &[(&str, &str)]) -> String {
    let usual = [
        ("client_id", client.id.as_str()),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", scopes),
        ("state", "s"),
    ];
    let query: Vec<_> = usual.iter().chain(more).collect();
    format!("/oauth2/authorize?{}", serde_urlencoded::to_string(query).unwrap())
}

/// The value of a hidden field.
fn hidden<'p>(page: &'p str, name: &str) -> &'p str {
    let field = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_default();
    field.split('"').next().unwrap_or_default()
}

/// Says yes to the page that the browser was last shown, with more fields.
async fn allows(browser: &mut Browser, path: &str, page: &Answer, more: &[(&str, &str)]) -> Answer {
    let (organization, seen) = (hidden(&page.text, "organization"), hidden(&page.text, "seen"));
    let texts = hidden(&page.text, "texts");
    let own = [("organization", organization), ("seen", seen), ("texts", texts), ("decision", "allow")];
    let changed = |name: &str| more.iter().any(|(changed, _)| *changed == name);
    let fields: Vec<_> =
        own.into_iter().filter(|(name, _)| !changed(name)).chain(more.iter().copied()).collect();
    browser.post(path, &fields).await
}

impl World {
    async fn signed_in(&self, login: &str) -> Browser {
        let mut browser = Browser::new(&self.rig);
        browser.signs_in(login).await;
        browser
    }

    /// Somebody with a seat in an organization.
    async fn seated(&self, login: &str, organization: &str, seat: Seat) -> Browser {
        self.rig.person(login).await;
        let (organization, member) = (organization.to_owned(), Member::User(login.into()));
        self.operate(SeatMember { organization, member, seat }).await;
        self.signed_in(login).await
    }

    async fn granted(&self, client: &Client, scopes: &str) {
        let command = Authorize {
            app: client.id.clone(),
            organization: self.organization.clone(),
            scopes: scopes.split(' ').map(Into::into).collect(),
            force: false,
            consent: None,
            expires: None,
            give: Give::Nothing,
        };
        self.operate(command).await;
    }
}

#[tokio::test]
async fn the_page_may_lead_to_the_app_and_nowhere_else() {
    let world = World::new().await;
    let mut ann = world.signed_in("ann").await;
    let page = ann.get(&asking(&world.shop, "payments.read", &[])).await.is(200);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    assert!(policy.contains("form-action 'self' https://shop.example;"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.header("x-frame-options"), "DENY");
    for forbidden in ["<script", "style=", " onclick"] {
        assert!(!page.text.contains(forbidden), "{forbidden}");
    }
}

#[tokio::test]
async fn each_permission_is_named_with_its_warning_and_the_language_is_the_readers() {
    let world = World::new().await;
    let mut ann = world.signed_in("ann").await;
    let path = asking(&world.shop, "payments.write", &[]);
    let page = ann.get(&path).await.is(200);
    for said in
        ["The shop asks for access", "The bakery", "Create, cancel and update payments", "shop.example"]
    {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    let dutch = ann.call("GET", &path).header("accept-language", "nl-NL,nl;q=0.9").send().await.is(200);
    assert!(dutch.text.contains("The shop vraagt om toegang") && dutch.text.contains("<html lang=\"nl\">"));
    assert!(!dutch.text.contains("Create, cancel"), "{}", dutch.text);
    let named = ann.get(&asking(&world.shop, "payments.write", &[("locale", "nl_BE")])).await.is(200);
    assert!(named.text.contains("vraagt om toegang"));
    let unknown = ann.get(&asking(&world.shop, "payments.write", &[("locale", "\"><script>")])).await.is(200);
    assert!(unknown.text.contains("asks for access") && !unknown.text.contains("<script>"));
}

#[tokio::test]
async fn names_are_text() {
    let world = World::new().await;
    let mut ann = world.signed_in("ann").await;
    let settings = AppSettings { website: None, ..confidential(&[BACK]) };
    let app = register(&world.rig, "<b>\u{202e}{organization}</b>", settings).await;
    let page = ann.get(&asking(&app, "payments.read", &[])).await.is(200);
    assert!(!page.text.contains("<b>") && !page.text.contains('\u{202e}'), "{}", page.text);
    assert!(page.text.contains("{organization}") && page.text.contains("U+202E"), "{}", page.text);
}

#[tokio::test]
async fn an_answer_without_the_proof_of_our_page_does_nothing() {
    let world = World::new().await;
    let mut ann = world.signed_in("ann").await;
    let path = asking(&world.shop, "payments.read", &[]);
    let page = ann.get(&path).await.is(200);
    let seen = hidden(&page.text, "seen").to_owned();
    let organization = world.organization.clone();
    let texts = hidden(&page.text, "texts").to_owned();
    let form =
        [("decision", "allow"), ("seen", &*seen), ("organization", &*organization), ("texts", &*texts)];
    let before = world.rig.revision().await;
    ann.call("POST", &path).form(&form, "").await.is(403);
    ann.call("POST", &path).form(&form, &ann.csrf.chars().rev().collect::<String>()).await.is(403);
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        ann.call("POST", &path).header(name, value).form(&form, &ann.csrf).await.is(403);
    }
    world.rig.bare("POST", &path).form(&form, &ann.csrf).await.is(403);
    assert_eq!(world.rig.revision().await, before);
    ann.call("POST", &path).header("sec-fetch-site", "same-origin").form(&form, &ann.csrf).await.is(303);
}

#[tokio::test]
async fn what_is_sent_is_what_was_shown() {
    let world = World::new().await;
    let mut ann = world.signed_in("ann").await;
    let path = asking(&world.shop, "payments.read refunds.read", &[]);
    let page = ann.get(&path).await.is(200);
    let before = world.rig.revision().await;
    for more in [
        [("seen", "payments.read"), ("x", "")],
        [("texts", "nl 1"), ("x", "")],
        [("texts", "en 0"), ("x", "")],
        [("organization", ""), ("x", "")],
    ] {
        let again = allows(&mut ann, &path, &page, &more).await.is(409);
        assert!(again.text.contains("role=\"alert\""), "{more:?}: {}", again.text);
    }
    allows(&mut ann, &path, &page, &[("decision", "perhaps")]).await.is(422);
    assert_eq!(world.rig.revision().await, before);
    allows(&mut ann, &path, &page, &[]).await.is(303);
}

#[tokio::test]
async fn what_goes_missing_meanwhile_is_shown_first() {
    let world = World::new().await;
    let mut ann = world.signed_in("ann").await;
    world.granted(&world.shop, "payments.read").await;
    let path = asking(&world.shop, "payments.read refunds.read", &[]);
    let page = ann.get(&path).await.is(200);
    assert_eq!(hidden(&page.text, "seen"), "refunds.read");
    let realm = world.rig.node.realm("default").await.unwrap();
    let authorization = realm.published().state.authorizations().iter_after(None).next().unwrap().id;
    world.operate(WithdrawScope { authorization, scope: "payments.read".into() }).await;
    let again = allows(&mut ann, &path, &page, &[]).await.is(409);
    assert_eq!(hidden(&again.text, "seen"), "payments.read refunds.read");
    allows(&mut ann, &path, &again, &[]).await.is(303);
}

#[tokio::test]
async fn optional_ones_are_given_only_when_ticked() {
    let world = World::new().await;
    let mut ann = world.signed_in("ann").await;
    let optional_scopes = vec!["refunds.read".into(), "refunds.write".into()];
    let settings = AppSettings { optional_scopes, ..confidential(&[BACK]) };
    let app = register(&world.rig, "Choosy", settings).await;
    let path = asking(&app, "payments.read refunds.read refunds.write", &[]);
    let page = ann.get(&path).await.is(200);
    assert_eq!(page.text.matches("type=\"checkbox\"").count(), 2);
    // Nobody ticks what was not offered.
    let ticked = [("optional", "refunds.read"), ("optional", "settlements.read")];
    allows(&mut ann, &path, &page, &ticked).await.is(303);
    let realm = world.rig.node.realm("default").await.unwrap();
    let (published, now) = (realm.published(), world.rig.clock.now());
    let found = published.state.authorizations().iter_after(None).next().unwrap();
    let scopes = grantd_node::realm::authorization::scopes_of(&published.state, found, now);
    let scopes: Vec<_> = scopes.iter().map(|scope| &*scope.id).collect();
    assert_eq!(scopes, ["payments.read", "refunds.read"]);
    let consent = found.consent.as_ref().unwrap();
    assert_eq!((&*consent.user, &*consent.locale), ("ann", "en"));
    assert!(consent.text_version >= 1 && consent.address.text() == Some("127.0.0.1"));
}

#[tokio::test]
async fn who_answers_must_belong_there() {
    let world = World::new().await;
    let path = asking(&world.shop, "payments.read", &[]);
    world.rig.person("eve").await;
    let mut eve = world.signed_in("eve").await;
    let page = eve.get(&path).await.is(403);
    assert!(page.text.contains("You belong to no organization"), "{}", page.text);
    let form = [
        ("decision", "allow"),
        ("organization", &*world.organization),
        ("seen", "payments.read"),
        ("texts", "en 1"),
    ];
    eve.post(&path, &form).await.is(403);
    // Of another one, she answers for that.
    let other = world.operate(CreateOrganization { name: "Elsewhere".into() }).await.id;
    world
        .operate(SeatMember {
            organization: other.clone(),
            member: Member::User("eve".into()),
            seat: Seat::Member,
        })
        .await;
    eve.post(&path, &form).await.is(409);
    let page = eve
        .get(&asking(&world.shop, "payments.read", &[("organization", &world.organization)]))
        .await
        .is(200);
    assert_eq!(hidden(&page.text, "organization"), other);
    let realm = world.rig.node.realm("default").await.unwrap();
    assert!(realm.published().state.authorizations().is_empty());
}

#[tokio::test]
async fn somebody_of_several_chooses() {
    let world = World::new().await;
    let other = world.operate(CreateOrganization { name: "Elsewhere".into() }).await.id;
    let mut ben = world.seated("ben", &world.organization.clone(), Seat::Member).await;
    world
        .operate(SeatMember {
            organization: other.clone(),
            member: Member::User("ben".into()),
            seat: Seat::Admin,
        })
        .await;
    let path = asking(&world.shop, "payments.read", &[]);
    let page = ben.get(&path).await.is(200);
    assert!(page.text.contains("Elsewhere") && page.text.contains("The bakery"), "{}", page.text);
    assert!(!page.text.contains("value=\"allow\""));
    let chosen = asking(&world.shop, "payments.read", &[("organization", &other)]);
    assert!(page.text.contains(&chosen.replace('&', "&#38;")), "{}", page.text);
    let page = ben.get(&chosen).await.is(200);
    assert_eq!(hidden(&page.text, "organization"), other);
    allows(&mut ben, &chosen, &page, &[]).await.is(303);
}

#[tokio::test]
async fn an_admin_approves_first_where_the_terms_say_so() {
    let world = World::new().await;
    let organization = world.organization.clone();
    let policy = Policy { approval: true, longest_life: Some(24 * 3_600 * 1_000_000) };
    world.operate(SetAuthorizationPolicy { organization: organization.clone(), policy }).await;
    let mut ben = world.seated("ben", &organization, Seat::Member).await;
    let path = asking(&world.shop, "payments.read", &[]);
    let page = ben.get(&path).await.is(403);
    assert!(page.text.contains("Not approved yet"), "{}", page.text);
    let answer = ben.post(&path, &[("decision", "deny")]).await.is(303);
    assert!(answer.header("location").contains("error=access_denied"));
    let (app, scopes) = (world.shop.id.clone(), vec!["payments.read".into()]);
    world.operate(ApproveApp { organization, app, scopes }).await;
    let page = ben.get(&path).await.is(200);
    assert!(page.text.contains("Access ends by itself on"), "{}", page.text);
    allows(&mut ben, &path, &page, &[]).await.is(303);
    ben.get(&asking(&world.shop, "payments.read refunds.read", &[])).await.is(403);
}

#[tokio::test]
async fn on_the_way_from_the_sign_in_a_page_leads_on() {
    let world = World::new().await;
    let mut ann = world.signed_in("ann").await;
    let path = asking(&world.shop, "payments.read", &[]);
    let page = ann.get(&path).await.is(200);
    allows(&mut ann, &path, &page, &[]).await.is(303);
    ann.get(&path).await.is(303);
    let page = ann.call("GET", &path).header("sec-fetch-site", "same-origin").send().await.is(200);
    assert!(
        page.text.contains("http-equiv=\"refresh\" content=\"0; url=https://shop.example/back?code=auth_"),
        "{}",
        page.text
    );
    assert_eq!(page.header("location"), "");
    assert_eq!(page.header("cache-control"), "no-store");
}

#[tokio::test]
async fn signing_out_there_leads_back() {
    let world = World::new().await;
    let mut ann = world.signed_in("ann").await;
    let path = asking(&world.shop, "payments.read", &[]);
    let page = ann.get(&path).await.is(200);
    let next = hidden(&page.text, "next").replace("&#38;", "&");
    let answer = ann.post("/logout", &[("next", &next)]).await.is(303);
    let there = answer.header("location").to_owned();
    assert!(there.starts_with("/login?signed_out&next=%2Foauth2%2Fauthorize"), "{there}");
    let mut ann = Browser::new(&world.rig);
    assert!(ann.get(&there).await.is(200).text.contains("name=\"next\" value=\"/oauth2/authorize?"));
    let elsewhere = ann.get("/login?next=https://evil.example/").await.is(200);
    assert!(!elsewhere.text.contains("evil.example"));
}

#[tokio::test]
async fn a_public_app_is_one_that_anybody_could_be() {
    let world = World::new().await;
    let mut ann = world.signed_in("ann").await;
    world.granted(&world.phone, "payments.read").await;
    let proof = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let page = ann.get(&asking(&world.phone, "payments.read", &proof)).await.is(200);
    assert!(
        page.text.contains("The phone asks again") && page.text.contains("Anybody can build an app"),
        "{}",
        page.text
    );
}
