//! Rows that are taken once, on whatever node; and tokens that were seen lately.

use std::sync::Arc;

use grantd_node::realm::app::{AppCreated, AppSettings, CreateApp, ShownClient};
use grantd_node::realm::authorization::{Authorize, ConsentGiven, EndAuthorization, WithdrawScope};
use grantd_node::realm::caller::{Actor, Caller};
use grantd_node::realm::oauth_token::{
    AccessToken, Challenge, CodeRequest, FoundToken, Give, RedeemCode, Redeemed, RefreshTokens, Refreshed,
    RevokeToken, ShownAccess, ShownCode, ShownRefresh, Tokens,
};
use grantd_node::realm::organization::{CreateOrganization, IssueOrganizationToken, Seat, SeatMember};
use grantd_node::realm::role::Member;
use grantd_node::realm::{Micros, Refusal};
use grantd_node::{Realm, Request, SubmitError};
use grantd_testkit::faulty_store::Fault;

use crate::support::{Rig, does, request, user};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "https://shop.example/cb";

struct Made {
    organization: String,
    client: ShownClient,
}

async fn made(realm: &Realm, public: bool) -> Made {
    does(realm, user("ann")).await;
    let organization = does(realm, CreateOrganization { name: "Acme".into() }).await.answer.id;
    let member = Member::User("ann".into());
    does(realm, SeatMember { organization: organization.clone(), member, seat: Seat::Member }).await;
    let redirect_uris = vec![REDIRECT.into()];
    let settings = AppSettings { redirect_uris, public, ..AppSettings::default() };
    let created: AppCreated = does(realm, CreateApp { name: "Shop".into(), settings }).await.answer;
    let client = ShownClient { client_id: created.client_id, secret: created.client_secret };
    Made { organization, client }
}

impl Made {
    fn agreeing(&self, give: Give) -> Request<Authorize> {
        let address = "192.0.2.1".into();
        let command = Authorize {
            app: self.client.client_id.clone(),
            organization: self.organization.clone(),
            scopes: vec!["payments.read".into(), "orders.read".into()],
            force: false,
            consent: Some(ConsentGiven { text_version: 1, locale: "en".into(), address }),
            expires: None,
            give,
        };
        Request { caller: Caller::local(Actor::User("ann".into())), ..request(command) }
    }

    async fn code(&self, realm: &Realm) -> ShownCode {
        let give = Give::Code(CodeRequest {
            scopes: vec!["payments.read".into()],
            redirect_uri: REDIRECT.into(),
            redirect_sent: true,
            challenge: Some(Challenge::parse(CHALLENGE, Some("S256")).unwrap()),
        });
        let code = realm.submit(self.agreeing(give)).await.unwrap().answer.code.unwrap();
        ShownCode::parse(&code.0).unwrap()
    }

    fn by_app<C>(&self, command: C) -> Request<C> {
        Request { caller: Caller::local(Actor::App(self.client.client_id.clone())), ..request(command) }
    }

    async fn redeeming(&self, realm: &Realm, code: &ShownCode) -> Request<RedeemCode> {
        let (found, family) = realm.found_code(code).await.unwrap();
        self.by_app(RedeemCode {
            client: self.client.clone(),
            code: code.clone(),
            found,
            family,
            redirect_uri: Some(REDIRECT.into()),
            verifier: Some(VERIFIER.into()),
        })
    }

    async fn tokens(&self, realm: &Realm) -> Tokens {
        let code = self.code(realm).await;
        tokens(realm.submit(self.redeeming(realm, &code).await).await.unwrap().answer)
    }

    async fn refreshing(&self, realm: &Realm, token: &str) -> Request<RefreshTokens> {
        let refresh = ShownRefresh::parse(token).unwrap();
        let family = realm.found_refresh(&refresh).await.unwrap().unwrap();
        self.by_app(RefreshTokens { client: self.client.clone(), refresh, family, scopes: None })
    }
}

fn tokens(redeemed: Redeemed) -> Tokens {
    match redeemed {
        Redeemed::Tokens(tokens) => tokens,
        Redeemed::Gone => panic!("gone"),
    }
}

fn shown(tokens: &Tokens) -> ShownAccess {
    ShownAccess::parse(&tokens.access_token.as_ref().unwrap().0).unwrap()
}

async fn found(realm: &Realm, shown: &ShownAccess) -> Option<Arc<AccessToken>> {
    realm.access_token(shown).await.unwrap()
}

