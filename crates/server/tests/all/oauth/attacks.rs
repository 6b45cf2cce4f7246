//! What must not give anybody a token. The attacks on the way to a code are in `authorize.rs`.

use futures::future::join_all;
use serde_json::json;

use super::world::{BACK, CHALLENGE, Client, SECOND, VERIFIER, World, pair};
use crate::support::Answer;

impl World {
    /// Whether a pair of tokens is dead.
    async fn are_dead(&self, client: &Client, (access, refresh): &(String, String)) -> bool {
        let again = self.refresh(client, refresh).await;
        !self.is_active(access).await && !self.is_active(refresh).await && again.status == 400
    }
}

fn refused(answer: Answer) {
    let answer = answer.is_oauth(400, "invalid_grant");
    assert!(!answer.text.contains("access_"), "{}", answer.text);
}

#[tokio::test]
async fn a_code_used_twice_gives_nothing_and_what_it_gave_is_dead() {
    let world = World::new().await;
    let code = world.code(&world.shop, None).await;
    let first = pair(&world.redeem(&world.shop, &code, &[]).await.is(200));
    assert!(world.is_active(&first.0).await);
    refused(world.redeem(&world.shop, &code, &[]).await);
    assert!(world.are_dead(&world.shop, &first).await);
    refused(world.redeem(&world.shop, &code, &[]).await);
}

#[tokio::test]
async fn a_code_used_twice_after_a_refresh_ends_that_too() {
    let world = World::new().await;
    let code = world.code(&world.phone, Some(CHALLENGE)).await;
    let verifier = [("code_verifier", VERIFIER)];
    let first = pair(&world.redeem(&world.phone, &code, &verifier).await.is(200));
    let second = pair(&world.refresh(&world.phone, &first.1).await.is(200));
    refused(world.redeem(&world.phone, &code, &verifier).await);
    assert!(world.are_dead(&world.phone, &second).await);
}

#[tokio::test]
async fn of_many_who_use_a_code_at_once_at_most_one_gets_tokens() {
    let world = World::new().await;
    let code = world.code(&world.shop, None).await;
    let answers = join_all((0..16).map(|_| world.redeem(&world.shop, &code, &[]))).await;
    let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(good.len(), 1, "{bad:?}");
    assert!(world.are_dead(&world.shop, &pair(&good[0])).await, "the others were replays");
}

#[tokio::test]
async fn a_code_is_for_who_asked_for_it() {
    let world = World::new().await;
    let code = world.code(&world.shop, None).await;
    refused(world.redeem(&world.rival, &code, &[]).await);
    refused(world.redeem(&world.phone, &code, &[]).await);
}

#[tokio::test]
async fn a_code_lives_for_thirty_seconds() {
    let world = World::new().await;
    let code = world.code(&world.shop, None).await;
    world.rig.clock.advance(30 * SECOND - 1);
    world.redeem(&world.shop, &code, &[]).await.is(200);
    let code = world.code(&world.shop, None).await;
    world.rig.clock.advance(30 * SECOND);
    refused(world.redeem(&world.shop, &code, &[]).await);
}

#[tokio::test]
async fn the_proof_key_cannot_be_left_out_or_put_in() {
    let world = World::new().await;
    let wrong = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl";
    for client in [&world.phone, &world.shop] {
        // `plain`: the challenge itself as its verifier.
        for verifier in [&[][..], &[("code_verifier", wrong)], &[("code_verifier", CHALLENGE)]] {
            let code = world.code(client, Some(CHALLENGE)).await;
            refused(world.redeem(client, &code, verifier).await);
        }
        let code = world.code(client, Some(CHALLENGE)).await;
        world.redeem(client, &code, &[("code_verifier", VERIFIER)]).await.is(200);
    }
    // A verifier for a code that was asked for without a challenge: somebody took the challenge away.
    let code = world.code(&world.shop, None).await;
    refused(world.redeem(&world.shop, &code, &[("code_verifier", VERIFIER)]).await);
}

#[tokio::test]
async fn a_code_goes_with_the_address_that_it_was_sent_to() {
    let world = World::new().await;
    for address in [None, Some("https://shop.example/other"), Some("https://shop.example/back#x")] {
        let code = world.code(&world.shop, None).await;
        let address = address.map(|address| ("redirect_uri", address));
        let form = [("grant_type", "authorization_code"), ("code", &*code)];
        let form: Vec<_> = form.into_iter().chain(address).collect();
        refused(world.post(&world.shop, "/oauth2/tokens", &form).await);
    }
    // Where the request named none, the exchange need not either; but another one is still wrong.
    for (address, status) in [("", 200), (BACK, 200), ("https://evil.example/", 400)] {
        let code = world.code_for(&world.shop, "payments.read", None, false).await;
        let form = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", address)];
        world.post(&world.shop, "/oauth2/tokens", &form).await.is(status);
    }
}

