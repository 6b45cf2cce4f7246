//! Requests: who asks, who decides, and that each ends exactly once.

use grantd_realm::approval_session::{CancelSessionRequests, CloseApprovalSession, OpenApprovalSession};
use grantd_realm::caller::Authority::{Admin, Approver, Auditor, Operator, Requester, Writer};
use grantd_realm::caller::{Actor, Caller};
use grantd_realm::engine::Object;
use grantd_realm::erasure::EraseFields;
use grantd_realm::refusal::Noun;
use grantd_realm::request::{
    CancelRequest, CreateRequest, DecideRequest, Decider, ExpireRequests, KEPT, KEPT_BYTES, MAX_PARAMS,
    MAX_TEXT, NewRequest, Remember, Sight, Status, Verdict, may_decide,
};
use grantd_realm::role::{AddMember, CreateRole, Member};
use grantd_realm::rule::{CreateRule, DeleteRule, Effect, RuleDraft, Scope};
use grantd_realm::user::{CreateUser, DeleteUser};
use grantd_realm::{Basis, Refusal, State, builtin};
use uuid::Uuid;

use crate::support::{World, deleting, invalid_field, root, with, writing};

const SECOND: i64 = 1_000_000;

fn new(session: &str) -> NewRequest {
    NewRequest {
        session: session.into(),
        tool: "Bash".into(),
        action: "Execute command: ls".into(),
        description: "Lists".into(),
        params: r#"{"command":"ls"}"#.into(),
        path: Some("/work".into()),
        parent_tool_call: None,
        timeout: 30 * SECOND,
    }
}

fn ask(world: &mut World, agent: &Caller, session: &str) -> Uuid {
    world.tries(agent, CreateRequest::new(new(session)).unwrap()).unwrap()
}

fn decision(id: Uuid, verdict: Verdict) -> DecideRequest {
    DecideRequest { id, verdict, reason: None, remember: None }
}

fn status(world: &World, id: Uuid) -> Status {
    world.state.requests().get(id).unwrap().status_at(world.now)
}

/// An agent, and somebody who approves for the realm.
fn world() -> (World, Caller, Caller) {
    let mut world = World::new();
    let agent = world.user_with("agent", &[Requester]);
    let boss = world.user_with("boss", &[Approver]);
    (world, agent, boss)
}