async fn granted(rig: &Rig, realm: &Realm, shown: &ShownAccess, scope: &str) -> Option<bool> {
    let token = found(realm, shown).await?;
    let (published, now) = (realm.published(), rig.clock.now());
    token.is_live(&published.state, now).then(|| token.granted(&published.state, scope, now))
}

fn is_taken<T>(outcome: &Result<T, SubmitError>) -> bool {
    matches!(outcome, Err(SubmitError::Refused(Refusal::Taken)))
}

#[tokio::test]
async fn of_sixteen_at_once_on_two_nodes_one_redeems() {
    let rig = Rig::shared().await;
    let (here, there) = (rig.realm().await, rig.realm().await);
    let made = made(&here, false).await;
    let code = made.code(&here).await;
    let mut all = Vec::new();
    for number in 0..16 {
        let realm = if number % 2 == 0 { &here } else { &there };
        let redeeming = made.redeeming(&here, &code).await;
        all.push(realm.submit(redeeming));
    }
    let done = futures::future::join_all(all).await;
    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1);
    assert_eq!(done.iter().filter(|one| is_taken(one)).count(), 15);
}

#[tokio::test]
async fn a_code_is_redeemed_once_whatever_the_store_does() {
    for fault in [
        Fault::Conflict,
        Fault::UnknownWritten,
        Fault::UnknownNotWritten,
        Fault::LandsBeforeNextAppend,
        Fault::LandsBeforeNextEntries,
    ] {
        for shared_store in [false, true] {
            let rig = if shared_store { Rig::shared().await } else { Rig::new().await };
            let realm = rig.realm().await;
            let made = made(&realm, false).await;
            let code = made.code(&realm).await;
            let (first, second) = (made.redeeming(&realm, &code).await, made.redeeming(&realm, &code).await);
            rig.store.on_next_append(fault.clone());
            let done = realm.submit(first).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
            let given = tokens(done.answer);
            assert_eq!(granted(&rig, &realm, &shown(&given), "payments.read").await, Some(true), "{fault:?}");
            assert!(is_taken(&realm.submit(second).await), "{fault:?}");
        }
    }
}

#[tokio::test]
async fn who_is_refused_spoils_nothing_for_the_rest_of_the_batch() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let made = made(&realm, false).await;
    let code = made.code(&realm).await;
    let redeeming = [made.redeeming(&realm, &code).await, made.redeeming(&realm, &code).await];
    let [first, second] = redeeming;
    let before = realm.published().head.revision;
    let (first, bob, second) =
        tokio::join!(realm.submit(first), realm.submit(request(user("bob"))), realm.submit(second));
    assert!(first.is_ok() && bob.is_ok() && is_taken(&second));
    assert_eq!(realm.published().head.revision, before + 1, "tokens make no entry");
}