#[tokio::test]
async fn a_public_apps_refresh_token_used_twice_ends_all_of_them() {
    let world = World::new().await;
    let first = world.tokens(&world.phone).await;
    let second = pair(&world.refresh(&world.phone, &first.1).await.is(200));
    assert!(world.is_active(&second.0).await);
    refused(world.refresh(&world.phone, &first.1).await);
    assert!(world.are_dead(&world.phone, &second).await && world.are_dead(&world.phone, &first).await);
}

#[tokio::test]
async fn of_many_who_use_a_public_apps_refresh_token_at_once_at_most_one_gets_tokens() {
    let world = World::new().await;
    let (_, refresh) = world.tokens(&world.phone).await;
    let answers = join_all((0..16).map(|_| world.refresh(&world.phone, &refresh))).await;
    let good: Vec<_> = answers.into_iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(good.len(), 1);
    assert!(world.are_dead(&world.phone, &pair(&good[0])).await, "the others were reuse");
}

#[tokio::test]
async fn two_nodes_take_a_code_once() {
    let world = World::shared().await;
    let other = world.beside().await;
    for _ in 0..5 {
        let code = world.code(&world.shop, None).await;
        let (one, two) =
            tokio::join!(world.redeem(&world.shop, &code, &[]), other.redeem(&world.shop, &code, &[]),);
        let good: Vec<_> = [one, two].into_iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(good.len(), 1);
        assert!(other.are_dead(&world.shop, &pair(&good[0])).await);
    }
    let (access, refresh) = world.tokens(&world.phone).await;
    let (one, two) =
        tokio::join!(world.refresh(&world.phone, &refresh), other.refresh(&world.phone, &refresh));
    assert!([one.status, two.status].into_iter().filter(|status| *status == 200).count() <= 1);
    assert!(!other.is_active(&access).await);
}

#[tokio::test]
async fn a_refresh_token_is_for_who_got_it() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(&world.shop).await;
    for other in [&world.rival, &world.phone] {
        refused(world.refresh(other, &refresh).await);
    }
    assert!(world.is_active(&access).await, "nobody else can end it that way");
    world.refresh(&world.shop, &refresh).await.is(200);
    // Without its secret, a confidential client is nobody.
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", &*refresh), ("client_id", &*world.shop.id)];
    world.rig.bare("POST", "/oauth2/tokens").fields(&form).await.is_oauth(401, "invalid_client");
    let (_, refresh) = world.tokens(&world.phone).await;
    refused(world.refresh(&world.shop, &refresh).await);
    world.refresh(&world.phone, &refresh).await.is(200);
}

#[tokio::test]
async fn one_kind_of_token_is_not_taken_for_another() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(&world.shop).await;
    let code = world.code(&world.shop, None).await;
    let secret = world.shop.secret.clone().unwrap();
    for token in [&access, &refresh, &secret] {
        refused(world.redeem(&world.shop, token, &[]).await);
    }
    for token in [&access, &code, &secret] {
        refused(world.refresh(&world.shop, token).await);
    }
    // The same letters behind another prefix.
    let random = |token: &str| token.split_once('_').unwrap().1.to_owned();
    refused(world.refresh(&world.shop, &format!("refresh_{}", random(&access))).await);
    refused(world.redeem(&world.shop, &format!("auth_{}", random(&refresh)), &[]).await);
    let question = json!({"subject": "user:ann", "action": "member", "resource": "role:qa"});
    for token in [&refresh, &code, &secret, &format!("access_{}", random(&refresh))] {
        let answer = world.rig.with(token, "POST", "/api/v1/check").json(question.clone()).await;
        answer.is_problem(401, "unauthorized");
    }
    world.redeem(&world.shop, &code, &[]).await.is(200);
}

#[tokio::test]
async fn nobody_gives_back_what_is_anothers() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(&world.shop).await;
    for other in [&world.rival, &world.phone] {
        for token in [&access, &refresh] {
            let form = [("token", token.as_str())];
            world.post(other, "/oauth2/revoke", &form).await.is_oauth(400, "unauthorized_client");
            world.send(other, "DELETE", "/oauth2/tokens", &form).await.is_oauth(400, "unauthorized_client");
        }
    }
    assert!(world.is_active(&access).await);
    world.refresh(&world.shop, &refresh).await.is(200);
}
