//! Webhooks: who makes them, of what they are told, and what becomes of what waits to be sent.

use grantd_realm::app::{AppSettings, CreateApp};
use grantd_realm::caller::Authority::{Approver, Operator, Requester};
use grantd_realm::caller::Caller;
use grantd_realm::command::{self, Command, Context, Decision, RowWrite, SealedWrite};
use grantd_realm::engine::Object;
use grantd_realm::entropy::Entropy;
use grantd_realm::erasure::EraseFields;
use grantd_realm::request::{
    CancelRequest, CreateRequest, DecideRequest, ExpireRequests, NewRequest, Status, Verdict,
};
use grantd_realm::rule::{CreateRule, Effect, RuleDraft, Scope};
use grantd_realm::webhook::{
    Attempt, CreateWebhook, DELIVERY_ROWS, DeleteWebhook, Delivery, DropDeliveries, Ending, EventKind,
    FINISHED_ROWS, Fate, Finished, LeaseDeliveries, MAX_URL, MAX_WEBHOOKS, OVERLAP, RETRIES, Retries,
    RotateWebhookSecret, SECRET_PREFIX, SendPing, SettleDelivery, Slots, Subject, UpdateWebhook,
    Verdict as Went, rows_of, signing_secret,
};
use grantd_realm::{Refusal, State, builtin};
use uuid::Uuid;

use crate::support::{World, commit, invalid_field, root, with};

const SECOND: i64 = 1_000_000;

fn decides<C: Command>(world: &World, caller: &Caller, command: &C) -> Result<Decision<C::Answer>, Refusal> {
    let mut cx = Context { caller, now: world.now, entropy: Entropy::new(&[7; 32]), commit };
    command::decide(command, &world.state, &mut cx)
}

fn to(url: &str, events: &[EventKind]) -> CreateWebhook {
    CreateWebhook { url: url.into(), events: events.to_vec(), description: None, app: None }
}

fn webhook(world: &mut World, events: &[EventKind]) -> Uuid {
    world.does(to("https://a.example/hook", events)).id
}

fn asks(command: &str) -> CreateRequest {
    CreateRequest::new(NewRequest {
        session: "s".into(),
        tool: "Bash".into(),
        action: "Runs".into(),
        description: "Builds".into(),
        params: format!(r#"{{"command":"{command}"}}"#),
        path: Some("/work".into()),
        parent_tool_call: None,
        timeout: 30 * SECOND,
    })
    .unwrap()
}

/// What is put into the queue by a command, as it can be read again.
fn told<C: Command>(world: &World, caller: &Caller, command: &C) -> Vec<Delivery> {
    let rows = decides(world, caller, command).unwrap().rows;
    let read = |row: &RowWrite| match row {
        RowWrite::Put { kind: DELIVERY_ROWS, key, value, expires } => {
            assert!(*expires > world.now + RETRIES[8]);
            Delivery::read(key, value).unwrap()
        }
        other => panic!("{other:?}"),
    };
    rows.iter().map(read).collect()
}

fn kinds(deliveries: &[Delivery]) -> Vec<&'static str> {
    deliveries.iter().map(|delivery| delivery.event.kind.name()).collect()
}

fn status(delivery: &Delivery) -> Status {
    match &delivery.event.subject {
        Subject::Request(request) => request.status,
        Subject::Nothing | Subject::Authorization(_) | Subject::Push(_) => panic!("{delivery:?}"),
    }
}

