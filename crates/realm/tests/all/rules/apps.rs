//! Organizations, apps, scopes, and what is agreed on.

use grantd_realm::app::{App, AppCreated, AppSettings, CreateApp, DeleteApp, UpdateApp};
use grantd_realm::authorization::{
    Authorize, Authorized, ConsentGiven, EndAuthorization, WithdrawScope, authorization_of,
    authorizations_of_app, authorizations_of_organization, may_end, missing, scopes_of,
};
use grantd_realm::caller::{Authority, Caller};
use grantd_realm::oauth_token::Give;
use grantd_realm::organization::{
    ApproveApp, CreateOrganization, DeleteOrganization, Policy, Seat, SeatMember, SetAuthorizationPolicy,
    UnseatMember, members, organizations_of, seat_of,
};
use grantd_realm::refusal::ConsentProblem;
use grantd_realm::role::{AddMember, Member};
use grantd_realm::scope::{DefineScope, DeleteScope, Scope, ScopeText, parse_list};
use grantd_realm::user::DeleteUser;
use grantd_realm::{Basis, Refusal};

use crate::support::{World, invalid_field, root, with, writing};

pub(super) fn settings() -> AppSettings {
    AppSettings { redirect_uris: vec!["https://shop.example/cb".into()], ..AppSettings::default() }
}

pub(super) fn app(world: &mut World, public: bool) -> AppCreated {
    world.does(CreateApp { name: "Shop".into(), settings: AppSettings { public, ..settings() } })
}

pub(super) fn organization(world: &mut World) -> String {
    world.does(CreateOrganization { name: "Acme".into() }).id
}

pub(super) fn seat(world: &mut World, organization: &str, login: &str, seat: Seat) -> Caller {
    let user = world.user(login);
    let member = Member::User(login.into());
    assert!(world.does(SeatMember { organization: organization.into(), member, seat }));
    user
}

fn list(scopes: &str) -> Vec<String> {
    parse_list(scopes)
}

pub(super) fn agreeing(app: &str, organization: &str, scopes: &str) -> Authorize {
    Authorize {
        app: app.into(),
        organization: organization.into(),
        scopes: list(scopes),
        force: false,
        consent: Some(ConsentGiven { text_version: 1, locale: "nl_NL".into(), address: "192.0.2.1".into() }),
        expires: None,
        give: Give::Nothing,
    }
}

fn approving(app: &str, organization: &str, scopes: &str) -> Authorize {
    Authorize { consent: None, ..agreeing(app, organization, scopes) }
}

fn held(world: &World, authorized: &Authorized) -> String {
    let found = world.state.authorizations().get(authorized.authorization).unwrap();
    let scopes = scopes_of(&world.state, found, world.now);
    scopes.iter().map(|scope| &*scope.id).collect::<Vec<_>>().join(" ")
}

fn stored(world: &World) -> usize {
    let mut count = 0;
    world.state.graph().for_each(|one| count += usize::from(one.key.resource.kind() == "mollie_scope"));
    count
}

#[test]
fn ids_have_the_documented_form() {
    let mut world = World::new();
    let organization = organization(&mut world);
    let digits = organization.strip_prefix("org_").unwrap();
    assert!(digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()), "{organization}");
    let made = app(&mut world, false);
    let letters = made.client_id.strip_prefix("app_").unwrap();
    assert!(letters.len() == 23 && letters.bytes().all(|b| b.is_ascii_alphanumeric()), "{made:?}");
    assert!(made.client_secret.unwrap().0.starts_with("gdc_"));
    assert!(app(&mut world, true).client_secret.is_none(), "a public app keeps no secret");
}

