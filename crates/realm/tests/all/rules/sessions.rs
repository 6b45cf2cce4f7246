//! Sessions: who may issue and end them, and what makes them count no more.

use grantd_realm::caller::{Actor, Caller};
use grantd_realm::change::Change;
use grantd_realm::command::{self, Command, Context, Decision, RowWrite, Secret};
use grantd_realm::entropy::Entropy;
use grantd_realm::session::{
    ChangePassword, Device, Entrance, Limits, NoteUse, SESSION_ROWS, Session, ShownSession, SignIn, SignOut,
    SignOutEverywhere, Verified, rows_of,
};
use grantd_realm::user::{DeleteUser, UpdateUser};
use grantd_realm::{Refusal, State};

use crate::support::{World, commit, root};

fn decides<C: Command>(world: &World, caller: &Caller, command: &C) -> Result<Decision<C::Answer>, Refusal> {
    let mut cx = Context { caller, now: world.now, entropy: Entropy::new(&[7; 32]), commit };
    command::decide(command, &world.state, &mut cx)
}

/// Ann, who has a password.
fn world() -> (World, Caller) {
    let mut world = World::new();
    let ann = world.user("ann");
    set_password(&mut world);
    (world, ann)
}

fn set_password(world: &mut World) {
    let password = Some(Secret("$argon2id$".into()));
    world.does(UpdateUser { login: "ann".into(), password, ..UpdateUser::default() });
}

fn verified(world: &World) -> Verified {
    let user = world.state.users().get("ann").unwrap();
    Verified { user: user.uuid, password: user.password.unwrap() }
}

fn sign_in(world: &World) -> SignIn {
    SignIn {
        login: "ann".into(),
        verified: verified(world),
        instead_of: None,
        device: Device { agent: "é".repeat(200), address: "192.0.2.1".into() },
        entrance: Entrance::Pages,
        limits: Limits::default(),
    }
}

/// A session of hers: its row as read again, and its secret.
fn session(world: &World, ann: &Caller) -> (Session, String) {
    let decision = decides(world, ann, &sign_in(world)).unwrap();
    assert!(decision.changes.is_empty(), "a sign-in is no entry");
    let [RowWrite::Put { kind: SESSION_ROWS, key, value, expires }] = &decision.rows[..] else {
        panic!("{:?}", decision.rows)
    };
    let session = Session::read(key, value).unwrap();
    assert_eq!(*expires, session.ends(Limits::default()));
    assert!(key.starts_with(&rows_of(verified(world).user)));
    (session, decision.answer.secret.unwrap().0)
}

fn is_live(world: &World, session: &Session) -> bool {
    session.is_live(&world.state, world.now, Limits::default())
}

#[test]
fn only_its_secret_proves_a_session() {
    let (world, ann) = world();
    let (session, secret) = session(&world, &ann);
    let shown = ShownSession::parse(&secret).unwrap();
    assert!(shown.proves(&session));
    assert!(is_live(&world, &session));
    let other = format!("{}{}", &secret[..secret.len() - 1], if secret.ends_with('x') { 'y' } else { 'x' });
    let other = ShownSession::parse(&other).unwrap();
    assert!(!other.proves(&session));
    assert_ne!(other.key(), shown.key());
    assert!(!format!("{session:?}").contains(&secret));
    assert!(session.device.agent.len() <= 200);
}

#[test]
fn nobody_signs_somebody_else_in_or_out() {
    let (mut world, ann) = world();
    let ben = world.user("ben");
    let (session, _) = session(&world, &ann);
    let admin = root();
    let super_user = world.super_user("boss");
    for caller in [&ben, &admin, &super_user, &Caller { conferred: admin.conferred, ..ann.clone() }] {
        let refused = |refusal: Option<Refusal>| matches!(refusal, Some(Refusal::NotAllowed(_)));
        let login = || "ann".to_owned();
        assert!(refused(decides(&world, caller, &sign_in(&world)).err()));
        let out = SignOut { login: login(), user: session.user, id: session.id };
        assert!(refused(decides(&world, caller, &out).err()));
        assert!(refused(decides(&world, caller, &SignOutEverywhere { login: login() }).err()));
        let note = NoteUse { session: session.clone(), limits: Limits::default() };
        assert!(refused(decides(&world, caller, &note).err()));
        assert!(refused(decides(&world, caller, &change(&world)).err()));
    }
    let other = world.state.users().get("ben").unwrap().uuid;
    let out = SignOut { login: "ann".into(), user: other, id: session.id };
    assert!(decides(&world, &ann, &out).is_err(), "by her own name, but of somebody else's row");
}

fn change(world: &World) -> ChangePassword {
    let SignIn { login, verified, instead_of, device, limits, .. } = sign_in(world);
    ChangePassword { login, verified, password: Secret("$new$".into()), instead_of, device, limits }
}