#[test]
fn only_an_administrator_has_to_do_with_webhooks() {
    let mut world = World::new();
    let id = webhook(&mut world, &[]);
    let operator = world.user_with("op", &[Operator, Approver]);
    let refused = [
        decides(&world, &operator, &to("https://a.example", &[])).map(|_| ()),
        decides(&world, &operator, &UpdateWebhook { id, ..UpdateWebhook::default() }).map(|_| ()),
        decides(&world, &operator, &RotateWebhookSecret { id }).map(|_| ()),
        decides(&world, &operator, &DeleteWebhook { id }).map(|_| ()),
        decides(&world, &operator, &SendPing { webhook: id }).map(|_| ()),
    ];
    assert!(refused.iter().all(|one| matches!(one, Err(Refusal::NotAllowed(_)))), "{refused:?}");
    // The queue is grantd's own, whoever asks.
    let (admin, deliveries) = (world.super_user("boss"), Vec::new());
    assert!(decides(&world, &admin, &SendPing { webhook: id }).is_ok());
    assert!(decides(&world, &admin, &LeaseDeliveries { deliveries: deliveries.clone() }).is_err());
    assert!(decides(&world, &admin, &DropDeliveries { deliveries }).is_err());
}

#[test]
fn what_no_webhook_can_be_made_of_is_refused() {
    let mut world = World::new();
    let mut field = |change: &dyn Fn(&mut CreateWebhook)| {
        let mut create = to("https://a.example", &[]);
        change(&mut create);
        invalid_field(world.tries(&root(), create))
    };
    assert_eq!(field(&|one| one.url = String::new()), "url");
    assert_eq!(field(&|one| one.url = format!("https://{}", "a".repeat(MAX_URL))), "url");
    assert_eq!(field(&|one| one.url = "https://a.example/\n".into()), "url");
    assert_eq!(field(&|one| one.description = Some("x".repeat(2_000))), "description");
    assert_eq!(field(&|one| one.app = Some("app_that_is_not_there".into())), "app");
    for _ in 0..MAX_WEBHOOKS {
        webhook(&mut world, &[]);
    }
    let one_more = world.tries(&root(), to("https://a.example", &[]));
    assert!(matches!(one_more, Err(Refusal::TooMany { .. })));
    let nothing = UpdateWebhook { id: Uuid::from_u128(9), ..UpdateWebhook::default() };
    assert!(matches!(world.tries(&root(), nothing), Err(Refusal::NotFound { .. })));
}

#[test]
fn a_secret_is_base64_and_is_replaced_with_an_overlap() {
    let mut world = World::new();
    let decision = decides(&world, &root(), &to("https://a.example", &[])).unwrap();
    let (id, secret) = (decision.answer.id, decision.answer.secret.unwrap().0);
    let letters = secret.strip_prefix(SECRET_PREFIX).unwrap();
    assert!(letters.len() == 44 && letters.bytes().all(|b| b.is_ascii_alphanumeric()), "{letters}");
    let put = |version| match &decision.sealed[..] {
        [SealedWrite::Put { name, version: found, .. }] => {
            *name == signing_secret(id, version) && *found == version
        }
        _ => false,
    };
    assert!(put(1), "{:?}", decision.sealed);
    world.applies(decision.changes);
    let signing = |world: &World, after: i64| -> Vec<u32> {
        world.state.webhooks().get(id).unwrap().secrets(world.now + after).collect()
    };
    assert_eq!(signing(&world, 0), [1]);
    let rotated = world.does(RotateWebhookSecret { id });
    assert_eq!(rotated.previous_until, world.now + OVERLAP);
    assert_eq!(signing(&world, OVERLAP - 1), [2, 1]);
    assert_eq!(signing(&world, OVERLAP), [2]);
    let (changes, sealed, _) = world.decides(&root(), &RotateWebhookSecret { id }).unwrap();
    let deleted = |version| sealed.contains(&SealedWrite::Delete { name: signing_secret(id, version) });
    assert!(deleted(1) && !deleted(2), "the one from before signs no more: {sealed:?}");
    world.applies(changes);
    assert_eq!(signing(&world, 0), [3, 2]);
    let (_, sealed, ()) = world.decides(&root(), &DeleteWebhook { id }).unwrap();
    let names = [3, 2].map(|version| SealedWrite::Delete { name: signing_secret(id, version) });
    assert_eq!(sealed, names);
}