#[test]
fn a_request_is_pending_until_somebody_decides() {
    let (mut world, agent, boss) = world();
    let id = ask(&mut world, &agent, "s");
    let request = world.state.requests().get(id).unwrap();
    assert_eq!(request.status_at(world.now), Status::Pending);
    assert_eq!(request.requester, Actor::User("agent".into()));
    assert_eq!(request.expires_at, world.now + 30 * SECOND);
    assert_eq!(request.created_revision, world.entries.len() as u64);
    assert_eq!(world.state.approval_sessions().get("s").unwrap().created_by, agent.actor);
    world.now += SECOND;
    let edited_params = Some(r#"{"command":"ls -l"}"#.to_owned());
    let verdict = Verdict::Grant { edited_params };
    let command = DecideRequest { id, verdict, reason: Some("fine".into()), remember: None };
    assert_eq!(world.tries(&boss, command.clone()), Ok(id));
    let request = world.state.requests().get(id).unwrap().clone();
    assert_eq!(request.status, Status::Granted);
    assert_eq!(request.decided_by, Some(Decider::Actor(boss.actor.clone())));
    assert_eq!(request.decided_at, Some(world.now));
    assert_eq!(request.decided_revision, Some(world.entries.len() as u64));
    assert_eq!(request.reason.as_ref().unwrap().text(), Some("fine"));
    assert_eq!(request.granted_params().text(), Some(r#"{"command":"ls -l"}"#));
    let entries = world.entries.len();
    assert_eq!(world.tries(&boss, command), Ok(id), "the same again is no error");
    assert_eq!(world.entries.len(), entries, "and no entry");
    let other = world.tries(&boss, decision(id, Verdict::Deny));
    assert_eq!(other, Err(Refusal::RequestSettled { id, status: Status::Granted }));
}

#[test]
fn nobody_decides_their_own() {
    let (mut world, _, boss) = world();
    let both = world.user_with("both", &[Requester, Approver]);
    let id = ask(&mut world, &both, "s");
    assert_eq!(world.tries(&both, decision(id, Verdict::GRANT)), Err(Refusal::OwnRequest));
    assert_eq!(world.tries(&both, decision(id, Verdict::Deny)), Err(Refusal::OwnRequest));
    assert_eq!(world.tries(&boss, decision(id, Verdict::Deny)), Ok(id));
    let admin = world.super_user("admin");
    let id = ask(&mut world, &admin, "s");
    assert_eq!(world.tries(&admin, decision(id, Verdict::GRANT)), Err(Refusal::OwnRequest));
    let draft = allow("ls *", Scope::Realm);
    world.tries(&admin, CreateRule { draft }).unwrap();
    let id = ask(&mut world, &admin, "s");
    assert_eq!(status(&world, id), Status::Pending, "nor by a rule of their own");
}

#[test]
fn nobody_decides_without_the_right() {
    let (mut world, agent, _) = world();
    let id = ask(&mut world, &agent, "s");
    let stranger = world.user_with("stranger", &[Requester, Writer, Operator, Auditor]);
    assert_eq!(world.tries(&stranger, decision(id, Verdict::GRANT)), Err(Refusal::NotAllowed(Approver)));
    let nobody = world.user("nobody");
    let unknown = Uuid::from_u128(1);
    assert_eq!(world.tries(&nobody, decision(unknown, Verdict::GRANT)), Err(Refusal::NotAllowed(Approver)));
    let not_found = world.tries(&stranger, decision(unknown, Verdict::GRANT));
    assert_eq!(not_found, Err(Refusal::not_found(Noun::Request, unknown)));
    assert_eq!(
        world.tries(&nobody, CreateRequest::new(new("s")).unwrap()),
        Err(Refusal::NotAllowed(Requester))
    );
}

#[test]
fn approvers_of_a_session_decide_below_it_too() {
    let (mut world, agent, boss) = world();
    let open = |id: &str, parent: Option<&str>| OpenApprovalSession {
        id: Some(id.into()),
        title: None,
        parent: parent.map(Into::into),
    };
    world.tries(&agent, open("above", None)).unwrap();
    world.tries(&agent, open("below", Some("above"))).unwrap();
    let ann = world.user("ann");
    world.tries(&boss, writing("mix_session:above#approver@user:ann")).unwrap_err();
    world.does(writing("mix_session:above#approver@user:ann"));
    let (below, beside) = (ask(&mut world, &agent, "below"), ask(&mut world, &agent, "beside"));
    assert_eq!(world.tries(&ann, decision(below, Verdict::GRANT)), Ok(below));
    assert_eq!(world.tries(&ann, decision(beside, Verdict::GRANT)), Err(Refusal::NotAllowed(Approver)));
    let mut sight = Sight::of(&ann, &world.state, world.now);
    assert!(sight.sees(world.state.requests().get(below).unwrap()));
    assert!(!sight.sees(world.state.requests().get(beside).unwrap()));
    assert!(may_decide(&world.state, &ann, "below", world.now));
    world.does(deleting("mix_session:above#approver@user:ann"));
    let below = ask(&mut world, &agent, "below");
    assert_eq!(world.tries(&ann, decision(below, Verdict::GRANT)), Err(Refusal::NotAllowed(Approver)));
}

#[test]
fn nobody_makes_themselves_an_approver() {
    let (mut world, agent, boss) = world();
    ask(&mut world, &agent, "s");
    let writer = world.user_with("writer", &[Writer, Requester]);
    let tried = world.tries(&writer, writing("mix_session:s#approver@user:writer"));
    assert_eq!(tried, Err(Refusal::NotHeld(Approver)));
    let tried = world.tries(&writer, writing("mix_session:s#parent@mix_session:t"));
    assert!(matches!(tried, Err(Refusal::ManagedRelation { .. })), "{tried:?}");
    // Nor by way of a role that decides.
    world.does(CreateRole { key: "leads".into(), ..CreateRole::default() });
    world.does(CreateRole { key: "inner".into(), ..CreateRole::default() });
    world.does(writing("mix_session:s#approver@role:leads#member"));
    world.does(writing("role:leads#member@role:inner#member"));
    let operator = world.user_with("operator", &[Operator, Writer]);
    for role in ["leads", "inner"] {
        let add =
            AddMember { role: role.into(), member: Member::User("operator".into()), basis: Basis::Grantd };
        assert_eq!(world.tries(&operator, add), Err(Refusal::NotHeld(Approver)), "{role}");
        let tried = world.tries(&writer, writing(&format!("role:{role}#member@user:writer")));
        assert_eq!(tried, Err(Refusal::NotHeld(Approver)), "{role}");
    }
    // Nor by hanging a session of somebody else's below their own.
    world.tries(&agent, OpenApprovalSession { id: Some("agents".into()), ..Default::default() }).unwrap();
    let below = OpenApprovalSession { parent: Some("agents".into()), ..Default::default() };
    assert_eq!(world.tries(&writer, below.clone()), Err(Refusal::NotAllowed(Approver)));
    assert!(world.tries(&boss, below).is_ok());
}

#[test]
fn what_is_over_is_over_with_and_without_an_entry() {
    let (mut world, agent, boss) = world();
    let id = ask(&mut world, &agent, "s");
    world.now += 30 * SECOND - 1;
    assert_eq!(status(&world, id), Status::Pending);
    assert!(world.state.requests().overdue(world.now, 10).is_empty());
    world.now += 1;
    assert_eq!(status(&world, id), Status::Expired);
    let settled = Err(Refusal::RequestSettled { id, status: Status::Expired });
    assert_eq!(world.tries(&boss, decision(id, Verdict::GRANT)), settled);
    assert_eq!(world.tries(&agent, CancelRequest { id }), settled);
    let ids = world.state.requests().overdue(world.now, 10);
    assert_eq!(ids, [id]);
    let expire = ExpireRequests { ids: vec![id, id, Uuid::from_u128(1)] };
    assert_eq!(world.tries(&with(&[Admin]), expire.clone()), Err(Refusal::NotAllowed(Admin)));
    assert_eq!(world.does(expire.clone()), 1);
    let request = world.state.requests().get(id).unwrap();
    assert_eq!((request.status, request.decided_by.clone()), (Status::Expired, Some(Decider::Timeout)));
    assert_eq!(world.does(expire), 0);
    assert_eq!(world.state.requests().next_deadline(), None);
    assert_eq!(world.tries(&boss, decision(id, Verdict::GRANT)), settled);
}

#[test]
fn what_is_asked_has_limits() {
    let refused = |change: &dyn Fn(&mut NewRequest)| {
        let mut asked = new("s");
        change(&mut asked);
        invalid_field(CreateRequest::new(asked).map(|_| ()))
    };
    assert_eq!(refused(&|new| new.session = "a/b".into()), "session");
    assert_eq!(refused(&|new| new.session = "x".repeat(129)), "session");
    assert_eq!(refused(&|new| new.tool = String::new()), "tool");
    assert_eq!(refused(&|new| new.tool = "a\nb".into()), "tool");
    assert_eq!(refused(&|new| new.action = "x".repeat(MAX_TEXT + 1)), "action");
    assert_eq!(refused(&|new| new.description = "x".repeat(MAX_TEXT + 1)), "description");
    assert_eq!(refused(&|new| new.params = "[]".into()), "params");
    assert_eq!(refused(&|new| new.params = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_PARAMS))), "params");
    assert_eq!(refused(&|new| new.path = Some(String::new())), "path");
    assert_eq!(refused(&|new| new.timeout = SECOND - 1), "timeout");
    assert_eq!(refused(&|new| new.timeout = 31 * 86_400 * SECOND), "timeout");
    let text = "\u{202e}<script>\u{0}\u{1b}[2J";
    let any = NewRequest { action: text.into(), params: String::new(), ..new("~._-Aa0") };
    assert!(CreateRequest::new(any).is_ok(), "any text may be asked; who shows it sees to it");
}

#[test]
fn a_request_is_taken_back_by_who_asked_or_who_decides() {
    let (mut world, agent, boss) = world();
    let other = world.user_with("other", &[Requester]);
    let id = ask(&mut world, &agent, "s");
    assert_eq!(world.tries(&other, CancelRequest { id }), Err(Refusal::NotAllowed(Approver)));
    assert_eq!(world.tries(&agent, CancelRequest { id }), Ok(id));
    assert_eq!(world.tries(&agent, CancelRequest { id }), Ok(id));
    assert_eq!(
        world.tries(&boss, decision(id, Verdict::GRANT)),
        Err(Refusal::RequestSettled { id, status: Status::Cancelled })
    );
    let id = ask(&mut world, &agent, "s");
    assert_eq!(world.tries(&boss, CancelRequest { id }), Ok(id));
}

#[test]
fn a_closed_session_takes_everything_along() {
    let (mut world, agent, boss) = world();
    let (first, second, beside) =
        (ask(&mut world, &agent, "s"), ask(&mut world, &agent, "s"), ask(&mut world, &agent, "t"));
    world.does(CreateUser { login: "ann".into(), ..CreateUser::default() });
    world.does(writing("mix_session:s#approver@user:ann"));
    world.tries(&boss, CreateRule { draft: allow("ls *", Scope::Session("s".into())) }).unwrap();
    assert_eq!(world.tries(&boss, CancelSessionRequests { session: "s".into() }), Ok(2));
    assert_eq!((status(&world, first), status(&world, second)), (Status::Cancelled, Status::Cancelled));
    let other = world.user_with("other", &[Requester]);
    assert_eq!(
        world.tries(&other, CloseApprovalSession { id: "s".into() }),
        Err(Refusal::NotAllowed(Approver))
    );
    assert_eq!(world.tries(&agent, CloseApprovalSession { id: "s".into() }), Ok(()));
    assert!(world.state.approval_sessions().get("s").is_none());
    assert!(world.state.rules().is_empty());
    assert!(world.naming("mix_session", "s").is_empty());
    assert_eq!(status(&world, beside), Status::Pending);
    let again = ask(&mut world, &agent, "s");
    assert_eq!(status(&world, again), Status::Pending, "its rule does not come back");
    assert!(!world.allows("user:ann", "approver", "mix_session:s"));
}

#[test]
fn sessions_stand_below_each_other_without_cycles() {
    let (mut world, agent, _) = world();
    let open = |id: &str, parent: Option<&str>| OpenApprovalSession {
        id: Some(id.into()),
        title: Some("T".into()),
        parent: parent.map(Into::into),
    };
    assert_eq!(world.tries(&agent, open("a", None)), Ok("a".into()));
    assert_eq!(world.tries(&agent, open("a", None)), Err(Refusal::exists(Noun::ApprovalSession, "a")));
    assert_eq!(
        world.tries(&agent, open("b", Some("x"))),
        Err(Refusal::not_found(Noun::ApprovalSession, "x"))
    );
    world.tries(&agent, open("b", Some("a"))).unwrap();
    world.tries(&agent, CloseApprovalSession { id: "a".into() }).unwrap();
    world.tries(&agent, open("a", Some("b"))).unwrap();
    let lineage = |id: &str| -> Vec<String> {
        world.state.approval_sessions().lineage(id).map(|session| session.id.to_string()).collect()
    };
    assert_eq!(lineage("a"), ["a", "b"], "a session made again is another one");
    assert_eq!(lineage("b"), ["b"]);
    let mut above = "a".to_owned();
    for depth in 2..16 {
        let id = format!("d{depth}");
        world.tries(&agent, open(&id, Some(&above))).unwrap();
        above = id;
    }
    assert_eq!(invalid_field(world.tries(&agent, open("deep", Some(&above)))), "parent");
}

fn allow(command: &str, scope: Scope) -> RuleDraft {
    RuleDraft {
        effect: Effect::Allow,
        tool: "Bash".into(),
        command: Some(command.into()),
        path: None,
        scope,
        expires: None,
    }
}

#[test]
fn a_rule_answers_at_once_and_is_named() {
    let (mut world, agent, boss) = world();
    let yes = world.tries(&boss, CreateRule { draft: allow("ls *", Scope::Realm) }).unwrap();
    let id = ask(&mut world, &agent, "s");
    let request = world.state.requests().get(id).unwrap();
    assert_eq!((request.status, request.decided_by.clone()), (Status::Granted, Some(Decider::Rule(yes))));
    assert_eq!(world.tries(&boss, CreateRule { draft: allow("ls *", Scope::Realm) }), Ok(yes), "once");
    let ask_rule = RuleDraft { effect: Effect::Ask, ..allow("ls", Scope::Realm) };
    let asks = world.tries(&boss, CreateRule { draft: ask_rule }).unwrap();
    let id = ask(&mut world, &agent, "s");
    assert_eq!(status(&world, id), Status::Pending, "ask beats allow");
    let deny = RuleDraft { effect: Effect::Deny, ..allow("ls", Scope::Realm) };
    let no = world.tries(&boss, CreateRule { draft: deny }).unwrap();
    let id = ask(&mut world, &agent, "s");
    let request = world.state.requests().get(id).unwrap();
    assert_eq!((request.status, request.decided_by.clone()), (Status::Denied, Some(Decider::Rule(no))));
    for id in [no, asks] {
        world.tries(&boss, DeleteRule { id }).unwrap();
    }
    assert_eq!(world.tries(&boss, DeleteRule { id: no }), Err(Refusal::not_found(Noun::Rule, no)));
    let id = ask(&mut world, &agent, "s");
    assert_eq!(status(&world, id), Status::Granted);
}

#[test]
fn a_rule_counts_where_and_while_it_says() {
    let (mut world, agent, boss) = world();
    ask(&mut world, &agent, "s");
    let open = OpenApprovalSession { id: Some("below".into()), title: None, parent: Some("s".into()) };
    world.tries(&agent, open).unwrap();
    let expires = Some(world.now + 10 * SECOND);
    let draft = RuleDraft { expires, ..allow("ls *", Scope::Session("s".into())) };
    world.tries(&boss, CreateRule { draft }).unwrap();
    for (session, wanted) in [("s", Status::Granted), ("below", Status::Granted), ("t", Status::Pending)] {
        let id = ask(&mut world, &agent, session);
        assert_eq!(status(&world, id), wanted, "{session}");
    }
    world.now += 10 * SECOND;
    let id = ask(&mut world, &agent, "s");
    assert_eq!(status(&world, id), Status::Pending);
    // The next rule takes away those that count no more.
    world.tries(&boss, CreateRule { draft: allow("cat *", Scope::Realm) }).unwrap();
    assert_eq!(world.state.rules().len(), 1);
    let past = RuleDraft { expires: Some(world.now), ..allow("x", Scope::Realm) };
    assert_eq!(invalid_field(world.tries(&boss, CreateRule { draft: past })), "expires");
    let nowhere = CreateRule { draft: allow("x", Scope::Session("none".into())) };
    assert_eq!(world.tries(&boss, nowhere), Err(Refusal::not_found(Noun::ApprovalSession, "none")));
}

#[test]
fn paths_bound_a_rule() {
    let (mut world, agent, boss) = world();
    let on = |path: &str, effect| RuleDraft {
        effect,
        tool: "Wr*".into(),
        command: None,
        path: Some(path.into()),
        scope: Scope::Realm,
        expires: None,
    };
    world.tries(&boss, CreateRule { draft: on("/work/**", Effect::Allow) }).unwrap();
    world.tries(&boss, CreateRule { draft: on("/work/secret/*", Effect::Deny) }).unwrap();
    let mut write = |tool: &str, path: Option<&str>| {
        let path = path.map(Into::into);
        let asked = NewRequest { tool: tool.into(), path, params: String::new(), ..new("s") };
        let id = world.tries(&agent, CreateRequest::new(asked).unwrap()).unwrap();
        status(&world, id)
    };
    assert_eq!(write("Write", Some("/work/a/b.rs")), Status::Granted);
    assert_eq!(write("Write", Some("/work")), Status::Granted);
    assert_eq!(write("Write", Some("/work/")), Status::Granted);
    assert_eq!(write("Write", Some("/workshop/a")), Status::Pending);
    assert_eq!(write("Write", Some("/work/../etc/passwd")), Status::Pending);
    assert_eq!(write("Write", Some("/etc/passwd")), Status::Pending);
    assert_eq!(write("Write", None), Status::Pending);
    assert_eq!(write("Read", Some("/work/a")), Status::Pending);
    assert_eq!(write("Write", Some("/work/secret/key")), Status::Denied);
    assert_eq!(write("Write", Some("/work/a/../secret/key")), Status::Denied);
    assert_eq!(write("write", Some("/work/secret/key")), Status::Denied);
    assert_eq!(write("Write", Some("/work//secret/./key")), Status::Denied);
}

#[test]
fn a_decision_is_remembered_as_far_as_wanted() {
    let (mut world, agent, boss) = world();
    let id = ask(&mut world, &agent, "s");
    let like = Remember::like(world.state.requests().get(id).unwrap());
    assert_eq!(like.command.as_deref(), Some("ls"));
    assert_eq!(like.scope, Scope::Session("s".into()));
    let remember = Some(Remember { path: None, ..like });
    let command = DecideRequest { id, verdict: Verdict::GRANT, reason: None, remember };
    let entries = world.entries.len();
    world.tries(&boss, command).unwrap();
    assert_eq!(world.entries.len(), entries + 1, "decision and rule are one entry");
    let id = ask(&mut world, &agent, "s");
    assert_eq!(status(&world, id), Status::Granted);
    // An approver of one session makes rules for that alone.
    let ann = world.user("ann");
    world.does(writing("mix_session:t#approver@user:ann"));
    let id = ask(&mut world, &agent, "t");
    let remember =
        Remember { scope: Scope::Realm, ..Remember::like(world.state.requests().get(id).unwrap()) };
    let command =
        DecideRequest { id, verdict: Verdict::Deny, reason: None, remember: Some(remember.clone()) };
    assert_eq!(world.tries(&ann, command), Err(Refusal::NotAllowed(Approver)));
    assert_eq!(status(&world, id), Status::Pending, "all or nothing");
    let remember = Some(Remember { scope: Scope::Session("t".into()), ..remember });
    let command = DecideRequest { id, verdict: Verdict::Deny, reason: None, remember };
    assert_eq!(world.tries(&ann, command), Ok(id));
    let id = ask(&mut world, &agent, "t");
    assert_eq!(status(&world, id), Status::Denied);
}

#[test]
fn the_state_forgets_the_oldest_that_are_decided() {
    let (mut world, agent, boss) = world();
    world.tries(&boss, CreateRule { draft: RuleDraft { command: None, ..allow("", Scope::Realm) } }).unwrap();
    // Large ones, so that it does not take ten thousand.
    let params = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_PARAMS - 10));
    let kept = usize::try_from(KEPT_BYTES).unwrap() / MAX_PARAMS;
    let mut ids = Vec::new();
    for _ in 0..kept + 2 {
        let asked = NewRequest { params: params.clone(), ..new("s") };
        let (changes, _, id) = world.decides(&agent, &CreateRequest::new(asked).unwrap()).unwrap();
        world.applies(changes);
        ids.push(id);
    }
    assert!(world.state.requests().len() < kept + 2 && kept < KEPT);
    assert!(world.state.requests().get(ids[0]).is_none());
    assert!(world.state.requests().get(*ids.last().unwrap()).is_some());
    let restored = State::from_snapshot(&world.state.to_snapshot(), builtin::schema().unwrap()).unwrap();
    assert_eq!(restored.hash(), world.state.hash());
    assert_eq!(restored.requests().len(), world.state.requests().len());
}

