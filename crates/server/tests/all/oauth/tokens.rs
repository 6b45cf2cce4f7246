//! POST `/oauth2/tokens`, in the ways of the real clients.

use grantd_node::realm::authorization::{EndAuthorization, WithdrawScope, authorization_of};
use serde_json::json;

use super::world::{BACK, CHALLENGE, Fields, SECOND, VERIFIER, World, pair};

#[tokio::test]
async fn a_code_becomes_tokens_as_the_page_shows_them() {
    let world = World::new().await;
    let code = world.code(&world.shop, None).await;
    assert!(code.starts_with("auth_") && code.len() == 35, "{code}");
    let answer = world.redeem(&world.shop, &code, &[]).await.is(200);
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    assert_eq!(answer.body["token_type"], "bearer");
    assert_eq!(answer.body["expires_in"], 3600);
    let mut scopes: Vec<_> = answer.body["scope"].as_str().unwrap().split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["organizations.read", "payments.read"]);
    let (access, refresh) = pair(&answer);
    for (token, prefix) in [(&access, "access_"), (&refresh, "refresh_")] {
        let random = token.strip_prefix(prefix).unwrap();
        assert!(random.len() == 30 && random.bytes().all(|b| b.is_ascii_alphanumeric()), "{token}");
    }
}

/// Each way in which a real client sends its credentials and its body.
#[tokio::test]
async fn every_real_clients_way_is_taken() {
    let world = World::new().await;
    let (id, secret) = (world.shop.id.clone(), world.shop.secret.clone().unwrap());
    let bare = || world.rig.bare("POST", "/oauth2/tokens");
    // Form and Basic.
    let code = world.code(&world.shop, None).await;
    let exchange = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK)];
    let (access, refresh) = pair(&bare().basic(&id, &secret).fields(&exchange).await.is(200));
    // Credentials in the form, without a redirect_uri.
    let body = [("client_id", id.as_str()), ("client_secret", &secret)];
    let again = [&[("grant_type", "refresh_token"), ("refresh_token", &refresh)], &body[..]].concat();
    let (_, same) = pair(&bare().fields(&again).await.is(200));
    assert_eq!(same, refresh, "a confidential client keeps its refresh token");
    // JSON and Basic, with an idempotency key.
    let again = json!({"grant_type": "refresh_token", "refresh_token": refresh, "redirect_uri": null});
    let call = bare().basic(&id, &secret).header("idempotency-key", "1").json(again.clone()).await.is(200);
    let repeated = bare().basic(&id, &secret).header("idempotency-key", "1").json(again).await.is(200);
    assert_ne!(pair(&call).0, pair(&repeated).0);
    // At the dialect's mount, too.
    let again = [("grant_type", "refresh_token"), ("refresh_token", &refresh)];
    world.rig.bare("POST", "/mollie/oauth2/tokens").basic(&id, &secret).fields(&again).await.is(200);
    // Given back with the token itself as bearer, and the credentials in the form.
    let give_back = [&[("token_type_hint", "access_token"), ("token", &access)], &body[..]].concat();
    let call =
        world.rig.bare("DELETE", "/oauth2/tokens").header("authorization", &format!("Bearer {access}"));
    let answer = call.fields(&give_back).await.is(204);
    assert_eq!(answer.text, "");
    assert!(!world.is_active(&access).await);
    // In JSON.
    let token = pair(&world.refresh(&world.shop, &refresh).await.is(200)).0;
    let give_back = json!({"token_type_hint": "access_token", "token": token});
    let call = world.rig.bare("DELETE", "/mollie/oauth2/tokens").basic(&id, &secret);
    call.json(give_back).await.is(204);
    assert!(!world.is_active(&token).await);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_in_the_words_of_the_standard() {
    let world = World::new().await;
    let (id, secret) = (world.shop.id.clone(), world.shop.secret.clone().unwrap());
    let table: [(Fields<'_>, u16, &str, &str); 12] = [
        (&[], 400, "invalid_request", "The grant type was not specified in the request"),
        (&[("grant_type", "")], 400, "invalid_request", "The grant type was not specified in the request"),
        (
            &[("grant_type", "password")],
            400,
            "unsupported_grant_type",
            "Grant type \"password\" not supported",
        ),
        (&[("grant_type", "<script>")], 400, "unsupported_grant_type", "The grant type is not supported"),
        (
            &[("grant_type", "authorization_code")],
            400,
            "invalid_request",
            "Missing parameter: \"code\" is required",
        ),
        (
            &[("grant_type", "refresh_token")],
            400,
            "invalid_request",
            "Missing parameter: \"refresh_token\" is required",
        ),
        (
            &[("grant_type", "authorization_code"), ("code", "nonsense")],
            400,
            "invalid_grant",
            "Authorization code doesn't exist or is invalid for the client",
        ),
        (
            &[("grant_type", "authorization_code"), ("code", "auth_000000000000000000000000000000")],
            400,
            "invalid_grant",
            "Authorization code doesn't exist or is invalid for the client",
        ),
        (
            &[("grant_type", "refresh_token"), ("refresh_token", "refresh_000000000000000000000000000000")],
            400,
            "invalid_grant",
            "Invalid refresh token",
        ),
        (
            &[("grant_type", "refresh_token"), ("grant_type", "password")],
            400,
            "invalid_request",
            "A parameter is given twice",
        ),
        (
            &[("grant_type", "refresh_token"), ("client_secret", "x")],
            400,
            "invalid_request",
            "Send the client's secret in the header or in the body, not in both",
        ),
        (
            &[("grant_type", "refresh_token"), ("client_id", "app_other")],
            400,
            "invalid_request",
            "The header and the body name two different clients",
        ),
    ];
    for (form, status, error, description) in table {
        let answer = world.rig.bare("POST", "/oauth2/tokens").basic(&id, &secret).fields(form).await;
        let answer = answer.is_oauth(status, error);
        assert_eq!(answer.body["error_description"], description, "{form:?}");
    }
    let bare = || world.rig.bare("POST", "/oauth2/tokens");
    let form = [("grant_type", "refresh_token")];
    let answer = bare().fields(&form).await.is_oauth(400, "invalid_client");
    assert_eq!(answer.body["error_description"], "Client credentials were not found in the headers or body");
    for (id, secret) in [(id.as_str(), "wrong"), (id.as_str(), ""), ("app_none", secret.as_str())] {
        let answer = bare().basic(id, secret).fields(&form).await.is_oauth(401, "invalid_client");
        assert_eq!(answer.body["error_description"], "The client credentials are invalid");
        assert!(answer.header("www-authenticate").starts_with("Basic "));
    }
    let answer = bare().header("authorization", "Basic !").fields(&form).await;
    answer.is_oauth(401, "invalid_client");
    bare().text("text/plain", "grant_type=refresh_token").await.is_oauth(400, "invalid_request");
    bare().text("application/json", "{").await.is_oauth(400, "invalid_request");
    world.rig.bare("GET", "/oauth2/tokens").send().await.is_oauth(405, "invalid_request");
    world.rig.bare("POST", "/oauth2/nothing").send().await.is_oauth(404, "invalid_request");
    world.rig.bare("POST", "/r/nowhere/oauth2/tokens").fields(&form).await.is_oauth(404, "invalid_request");
    let long = format!("grant_type={}", "x".repeat(20_000));
    bare().text("application/x-www-form-urlencoded", &long).await.is_oauth(413, "invalid_request");
}

#[tokio::test]
async fn nothing_is_taken_from_the_address() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(&world.shop).await;
    let path = format!("/oauth2/tokens?grant_type=refresh_token&refresh_token={refresh}");
    world.post(&world.shop, &path, &[]).await.is_oauth(400, "invalid_request");
    let path = format!("/oauth2/tokens?token={access}");
    world.send(&world.shop, "DELETE", &path, &[]).await.is_oauth(400, "invalid_request");
    assert!(world.is_active(&access).await);
}

