//! `/apps`: what apps may do, and taking it back.

use grantd_node::realm::authorization::Authorize;
use grantd_node::realm::oauth_token::Give;
use grantd_node::realm::organization::{
    CreateOrganization, Policy, Seat, SeatMember, SetAuthorizationPolicy,
};
use grantd_node::realm::role::Member;
use uuid::Uuid;

use super::world::{World, confidential, register};
use crate::browser::Browser;

impl World {
    /// Lets an app do something, and says by which authorization.
    async fn lets(&self, app: &str, scopes: &[&str]) -> Uuid {
        let command = Authorize {
            app: app.into(),
            organization: self.organization.clone(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            force: false,
            consent: None,
            expires: None,
            give: Give::Nothing,
        };
        self.operate(command).await.authorization
    }

    /// Somebody with a seat in an organization, signed in.
    async fn member(&self, login: &str, organization: &str) -> Browser {
        self.rig.person(login).await;
        let (organization, member) = (organization.to_owned(), Member::User(login.into()));
        self.operate(SeatMember { organization, member, seat: Seat::Member }).await;
        let mut browser = Browser::new(&self.rig);
        browser.signs_in(login).await;
        browser
    }

    async fn is_there(&self, authorization: Uuid) -> bool {
        let realm = self.rig.node.realm("default").await.unwrap();
        realm.published().state.authorizations().get(authorization).is_some()
    }
}

#[tokio::test]
async fn only_who_may_takes_back_and_only_from_our_page() {
    let world = World::new().await;
    let id = world.lets(&world.shop.id, &["payments.read", "refunds.read"]).await;
    let policy = Policy { approval: true, longest_life: None };
    world.operate(SetAuthorizationPolicy { organization: world.organization.clone(), policy }).await;
    let elsewhere = world.operate(CreateOrganization { name: "Elsewhere".into() }).await.id;
    let mut ben = world.member("ben", &world.organization).await;
    let mut eve = world.member("eve", &elsewhere).await;
    let mut ann = Browser::new(&world.rig);
    ann.signs_in("ann").await;
    let (withdraw, disconnect) = (format!("/apps/{id}/withdraw"), format!("/apps/{id}/disconnect"));
    let scope = [("scope", "payments.read")];

    assert!(ben.get("/apps").await.is(200).text.contains("The shop"));
    let not_hers = eve.get(&format!("/apps?organization={}", world.organization)).await.is(200);
    assert!(!not_hers.text.contains("The shop") && not_hers.text.contains("Elsewhere"), "{}", not_hers.text);
    for stranger in [&mut ben, &mut eve] {
        stranger.post(&withdraw, &scope).await.is(404);
        stranger.post(&disconnect, &[]).await.is(404);
    }
    let page = ann.get("/apps").await.is(200);
    assert!(page.text.contains("The shop") && page.text.contains("not used yet"), "{}", page.text);
    for path in [&withdraw, &disconnect] {
        ann.call("POST", path).form(&scope, "").await.is(403);
        let call = ann.call("POST", path).header("sec-fetch-site", "cross-site");
        call.form(&scope, &ann.csrf).await.is(403);
        world.rig.bare("POST", path).form(&scope, &ann.csrf).await.is(403);
    }
    assert!(world.is_there(id).await);

    let answer = ann.post(&withdraw, &scope).await.is(303);
    let page = ann.get(answer.header("location")).await.is(200);
    assert!(
        page.text.contains("The permission is withdrawn") && !page.text.contains("payments.read"),
        "{}",
        page.text
    );
    assert!(page.text.contains("refunds.read"));
    let answer = ann.post(&disconnect, &[]).await.is(303);
    let page = ann.get(answer.header("location")).await.is(200);
    assert!(
        page.text.contains("The app is disconnected") && !page.text.contains("The shop"),
        "{}",
        page.text
    );
    assert!(!world.is_there(id).await);
    ann.post(&disconnect, &[]).await.is(404);
    ann.post("/apps/nonsense/disconnect", &[]).await.is(404);
}

#[tokio::test]
async fn what_was_used_says_so() {
    let world = World::new().await;
    let (token, _) = world.tokens(&world.shop).await;
    world.rig.with(&token, "GET", "/v2/permissions/payments.read").send().await.is(200);
    world.rig.clock.advance(5 * 60 * 1_000_000);
    let mut ann = Browser::new(&world.rig);
    ann.signs_in("ann").await;
    let page = ann.get("/apps").await.is(200);
    assert!(page.text.contains("used 5 minutes ago") && page.text.contains("by ann"), "{}", page.text);
}

#[tokio::test]
async fn many_apps_are_pages() {
    let world = World::new().await;
    for number in 0..60 {
        let app =
            register(&world.rig, &format!("App {number:02}."), confidential(&["https://x.example/"])).await;
        world.lets(&app.id, &["payments.read"]).await;
    }
    let mut ann = Browser::new(&world.rig);
    ann.signs_in("ann").await;
    let mut path = "/apps".to_owned();
    let mut shown = Vec::new();
    loop {
        let page = ann.get(&path).await.is(200).text;
        shown.push(page.matches("<article").count());
        let Some(next) = page.split("<a href=\"").find(|link| link.contains("&amp;after=")) else { break };
        path = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!(shown, [50, 10]);
}