#[tokio::test]
async fn a_rotated_refresh_token_is_good_once_on_two_nodes() {
    let rig = Rig::shared().await;
    let (here, there) = (rig.realm().await, rig.realm().await);
    let made = made(&here, true).await;
    let given = made.tokens(&here).await;
    let refresh = given.refresh_token.clone().unwrap().0;
    let (one, other) = (made.refreshing(&here, &refresh).await, made.refreshing(&there, &refresh).await);
    let (one, other) = tokio::join!(here.submit(one), there.submit(other));
    assert!(one.is_ok() ^ other.is_ok());
    assert!(is_taken(&one) || is_taken(&other));
    // Whoever was late shows it again, and is known by it.
    let again = made.refreshing(&there, &refresh).await;
    assert!(matches!(there.submit(again).await.unwrap().answer, Refreshed::Reused));
    assert!(here.found_refresh(&ShownRefresh::parse(&refresh).unwrap()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_token_seen_lately_costs_no_look_at_the_store() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let made = made(&realm, false).await;
    let given = made.tokens(&realm).await;
    let access = shown(&given);
    assert_eq!(granted(&rig, &realm, &access, "payments.read").await, Some(true));
    rig.store.fail_reads(usize::MAX);
    for _ in 0..3 {
        assert_eq!(granted(&rig, &realm, &access, "payments.read").await, Some(true));
        assert_eq!(granted(&rig, &realm, &access, "orders.read").await, Some(false), "it is not for that");
    }
    rig.store.fail_reads(0);
    does(&realm, WithdrawScope { authorization: given.authorization, scope: "payments.read".into() }).await;
    assert_eq!(granted(&rig, &realm, &access, "payments.read").await, Some(false));
    does(&realm, EndAuthorization { authorization: given.authorization }).await;
    assert_eq!(granted(&rig, &realm, &access, "payments.read").await, None);
}

#[tokio::test]
async fn what_is_revoked_here_is_over_at_once() {
    for fault in [None, Some(Fault::UnknownWritten)] {
        let rig = Rig::new().await;
        let realm = rig.realm().await;
        let made = made(&realm, false).await;
        let (one, other) = (made.tokens(&realm).await, made.tokens(&realm).await);
        for given in [&one, &other] {
            assert_eq!(granted(&rig, &realm, &shown(given), "payments.read").await, Some(true));
        }
        let access = shown(&one);
        let token = found(&realm, &access).await.unwrap();
        let revoke = |token| made.by_app(RevokeToken { client: made.client.clone(), token });
        if let Some(fault) = fault {
            rig.store.on_next_append(fault);
        }
        realm.submit(revoke(FoundToken::Access(access.clone(), (*token).clone()))).await.unwrap();
        assert!(found(&realm, &access).await.is_none());
        assert!(found(&realm, &shown(&other)).await.is_some());
        let refresh = ShownRefresh::parse(&other.refresh_token.clone().unwrap().0).unwrap();
        let family = realm.found_refresh(&refresh).await.unwrap().unwrap();
        realm.submit(revoke(FoundToken::Refresh(family))).await.unwrap();
        assert!(found(&realm, &shown(&other)).await.is_none(), "with all that its code gave");
    }
}

#[tokio::test]
async fn what_another_node_revokes_is_over_at_once() {
    let rig = Rig::shared().await;
    let (here, there) = (rig.realm().await, rig.realm().await);
    let made = made(&here, false).await;
    let given = made.tokens(&here).await;
    let access = shown(&given);
    // Nor does the other node have to have heard of the authorization.
    assert_eq!(granted(&rig, &there, &access, "payments.read").await, Some(true));
    let token = found(&here, &access).await.unwrap();
    let token = FoundToken::Access(access.clone(), (*token).clone());
    here.submit(made.by_app(RevokeToken { client: made.client.clone(), token })).await.unwrap();
    assert!(found(&here, &access).await.is_none());
    assert!(found(&there, &access).await.is_none());
}

#[tokio::test]
async fn an_organizations_token_of_another_node_is_known() {
    let rig = Rig::shared().await;
    let (here, there) = (rig.realm().await, rig.realm().await);
    let made = made(&here, false).await;
    there.catch_up().await.unwrap();
    let issue = IssueOrganizationToken {
        organization: made.organization.clone(),
        name: "ci".into(),
        scopes: vec!["payments.read".into()],
    };
    let token = does(&here, issue).await.answer.token.unwrap().0;
    let access = ShownAccess::parse(&token).unwrap();
    assert_eq!(granted(&rig, &there, &access, "payments.read").await, Some(true));
    assert_eq!(granted(&rig, &there, &access, "orders.read").await, Some(false));
}

#[tokio::test]
async fn uses_are_noted_about_once_a_minute() {
    const MINUTE: Micros = 60 * 1_000_000;
    let rig = Rig::new().await;
    let node = rig.node();
    let realm = node.realm("default").await.unwrap();
    let made = made(&realm, false).await;
    let given = made.tokens(&realm).await;
    let access = shown(&given);
    assert_eq!(realm.last_used(given.authorization).await.unwrap(), None);
    found(&realm, &access).await.unwrap();
    let used = realm.last_used(given.authorization).await.unwrap().unwrap();
    let before = realm.published().head;
    node.upkeep().await;
    let other = rig.realm().await;
    assert_eq!(other.last_used(given.authorization).await.unwrap(), Some(used));
    assert_eq!(realm.published().head, before, "a use is no entry");
    let appends = rig.store.appends();
    found(&realm, &access).await.unwrap();
    node.upkeep().await;
    assert_eq!(rig.store.appends(), appends, "within a minute it is not noted again");
    rig.clock.advance(MINUTE);
    found(&realm, &access).await.unwrap();
    node.upkeep().await;
    assert!(other.last_used(given.authorization).await.unwrap().unwrap() >= used + MINUTE);
}