#[test]
fn what_was_verified_must_still_hold() {
    let (mut world, ann) = world();
    let (sign_in, change) = (sign_in(&world), change(&world));
    set_password(&mut world);
    for (rows, secret) in [
        decides(&world, &ann, &sign_in).map(|d| (d.rows, d.answer.secret)).unwrap(),
        decides(&world, &ann, &change).map(|d| (d.rows, d.answer.secret)).unwrap(),
    ] {
        assert!(rows.is_empty() && secret.is_none());
    }
}

#[test]
fn what_ends_every_session() {
    let set_active =
        |active| UpdateUser { login: "ann".into(), active: Some(active), ..UpdateUser::default() };
    type End = fn(&mut World, &Caller);
    let ends: [(&str, End); 4] = [
        ("signed out everywhere", |world, ann| {
            world.tries(ann, SignOutEverywhere { login: "ann".into() }).unwrap();
        }),
        ("another password", |world, _| set_password(world)),
        ("her own new password", |world, ann| {
            let change = change(world);
            world.tries(ann, change).unwrap();
        }),
        ("deleted and made again", |world, _| {
            world.does(DeleteUser { login: "ann".into(), ..DeleteUser::default() });
            world.user("ann");
            set_password(world);
        }),
    ];
    for (what, end) in ends {
        let (mut world, ann) = world();
        let (session, _) = session(&world, &ann);
        end(&mut world, &ann);
        assert!(!is_live(&world, &session), "{what}");
    }
    let (mut world, ann) = world();
    let (session, _) = session(&world, &ann);
    world.does(set_active(false));
    assert!(!is_live(&world, &session));
    world.does(set_active(true));
    assert!(!is_live(&world, &session), "it does not come back");
}

#[test]
fn another_session_stays_when_one_ends() {
    let (mut world, ann) = world();
    let (kept, _) = session(&world, &ann);
    world.does(UpdateUser { login: "ann".into(), name: Some(Some("Ann".into())), ..UpdateUser::default() });
    world.does(UpdateUser { login: "ann".into(), active: Some(true), ..UpdateUser::default() });
    assert!(is_live(&world, &kept));
    let out = SignOut { login: "ann".into(), user: kept.user, id: kept.id };
    let decision = decides(&world, &ann, &out).unwrap();
    assert!(decision.changes.is_empty());
    let [RowWrite::Delete { key, .. }] = &decision.rows[..] else { panic!("{:?}", decision.rows) };
    assert_eq!(Session::read(key, &[]).err(), Session::read(&[0; 32], &[]).err(), "a key of the right form");
}

#[test]
fn a_new_password_comes_with_a_session_that_counts_under_it() {
    let (mut world, ann) = world();
    let decision = decides(&world, &ann, &change(&world)).unwrap();
    let [RowWrite::Put { key, value, .. }] = &decision.rows[..] else { panic!("{:?}", decision.rows) };
    let session = Session::read(key, value).unwrap();
    assert!(!is_live(&world, &session), "not before the password is set");
    assert!(matches!(&decision.changes[..], [Change::UserPasswordSet { version: 2, .. }]));
    world.applies(decision.changes);
    assert!(is_live(&world, &session));
}

#[test]
fn a_session_lives_as_long_as_its_limits_say() {
    let (world, ann) = world();
    let (session, _) = session(&world, &ann);
    let limits = Limits { idle: 100, absolute: 250 };
    let live = |session: &Session, later| session.is_live(&world.state, world.now + later, limits);
    assert!(live(&session, 99) && !live(&session, 100));
    let noted = |later| {
        let mut world = world.clone();
        world.now += later;
        let decision = decides(&world, &ann, &NoteUse { session: session.clone(), limits }).unwrap();
        let [RowWrite::Renew { key, value, expires, .. }] = &decision.rows[..] else { panic!() };
        (Session::read(key, value).unwrap(), *expires - session.issued_at)
    };
    assert!(live(&noted(90).0, 189) && !live(&noted(90).0, 190));
    assert_eq!(noted(90).1, 190);
    assert_eq!(noted(200).1, 250, "no use makes it longer than that");
    let noted = |later, limits| session.is_to_be_noted(world.now + later, limits);
    assert!(!noted(59_999_999, Limits::default()) && noted(60_000_000, Limits::default()));
    assert!(!noted(9, limits) && noted(10, limits));
}

#[test]
fn ended_sessions_are_part_of_the_state() {
    let (mut world, ann) = world();
    let before = world.state.hash();
    world.tries(&ann, SignOutEverywhere { login: "ann".into() }).unwrap();
    assert_ne!(world.state.hash(), before);
    let schema = grantd_realm::builtin::schema().unwrap();
    let restored = State::from_snapshot(&world.state.to_snapshot(), schema).unwrap();
    assert_eq!(restored.hash(), world.state.hash());
    assert_eq!(restored.users().get("ann").unwrap().sessions, 1);
    assert!(matches!(ann.actor, Actor::User(_)));
}

#[test]
fn any_bytes_are_a_session_or_none() {
    for key in [&[][..], &[0; 31], &[0; 32], &[0; 33]] {
        for value in [&[][..], &[0], &[1], &[1; 40], &[2; 200]] {
            assert!(Session::read(key, value).is_err());
        }
    }
}