#[test]
fn an_update_changes_what_it_names() {
    let mut world = World::new();
    let id = webhook(&mut world, &[]);
    let change = |world: &mut World, update: UpdateWebhook| {
        let before = world.entries.len();
        world.does(UpdateWebhook { id, ..update });
        let webhook = world.state.webhooks().get(id).unwrap();
        let url = webhook.url.text().unwrap().to_owned();
        (world.entries.len() - before, url, webhook.events.chosen().count(), webhook.enabled)
    };
    let as_it_is = |entries| (entries, "https://a.example/hook".to_owned(), 0, true);
    assert_eq!(change(&mut world, UpdateWebhook::default()), as_it_is(0));
    let same = UpdateWebhook {
        url: Some("https://a.example/hook".into()),
        events: Some(Vec::new()),
        description: Some(None),
        enabled: Some(true),
        ..UpdateWebhook::default()
    };
    assert_eq!(change(&mut world, same), as_it_is(0), "the same again is no entry");
    let off = UpdateWebhook { enabled: Some(false), ..UpdateWebhook::default() };
    assert_eq!(change(&mut world, off), (1, "https://a.example/hook".into(), 0, false));
    let events = Some(vec![EventKind::RequestDecided, EventKind::RequestDecided]);
    let other = UpdateWebhook { url: Some("https://b.example".into()), events, ..UpdateWebhook::default() };
    assert_eq!(change(&mut world, other), (1, "https://b.example".into(), 1, false));
}

#[test]
fn each_change_of_a_request_is_told_to_who_wants_it() {
    let mut world = World::new();
    let (all, some) = (webhook(&mut world, &[]), webhook(&mut world, &[EventKind::RequestDecided]));
    let agent = world.user_with("agent", &[Requester]);
    let boss = world.user_with("boss", &[Approver]);

    let made = told(&world, &agent, &asks("make"));
    assert_eq!(kinds(&made), ["request.created"]);
    assert_eq!((made[0].webhook, made[0].due, status(&made[0])), (all, world.now, Status::Pending));
    let Subject::Request(request) = &made[0].event.subject else { panic!() };
    assert_eq!((&*request.tool, request.path.as_deref()), ("Bash", Some("/work")));
    assert_eq!((request.requester.as_str(), request.expires_at), ("user:agent", world.now + 30 * SECOND));

    let id = world.tries(&agent, asks("make")).unwrap();
    let (verdict, reason) = (Verdict::Deny, Some("no".to_owned()));
    let decided = told(&world, &boss, &DecideRequest { id, verdict, reason, remember: None });
    assert_eq!(kinds(&decided), ["request.decided"; 2]);
    assert_eq!([decided[0].webhook, decided[1].webhook], [all, some]);
    assert_ne!(decided[0].id, decided[1].id);
    assert_eq!(status(&decided[1]), Status::Denied);
    let Subject::Request(request) = &decided[1].event.subject else { panic!() };
    assert_eq!(request.decided_by.as_deref(), Some("user:boss"));

    assert_eq!(kinds(&told(&world, &agent, &CancelRequest { id })), ["request.cancelled"]);
    world.now += 30 * SECOND;
    let expired = told(&world, &root(), &ExpireRequests { ids: vec![id] });
    assert_eq!((kinds(&expired), status(&expired[0])), (vec!["request.expired"], Status::Expired));
}

#[test]
fn what_a_rule_decides_is_told_at_once() {
    let mut world = World::new();
    webhook(&mut world, &[]);
    let draft = RuleDraft {
        effect: Effect::Deny,
        tool: "Bash".into(),
        command: Some("rm *".into()),
        path: None,
        scope: Scope::Realm,
        expires: None,
    };
    world.does(CreateRule { draft });
    let agent = world.user_with("agent", &[Requester]);
    let told = told(&world, &agent, &asks("rm x"));
    assert_eq!(kinds(&told), ["request.created", "request.decided"]);
    assert_eq!(
        [status(&told[0]), status(&told[1])],
        [Status::Denied; 2],
        "nobody is to look for an open one"
    );
}