#[test]
fn a_login_made_again_has_asked_nothing() {
    let (mut world, agent, _) = world();
    let id = ask(&mut world, &agent, "s");
    world.now += SECOND;
    world.does(DeleteUser { login: "agent".into(), basis: Basis::Grantd });
    let again = world.user_with("agent", &[Requester]);
    assert!(!Sight::of(&again, &world.state, world.now).sees(world.state.requests().get(id).unwrap()));
    assert_eq!(world.tries(&again, CancelRequest { id }), Err(Refusal::NotAllowed(Approver)));
    let close = CloseApprovalSession { id: "s".into() };
    assert_eq!(world.tries(&again, close), Err(Refusal::NotAllowed(Approver)));
    assert_eq!(status(&world, id), Status::Pending);
}

#[test]
fn streams_find_what_came_after() {
    let (mut world, agent, boss) = world();
    let first = ask(&mut world, &agent, "s");
    let after = world.entries.len() as u64;
    let (second, third) = (ask(&mut world, &agent, "t"), ask(&mut world, &agent, "s"));
    let requests = world.state.requests();
    let ids = |found: Vec<&std::sync::Arc<grantd_realm::request::Request>>| -> Vec<Uuid> {
        found.into_iter().map(|request| request.id).collect()
    };
    assert_eq!(ids(requests.since(0).collect()), [first, second, third]);
    assert_eq!(ids(requests.since(after).collect()), [second, third]);
    assert_eq!(ids(requests.in_session_since("s", after).collect()), [third]);
    assert_eq!(ids(requests.pending_in("s").collect()), [first, third]);
    let before = world.entries.len() as u64;
    world.tries(&boss, decision(third, Verdict::Deny)).unwrap();
    let requests = world.state.requests();
    assert_eq!(ids(requests.settled_since(before).collect()), [third]);
    assert_eq!(ids(requests.pending().collect()), [first, second]);
}

