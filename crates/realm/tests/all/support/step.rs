//! Random commands by random callers, sensible or not.

use grantd_realm::api_key::{CreateApiKey, RevokeApiKey};
use grantd_realm::approval_session::{CancelSessionRequests, CloseApprovalSession, OpenApprovalSession};
use grantd_realm::caller::{Actor, Authority, Caller};
use grantd_realm::change::Change;
use grantd_realm::client_ca::MakeClientCa;
use grantd_realm::command::{Command, Secret};
use grantd_realm::engine::{Key, Properties, Relationship, Value};
use grantd_realm::entity::{DeleteEntity, PutEntity};
use grantd_realm::erasure::EraseFields;
use grantd_realm::identity::{CreateIdentity, DeleteIdentity};
use grantd_realm::linked_account::{AccountId, LinkAccount, UnlinkAccount};
use grantd_realm::model::{ModelForm, PutModel};
use grantd_realm::pulp::{GrantOperations, Grantee, Operation, PulpUri, RevokeOperations};
use grantd_realm::realms::{CreateRealm, ListRealm, UnlistRealm};
use grantd_realm::relationship::{Requirement, WriteRelationships};
use grantd_realm::repository::{CreateRepository, DeleteRepository, SetDefaultBranch, SetVisibility};
use grantd_realm::repository_grant::{
    AccessLevel, GrantRepository, RevokeRepositoryGrant, UpdateRepositoryGrant,
};
use grantd_realm::request::{
    CancelRequest, CreateRequest, DecideRequest, ExpireRequests, NewRequest, Remember, Verdict,
};
use grantd_realm::role::{AddMember, CreateRole, DeleteRole, Member, RemoveMember, UpdateRole};
use grantd_realm::rule::{CreateRule, DeleteRule, Effect, RuleDraft, Scope};
use grantd_realm::ssh_ca::MakeSshCa;
use grantd_realm::ssh_key::{AddSshKey, RemoveSshKey};
use grantd_realm::ssh_public_key::PublicKey;
use grantd_realm::token::{CreateToken, RevokeToken};
use grantd_realm::trigger::{CreateTrigger, DeleteTrigger};
use grantd_realm::user::{CreateUser, DeleteUser, UpdateUser};
use grantd_realm::vm::{KeyPair, PutVm, RemoveVm, RotateVmKey};
use grantd_realm::vm_grant::{GrantVm, RevokeVm, UpdateVmGrant};
use grantd_realm::webhook::{CreateWebhook, DeleteWebhook, EventKind, RotateWebhookSecret, UpdateWebhook};
use grantd_realm::{Basis, Delegation, Refusal, State};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use uuid::Uuid;

use super::apps::{AppStep, app_steps};
use super::{World, catalogue_step, key_of, root, with};

/// A command by a caller, at a time.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    who: Who,
    face: Face,
    what: What,
    /// How much later than the step before, in microseconds.
    later: i64,
}

/// Through which face a command comes that two faces share.
#[derive(Clone, Copy, Debug)]
enum Face {
    Grantd,
    Pulp(Delegation),
}

