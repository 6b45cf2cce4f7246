//! Tokens given back (RFC 7009).

use super::world::World;

#[tokio::test]
async fn an_access_token_alone_or_everything() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(&world.shop).await;
    let other = super::world::pair(&world.refresh(&world.shop, &refresh).await.is(200)).0;
    let answer = world.post(&world.shop, "/oauth2/revoke", &[("token", &access)]).await.is(200);
    assert_eq!(answer.text, "");
    assert!(!world.is_active(&access).await);
    assert!(world.is_active(&other).await && world.is_active(&refresh).await);
    let hinted = [("token", refresh.as_str()), ("token_type_hint", "refresh_token")];
    world.post(&world.shop, "/oauth2/revoke", &hinted).await.is(200);
    assert!(!world.is_active(&other).await && !world.is_active(&refresh).await);
    world.refresh(&world.shop, &refresh).await.is_oauth(400, "invalid_grant");
}

#[tokio::test]
async fn what_is_no_token_is_as_good_as_revoked() {
    let world = World::new().await;
    for token in
        ["nonsense", "access_000000000000000000000000000000", "refresh_000000000000000000000000000000"]
    {
        world.post(&world.shop, "/oauth2/revoke", &[("token", token)]).await.is(200);
        world.send(&world.shop, "DELETE", "/oauth2/tokens", &[("token", token)]).await.is(204);
    }
    world.post(&world.shop, "/oauth2/revoke", &[]).await.is_oauth(400, "invalid_request");
    world.rig.bare("POST", "/oauth2/revoke").fields(&[("token", "x")]).await.is_oauth(400, "invalid_client");
    // A wrong hint does no harm.
    let (access, _) = world.tokens(&world.shop).await;
    let hinted = [("token", access.as_str()), ("token_type_hint", "refresh_token")];
    world.post(&world.shop, "/oauth2/revoke", &hinted).await.is(200);
    assert!(!world.is_active(&access).await);
}

#[tokio::test]
async fn a_public_client_gives_its_own_back() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(&world.phone).await;
    world.post(&world.phone, "/oauth2/revoke", &[("token", &refresh)]).await.is(200);
    assert!(!world.is_active(&access).await && !world.is_active(&refresh).await);
}
