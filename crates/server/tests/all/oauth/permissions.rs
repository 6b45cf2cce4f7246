//! The app-permissions dialect: what a token is told, and when that changes.

use grantd_node::realm::app::DeleteApp;
use grantd_node::realm::authorization::{EndAuthorization, WithdrawScope};
use grantd_node::realm::organization::IssueOrganizationToken;
use serde_json::Value;
use uuid::Uuid;

use super::world::World;
use crate::support::{Answer, Rig};

const PATHS: [&str; 4] = [
    "/v1/permissions/payments.read",
    "/v2/permissions/payments.read",
    "/v1/permissions?count=250",
    "/v2/permissions",
];

/// Whether a permission is granted, as one of these paths says it.
fn granted(answer: &Answer) -> bool {
    let is = |one: &Value| one["id"] == "payments.read" && one["granted"] == true;
    let body = &answer.body;
    let list = body["data"].as_array().or_else(|| body["_embedded"]["permissions"].as_array());
    is(body) || list.is_some_and(|list| list.iter().any(is))
}

async fn ask(rig: &Rig, token: &str) -> Vec<(u16, bool)> {
    let mut told = Vec::new();
    for path in PATHS {
        let answer = rig.with(token, "GET", path).send().await;
        told.push((answer.status, granted(&answer)));
    }
    told
}

impl World {
    async fn authorization(&self) -> Uuid {
        let realm = self.rig.node.realm("default").await.unwrap();
        realm.published().state.authorizations().iter_after(None).next().unwrap().id
    }
}

#[tokio::test]
async fn withdrawing_and_disconnecting_show_in_the_next_call() {
    let world = World::new().await;
    let (token, refresh) = world.tokens(&world.shop).await;
    assert_eq!(ask(&world.rig, &token).await, [(200, true); 4]);
    let authorization = world.authorization().await;
    world.operate(WithdrawScope { authorization, scope: "payments.read".into() }).await;
    assert_eq!(ask(&world.rig, &token).await, [(200, false); 4]);
    world.rig.with(&token, "GET", "/v2/organizations/me").send().await.is(200);
    world.operate(EndAuthorization { authorization }).await;
    assert_eq!(ask(&world.rig, &token).await, [(401, false); 4]);
    world.rig.with(&token, "GET", "/v2/organizations/me").send().await.is(401);
    world.refresh(&world.shop, &refresh).await.is_oauth(400, "invalid_grant");
}

#[tokio::test]
async fn nothing_is_left_of_an_app_that_is_deleted() {
    let world = World::new().await;
    let (token, _) = world.tokens(&world.shop).await;
    world.operate(DeleteApp { client_id: world.shop.id.clone() }).await;
    assert_eq!(ask(&world.rig, &token).await, [(401, false); 4]);
}

#[tokio::test]
async fn a_token_is_over_after_an_hour() {
    let world = World::new().await;
    let (token, _) = world.tokens(&world.shop).await;
    world.rig.clock.advance(3_599 * 1_000_000);
    assert_eq!(ask(&world.rig, &token).await, [(200, true); 4]);
    world.rig.clock.advance(1_000_000);
    assert_eq!(ask(&world.rig, &token).await, [(401, false); 4]);
}

#[tokio::test]
async fn another_node_says_the_same() {
    let world = World::shared().await;
    let (token, _) = world.tokens(&world.shop).await;
    let other = world.beside().await;
    assert_eq!(ask(&other.rig, &token).await, [(200, true); 4]);
    let authorization = world.authorization().await;
    other.operate(EndAuthorization { authorization }).await;
    assert_eq!(ask(&other.rig, &token).await, [(401, false); 4]);
}

#[tokio::test]
async fn what_is_agreed_on_later_is_for_later_tokens() {
    let world = World::new().await;
    let first = world.code_for(&world.shop, "organizations.read", None, true).await;
    let first = super::world::pair(&world.redeem(&world.shop, &first, &[]).await.is(200)).0;
    let (second, _) = world.tokens(&world.shop).await;
    assert_eq!(ask(&world.rig, &first).await, [(200, false); 4]);
    assert_eq!(ask(&world.rig, &second).await, [(200, true); 4]);
}

#[tokio::test]
async fn an_organizations_own_token_is_for_v2() {
    let world = World::new().await;
    let scopes = vec!["payments.read".into()];
    let command =
        IssueOrganizationToken { organization: world.organization.clone(), name: "books".into(), scopes };
    let token = world.operate(command).await.token.unwrap().0;
    assert_eq!(ask(&world.rig, &token).await, [(401, false), (200, true), (401, false), (200, true)]);
    // It may not be told whose it is.
    let answer = world.rig.with(&token, "GET", "/v2/organizations/me").send().await.is(403);
    assert!(answer.header("www-authenticate").contains("insufficient_scope"), "{:?}", answer.headers);
}

#[tokio::test]
async fn tokens_of_another_kind_are_none() {
    let world = World::new().await;
    let (_, refresh) = world.tokens(&world.shop).await;
    let code = world.code(&world.shop, None).await;
    for shown in [&refresh, &code, world.shop.secret.as_ref().unwrap()] {
        assert_eq!(ask(&world.rig, shown).await, [(401, false); 4], "{shown:.5}");
    }
}

#[tokio::test]
async fn links_begin_where_the_world_finds_them() {
    let world = World::new().await;
    let (token, _) = world.tokens(&world.shop).await;
    for mount in ["", "/mollie", "/r/default", "/r/default/mollie"] {
        let answer = world.rig.with(&token, "GET", &format!("{mount}/v2/permissions")).send().await.is(200);
        let own = answer.body["_links"]["self"]["href"].as_str().unwrap();
        assert_eq!(own, format!("{}{mount}/v2/permissions", world.rig.base()));
        let answer = world.rig.with(&token, "GET", &format!("{mount}/v1/permissions")).send().await.is(200);
        let first = answer.body["links"]["first"].as_str().unwrap();
        assert_eq!(first, format!("{}{mount}/v1/permissions?count=10&offset=0", world.rig.base()));
    }
}
