//! What a token is good for (RFC 7662).

use serde_json::json;

use super::world::{World, pair};

#[tokio::test]
async fn an_app_learns_about_its_own_tokens() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(&world.shop).await;
    let said = world.post(&world.shop, "/oauth2/introspect", &[("token", &access)]).await.is(200);
    assert_eq!(said.header("content-type"), "application/json");
    let expected = json!({
        "active": true,
        "scope": "organizations.read payments.read",
        "client_id": world.shop.id,
        "token_type": "bearer",
        "exp": 1_767_225_600 + 3_600,
        "iat": 1_767_225_600,
        "sub": world.organization,
        "iss": world.rig.base(),
    });
    assert_eq!(said.body, expected);
    let said = world.post(&world.shop, "/oauth2/introspect", &[("token", &refresh)]).await.is(200).body;
    assert_eq!((&said["active"], &said["client_id"]), (&json!(true), &json!(world.shop.id)));
    assert!(said.get("exp").is_none() && said.get("token_type").is_none());
}

#[tokio::test]
async fn nobody_else_does_but_who_may_check() {
    let world = World::new().await;
    let (access, _) = world.tokens(&world.shop).await;
    let form = [("token", access.as_str())];
    let inactive = json!({"active": false});
    assert_eq!(world.post(&world.rival, "/oauth2/introspect", &form).await.is(200).body, inactive);
    world.post(&world.phone, "/oauth2/introspect", &form).await.is_oauth(401, "invalid_client");
    let bare = || world.rig.bare("POST", "/oauth2/introspect");
    let answer = bare().fields(&form).await.is_oauth(401, "invalid_client");
    assert!(!answer.header("www-authenticate").is_empty());
    bare().basic(&world.shop.id, "wrong").fields(&form).await.is_oauth(401, "invalid_client");
    let with = |key: String| world.rig.with(&key, "POST", "/oauth2/introspect").fields(&form);
    with("gdk_nobodys_key_0123456789".into()).await.is_oauth(401, "invalid_client");
    with(access.clone()).await.is(403);
    with(world.rig.key(&["approver"]).await).await.is(403);
    assert_eq!(with(world.rig.key(&["checker"]).await).await.is(200).body["active"], true);
}

#[tokio::test]
async fn what_is_no_token_is_not_active() {
    let world = World::new().await;
    let inactive = json!({"active": false});
    for token in ["nonsense", "access_000000000000000000000000000000", "gdk_x"] {
        assert_eq!(world.introspect(token).await, inactive, "{token}");
    }
    let code = world.code(&world.shop, None).await;
    assert_eq!(world.introspect(&code).await, inactive);
    world.rig.call("POST", "/oauth2/introspect").fields(&[]).await.is_oauth(400, "invalid_request");
}

#[tokio::test]
async fn what_is_said_is_what_is_agreed_on_now() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(&world.phone).await;
    let (_, next) = pair(&world.refresh(&world.phone, &refresh).await.is(200));
    assert!(world.is_active(&access).await && world.is_active(&next).await);
    assert!(!world.is_active(&refresh).await, "it was used");
}
