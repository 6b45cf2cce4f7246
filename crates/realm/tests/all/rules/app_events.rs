//! What webhooks are told of authorizations.

use grantd_realm::app::DeleteApp;
use grantd_realm::authorization::{Authorize, EndAuthorization, WithdrawScope};
use grantd_realm::caller::Caller;
use grantd_realm::command::Command;
use grantd_realm::expiry::RemoveEnded;
use grantd_realm::organization::{DeleteOrganization, Policy, Seat, SetAuthorizationPolicy};
use grantd_realm::webhook::{Event, Subject, events};

use super::apps::{agreeing, app, organization, seat};
use crate::support::{World, root};

/// Carries a command out; what is told of it, as `kind scopes +added -removed`.
fn told<C: Command>(world: &mut World, caller: &Caller, command: C) -> Vec<String> {
    let (changes, _, _) = world.decides(caller, &command).unwrap();
    let events = events(&world.state, &changes, world.now);
    world.applies(changes);
    events.iter().map(line).collect()
}

fn line(event: &Event) -> String {
    let Subject::Authorization(one) = &event.subject else { panic!("{event:?}") };
    assert_eq!(event.app.as_ref(), Some(&one.app), "an app is told of what concerns it");
    let list = |scopes: &[std::sync::Arc<str>]| scopes.join(",");
    format!("{} {} +{} -{}", event.kind.name(), list(&one.scopes), list(&one.added), list(&one.removed))
}

#[test]
fn consents_withdrawals_and_ends_are_told() {
    let mut world = World::new();
    let (org, app) = (organization(&mut world), app(&mut world, false).client_id);
    let ann = seat(&mut world, &org, "ann", Seat::Admin);
    let first = told(&mut world, &ann, agreeing(&app, &org, "payments.read orders.read"));
    assert_eq!(first, ["authorization.granted orders.read,payments.read +orders.read,payments.read -"]);
    let more = told(&mut world, &ann, agreeing(&app, &org, "refunds.read payments.read"));
    assert_eq!(more, ["authorization.changed orders.read,payments.read,refunds.read +refunds.read -"]);
    assert!(told(&mut world, &ann, agreeing(&app, &org, "refunds.read")).is_empty(), "nothing is new");
    let id = world.state.authorizations().iter_after(None).next().unwrap().id;
    let withdrawn = told(&mut world, &ann, WithdrawScope { authorization: id, scope: "orders.read".into() });
    assert_eq!(withdrawn, ["authorization.changed payments.read,refunds.read + -orders.read"]);
    let forced = Authorize { force: true, ..agreeing(&app, &org, "payments.read") };
    assert_eq!(told(&mut world, &ann, forced), ["authorization.changed payments.read + -refunds.read"]);
    let ended = told(&mut world, &ann, EndAuthorization { authorization: id });
    assert_eq!(ended, ["authorization.revoked  + -payments.read"]);
}

#[test]
fn what_goes_with_an_app_or_an_organization_is_told() {
    let mut world = World::new();
    let (org, other) = (organization(&mut world), organization(&mut world));
    let (shop, mail) = (app(&mut world, false).client_id, app(&mut world, false).client_id);
    for organization in [&org, &other] {
        for app in [&shop, &mail] {
            world.does(Authorize { consent: None, ..agreeing(app, organization, "payments.read") });
        }
    }
    let revoked = "authorization.revoked  + -payments.read";
    assert_eq!(told(&mut world, &root(), DeleteApp { client_id: shop }), [revoked, revoked]);
    assert_eq!(told(&mut world, &root(), DeleteOrganization { id: org }), [revoked]);
}

#[test]
fn what_ends_by_the_clock_is_told_when_it_is_taken_away() {
    let mut world = World::new();
    let (org, app) = (organization(&mut world), app(&mut world, false).client_id);
    let ann = seat(&mut world, &org, "ann", Seat::Admin);
    let hour = 3_600 * 1_000_000;
    let policy = Policy { approval: false, longest_life: Some(hour) };
    world.tries(&ann, SetAuthorizationPolicy { organization: org.clone(), policy }).unwrap();
    world.tries(&ann, agreeing(&app, &org, "payments.read")).unwrap();
    world.now += hour / 2;
    world.tries(&ann, agreeing(&app, &org, "orders.read")).unwrap();
    world.now += hour / 2;
    let ended = |world: &World| RemoveEnded { keys: world.state.graph().ended(world.now, 10) };
    let command = ended(&world);
    assert_eq!(told(&mut world, &root(), command), ["authorization.changed orders.read + -payments.read"]);
    world.now += hour / 2;
    let command = ended(&world);
    assert_eq!(told(&mut world, &root(), command), ["authorization.revoked  + -orders.read"]);
    let anew = told(&mut world, &ann, agreeing(&app, &org, "orders.read"));
    assert_eq!(anew, ["authorization.granted orders.read +orders.read -"]);
}