#[test]
fn what_is_agreed_on_is_relationships() {
    let mut world = World::new();
    let (org, app) = (organization(&mut world), app(&mut world, false).client_id);
    let ann = seat(&mut world, &org, "ann", Seat::Member);
    let first = world.tries(&ann, agreeing(&app, &org, "payments.write payments.read")).unwrap();
    assert_eq!(first.added, ["payments.read", "payments.write"]);
    let (subject, path) = (format!("app:{app}"), format!("mollie_scope:/{org}/payments.read/"));
    assert!(world.allows(&subject, "granted", &path));
    assert!(!world.allows(&subject, "granted", &format!("mollie_scope:/{org}/refunds.read/")));
    assert_eq!(held(&world, &first), "payments.read payments.write");

    assert_eq!(
        missing(&world.state, &app, &org, &list("payments.read refunds.read"), world.now),
        ["refunds.read"]
    );
    let more = world.tries(&ann, agreeing(&app, &org, "refunds.read payments.read")).unwrap();
    assert_eq!((more.authorization, more.added), (first.authorization, list("refunds.read")));
    assert_eq!(more.scopes, list("payments.read payments.write refunds.read"), "the union");

    let entries = world.entries.len();
    let again = world.tries(&ann, agreeing(&app, &org, "refunds.read")).unwrap();
    assert!(again.added.is_empty());
    assert_eq!(world.entries.len(), entries, "what changes nothing makes no entry");

    let withdraw = |scope: &str| WithdrawScope { authorization: first.authorization, scope: scope.into() };
    assert_eq!(world.tries(&ann, withdraw("payments.read")), Ok(true));
    assert_eq!(world.tries(&ann, withdraw("payments.read")), Ok(false));
    assert!(!world.allows(&subject, "granted", &path));
    assert_eq!(held(&world, &first), "payments.write refunds.read");

    let record = world.state.authorizations().get(first.authorization).unwrap().clone();
    let consent = record.consent.as_ref().unwrap();
    assert_eq!((&*consent.user, consent.text_version, &*consent.locale), ("ann", 1, "nl_NL"));
    assert_eq!(consent.address.text(), Some("192.0.2.1"));

    world.tries(&ann, EndAuthorization { authorization: first.authorization }).unwrap();
    assert!(authorization_of(&world.state, &app, &org, world.now).is_none());
    assert_eq!(stored(&world), 0);
    let anew = world.tries(&ann, agreeing(&app, &org, "payments.read")).unwrap();
    assert_ne!(anew.authorization, first.authorization);
}

#[test]
fn force_replaces_and_begins_a_new_generation() {
    let mut world = World::new();
    let (org, app) = (organization(&mut world), app(&mut world, false).client_id);
    let ann = seat(&mut world, &org, "ann", Seat::Admin);
    let first = world.tries(&ann, agreeing(&app, &org, "payments.read refunds.read")).unwrap();
    let forced = Authorize { force: true, ..agreeing(&app, &org, "payments.read orders.read") };
    let second = world.tries(&ann, forced).unwrap();
    assert_eq!(
        (second.authorization, held(&world, &second).as_str()),
        (first.authorization, "orders.read payments.read")
    );
    assert_eq!(second.added, ["orders.read"]);
    assert_eq!(world.state.authorizations().get(first.authorization).unwrap().generation, 2);
}