#[test]
fn texts_can_be_erased() {
    let (mut world, agent, boss) = world();
    let id = ask(&mut world, &agent, "s");
    let other = ask(&mut world, &agent, "t");
    let command =
        DecideRequest { id, verdict: Verdict::Deny, reason: Some("private".into()), remember: None };
    world.tries(&boss, command).unwrap();
    let before = world.state.hash();
    let session = Object::new("mix_session", "s").unwrap();
    let (changes, _, ()) = world.decides(&root(), &EraseFields { object: session.clone() }).unwrap();
    let fields: usize = world
        .entries
        .iter()
        .flat_map(|(_, changes)| changes)
        .map(|change| change.personal_fields_of(session.as_ref()).len())
        .sum();
    assert_eq!(fields, 4);
    world.applies(changes);
    assert_eq!(world.state.hash(), before);
    let request = world.state.requests().get(id).unwrap();
    assert_eq!((request.action.text(), request.params.text()), (None, None));
    assert_eq!(request.reason.as_ref().unwrap().text(), None);
    assert!(world.state.requests().get(other).unwrap().action.text().is_some());
    let one = Object::new("request", &other.to_string()).unwrap();
    world.does(EraseFields { object: one });
    assert_eq!(world.state.requests().get(other).unwrap().action.text(), None);
}