#[tokio::test]
async fn wrong_secrets_are_counted_and_right_ones_are_never_refused_for_them() {
    let world = World::new().await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let mut wrong = 0;
    let limited = loop {
        let call = world.rig.bare("POST", "/oauth2/tokens").basic(&world.shop.id, "wrong");
        let answer = call.fields(&form).await;
        if answer.status == 429 {
            break answer;
        }
        answer.is(401);
        wrong += 1;
        assert!(wrong < 100);
    };
    assert!((10..15).contains(&wrong), "{wrong}");
    assert_eq!(limited.header("content-type"), "application/hal+json");
    assert_eq!(limited.body["status"], 429);
    assert_eq!(limited.body["title"], "Too Many Requests");
    assert_eq!(limited.body["_links"]["documentation"]["type"], "text/html");
    assert!(limited.header("retry-after").parse::<u64>().unwrap() >= 1);
    world.tokens(&world.shop).await;
}

#[tokio::test]
async fn a_public_client_shows_its_id_and_its_proof() {
    let world = World::new().await;
    let code = world.code(&world.phone, Some(CHALLENGE)).await;
    let (access, refresh) =
        pair(&world.redeem(&world.phone, &code, &[("code_verifier", VERIFIER)]).await.is(200));
    let (newer, next) = pair(&world.refresh(&world.phone, &refresh).await.is(200));
    assert_ne!(next, refresh, "its refresh token is another one each time");
    for token in [&access, &newer, &next] {
        assert!(world.is_active(token).await);
    }
}