#[test]
fn who_is_not_to_be_told_is_not() {
    let mut world = World::new();
    let agent = world.user_with("agent", &[Requester]);
    assert!(told(&world, &agent, &asks("make")).is_empty(), "there is no webhook");
    let app = world.does(CreateApp { name: "Shop".into(), settings: AppSettings::default() });
    let of_app = CreateWebhook { app: Some(app.client_id), ..to("https://a.example", &[]) };
    world.does(of_app);
    assert!(told(&world, &agent, &asks("make")).is_empty(), "an app is told only of what concerns it");
    let id = webhook(&mut world, &[]);
    assert_eq!(told(&world, &agent, &asks("make")).len(), 1);
    world.does(UpdateWebhook { id, enabled: Some(false), ..UpdateWebhook::default() });
    assert!(told(&world, &agent, &asks("make")).is_empty(), "it is disabled");
    assert!(decides(&world, &root(), &SendPing { webhook: id }).is_err());
    let before = world.state.webhooks().told();
    world.tries(&agent, asks("make")).unwrap();
    assert!(world.state.webhooks().told() > before);
}

/// A ping that waits.
fn ping(world: &World, id: Uuid) -> Delivery {
    let [delivery] = &told(world, &root(), &SendPing { webhook: id })[..] else { panic!() };
    delivery.clone()
}

fn settle(world: &World, delivery: &Delivery, verdict: Went) -> Decision<Fate> {
    let attempt = Attempt { at: world.now, status: Some(500), problem: None };
    let (delivery, retries) = (delivery.clone(), Retries::default());
    decides(world, &root(), &SettleDelivery { delivery, attempt, verdict, retries, place: 4 }).unwrap()
}

