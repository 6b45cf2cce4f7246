//! Makes a golden ledger: a realm in which every kind of change happens.

use grantd_ledger::entry::{CommandId, Disclosed, Draft, LedgerId};
use grantd_ledger::source::Source;
use grantd_ledger::store::{Append, Appended, Store as _};
use grantd_node::entry::changes;
use grantd_node::realm::Basis;
use grantd_node::realm::api_key::{CreateApiKey, RevokeApiKey};
use grantd_node::realm::approval_session::{CloseApprovalSession, OpenApprovalSession};
use grantd_node::realm::caller::{Actor, Authorities, Authority, Caller};
use grantd_node::realm::catalogue::{
    CreateCatalogueRole, DeleteCataloguePermission, PermissionDraft, SyncCatalogue, TypeDraft,
    UpdateCatalogueRole,
};
use grantd_node::realm::client_ca::MakeClientCa;
use grantd_node::realm::command::Secret;
use grantd_node::realm::engine::{Object, Relationship};
use grantd_node::realm::entity::{DeleteEntity, PutEntity};
use grantd_node::realm::erasure::EraseFields;
use grantd_node::realm::identity::{CreateIdentity, DeleteIdentity};
use grantd_node::realm::managed::SUPER_USERS;
use grantd_node::realm::model::{ModelForm, PutModel};
use grantd_node::realm::pulp::{GrantOperations, Grantee, Operation, PulpUri, RevokeOperations};
use grantd_node::realm::realms::{DEFAULT, ListRealm};
use grantd_node::realm::relationship::WriteRelationships;
use grantd_node::realm::repository::{CreateRepository, DeleteRepository, SetDefaultBranch, SetVisibility};
use grantd_node::realm::repository_grant::{AccessLevel, GrantRepository, UpdateRepositoryGrant};
use grantd_node::realm::request::{
    CancelRequest, CreateRequest, DecideRequest, NewRequest, Remember, Verdict,
};
use grantd_node::realm::role::{AddMember, CreateRole, DeleteRole, Member, RemoveMember, UpdateRole};
use grantd_node::realm::rule::{CreateRule, DeleteRule, Effect, RuleDraft, Scope};
use grantd_node::realm::token::{CreateToken, RevokeToken};
use grantd_node::realm::user::{CreateUser, DeleteUser, UpdateUser};
use grantd_node::realm::vm_grant::{GrantVm, RevokeVm, UpdateVmGrant};
use grantd_node::realm::webhook::{
    CreateWebhook, DeleteWebhook, EventKind, RotateWebhookSecret, UpdateWebhook,
};
use grantd_node::{Realm, Request};
use uuid::Uuid;

use super::keep;
use crate::support::{Rig, does, keyed, request};