#[derive(Clone, Debug)]
enum Who {
    Root,
    User(&'static str),
    Key(Index),
    SystemKey(Vec<Authority>),
    Identity(Index),
}

type Login = &'static str;

#[derive(Clone, Debug)]
enum What {
    CreateRealm(&'static str),
    ListRealm(&'static str),
    UnlistRealm(&'static str),
    CreateUser(Login, Option<&'static str>, bool, Vec<&'static str>),
    UpdateUser(Login, Option<Option<&'static str>>, bool, Option<bool>, Option<Vec<&'static str>>),
    DeleteUser(Login),
    LinkAccount(Login, &'static str),
    UnlinkAccount(Index),
    CreateRole(&'static str, Option<&'static str>),
    UpdateRole(&'static str, Option<Option<&'static str>>, Option<Option<&'static str>>),
    DeleteRole(&'static str),
    AddMember(&'static str, Member),
    RemoveMember(&'static str, Member),
    GrantOperations(Grantee, &'static str, Vec<Operation>),
    RevokeOperations(Grantee, &'static str, Vec<Operation>),
    CreateKey(Vec<Authority>, Option<i64>),
    RevokeKey(Index),
    CreateIdentity(bool),
    DeleteIdentity(Index),
    CreateToken(Index),
    RevokeToken(Index, Index),
    CreateRepository(Option<&'static str>, bool, &'static str),
    DeleteRepository(Index),
    SetVisibility(Index, bool),
    SetBranch(Index, &'static str),
    GrantRepository(Index, Index, AccessLevel),
    UpdateRepositoryGrant(Index, Index, AccessLevel),
    RevokeRepositoryGrant(Index, Index),
    GrantVm(Index, &'static str, Option<Vec<&'static str>>),
    UpdateVm(Index, &'static str, Option<Vec<&'static str>>),
    RevokeVm(Index, &'static str),
    PutEntity(&'static str, &'static str),
    DeleteEntity(&'static str),
    OpenSession(&'static str, Option<&'static str>),
    CloseSession(&'static str),
    CancelSession(&'static str),
    Ask(&'static str, &'static str, i64),
    Decide(Index, Verdict, bool, bool),
    Cancel(Index),
    Expire,
    CreateRule(Effect, Option<&'static str>, Option<&'static str>, Option<i64>),
    DeleteRule(Index),
    CreateWebhook(&'static [EventKind], bool),
    UpdateWebhook(Index, Option<&'static [EventKind]>, Option<bool>, bool),
    RotateWebhookSecret(Index),
    DeleteWebhook(Index),
    CreateTrigger(Index, bool),
    DeleteTrigger(Index),
    Erase(&'static str),
    PutModel(&'static str),
    MakeClientCa(u32),
    PutVm(&'static str, u8),
    RotateVmKey(&'static str),
    RemoveVm(&'static str),
    AddSshKey(Index, u8),
    RemoveSshKey(Index),
    MakeSshCa(bool),
    Catalogue(catalogue_step::What),
    Apps(AppStep),
    Write(Vec<(&'static str, Option<i64>)>, Vec<&'static str>, Vec<(&'static str, bool)>),
}

const LOGINS: [Login; 4] = ["ann", "bob", "cyd", "not a login"];
const MODELS: [&str; 3] =
    ["", "type plan\n relations\n define viewer: [user]\n", "type user\n relations\n define x: y"];
const NAMES: [&str; 3] = ["Ann", "Bøb", "a\nline"];
const ROLES: [&str; 4] = ["super-users", "qa", "ops", "no/role"];
const URIS: [&str; 8] = [
    "/",
    "/v2/users/",
    "/v2/users/ann/",
    "/v2/roles/",
    "/v2/roles/qa/",
    "/v2/permissions/",
    "/v2/repositories/",
    "/x/",
];
const BRANCHES: [&str; 3] = ["main", "dev", "../x"];
const VMS: [&str; 6] = ["v", "a/b", "a%2Fb", "..", "%2E%2E", ""];
const LINUX_USERS: [&str; 4] = ["dev", "ops", "root", "No"];
const OBJECTS: [&str; 5] = ["user:ann", "user:bob", "role:qa", "api_key:x", "mix_session:s"];
const SESSIONS: [&str; 4] = ["s", "t", "u", "no/session"];
const COMMANDS: [&str; 5] = ["ls", "ls; rm x", "rm x", "ls $X", "ls \""];
const PATTERNS: [&str; 4] = ["ls *", "rm *", "ls", "* x"];
/// What a call may write; a bad one among the good spoils the whole call.
const GOOD_KEYS: [&str; 12] = [
    "role:qa#member@user:ann",
    "role:qa#member@user:bob",
    "role:qa#member@role:ops#member",
    "role:ops#member@role:qa#member",
    "role:ops#member@user:cyd",
    "grantd:default#operator@role:qa#member",
    "grantd:default#writer@user:bob",
    "grantd:default#checker@role:ops#member",
    "fs_repo:x#read@identity:y",
    "pulp_uri:/x/#read@role:qa#member",
    "pulp_uri:/v2/users/#update@role:ops#member",
    "pulp_uri:/v2/#create@user:bob",
];
const BAD_KEYS: [&str; 6] = [
    "pulp_uri:/#read@role:super-users#member",
    "role:super-users#member@user:ann",
    "grantd:default#admin@user:cyd",
    "grantd:other#operator@user:ann",
    "fs_vm:/v/#login@identity:x",
    "nothing:x#read@user:ann",
];

const LIMITED: [&[Authority]; 3] = [
    &[Authority::Writer, Authority::Checker],
    &[Authority::Operator, Authority::Checker, Authority::Requester],
    &[Authority::Operator, Authority::Writer],
];

fn face() -> impl Strategy<Value = Face> {
    prop_oneof![
        4 => Just(Face::Grantd),
        1 => Just(Face::Pulp(Delegation::Free)),
        1 => Just(Face::Pulp(Delegation::Held)),
    ]
}

fn uri_of(text: &str) -> PulpUri {
    PulpUri::normalise(text).expect("a URI")
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        12 => Just(Who::Root),
        3 => select(&LOGINS[..]).prop_map(Who::User),
        2 => any::<Index>().prop_map(Who::Key),
        2 => prop::collection::vec(select(&Authority::ALL[..]), 0..3).prop_map(Who::SystemKey),
        // Who may do much but not all is where rising above oneself would begin.
        4 => select(&LIMITED[..]).prop_map(|held| Who::SystemKey(held.to_vec())),
        1 => any::<Index>().prop_map(Who::Identity),
    ]
}

/// What webhooks are for.
const EVENTS: [&[EventKind]; 3] = [&[], &[EventKind::RequestCreated], &EventKind::CHOSEN];

/// What agents ask, and what becomes of it; and who is told of that.
fn approvals() -> impl Strategy<Value = What> {
    let session = || prop_oneof![12 => select(&SESSIONS[..3]), 1 => Just(SESSIONS[3])];
    let edited = Verdict::Grant { edited_params: Some(r#"{"command":"ls -l"}"#.into()) };
    let verdict = select(vec![Verdict::GRANT, Verdict::Deny, edited]);
    let effect = select(&Effect::ALL[..]);
    prop_oneof![
        3 => (session(), option::of(session())).prop_map(|(s, p)| What::OpenSession(s, p)),
        1 => session().prop_map(What::CloseSession),
        1 => session().prop_map(What::CancelSession),
        8 => (session(), select(&COMMANDS[..]), 0..4_i64).prop_map(|(s, c, t)| What::Ask(s, c, t)),
        6 => (any::<Index>(), verdict, any::<bool>(), any::<bool>())
            .prop_map(|(r, v, why, rule)| What::Decide(r, v, why, rule)),
        1 => any::<Index>().prop_map(What::Cancel),
        2 => Just(What::Expire),
        3 => (effect, option::of(select(&PATTERNS[..])), option::of(session()), option::of(-2..40_i64))
            .prop_map(|(e, p, s, t)| What::CreateRule(e, p, s, t)),
        2 => any::<Index>().prop_map(What::DeleteRule),
        2 => (select(&EVENTS[..]), any::<bool>()).prop_map(|(e, d)| What::CreateWebhook(e, d)),
        2 => (any::<Index>(), option::of(select(&EVENTS[..])), option::of(any::<bool>()), any::<bool>())
            .prop_map(|(w, e, on, d)| What::UpdateWebhook(w, e, on, d)),
        1 => any::<Index>().prop_map(What::RotateWebhookSecret),
        1 => any::<Index>().prop_map(What::DeleteWebhook),
        2 => (any::<Index>(), any::<bool>()).prop_map(|(r, some)| What::CreateTrigger(r, some)),
        2 => any::<Index>().prop_map(What::DeleteTrigger),
    ]
}

/// Users, roles and what they may do to URIs.
fn people() -> impl Strategy<Value = What> {
    let login = || prop_oneof![12 => select(&LOGINS[..3]), 1 => Just(LOGINS[3])];
    let name = || option::of(prop_oneof![8 => select(&NAMES[..2]), 1 => Just(NAMES[2])]);
    let role = prop_oneof![12 => select(&ROLES[..3]), 1 => Just(ROLES[3])];
    let roles = || prop::collection::vec(role.clone(), 0..3);
    let one_role = || select(&ROLES[..3]);
    let member = || {
        let role = select(&ROLES[1..3]).prop_map(|key| Member::Role(key.into()));
        prop_oneof![2 => login().prop_map(|login| Member::User(login.into())), 1 => role]
    };
    let grantee = || {
        let role = one_role().prop_map(|key| Grantee::Role(key.into()));
        prop_oneof![login().prop_map(|login| Grantee::User(login.into())), role]
    };
    let uri = || select(&URIS[..]);
    let operations = || prop::collection::vec(select(&Operation::ALL[..]), 1..4);
    prop_oneof![
        4 => (login(), name(), prop::bool::ANY, roles()).prop_map(|(l, n, p, r)| What::CreateUser(l, n, p, r)),
        4 => (login(), option::of(name()), prop::bool::ANY, option::of(prop::bool::ANY), option::of(roles()))
            .prop_map(|(l, n, p, a, r)| What::UpdateUser(l, n, p, a, r)),
        2 => login().prop_map(What::DeleteUser),
        5 => (one_role(), name()).prop_map(|(r, n)| What::CreateRole(r, n)),
        2 => (one_role(), option::of(name()), option::of(name()))
            .prop_map(|(r, n, d)| What::UpdateRole(r, n, d)),
        1 => one_role().prop_map(What::DeleteRole),
        4 => (one_role(), member()).prop_map(|(r, m)| What::AddMember(r, m)),
        2 => (one_role(), member()).prop_map(|(r, m)| What::RemoveMember(r, m)),
        4 => (grantee(), uri(), operations()).prop_map(|(g, u, o)| What::GrantOperations(g, u, o)),
        2 => (grantee(), uri(), operations()).prop_map(|(g, u, o)| What::RevokeOperations(g, u, o)),
    ]
}

fn what() -> impl Strategy<Value = What> {
    let name = || option::of(prop_oneof![8 => select(&NAMES[..2]), 1 => Just(NAMES[2])]);
    let any = any::<Index>;
    let level = || select(&[AccessLevel::Read, AccessLevel::Write][..]);
    let vm = || prop_oneof![6 => select(&VMS[1..3]), 1 => select(&VMS[..])];
    let user = || prop_oneof![12 => select(&LINUX_USERS[..3]), 1 => Just(LINUX_USERS[3])];
    let users = || option::of(prop::collection::vec(user(), 0..3));
    let grants = prop::collection::vec(select(&Authority::ALL[..]), 0..3);
    let key = || prop_oneof![15 => select(&GOOD_KEYS[..]), 1 => select(&BAD_KEYS[..])];
    let write = prop::collection::vec((key(), option::weighted(0.2, -2..40_i64)), 0..3);
    let delete = prop::collection::vec(key(), 0..2);
    let require = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec((key(), prop::bool::ANY), 1)];
    let object = || select(&OBJECTS[..]);
    let properties = select(&["{}", r#"{"a":1}"#][..]);
    let realm = || select(&["default", "b", "-"][..]);
    prop_oneof![
        1 => realm().prop_map(What::CreateRealm),
        1 => realm().prop_map(What::ListRealm),
        3 => realm().prop_map(What::UnlistRealm),
        30 => people(),
        3 => (select(&LOGINS[..3]), select(&["1", "2", ""][..])).prop_map(|(l, s)| What::LinkAccount(l, s)),
        2 => any().prop_map(What::UnlinkAccount),
        16 => approvals(),
        3 => (grants, option::of(-10..60_i64)).prop_map(|(g, e)| What::CreateKey(g, e)),
        1 => any().prop_map(What::RevokeKey),
        4 => prop::bool::weighted(0.1).prop_map(What::CreateIdentity),
        1 => any().prop_map(What::DeleteIdentity),
        3 => any().prop_map(What::CreateToken),
        1 => (any(), any()).prop_map(|(i, t)| What::RevokeToken(i, t)),
        3 => (name(), prop::bool::ANY, select(&BRANCHES[..])).prop_map(|(n, p, b)| What::CreateRepository(n, p, b)),
        1 => any().prop_map(What::DeleteRepository),
        2 => (any(), prop::bool::ANY).prop_map(|(r, p)| What::SetVisibility(r, p)),
        1 => (any(), select(&BRANCHES[..])).prop_map(|(r, b)| What::SetBranch(r, b)),
        3 => (any(), any(), level()).prop_map(|(i, r, l)| What::GrantRepository(i, r, l)),
        2 => (any(), any(), level()).prop_map(|(i, r, l)| What::UpdateRepositoryGrant(i, r, l)),
        2 => (any(), any()).prop_map(|(i, r)| What::RevokeRepositoryGrant(i, r)),
        4 => (any(), vm(), users()).prop_map(|(i, v, u)| What::GrantVm(i, v, u)),
        5 => (any(), vm(), users()).prop_map(|(i, v, u)| What::UpdateVm(i, v, u)),
        3 => (any(), vm()).prop_map(|(i, v)| What::RevokeVm(i, v)),
        2 => (object(), properties).prop_map(|(o, p)| What::PutEntity(o, p)),
        1 => object().prop_map(What::DeleteEntity),
        1 => object().prop_map(What::Erase),
        2 => select(&MODELS[..]).prop_map(What::PutModel),
        6 => (write, delete, require).prop_map(|(w, d, r)| What::Write(w, d, r)),
    ]
}

/// VMs, and by which keys they know whom.
fn ssh() -> impl Strategy<Value = What> {
    let vm = || prop_oneof![6 => select(&VMS[1..3]), 1 => select(&VMS[..])];
    prop_oneof![
        4 => (vm(), 0..3_u8).prop_map(|(v, key)| What::PutVm(v, key)),
        2 => vm().prop_map(What::RotateVmKey),
        2 => vm().prop_map(What::RemoveVm),
        4 => (any::<Index>(), 0..4_u8).prop_map(|(i, key)| What::AddSshKey(i, key)),
        1 => any::<Index>().prop_map(What::RemoveSshKey),
        1 => any::<bool>().prop_map(What::MakeSshCa),
    ]
}

fn pair(byte: u8) -> KeyPair {
    KeyPair { public: PublicKey::ed25519(&[byte; 32]), private: Secret("private".into()) }
}

/// Random histories.
pub(crate) fn histories() -> impl Strategy<Value = Vec<Step>> {
    let apps = app_steps().prop_map(What::Apps);
    let catalogue = catalogue_step::what().prop_map(What::Catalogue);
    let what = prop_oneof![
        40 => what(),
        1 => (0..3_u32).prop_map(What::MakeClientCa),
        3 => ssh(),
        6 => catalogue,
        10 => apps,
    ];
    prop::collection::vec(step(who(), face(), what), 20..150)
}

fn step(
    who: impl Strategy<Value = Who>,
    face: impl Strategy<Value = Face>,
    what: impl Strategy<Value = What>,
) -> impl Strategy<Value = Step> {
    let step = (who, face, what, prop_oneof![Just(0), 0..20_i64]);
    step.prop_map(|(who, face, what, later)| Step { who, face, what, later })
}

/// What one user may try.
pub(crate) fn attempts_of(login: Login) -> impl Strategy<Value = Vec<Step>> {
    let face = prop_oneof![1 => Just(Face::Grantd), 4 => select(&[Delegation::Free, Delegation::Held][..]).prop_map(Face::Pulp)];
    prop::collection::vec(
        step(Just(Who::User(login)), face, prop_oneof![3 => people(), 1 => what()]),
        20..100,
    )
}

/// What a step came to, before it is applied.
pub(crate) type Outcome = Result<Vec<Change>, Refusal>;

impl Step {
    /// Moves the clock and decides; applies nothing.
    pub(crate) fn decided(&self, world: &mut World) -> (Caller, Outcome) {
        world.now += self.later;
        let caller = self.caller(&world.state);
        let outcome = self.outcome(world, &caller);
        (caller, outcome)
    }

    /// Whether the dialect would let everything be granted.
    pub(crate) fn grants_freely(&self) -> bool {
        matches!(self.face, Face::Pulp(Delegation::Free))
    }

    /// As the faces give it: the dialect's is what the method of the call needs on its own path.
    fn basis(&self) -> Basis {
        let Face::Pulp(delegation) = self.face else { return Basis::Grantd };
        let (uri, operation) = match &self.what {
            What::CreateUser(..) => ("/v2/users/".to_owned(), Operation::Create),
            What::UpdateUser(login, ..) => (format!("/v2/users/{login}/"), Operation::Update),
            What::DeleteUser(login) => (format!("/v2/users/{login}/"), Operation::Delete),
            What::CreateRole(..) => ("/v2/roles/".to_owned(), Operation::Create),
            What::UpdateRole(key, ..) => (format!("/v2/roles/{key}/"), Operation::Update),
            What::DeleteRole(key) => (format!("/v2/roles/{key}/"), Operation::Delete),
            What::AddMember(key, _) => (format!("/v2/roles/{key}/users/"), Operation::Update),
            What::RemoveMember(key, Member::User(login)) => {
                (format!("/v2/roles/{key}/users/{login}/"), Operation::Delete)
            }
            What::GrantOperations(Grantee::User(_), ..) => {
                ("/v2/permissions/actions/grant_to_user/".to_owned(), Operation::Execute)
            }
            What::GrantOperations(..) => {
                ("/v2/permissions/actions/grant_to_role/".to_owned(), Operation::Execute)
            }
            What::RevokeOperations(..) => {
                ("/v2/permissions/actions/revoke_from_user/".to_owned(), Operation::Execute)
            }
            _ => return Basis::Grantd,
        };
        Basis::Pulp { uri: uri_of(&uri), operation, delegation }
    }

    fn caller(&self, state: &State) -> Caller {
        match &self.who {
            Who::Root => root(),
            Who::User(login) => Caller::local(Actor::User((*login).into())),
            Who::Key(index) => Caller::local(Actor::ApiKey(key(state, *index))),
            Who::SystemKey(authorities) => with(authorities),
            Who::Identity(index) => Caller::local(Actor::Identity(identity(state, *index))),
        }
    }

    fn outcome(&self, world: &mut World, by: &Caller) -> Outcome {
        let now = world.now;
        let state = world.state.clone();
        let (i, r) = (|index: &Index| identity(&state, *index), |index: &Index| repository(&state, *index));
        let text = |text: &&str| (*text).to_owned();
        let users = |list: &Option<Vec<&str>>| list.as_ref().map(|list| list.iter().map(text).collect());
        let object = |text: &str| key_of(&format!("{text}#x@user:x")).resource;
        let basis = self.basis();
        let secret = |given: &bool| given.then(|| Secret("$argon2id$".into()));
        match &self.what {
            What::CreateRealm(name) => decided(world, by, CreateRealm { name: text(name) }),
            What::ListRealm(name) => decided(world, by, ListRealm { name: text(name) }),
            What::UnlistRealm(name) => decided(world, by, UnlistRealm { name: text(name) }),
            What::CreateUser(login, name, password, roles) => {
                let (name, password) = (name.as_ref().map(text), secret(password));
                let roles = roles.iter().map(text).collect();
                decided(world, by, CreateUser { login: text(login), name, password, roles, basis })
            }
            What::UpdateUser(login, name, password, active, roles) => {
                let roles = roles.as_ref().map(|roles| roles.iter().map(text).collect());
                let name = name.as_ref().map(|name| name.as_ref().map(text));
                let (login, password) = (text(login), secret(password));
                decided(world, by, UpdateUser { login, name, password, active: *active, roles, basis })
            }
            What::DeleteUser(login) => decided(world, by, DeleteUser { login: text(login), basis }),
            What::LinkAccount(login, subject) => {
                let (login, subject) = (text(login), text(subject));
                decided(world, by, LinkAccount { login, issuer: "https://id.example".into(), subject })
            }
            What::UnlinkAccount(index) => {
                let linked: Vec<_> = state.linked_accounts().iter().collect();
                let nobodys = || (LOGINS[0].to_owned(), AccountId([0; 32]));
                let (login, account) = match linked.as_slice() {
                    [] => nobodys(),
                    some => (index.get(some).login.to_string(), index.get(some).id),
                };
                decided(world, by, UnlinkAccount { login, account })
            }
            What::CreateRole(key, name) => {
                let (key, display_name) = (text(key), name.as_ref().map(text));
                decided(world, by, CreateRole { key, display_name, description: None, basis })
            }
            What::UpdateRole(key, name, description) => {
                let changed = |to: &Option<Option<&str>>| to.map(|to| to.map(str::to_owned));
                let (display_name, description) = (changed(name), changed(description));
                decided(world, by, UpdateRole { key: text(key), display_name, description, basis })
            }
            What::DeleteRole(key) => decided(world, by, DeleteRole { key: text(key), basis }),
            What::AddMember(role, member) => {
                decided(world, by, AddMember { role: text(role), member: member.clone(), basis })
            }
            What::RemoveMember(role, member) => {
                decided(world, by, RemoveMember { role: text(role), member: member.clone(), basis })
            }
            What::GrantOperations(to, uri, operations) => {
                let (to, resource, operations) = (to.clone(), uri_of(uri), operations.clone());
                decided(world, by, GrantOperations { to, resource, operations, basis })
            }
            What::RevokeOperations(from, uri, operations) => {
                let (from, resource, operations) = (from.clone(), uri_of(uri), operations.clone());
                decided(world, by, RevokeOperations { from, resource, operations, basis })
            }
            What::CreateKey(grants, expires) => {
                let (grants, expires) = (grants.clone(), expires.map(|after| now + after));
                decided(world, by, CreateApiKey { name: "key".into(), expires, grants, secret: None })
            }
            What::RevokeKey(index) => decided(world, by, RevokeApiKey { id: key(&state, *index) }),
            What::CreateIdentity(managed) => decided(world, by, CreateIdentity { managed: *managed }),
            What::DeleteIdentity(index) => decided(world, by, DeleteIdentity { id: i(index) }),
            What::CreateToken(index) => decided(world, by, CreateToken { identity: i(index) }),
            What::RevokeToken(index, which) => {
                let identity = i(index);
                let tokens = state.identities().get(identity).map(|one| one.tokens.ids()).unwrap_or_default();
                decided(world, by, RevokeToken { identity, token: picked(tokens, *which) })
            }
            What::CreateRepository(name, public, branch) => {
                let (name, default_branch) = (name.as_ref().map(text), text(branch));
                decided(world, by, CreateRepository { name, public: *public, default_branch })
            }
            What::DeleteRepository(index) => decided(world, by, DeleteRepository { id: r(index) }),
            What::SetVisibility(index, public) => {
                decided(world, by, SetVisibility { id: r(index), public: *public })
            }
            What::SetBranch(index, branch) => {
                decided(world, by, SetDefaultBranch { id: r(index), default_branch: text(branch) })
            }
            What::GrantRepository(index, on, level) => {
                let (identity, repository) = (i(index), r(on));
                decided(world, by, GrantRepository { identity, repository, level: *level })
            }
            What::UpdateRepositoryGrant(index, on, level) => {
                let (identity, repository) = (i(index), r(on));
                decided(world, by, UpdateRepositoryGrant { identity, repository, level: *level })
            }
            What::RevokeRepositoryGrant(index, on) => {
                decided(world, by, RevokeRepositoryGrant { identity: i(index), repository: r(on) })
            }
            What::GrantVm(index, vm, list) => {
                let (identity, vm, allowed_users) = (i(index), text(vm), users(list));
                decided(world, by, GrantVm { identity, vm, allowed_users })
            }
            What::UpdateVm(index, vm, list) => {
                let (identity, vm, allowed_users) = (i(index), text(vm), users(list));
                decided(world, by, UpdateVmGrant { identity, vm, allowed_users })
            }
            What::RevokeVm(index, vm) => decided(world, by, RevokeVm { identity: i(index), vm: text(vm) }),
            What::OpenSession(id, parent) => {
                let (id, parent, title) = (Some(text(id)), parent.as_ref().map(text), Some("Title".into()));
                decided(world, by, OpenApprovalSession { id, title, parent })
            }
            What::CloseSession(id) => decided(world, by, CloseApprovalSession { id: text(id) }),
            What::CancelSession(id) => decided(world, by, CancelSessionRequests { session: text(id) }),
            What::Ask(session, command, seconds) => {
                let params: Properties =
                    [("command".to_owned(), Value::Text((*command).into()))].into_iter().collect();
                let asked = CreateRequest::new(NewRequest {
                    session: text(session),
                    tool: "Bash".into(),
                    action: "Run".into(),
                    description: "Run it".into(),
                    params: params.to_string(),
                    path: Some("/work".into()),
                    parent_tool_call: None,
                    timeout: seconds * 1_000_000,
                });
                match asked {
                    Ok(asked) => decided(world, by, asked),
                    Err(refusal) => Err(refusal),
                }
            }
            What::Decide(index, verdict, why, rule) => {
                let (id, verdict) = (request(&state, *index), verdict.clone());
                let reason = why.then(|| "because".to_owned());
                let remember = state.requests().get(id).filter(|_| *rule).map(|one| Remember::like(one));
                decided(world, by, DecideRequest { id, verdict, reason, remember })
            }
            What::Cancel(index) => decided(world, by, CancelRequest { id: request(&state, *index) }),
            What::Expire => decided(world, by, ExpireRequests { ids: state.requests().overdue(now, 100) }),
            What::CreateRule(effect, command, session, expires) => {
                let draft = RuleDraft {
                    effect: *effect,
                    tool: "Bash".into(),
                    command: command.as_ref().map(text),
                    path: None,
                    scope: session.map_or(Scope::Realm, |session| Scope::Session(session.into())),
                    expires: expires.map(|after| now + after),
                };
                decided(world, by, CreateRule { draft })
            }
            What::DeleteRule(index) => {
                let ids = state.rules().iter_after(0).map(|rule| rule.id).collect();
                decided(world, by, DeleteRule { id: picked(ids, *index) })
            }
            What::CreateWebhook(events, described) => {
                let (url, description) = ("https://a.example/".into(), described.then(|| "ours".into()));
                decided(world, by, CreateWebhook { url, events: events.to_vec(), description, app: None })
            }
            What::UpdateWebhook(index, events, enabled, described) => {
                let update = UpdateWebhook {
                    id: webhook(&state, *index),
                    url: described.then(|| "https://b.example/".into()),
                    events: events.map(<[EventKind]>::to_vec),
                    description: described.then(|| Some("theirs".into())),
                    enabled: *enabled,
                };
                decided(world, by, update)
            }
            What::RotateWebhookSecret(index) => {
                decided(world, by, RotateWebhookSecret { id: webhook(&state, *index) })
            }
            What::DeleteWebhook(index) => decided(world, by, DeleteWebhook { id: webhook(&state, *index) }),
            What::CreateTrigger(index, some) => {
                let names = |name: &str| some.then(|| vec![name.to_owned()]);
                let (repository, endpoint) = (repository(&state, *index), "https://a.example/".into());
                let (branches, globs) = (names("main"), names("*.js"));
                decided(world, by, CreateTrigger { repository, branches, globs, endpoint })
            }
            What::DeleteTrigger(index) => {
                let all: Vec<_> = state.triggers().iter().collect();
                let one = (!all.is_empty()).then(|| &index.get(&all).form);
                let (repository, id) = one.map_or_else(Default::default, |one| (one.repository, one.id));
                decided(world, by, DeleteTrigger { repository, id })
            }
            What::MakeClientCa(replaces) => {
                let (certificate, key, until) = (vec![0x30, 0], Secret("key".into()), now + 9);
                decided(world, by, MakeClientCa { certificate, key, until, replaces: *replaces })
            }
            What::PutVm(vm, byte) => {
                let host_key = PublicKey::ed25519(&[*byte; 32]).to_string();
                let (id, address) = (text(vm), format!("10.0.0.{byte}"));
                decided(world, by, PutVm { id, address, host_key, gateway_key: pair(7) })
            }
            What::RotateVmKey(vm) => decided(world, by, RotateVmKey { id: text(vm), gateway_key: pair(8) }),
            What::RemoveVm(vm) => decided(world, by, RemoveVm { id: text(vm) }),
            What::AddSshKey(index, byte) => {
                let public_key = PublicKey::ed25519(&[*byte; 32]).to_string();
                let name = (*byte > 1).then(|| "laptop".into());
                decided(world, by, AddSshKey { identity: i(index), public_key, name })
            }
            What::RemoveSshKey(index) => {
                let ids = state.ssh_keys().iter_after(None).map(|key| key.form.id).collect();
                decided(world, by, RemoveSshKey { id: picked(ids, *index) })
            }
            What::MakeSshCa(again) => {
                let replaces = state.ssh_ca().filter(|_| *again).map(|ca| ca.id);
                decided(world, by, MakeSshCa { pair: pair(9), replaces })
            }
            What::Catalogue(what) => what.outcome(world, by),
            What::Apps(step) => step.outcome(world, by),
            What::PutEntity(on, properties) => {
                decided(world, by, PutEntity { object: object(on), properties: properties.parse().unwrap() })
            }
            What::DeleteEntity(on) => decided(world, by, DeleteEntity { object: object(on) }),
            What::PutModel(model) => {
                let model = ModelForm::Text(text(model));
                decided(world, by, PutModel { model, dry_run: false })
            }
            What::Erase(on) => decided(world, by, EraseFields { object: object(on) }),
            What::Write(write, delete, require) => {
                let until = |after: &Option<i64>| after.map(|after| now + after);
                let write = write.iter().map(|(key, after)| Relationship {
                    until: until(after),
                    ..Relationship::lasting(key_of(key))
                });
                let require = require
                    .iter()
                    .map(|(key, must_exist)| Requirement { key: key_of(key), must_exist: *must_exist });
                let delete: Vec<Key> = delete.iter().map(|key| key_of(key)).collect();
                let (write, require) = (write.collect(), require.collect());
                decided(world, by, WriteRelationships { write, delete, require })
            }
        }
    }
}

pub(super) fn decided<C: Command>(world: &mut World, caller: &Caller, command: C) -> Outcome {
    world.decides(caller, &command).map(|(changes, _, _)| changes)
}

/// One of the first, so that things meet, or now and then one that is not there.
fn picked(mut ids: Vec<Uuid>, index: Index) -> Uuid {
    ids.truncate(3);
    if ids.is_empty() || index.index(16) == 0 {
        return Uuid::from_u128(99);
    }
    *index.get(&ids)
}

fn webhook(state: &State, index: Index) -> Uuid {
    picked(state.webhooks().iter_after(0).map(|webhook| webhook.id).collect(), index)
}

fn request(state: &State, index: Index) -> Uuid {
    picked(state.requests().since(0).map(|request| request.id).collect(), index)
}

fn identity(state: &State, index: Index) -> Uuid {
    picked(state.identities().iter().map(|one| one.id).collect(), index)
}

fn repository(state: &State, index: Index) -> Uuid {
    picked(state.repositories().iter().map(|one| one.id).collect(), index)
}

fn key(state: &State, index: Index) -> Uuid {
    picked(state.api_keys().iter_after(None).map(|one| one.id).collect(), index)
}