#[test]
fn a_delivery_is_tried_until_it_is_given_up() {
    let mut world = World::new();
    let id = webhook(&mut world, &[]);
    let mut delivery = ping(&world, id);
    let message = delivery.id;
    let mut waits = Vec::new();
    loop {
        world.now = delivery.due;
        let decision = settle(&world, &delivery, Went::Again(None));
        assert!(decision.changes.is_empty(), "an attempt is no entry");
        match (decision.answer, &decision.rows[..]) {
            (Fate::Due(due), [RowWrite::Move { key, to, value, .. }]) => {
                assert_eq!(*key, delivery.key());
                delivery = Delivery::read(to, value).unwrap();
                assert_eq!((delivery.due, delivery.id), (due, message));
                waits.push(due - world.now);
            }
            (
                Fate::Ended(Ending::Dead),
                [RowWrite::Delete { key, .. }, RowWrite::Put { kind, key: place, value, .. }],
            ) => {
                assert_eq!((key, *kind), (&delivery.key(), FINISHED_ROWS));
                let finished = Finished::read(place, value).unwrap();
                assert_eq!((finished.id, finished.attempts, finished.ending), (message, 10, Ending::Dead));
                assert!(place.starts_with(&rows_of(id)) && place.ends_with(&[1, 4]));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(waits.len(), RETRIES.len());
    assert!(
        waits.iter().zip(RETRIES).all(|(wait, least)| (least..=least + least / 5).contains(wait)),
        "{waits:?}"
    );
}

#[test]
fn what_arrived_and_what_is_never_wanted_end_at_once() {
    let mut world = World::new();
    let id = webhook(&mut world, &[]);
    let delivery = ping(&world, id);
    assert_eq!(settle(&world, &delivery, Went::Arrived).answer, Fate::Ended(Ending::Delivered));
    assert_eq!(settle(&world, &delivery, Went::Never).answer, Fate::Ended(Ending::Dead));
    let later = world.now + 3_600 * SECOND;
    assert_eq!(settle(&world, &delivery, Went::Again(Some(later))).answer, Fate::Due(later));
}

#[test]
fn one_lease_moves_a_row() {
    let mut world = World::new();
    let id = webhook(&mut world, &[]);
    let delivery = ping(&world, id);
    let decision = decides(&world, &root(), &LeaseDeliveries { deliveries: vec![delivery.clone()] }).unwrap();
    let [leased] = &decision.answer.0[..] else { panic!() };
    assert!(leased.lease.is_some() && leased.due > world.now + 15 * SECOND);
    let [RowWrite::Move { key, to, value, .. }] = &decision.rows[..] else { panic!("{:?}", decision.rows) };
    assert_eq!((key, to, value), (&delivery.key(), &leased.key(), &leased.value()));
    assert_eq!(Delivery::read(to, value).as_ref(), Ok(leased));
}

#[test]
fn the_oldest_place_is_taken() {
    let finished = |at, ending, place| {
        let mut world = World::new();
        let id = webhook(&mut world, &[]);
        let delivery = ping(&world, id);
        world.now = at;
        let attempt = Attempt { at, status: None, problem: Some("refused".into()) };
        let (verdict, retries) =
            (if ending == Ending::Dead { Went::Never } else { Went::Arrived }, Retries::default());
        let settle = SettleDelivery { delivery, attempt, verdict, retries, place };
        match &decides(&world, &root(), &settle).unwrap().rows[..] {
            [_, RowWrite::Put { key, value, .. }] => Finished::read(key, value).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    let mut slots = Slots::behind(&[]);
    let taken: Vec<u8> = (0..101).map(|_| slots.take(Ending::Dead)).collect();
    assert_eq!((taken[0], taken[99], taken[100]), (0, 99, 0));
    let kept =
        [finished(5, Ending::Dead, 99), finished(4, Ending::Dead, 50), finished(9, Ending::Delivered, 7)];
    let mut slots = Slots::behind(&kept);
    assert_eq!((slots.take(Ending::Dead), slots.take(Ending::Delivered)), (0, 8));
}

#[test]
fn damaged_rows_are_errors() {
    let mut world = World::new();
    let id = webhook(&mut world, &[]);
    let agent = world.user_with("agent", &[Requester]);
    let [delivery] = &told(&world, &agent, &asks("make"))[..] else { panic!() };
    let (key, value) = (delivery.key(), delivery.value());
    assert_eq!(Delivery::read(&key, &value).unwrap(), *delivery);
    assert!(value.len() < 300, "nothing of the texts is in it");
    for end in 0..value.len() {
        assert!(Delivery::read(&key, &value[..end]).is_err());
        assert!(Finished::read(&key, &value[..end]).is_err());
    }
    assert!(Delivery::read(&key[1..], &value).is_err());
    assert!(key.starts_with(&rows_of(id)));
}

#[test]
fn an_address_can_be_erased() {
    let mut world = World::new();
    let create = CreateWebhook { description: Some("ours".into()), ..to("https://a.example/secret", &[]) };
    let id = world.does(create).id;
    let object = Object::new("webhook", &id.to_string()).unwrap();
    let hash = world.state.hash();
    let change = world.entries.last().unwrap().1[0].clone();
    assert_eq!(change.personal_fields_of(object.as_ref()).len(), 2);
    world.does(EraseFields { object });
    let webhook = world.state.webhooks().get(id).unwrap();
    assert_eq!((webhook.url.text(), webhook.description.as_ref().unwrap().text()), (None, None));
    assert_eq!(world.state.hash(), hash);
    let again = State::from_snapshot(&world.state.to_snapshot(), builtin::schema().unwrap()).unwrap();
    assert_eq!(again.hash(), hash);
    let enable = UpdateWebhook { id, enabled: Some(true), ..UpdateWebhook::default() };
    assert_eq!(invalid_field(world.tries(&with(&[grantd_realm::caller::Authority::Admin]), enable)), "url");
}
