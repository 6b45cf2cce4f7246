//! One change of each kind, with every field told apart from its neighbours.

use grantd_realm::app::AppSettings;
use grantd_realm::authorization::Consent;
use grantd_realm::caller::Actor;
use grantd_realm::change::{AppChange, Change, SshChange};
use grantd_realm::engine::{Condition, Relationship};
use grantd_realm::organization::{OrganizationToken, Policy};
use grantd_realm::personal::Personal;
use grantd_realm::request::{Asked, Decider, Outcome, Settlement};
use grantd_realm::rule::{Effect, RuleForm, Scope as RuleScope};
use grantd_realm::scope::{Scope, ScopeText};
use grantd_realm::ssh_ca::SshCa;
use grantd_realm::ssh_key::SshKeyForm;
use grantd_realm::ssh_public_key::PublicKey;
use grantd_realm::trigger::TriggerForm;
use grantd_realm::vm::{GatewayKey, VmForm};
use grantd_realm::webhook::{EventKind, WebhookForm, WebhookUpdate};
use uuid::Uuid;

use super::{commit, key_of};

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn name(value: &str) -> Option<Personal> {
    Some(Personal::new(value, [9; 32], commit))
}

fn limited() -> Relationship {
    let condition =
        Some(Condition { name: "office".into(), parameters: r#"{"from":9}"#.parse().expect("JSON") });
    Relationship { key: key_of("role:qa#member@role:dev#member"), until: Some(-5), condition }
}

fn asked(requester: Actor, path: Option<std::sync::Arc<str>>) -> Asked {
    let text = |text: &str| Personal::new(text, [9; 32], commit);
    Asked {
        id: id(19),
        number: 21,
        session: "s".into(),
        tool: "Bash".into(),
        parent_tool_call: path.clone(),
        path,
        action: text("Run"),
        description: text("Run it"),
        params: text("{}"),
        requester,
        expires_at: 22,
        size: 11,
    }
}

fn settled(outcome: Outcome, by: Decider, reason: Option<Personal>) -> Change {
    let (id, session, edited_params) = (id(19), "s".into(), reason.clone());
    let settlement = Settlement { id, session, outcome, by, reason, edited_params, size: 8 };
    Change::RequestSettled { settlement: Box::new(settlement) }
}

fn rule(effect: Effect, scope: RuleScope, command: Option<std::sync::Arc<str>>) -> Change {
    let rule = RuleForm {
        id: id(20),
        number: 23,
        effect,
        tool: "Bash".into(),
        path: command.clone(),
        expires: command.as_ref().map(|_| 24),
        command,
        scope,
        by: Actor::User("alice".into()),
    };
    Change::RuleCreated { rule: Box::new(rule) }
}

fn webhook(description: Option<&str>, app: Option<&str>, events: &[EventKind]) -> Change {
    let webhook = WebhookForm {
        id: id(25),
        number: 26,
        url: Personal::new("https://a.example", [9; 32], commit),
        events: events.iter().copied().collect(),
        description: description.and_then(name),
        app: app.map(Into::into),
        by: Actor::System("cli"),
    };
    Change::WebhookCreated { webhook: Box::new(webhook) }
}

fn trigger(branches: &[&str], globs: &[&str]) -> Change {
    let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
    let trigger = TriggerForm {
        id: id(30),
        number: 31,
        repository: id(32),
        branches: names(branches),
        globs: names(globs),
        endpoint: Personal::new("https://a.example", [9; 32], commit),
        by: Actor::ApiKey(id(33)),
    };
    Change::TriggerCreated { trigger: Box::new(trigger) }
}

fn webhook_changed(
    url: Option<Personal>,
    events: Option<&[EventKind]>,
    description: Option<Option<Personal>>,
    enabled: Option<bool>,
) -> Change {
    let events = events.map(|events| events.iter().copied().collect());
    Change::WebhookChanged {
        update: Box::new(WebhookUpdate { id: id(25), url, events, description, enabled }),
    }
}

/// At least one of each kind; those with optional parts with and without.
pub(crate) fn samples() -> Vec<Change> {
    let user = key_of("role:qa#member@user:alice").resource;
    let branch = || "main".to_owned();
    let login = || "alice".to_owned();
    let vm = || "a/b".to_owned();
    let changes = vec![
        Change::RealmCreated { name: "acme".into(), account: id(1) },
        Change::RealmListed { name: "acme".into() },
        Change::RealmUnlisted { name: "acme".into() },
        Change::RealmDeleted { name: "acme".into() },
        Change::FieldsErased { object: user.clone() },
        Change::RelationshipWritten { relationship: limited() },
        Change::RelationshipWritten { relationship: Relationship::lasting(key_of("a:b%23c#d@e:*")) },
        Change::RelationshipDeleted { key: key_of("role:qa#member@user:alice") },
        Change::UserCreated { uuid: id(2), number: 3, login: login(), name: name("Alice") },
        Change::UserCreated { uuid: id(2), number: 3, login: login(), name: None },
        Change::UserRenamed { login: login(), name: name("Ålice") },
        Change::UserRenamed { login: login(), name: None },
        Change::UserPasswordSet { login: login(), version: 4 },
        Change::UserActivated { login: login(), active: true },
        Change::UserActivated { login: login(), active: false },
        Change::UserDeleted { login: login() },
        Change::SessionsEnded { login: login() },
        Change::ApiKeyCreated { id: id(5), name: name("ci"), hash: [6; 32], expires: Some(7) },
        Change::ApiKeyCreated { id: id(5), name: None, hash: [6; 32], expires: None },
        Change::ApiKeyRevoked { id: id(5) },
        Change::IdentityCreated { id: id(8), number: 9, managed: true },
        Change::IdentityDeleted { id: id(8) },
        Change::TokenCreated { identity: id(8), id: id(10), hash: [11; 32] },
        Change::TokenRevoked { identity: id(8), id: id(10) },
        Change::RepositoryCreated { id: id(12), number: 13, name: name("site"), default_branch: branch() },
        Change::RepositoryCreated { id: id(12), number: 13, name: None, default_branch: branch() },
        Change::RepositoryDeleted { id: id(12) },
        Change::DefaultBranchSet { id: id(12), default_branch: branch() },
        Change::VmGranted { identity: id(8), vm: vm(), id: id(14), restricted: true },
        Change::VmGrantChanged { identity: id(8), vm: vm(), restricted: false },
        Change::VmGrantRevoked { identity: id(8), vm: vm() },
        Change::EntityPut { object: user.clone(), properties: r#"{"a":1}"#.into() },
        Change::EntityDeleted { object: user },
        Change::ClientCaMade { version: 15, certificate: vec![0x30, 0], until: 16 },
        Change::ApprovalSessionOpened {
            id: "s".into(),
            number: 17,
            title: name("Title"),
            parent: Some("above".into()),
            by: Actor::User("alice".into()),
        },
        Change::ApprovalSessionOpened {
            id: "s".into(),
            number: 17,
            title: None,
            parent: None,
            by: Actor::System("cli"),
        },
        Change::ApprovalSessionClosed { id: "s".into() },
        Change::RequestCreated { asked: Box::new(asked(Actor::ApiKey(id(18)), Some("/work".into()))) },
        Change::RequestCreated { asked: Box::new(asked(Actor::SystemKey(id(18)), None)) },
        settled(Outcome::Granted, Decider::Actor(Actor::User("alice".into())), name("fine")),
        settled(Outcome::Denied, Decider::Rule(id(20)), None),
        settled(Outcome::Expired, Decider::Timeout, None),
        settled(Outcome::Cancelled, Decider::Actor(Actor::Identity(id(8))), None),
        rule(Effect::Allow, RuleScope::Realm, None),
        rule(Effect::Ask, RuleScope::Session("s".into()), Some("git *".into())),
        rule(Effect::Deny, RuleScope::Realm, Some("rm *".into())),
        Change::AccountLinked { login: login(), issuer: "https://id.example".into(), account: [21; 32] },
        Change::AccountUnlinked { account: [21; 32] },
        Change::RuleDeleted { id: id(20) },
        webhook(Some("ours"), Some("app_1"), &EventKind::CHOSEN),
        webhook(None, None, &[]),
        webhook_changed(None, None, None, None),
        webhook_changed(name("https://b.example"), Some(&[]), Some(None), Some(false)),
        webhook_changed(None, Some(&[EventKind::RequestExpired]), Some(name("theirs")), Some(true)),
        trigger(&[], &[]),
        trigger(&["main", "a/b"], &["*.js"]),
        Change::TriggerDeleted { repository: id(32), id: id(30) },
        Change::WebhookDeleted { id: id(25) },
        Change::WebhookSecretRotated { id: id(25), version: 27, until: 28 },
        Change::ContentTypeCreated { number: 24, app_label: "auth".into(), model: "user".into() },
        Change::ContentTypeRenamed { number: 24, app_label: "auth".into(), model: "person".into() },
        Change::ContentTypeDeleted { number: 24 },
        Change::CataloguePermissionCreated {
            number: 25,
            content_type: 24,
            codename: "add_user".into(),
            name: Personal::new("Can add user", [9; 32], commit),
        },
        Change::CataloguePermissionChanged {
            number: 25,
            content_type: 26,
            codename: "add_person".into(),
            name: Personal::new("Can add person", [9; 32], commit),
        },
        Change::CataloguePermissionDeleted { number: 25 },
        Change::ModelPut { text: "type plan\n".into() },
        Change::RoleCreated {
            uuid: id(15),
            number: 16,
            key: "qa".into(),
            display_name: name("QA"),
            description: name("Quality"),
        },
        Change::RoleCreated {
            uuid: id(15),
            number: 16,
            key: "qa".into(),
            display_name: None,
            description: None,
        },
        Change::RoleChanged { key: "qa".into(), display_name: name("Q"), description: None },
        Change::RoleChanged { key: "qa".into(), display_name: None, description: name("Q") },
        Change::RoleDeleted { key: "qa".into() },
    ];
    let apps = app_samples().into_iter().map(|change| Change::Apps(Box::new(change)));
    let ssh = ssh_samples().into_iter().map(|change| Change::Ssh(Box::new(change)));
    changes.into_iter().chain(apps).chain(ssh).collect()
}

fn ssh_samples() -> Vec<SshChange> {
    let public = |byte| PublicKey::ed25519(&[byte; 32]);
    let vm = || VmForm { id: "a/b".into(), address: "10.0.0.7:22".into(), host_key: public(1) };
    let key = || GatewayKey { id: id(34), public: public(2) };
    let ssh_key = |name| {
        let key = SshKeyForm { id: id(35), number: 36, identity: id(8), key: public(3), name };
        SshChange::KeyAdded { key: Box::new(key) }
    };
    vec![
        SshChange::VmRegistered { vm: vm(), key: key() },
        SshChange::VmChanged { vm: vm() },
        SshChange::VmKeyRotated { id: "a/b".into(), key: key(), until: 37 },
        SshChange::VmRemoved { id: "a/b".into() },
        ssh_key(name("laptop")),
        ssh_key(None),
        SshChange::KeyRemoved { id: id(35) },
        SshChange::CaMade { ca: SshCa { id: id(38), public: public(4) } },
    ]
}

fn app_samples() -> Vec<AppChange> {
    let text = |text: &str| Personal::new(text, [9; 32], commit);
    let of = || "org_12345678".to_owned();
    let app = || "app_x".to_owned();
    let scope = |warning: Option<std::sync::Arc<str>>| {
        let texts = vec![ScopeText { language: "en".into(), description: "See reports".into(), warning }];
        Scope { id: "reports.read".into(), texts, in_v1: false, in_v2: true, deprecated: false }
    };
    let settings = |website: Option<String>| AppSettings {
        redirect_uris: vec!["https://example.com/cb".into(), "https://example.com/".into()],
        public: website.is_none(),
        optional_scopes: vec!["payments.read".into()],
        pkce_required: website.is_some(),
        website,
    };
    let consent = Consent {
        user: "alice".into(),
        text_version: 3,
        locale: "nl_NL".into(),
        address: text("192.0.2.1"),
        at: 25,
    };
    let secret = Some([13; 32]);
    let (organization, by) = (of, || Actor::App("app_y".into()));
    let authorized = |consent: Option<Consent>, expires| AppChange::Authorized {
        id: id(31),
        app: app(),
        organization: of(),
        generation: 2,
        expires,
        consent,
    };
    vec![
        AppChange::ScopeDefined { scope: scope(None) },
        AppChange::ScopeDefined { scope: scope(Some("Think".into())) },
        AppChange::ScopeDeleted { id: "reports.read".into() },
        AppChange::OrganizationCreated { id: of(), number: 26, name: text("Acme") },
        AppChange::OrganizationRenamed { id: of(), name: text("Acme BV") },
        AppChange::OrganizationDeleted { id: of() },
        AppChange::PolicySet {
            organization: organization(),
            policy: Policy { longest_life: Some(27), approval: true },
        },
        AppChange::PolicySet { organization: organization(), policy: Policy::default() },
        AppChange::AppApproved {
            organization: organization(),
            app: app(),
            scopes: vec!["payments.read".into(), "payments.write".into()],
            by: by(),
        },
        AppChange::ApprovalWithdrawn { organization: organization(), app: app() },
        AppChange::OrganizationTokenIssued {
            organization: organization(),
            token: OrganizationToken {
                id: id(28),
                name: text("ci"),
                scopes: vec!["payments.read".into()],
                by: by(),
                created_at: 29,
                hash: [30; 32],
            },
        },
        AppChange::OrganizationTokenRevoked { organization: organization(), id: id(28) },
        AppChange::AppCreated {
            client_id: app(),
            number: 32,
            name: text("Shop"),
            settings: settings(None),
            secret,
        },
        AppChange::AppCreated {
            client_id: app(),
            number: 32,
            name: text("Shop"),
            settings: settings(Some("https://example.com".into())),
            secret: None,
        },
        AppChange::AppChanged { client_id: app(), name: Some(text("Shop 2")), settings: settings(None) },
        AppChange::AppChanged {
            client_id: app(),
            name: None,
            settings: settings(Some("https://x.example".into())),
        },
        AppChange::AppSecretSet { client_id: app(), secret: [14; 32] },
        AppChange::AppDeleted { client_id: app() },
        authorized(Some(consent), Some(33)),
        authorized(None, None),
        AppChange::AuthorizationEnded { id: id(31) },
    ]
}