#[tokio::test]
async fn a_refresh_gives_less_where_less_is_agreed_on() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(&world.shop).await;
    let narrowed = [("grant_type", "refresh_token"), ("refresh_token", &refresh), ("scope", "payments.read")];
    let answer = world.post(&world.shop, "/oauth2/tokens", &narrowed).await.is(200);
    assert_eq!(answer.body["scope"], "payments.read");
    let more = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh),
        ("scope", "payments.read refunds.write"),
    ];
    world.post(&world.shop, "/oauth2/tokens", &more).await.is_oauth(400, "invalid_scope");
    let authorization = {
        let realm = world.rig.node.realm("default").await.unwrap();
        let published = realm.published();
        let now = world.rig.clock.now();
        authorization_of(&published.state, &world.shop.id, &world.organization, now).unwrap().id
    };
    world.operate(WithdrawScope { authorization, scope: "payments.read".into() }).await;
    assert_eq!(world.introspect(&access).await["scope"], "organizations.read");
    let answer = world.refresh(&world.shop, &refresh).await.is(200);
    assert_eq!(answer.body["scope"], "organizations.read");
    world.operate(EndAuthorization { authorization }).await;
    world.refresh(&world.shop, &refresh).await.is_oauth(400, "invalid_grant");
    assert!(!world.is_active(&access).await);
}

#[tokio::test]
async fn an_access_token_ends_after_an_hour_and_a_refresh_token_does_not() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(&world.shop).await;
    world.rig.clock.advance(3_600 * SECOND - 1);
    assert!(world.is_active(&access).await);
    world.rig.clock.advance(1);
    assert!(!world.is_active(&access).await);
    world.rig.clock.advance(400 * 24 * 3_600 * SECOND);
    world.refresh(&world.shop, &refresh).await.is(200);
}

#[tokio::test]
async fn refreshing_makes_no_entry() {
    let world = World::new().await;
    let (_, refresh) = world.tokens(&world.shop).await;
    let (_, turning) = world.tokens(&world.phone).await;
    let before = world.rig.revision().await;
    let mut turning = turning;
    for _ in 0..5 {
        world.refresh(&world.shop, &refresh).await.is(200);
        turning = pair(&world.refresh(&world.phone, &turning).await.is(200)).1;
    }
    assert_eq!(world.rig.revision().await, before);
}

#[tokio::test]
async fn an_access_token_is_a_caller_who_holds_nothing_here() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(&world.shop).await;
    let question = json!({"subject": "user:ann", "action": "member", "resource": "role:qa"});
    let answer = world.rig.with(&access, "POST", "/api/v1/check").json(question.clone()).await;
    answer.is_problem(403, "forbidden");
    world
        .rig
        .with(&refresh, "POST", "/api/v1/check")
        .json(question.clone())
        .await
        .is_problem(401, "unauthorized");
    world.send(&world.shop, "DELETE", "/oauth2/tokens", &[("token", &access)]).await.is(204);
    world.rig.with(&access, "POST", "/api/v1/check").json(question).await.is_problem(401, "unauthorized");
}