#[test]
fn only_members_agree_and_only_as_far_as_they_may() {
    let mut world = World::new();
    let (org, app) = (organization(&mut world), app(&mut world, false).client_id);
    let (admin, member) =
        (seat(&mut world, &org, "ada", Seat::Admin), seat(&mut world, &org, "ben", Seat::Member));
    let stranger = world.user("sam");
    let consent = |problem| Err::<(), _>(Refusal::Consent(problem));
    let agrees = |world: &mut World, who: &Caller, scopes: &str| {
        world.tries(who, agreeing(&app, &org, scopes)).map(|_| ())
    };
    assert_eq!(agrees(&mut world, &stranger, "payments.read"), consent(ConsentProblem::NotMember));
    assert_eq!(agrees(&mut world, &root(), "payments.read"), consent(ConsentProblem::NotMember));
    assert_eq!(agrees(&mut world, &member, "payments.read"), Ok(()));

    let policy = |policy| SetAuthorizationPolicy { organization: org.clone(), policy };
    let strict = Policy { approval: true, longest_life: None };
    assert!(matches!(world.tries(&member, policy(strict)), Err(Refusal::NotAllowed(Authority::Operator))));
    assert_eq!(world.tries(&admin, policy(strict)), Ok(true));
    assert_eq!(world.tries(&admin, policy(strict)), Ok(false));
    assert_eq!(agrees(&mut world, &member, "refunds.read"), consent(ConsentProblem::ApprovalNeeded));
    let approve = ApproveApp { organization: org.clone(), app: app.clone(), scopes: list("refunds.read") };
    world.tries(&admin, approve).unwrap();
    assert_eq!(agrees(&mut world, &member, "refunds.read"), Ok(()));
    let more = agrees(&mut world, &member, "refunds.read refunds.write");
    assert_eq!(more, consent(ConsentProblem::ApprovalNeeded), "an approval is for exactly these scopes");
    assert_eq!(agrees(&mut world, &admin, "refunds.write"), Ok(()));

    // Beforehand, by an operator, who needs no seat.
    let operator = with(&[Authority::Operator]);
    assert!(world.tries(&operator, approving(&app, &org, "orders.read")).is_ok());
    let writer = with(&[Authority::Writer]);
    let refused = world.tries(&writer, approving(&app, &org, "orders.write"));
    assert!(matches!(refused, Err(Refusal::NotAllowed(Authority::Operator))));
}

#[test]
fn who_takes_away_what_was_agreed_on() {
    let mut world = World::new();
    let (org, app) = (organization(&mut world), app(&mut world, false).client_id);
    let admin = seat(&mut world, &org, "ada", Seat::Admin);
    let (ben, cyd) =
        (seat(&mut world, &org, "ben", Seat::Member), seat(&mut world, &org, "cyd", Seat::Member));
    let sam = world.user("sam");
    let id = world.tries(&ben, agreeing(&app, &org, "payments.read")).unwrap().authorization;
    let end = || EndAuthorization { authorization: id };
    let may = |world: &World, login: &str| {
        may_end(&world.state, login, world.state.authorizations().get(id).unwrap(), world.now)
    };
    assert!(may(&world, "ada") && may(&world, "ben") && may(&world, "cyd") && !may(&world, "sam"));
    let policy = Policy { approval: true, longest_life: None };
    world.tries(&admin, SetAuthorizationPolicy { organization: org.clone(), policy }).unwrap();
    assert!(may(&world, "ada") && may(&world, "ben") && !may(&world, "cyd"));
    for stranger in [&cyd, &sam, &with(&[Authority::Writer])] {
        assert!(matches!(world.tries(stranger, end()), Err(Refusal::NotAllowed(_))));
    }
    world.tries(&ben, end()).unwrap();
    assert!(matches!(world.tries(&root(), end()), Err(Refusal::NotFound { .. })));
}

#[test]
fn terms_end_what_is_agreed_on() {
    let mut world = World::new();
    let (org, app) = (organization(&mut world), app(&mut world, false).client_id);
    let ann = seat(&mut world, &org, "ann", Seat::Admin);
    let hour = 3_600 * 1_000_000;
    let policy = Policy { approval: false, longest_life: Some(hour) };
    world.tries(&ann, SetAuthorizationPolicy { organization: org.clone(), policy }).unwrap();
    let first = world.tries(&ann, agreeing(&app, &org, "payments.read")).unwrap();
    world.now += hour / 2;
    let second = world.tries(&ann, agreeing(&app, &org, "refunds.read")).unwrap();
    assert_eq!(second.authorization, first.authorization);
    world.now += hour / 2;
    assert_eq!(held(&world, &second), "refunds.read", "each scope has the end of its own consent");
    world.now += hour / 2;
    assert!(authorization_of(&world.state, &app, &org, world.now).is_none());
    let subject = format!("app:{app}");
    assert!(!world.allows(&subject, "granted", &format!("mollie_scope:/{org}/refunds.read/")));
    let third = world.tries(&ann, agreeing(&app, &org, "orders.read")).unwrap();
    assert_ne!(third.authorization, first.authorization);
    assert_eq!(held(&world, &third), "orders.read", "nothing of before comes back");
}