const MODEL: &str = "\
# Plans, and who may read them.
type plan
  relations
    define parent: [plan]
    define viewer: [user, role#member with late] or viewer from parent
    define blocked: [user:*]
    define reader: viewer but not blocked

condition late(hour: int, names: list<string>) {
  hour > 17 && names.exists(n, n == \"ann\")
}
";

#[tokio::test]
#[ignore = "makes a file; see cases/ledgers/README.md"]
async fn make_a_golden_ledger() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    people(&realm).await;
    roles(&realm).await;
    machines(&realm).await;
    things(&realm).await;
    webhooks(&realm).await;
    approvals(&realm).await;
    catalogue(&realm).await;
    let realm = continued(&rig).await;
    let erased = Object::new("user", "zdenka").unwrap();
    does(&realm, EraseFields { object: erased.clone() }).await;
    let mut ledger = rig.ledger().await;
    ledger.iter_mut().for_each(|disclosed| without_fields_of(&erased, disclosed));
    keep("format-1", ledger, Some(&realm));
}

/// Who is told of what happens.
async fn webhooks(realm: &Realm) {
    let create =
        |url: &str, events: &[EventKind], description: Option<&str>, app: Option<&str>| CreateWebhook {
            url: url.into(),
            events: events.to_vec(),
            description: description.map(Into::into),
            app: app.map(Into::into),
        };
    let all = does(realm, create("https://a.example/hooks", &[], Some("Ours"), None)).await.answer.id;
    let some =
        does(realm, create("https://b.example", &EventKind::CHOSEN, None, Some("app_1"))).await.answer.id;
    let gone =
        does(realm, create("https://c.example", &[EventKind::RequestCreated], None, None)).await.answer.id;
    for id in [all, all, some] {
        does(realm, RotateWebhookSecret { id }).await;
    }
    let update = UpdateWebhook {
        id: some,
        url: Some("https://b.example/other".into()),
        events: Some(vec![EventKind::RequestExpired]),
        description: Some(Some("Theirs".into())),
        enabled: None,
    };
    does(realm, update).await;
    does(realm, UpdateWebhook { id: some, enabled: Some(false), ..UpdateWebhook::default() }).await;
    does(realm, UpdateWebhook { id: all, description: Some(None), ..UpdateWebhook::default() }).await;
    does(realm, DeleteWebhook { id: gone }).await;
}

/// What agents ask: granted, denied, over, taken back, by people and by rules.
async fn approvals(realm: &Realm) {
    let open = |id: &str, title: Option<&str>, parent: Option<&str>| OpenApprovalSession {
        id: Some(id.into()),
        title: title.map(Into::into),
        parent: parent.map(Into::into),
    };
    does(realm, open("above", Some("The whole"), None)).await;
    does(realm, open("below", None, Some("above"))).await;
    let rule = |effect, command: Option<&str>, scope| RuleDraft {
        effect,
        tool: "Bash".into(),
        command: command.map(Into::into),
        path: Some("/work/**".into()),
        scope,
        expires: Some(4_102_444_800_000_000),
    };
    let asks =
        does(realm, CreateRule { draft: rule(Effect::Ask, None, Scope::Session("below".into())) }).await;
    does(realm, CreateRule { draft: rule(Effect::Deny, Some("rm *"), Scope::Realm) }).await;
    does(realm, DeleteRule { id: asks.answer }).await;
    let asked = |session: &str, command: &str| {
        let new = NewRequest {
            session: session.into(),
            tool: "Bash".into(),
            action: format!("Execute command: {command}"),
            description: "Builds".into(),
            params: format!("{{\"command\":\"{command}\"}}"),
            path: Some("/work/a".into()),
            parent_tool_call: Some("call-1".into()),
            timeout: 60_000_000,
        };
        let agent =
            Caller { actor: Actor::SystemKey(Uuid::from_u128(1)), conferred: Some(Authorities::all()) };
        Request { caller: agent, ..request(CreateRequest::new(new).unwrap()) }
    };
    let first = realm.submit(asked("below", "make")).await.unwrap().answer;
    let second = realm.submit(asked("below", "make test")).await.unwrap().answer;
    let third = realm.submit(asked("unopened", "make all")).await.unwrap().answer;
    realm.submit(asked("below", "rm x")).await.unwrap();
    realm.submit(asked("above", "make none")).await.unwrap();
    let by_boss = |command: DecideRequest| Request {
        caller: Caller::local(Actor::User("boss".into())),
        ..request(command)
    };
    let like = Remember::like(realm.published().state.requests().get(first).unwrap());
    let edited_params = Some("{\"command\":\"make -n\"}".into());
    let (verdict, reason) = (Verdict::Grant { edited_params }, Some("dry".to_owned()));
    realm.submit(by_boss(DecideRequest { id: first, verdict, reason, remember: Some(like) })).await.unwrap();
    let no = DecideRequest { id: second, verdict: Verdict::Deny, reason: None, remember: None };
    realm.submit(by_boss(no)).await.unwrap();
    realm.submit(asked("below", "make")).await.unwrap();
    does(realm, CancelRequest { id: third }).await;
    does(realm, CloseApprovalSession { id: "above".into() }).await;
}

async fn people(realm: &Realm) {
    let user = |login: &str, name: &str, roles: &[&str]| CreateUser {
        login: login.into(),
        name: Some(name.into()),
        password: Some(Secret("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into())),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        basis: Basis::Grantd,
    };
    does(realm, ListRealm { name: "acme".into() }).await;
    let role = |key: &str, name: Option<&str>, description: Option<&str>| CreateRole {
        key: key.into(),
        display_name: name.map(Into::into),
        description: description.map(Into::into),
        basis: Basis::Grantd,
    };
    for role in
        [role("qa", Some("Quality"), Some("Who tests")), role("ops", None, None), role("gone", None, None)]
    {
        does(realm, role).await;
    }
    does(realm, user("ann", "Ann Ångström", &["qa"])).await;
    let boss = Request {
        reason: Some("the first of them".into()),
        ..keyed(user("boss", "Boss", &[SUPER_USERS]), "key", "body")
    };
    realm.submit(boss).await.unwrap();
    does(realm, user("zdenka", "Zdenka Example", &["qa", "ops"])).await;
    let rename = UpdateUser { login: "zdenka".into(), name: Some(Some("Z".into())), ..UpdateUser::default() };
    does(realm, rename).await;
    let all = UpdateUser {
        login: "ann".into(),
        name: Some(None),
        password: Some(Secret("$argon2id$other".into())),
        active: Some(false),
        roles: Some(vec!["ops".into()]),
        basis: Basis::Grantd,
    };
    let by_boss = Request { caller: Caller::local(Actor::User("boss".into())), ..request(all) };
    realm.submit(by_boss).await.unwrap();
    let key = |name: &str, grants: &[Authority], expires| CreateApiKey {
        name: name.into(),
        expires,
        grants: grants.to_vec(),
        secret: None,
    };
    let far = Some(4_102_444_800_000_000);
    let gone = does(realm, key("gone", &[Authority::Writer], far)).await.answer.id;
    does(realm, key("kept", &[], None)).await;
    does(realm, RevokeApiKey { id: gone }).await;
    does(realm, user("ben", "Ben", &["qa"])).await;
    does(realm, DeleteUser { login: "ben".into(), ..DeleteUser::default() }).await;
    does(realm, CreateUser { name: None, password: None, ..user("ben", "", &[]) }).await;
}

async fn roles(realm: &Realm) {
    let grant = |to, uri, operations: &[Operation]| GrantOperations {
        to,
        resource: PulpUri::normalise(uri).unwrap(),
        operations: operations.to_vec(),
        basis: Basis::Grantd,
    };
    let role = |key: &str| Grantee::Role(key.into());
    for key in ["gone", "qa"] {
        does(realm, grant(role(key), "/v2/repositories/", &Operation::ALL)).await;
        let member = Member::User("zdenka".into());
        does(realm, AddMember { role: key.into(), member, basis: Basis::Grantd }).await;
    }
    does(realm, grant(role("qa"), "/v2/roles/gone/", &[Operation::Update])).await;
    does(realm, grant(Grantee::User("ann".into()), "/pulp/api/v2/a b", &[Operation::Read])).await;
    let member = || Member::Role("ops".into());
    does(realm, AddMember { role: "qa".into(), member: member(), basis: Basis::Grantd }).await;
    does(realm, RemoveMember { role: "qa".into(), member: member(), basis: Basis::Grantd }).await;
    let GrantOperations { to: from, resource, operations, basis } =
        grant(role("qa"), "/v2/repositories/", &[Operation::Delete]);
    does(realm, RevokeOperations { from, resource, operations, basis }).await;
    let text = |text: &str| Some(Some(text.to_owned()));
    for key in ["qa", SUPER_USERS] {
        let (display_name, description) = (text("changed"), text("also"));
        does(realm, UpdateRole { key: key.into(), display_name, description, basis: Basis::Grantd }).await;
    }
    does(realm, DeleteRole { key: "gone".into(), basis: Basis::Grantd }).await;
    does(realm, CreateRole { key: "gone".into(), ..CreateRole::default() }).await;
}

async fn machines(realm: &Realm) {
    for replaces in [0, 1] {
        let certificate = vec![0x30, 2, 5, replaces];
        let (key, until, replaces) = (Secret("a key".into()), 4_102_444_800_000_000, u32::from(replaces));
        does(realm, MakeClientCa { certificate, key, until, replaces }).await;
    }
    let one = does(realm, CreateIdentity { managed: false }).await.answer.id;
    let two = does(realm, CreateIdentity { managed: false }).await.answer.id;
    does(realm, CreateIdentity { managed: true }).await;
    for identity in [one, two] {
        let token = does(realm, CreateToken { identity }).await.answer.id;
        does(realm, CreateToken { identity }).await;
        does(realm, RevokeToken { identity, token }).await;
    }
    let users = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    for (vm, list) in [("a/b", users(&["dev", "ops"])), ("a%2Fb", None), ("..", users(&[])), ("v", None)] {
        does(realm, GrantVm { identity: one, vm: vm.into(), allowed_users: list }).await;
        does(realm, GrantVm { identity: two, vm: vm.into(), allowed_users: None }).await;
    }
    for (vm, list) in [("a/b", None), ("..", users(&["root"])), ("v", users(&["x.y", "machine$"]))] {
        does(realm, UpdateVmGrant { identity: one, vm: vm.into(), allowed_users: list }).await;
    }
    does(realm, RevokeVm { identity: one, vm: "a%2Fb".into() }).await;

    let repository = |name: Option<&str>, public| CreateRepository {
        name: name.map(Into::into),
        public,
        default_branch: "main".into(),
    };
    let site = does(realm, repository(Some("site"), true)).await.answer;
    let gone = does(realm, repository(None, false)).await.answer;
    for repository in [site, gone] {
        does(realm, GrantRepository { identity: one, repository, level: AccessLevel::Read }).await;
        does(realm, GrantRepository { identity: two, repository, level: AccessLevel::Write }).await;
    }
    does(realm, UpdateRepositoryGrant { identity: one, repository: site, level: AccessLevel::Write }).await;
    does(realm, SetVisibility { id: site, public: false }).await;
    does(realm, SetDefaultBranch { id: site, default_branch: "release/1".into() }).await;
    does(realm, DeleteRepository { id: gone }).await;
    does(realm, DeleteIdentity { id: two }).await;
}

async fn things(realm: &Realm) {
    let model = ModelForm::Text(MODEL.into());
    does(realm, PutModel { model, dry_run: false }).await;
    let lasting = |text: &str| Relationship::lasting(text.parse().unwrap());
    let until = Some(4_102_444_800_000_000);
    let write = vec![
        lasting("role:qa#member@role:ops#member"),
        lasting("grantd:default#checker@role:qa#member"),
        Relationship { until, ..lasting("role:ops#member@user:ann") },
        lasting("role:a%3Ab%23c%25#member@user:x%20y"),
    ];
    does(realm, WriteRelationships { write, delete: Vec::new(), require: Vec::new() }).await;
    let write = vec![lasting("role:ops#member@user:ann")];
    let delete = vec!["role:qa#member@role:ops#member".parse().unwrap()];
    does(realm, WriteRelationships { write, delete, require: Vec::new() }).await;
    let object = |id: &str| Object::new("user", id).unwrap();
    for (id, properties) in [("ann", r#"{"a":1}"#), ("ann", r#"{"å":[1,2,{}]}"#), ("ben", "{}")] {
        does(realm, PutEntity { object: object(id), properties: properties.parse().unwrap() }).await;
    }
    does(realm, DeleteEntity { object: object("ben") }).await;
}

/// A catalogue that was brought into line twice, with what roles hold of it.
async fn catalogue(realm: &Realm) {
    let permission = |codename: &str, name: &str, was: Option<&str>| PermissionDraft {
        codename: codename.into(),
        name: name.into(),
        renamed_from: was.map(Into::into),
    };
    let kind = |model: &str, was: Option<&str>, permissions| TypeDraft {
        app_label: "reports".into(),
        model: model.into(),
        renamed_from: was.map(|was| ("reports".into(), was.into())),
        permissions,
    };
    let sync = |types| SyncCatalogue { types, prune: true, dry_run: false };
    let both = vec![permission("view", "Can view", None), permission("sénd", "Can send", None)];
    does(realm, sync(vec![kind("report", None, both), kind("old", None, vec![permission("x", "X", None)])]))
        .await;
    let catalogue = |realm: &Realm| realm.published().state.catalogue().clone();
    let view = {
        let catalogue = catalogue(realm);
        let kind = catalogue.content_type_of("reports", "report").unwrap().number;
        catalogue.permission_of(kind, "view").unwrap().number
    };
    let name = "Reporters (new)".to_owned();
    let made = CreateCatalogueRole { name, permissions: [1, view].into(), basis: Basis::Grantd };
    let key = does(realm, made).await.answer.key;
    let permissions = Some([2, view].into());
    does(realm, UpdateCatalogueRole { key, permissions, ..UpdateCatalogueRole::default() }).await;
    let renamed = permission("read", "Can read", Some("view"));
    does(realm, sync(vec![kind("yearly", Some("report"), vec![renamed])])).await;
    does(realm, DeleteCataloguePermission { number: 3, basis: Basis::Grantd }).await;
    does(realm, EraseFields { object: Object::new("tdp_permission", "4").unwrap() }).await;
}

/// Goes on under another ledger id, as after a restore.
async fn continued(rig: &Rig) -> std::sync::Arc<Realm> {
    let head = rig.store.head(DEFAULT).await.unwrap();
    let mut append = Append::on(DEFAULT, head);
    append.continue_as = Some(LedgerId(Uuid::new_v4()));
    append.drafts.push(Draft {
        time: head.time,
        actor: "system:restore".into(),
        via: "cli".into(),
        command_id: CommandId([2; 16]),
        reason: None,
        changes: Vec::new(),
        disclosures: Vec::new(),
    });
    assert!(matches!(rig.store.append(append).await, Appended::Durable(_)));
    rig.realm().await
}

/// As the ledger is after the erasure.
fn without_fields_of(object: &Object, disclosed: &mut Disclosed) {
    let gone: Vec<[u8; 32]> = changes(disclosed)
        .unwrap()
        .iter()
        .flat_map(|change| change.personal_fields_of(object.as_ref()))
        .map(|field| field.commitment)
        .collect();
    let commitments = disclosed.entry.commitments.clone();
    disclosed.disclosures.retain(|one| !gone.contains(&commitments[one.slot as usize].0));
}
