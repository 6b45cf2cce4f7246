//! Makes a golden ledger of organizations, apps, scopes and what was agreed on.

use grantd_node::realm::app::{AppSettings, CreateApp, DeleteApp, RotateAppSecret, UpdateApp};
use grantd_node::realm::authorization::{Authorize, ConsentGiven, EndAuthorization, WithdrawScope};
use grantd_node::realm::caller::{Actor, Caller};
use grantd_node::realm::engine::Object;
use grantd_node::realm::erasure::EraseFields;
use grantd_node::realm::oauth_token::Give;
use grantd_node::realm::organization::{
    ApproveApp, CreateOrganization, DeleteOrganization, IssueOrganizationToken, Policy, RenameOrganization,
    RevokeOrganizationToken, Seat, SeatMember, SetAuthorizationPolicy, WithdrawApproval,
};
use grantd_node::realm::role::Member;
use grantd_node::realm::scope::{DefineScope, DeleteScope, Scope, ScopeText};
use grantd_node::{Realm, Request};

use super::keep;
use crate::support::{Rig, does, request, user};

#[tokio::test]
#[ignore = "makes a file; see cases/ledgers/README.md"]
async fn make_a_golden_ledger_of_apps() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    for login in ["ada", "ben"] {
        does(&realm, user(login)).await;
    }
    scopes(&realm).await;
    let organizations = organizations(&realm).await;
    agreements(&realm, &organizations).await;
    does(&realm, EraseFields { object: Object::new("user", "nobody").unwrap() }).await;
    keep("apps-format-1", rig.ledger().await, Some(&realm));
}

async fn scopes(realm: &Realm) {
    let text = |language: &str, warning: Option<&str>| ScopeText {
        language: language.into(),
        description: "See reports".into(),
        warning: warning.map(Into::into),
    };
    for (id, deprecated) in [("reports.read", false), ("gone.read", true), ("payments.read", false)] {
        let texts = vec![text("en", Some("Think")), text("nl", None)];
        let scope = Scope { id: id.into(), texts, in_v1: deprecated, in_v2: !deprecated, deprecated };
        does(realm, DefineScope { scope }).await;
    }
    does(realm, DeleteScope { id: "gone.read".into() }).await;
}

async fn organizations(realm: &Realm) -> [String; 2] {
    let mut ids = Vec::new();
    for name in ["Acme", "Ünion", "Gone"] {
        ids.push(does(realm, CreateOrganization { name: name.into() }).await.answer.id);
    }
    let [kept, other, gone] = ids.try_into().unwrap();
    does(realm, RenameOrganization { id: kept.clone(), name: "Acme BV".into() }).await;
    for (login, seat) in [("ada", Seat::Admin), ("ben", Seat::Member)] {
        for organization in [&kept, &gone] {
            let (organization, member) = (organization.clone(), Member::User(login.into()));
            does(realm, SeatMember { organization, member, seat }).await;
        }
    }
    let policy = Policy { longest_life: Some(31_622_400_000_000), approval: true };
    does(realm, SetAuthorizationPolicy { organization: kept.clone(), policy }).await;
    for organization in [&kept, &gone] {
        let issue = |name: &str| IssueOrganizationToken {
            organization: organization.clone(),
            name: name.into(),
            scopes: vec!["payments.read".into(), "reports.read".into()],
        };
        does(realm, issue("ci")).await;
        let id = does(realm, issue("gone")).await.answer.id;
        does(realm, RevokeOrganizationToken { organization: organization.clone(), id }).await;
    }
    does(realm, DeleteOrganization { id: gone }).await;
    [kept, other]
}

async fn agreements(realm: &Realm, [kept, other]: &[String; 2]) {
    let settings = |public| AppSettings {
        redirect_uris: vec!["https://shop.example/cb".into()],
        public,
        optional_scopes: vec!["orders.read".into()],
        pkce_required: false,
        website: Some("https://shop.example".into()),
    };
    let mut apps = Vec::new();
    for (name, public) in [("Shop", false), ("Phone", true), ("Gone", false)] {
        let made = does(realm, CreateApp { name: name.into(), settings: settings(public) }).await;
        apps.push(made.answer.client_id);
    }
    let [shop, phone, gone] = apps.try_into().unwrap();
    let changed = AppSettings { website: None, pkce_required: true, ..settings(false) };
    let update = UpdateApp { client_id: shop.clone(), name: Some("Webshop".into()), settings: Some(changed) };
    does(realm, update).await;
    does(realm, RotateAppSecret { client_id: shop.clone() }).await;
    for app in [&shop, &phone] {
        let scopes = vec!["payments.read".into(), "orders.read".into()];
        does(realm, ApproveApp { organization: kept.clone(), app: app.clone(), scopes }).await;
    }
    does(realm, WithdrawApproval { organization: kept.clone(), app: phone.clone() }).await;

    let authorize = |app: &str, organization: &str, scopes: &[&str]| Authorize {
        app: app.into(),
        organization: organization.into(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        force: false,
        consent: None,
        expires: None,
        give: Give::Tokens,
    };
    let by = |login: &str, command: Authorize| {
        let address = "192.0.2.1".into();
        let consent = Some(ConsentGiven { text_version: 1, locale: "nl_NL".into(), address });
        let caller = Caller::local(Actor::User(login.into()));
        Request { caller, ..request(Authorize { consent, ..command }) }
    };
    let first = authorize(&shop, kept, &["payments.read"]);
    let first = realm.submit(by("ben", first)).await.unwrap().answer.authorization;
    let more = authorize(&shop, kept, &["payments.read", "orders.read", "refunds.write"]);
    realm.submit(by("ada", more)).await.unwrap();
    does(realm, WithdrawScope { authorization: first, scope: "refunds.write".into() }).await;
    let forced = authorize(&shop, kept, &["orders.read", "reports.read"]);
    realm.submit(by("ada", Authorize { force: true, ..forced })).await.unwrap();
    let expires = Some(4_102_444_800_000_000);
    does(realm, Authorize { expires, ..authorize(&phone, other, &["reports.read"]) }).await;
    let over = does(realm, authorize(&phone, kept, &["orders.read"])).await.answer.authorization;
    does(realm, EndAuthorization { authorization: over }).await;
    for organization in [kept, other] {
        does(realm, authorize(&gone, organization, &["orders.read"])).await;
    }
    does(realm, DeleteApp { client_id: gone }).await;
}