#[test]
fn an_app_or_an_organization_goes_with_everything() {
    let mut world = World::new();
    let (org, other) = (organization(&mut world), organization(&mut world));
    let (shop, mail) = (app(&mut world, false).client_id, app(&mut world, true).client_id);
    for organization in [&org, &other] {
        for app in [&shop, &mail] {
            world.does(approving(app, organization, "payments.read orders.read"));
        }
    }
    let count = |world: &World| {
        (
            authorizations_of_app(&world.state, &shop).count(),
            authorizations_of_app(&world.state, &mail).count(),
            authorizations_of_organization(&world.state, &org).count(),
            authorizations_of_organization(&world.state, &other).count(),
            stored(world),
        )
    };
    assert_eq!(count(&world), (2, 2, 2, 2, 8));
    world.does(DeleteApp { client_id: shop.clone() });
    assert_eq!(count(&world), (0, 2, 1, 1, 4));
    world.does(DeleteOrganization { id: org.clone() });
    assert_eq!(count(&world), (0, 1, 0, 1, 2));
    assert!(App::find(&world.state, &shop).is_err());
}

#[test]
fn seats_come_by_roles_too_and_the_higher_one_counts() {
    let mut world = World::new();
    let org = organization(&mut world);
    world.user("ann");
    world.role("staff");
    world.role("finance");
    world.does(AddMember {
        role: "staff".into(),
        member: Member::Role("finance".into()),
        basis: Basis::default(),
    });
    world.does(AddMember {
        role: "finance".into(),
        member: Member::User("ann".into()),
        basis: Basis::default(),
    });
    assert_eq!(seat_of(&world.state, &org, "ann", world.now), None);
    let seat =
        |seat, role: &str| SeatMember { organization: org.clone(), member: Member::Role(role.into()), seat };
    world.does(seat(Seat::Member, "staff"));
    assert_eq!(seat_of(&world.state, &org, "ann", world.now), Some(Seat::Member));
    let of_ann = |world: &World| -> Vec<(String, Seat)> {
        let found = organizations_of(&world.state, "ann", world.now);
        found.into_iter().map(|(one, seat)| (one.id.to_string(), seat)).collect()
    };
    assert_eq!(of_ann(&world), [(org.clone(), Seat::Member)]);
    world.does(seat(Seat::Admin, "finance"));
    assert_eq!(of_ann(&world), [(org.clone(), Seat::Admin)]);
    assert_eq!(seat_of(&world.state, &org, "ann", world.now), Some(Seat::Admin));
    let listed = members(&world.state, &org, world.now);
    let role = |key: &str| Member::Role(key.into());
    assert_eq!(listed, [(role("finance"), Seat::Admin), (role("staff"), Seat::Member)]);
    assert!(world.does(seat(Seat::Member, "finance")), "in place of the other seat");
    assert_eq!(seat_of(&world.state, &org, "ann", world.now), Some(Seat::Member));
    world.does(UnseatMember { organization: org.clone(), member: role("staff") });
    world.does(UnseatMember { organization: org.clone(), member: role("finance") });
    assert_eq!(of_ann(&world), []);
}

#[test]
fn a_login_made_again_has_no_seat() {
    let mut world = World::new();
    let org = organization(&mut world);
    seat(&mut world, &org, "ann", Seat::Admin);
    world.does(DeleteUser { login: "ann".into(), basis: Basis::default() });
    world.user("ann");
    assert_eq!(seat_of(&world.state, &org, "ann", world.now), None);
}

#[test]
fn scopes_are_not_given_as_relationships() {
    let mut world = World::new();
    let (org, app) = (organization(&mut world), app(&mut world, false).client_id);
    let key = format!("mollie_scope:/{org}/payments.read/#granted@app:{app}");
    let refused = world.tries(&root(), writing(&key));
    assert!(matches!(refused, Err(Refusal::ManagedRelation { .. })), "{refused:?}");
    let above = world.tries(&root(), writing(&format!("mollie_scope:/{org}/#granted@app:{app}")));
    assert!(matches!(above, Err(Refusal::ManagedRelation { .. })), "{above:?}");
}

fn scope(id: &str, description: &str) -> Scope {
    let texts = vec![ScopeText { language: "en".into(), description: description.into(), warning: None }];
    Scope { id: id.into(), texts, in_v1: false, in_v2: true, deprecated: false }
}

#[test]
fn the_catalogue_can_be_extended() {
    let mut world = World::new();
    let (org, app) = (organization(&mut world), app(&mut world, false).client_id);
    assert_eq!(world.state.scopes().iter().filter(|scope| scope.in_v2).count(), 61);
    assert_eq!(invalid_field(world.tries(&root(), approving(&app, &org, "reports.read"))), "scopes");
    assert!(world.does(DefineScope { scope: scope("reports.read", "See reports") }));
    assert!(!world.does(DefineScope { scope: scope("reports.read", "See reports") }));
    let authorized = world.does(approving(&app, &org, "reports.read payments.read"));
    world.does(DeleteScope { id: "reports.read".into() });
    assert_eq!(held(&world, &authorized), "payments.read");
    let again = world.tries(&root(), DefineScope { scope: scope("reports.read", "See reports") });
    assert_eq!(invalid_field(again), "id", "what was granted under an id must not come back");

    // One of the catalogue reads differently, and again as it came.
    assert!(world.does(DefineScope { scope: scope("payments.read", "See what was paid") }));
    let text = |world: &World| {
        world.state.scopes().get("payments.read").unwrap().text("nl_NL").unwrap().description.to_string()
    };
    assert_eq!(text(&world), "See what was paid", "English where there is no Dutch");
    world.does(DeleteScope { id: "payments.read".into() });
    assert_eq!(text(&world), "Je betalingen bekijken");
    assert_eq!(held(&world, &authorized), "payments.read");
    assert_eq!(invalid_field(world.tries(&root(), DeleteScope { id: "payments.read".into() })), "id");
    for bad in ["", "reports", "Reports.read", "reports.", ".read", "a..b", "re ports.read", "reports/x.read"]
    {
        assert_eq!(
            invalid_field(world.tries(&root(), DefineScope { scope: scope(bad, "See") })),
            "id",
            "{bad}"
        );
    }
}

#[test]
fn what_an_app_cannot_be() {
    let mut world = World::new();
    let made = app(&mut world, false);
    let with = |settings| CreateApp { name: "Shop".into(), settings };
    let redirect = AppSettings { redirect_uris: vec!["http://shop.example/".into()], ..settings() };
    assert_eq!(invalid_field(world.tries(&root(), with(redirect))), "redirect_uris");
    let twice = vec!["https://a.example/".to_owned(); 2];
    let twice = AppSettings { redirect_uris: twice, ..settings() };
    assert_eq!(invalid_field(world.tries(&root(), with(twice))), "redirect_uris");
    let optional = AppSettings { optional_scopes: vec!["nothing.read".into()], ..settings() };
    assert_eq!(invalid_field(world.tries(&root(), with(optional))), "optional_scopes");
    let website = AppSettings { website: Some("javascript:alert(1)".into()), ..settings() };
    assert_eq!(invalid_field(world.tries(&root(), with(website))), "website");
    let public = UpdateApp {
        client_id: made.client_id.clone(),
        name: None,
        settings: Some(AppSettings { public: true, ..settings() }),
    };
    assert_eq!(invalid_field(world.tries(&root(), public)), "public");
}
