//! What somebody may do, asked by themselves.

use grantd_node::decision_log::DecisionLog;
use grantd_node::realm::Caller;
use grantd_node::realm::api_key::CreateApiKey;
use grantd_node::realm::caller::{Actor, Authorities, Authority};
use grantd_node::realm::engine::ObjectRef;
use grantd_node::realm::identity::CreateIdentity;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::repository::CreateRepository;
use grantd_node::realm::repository_grant::{AccessLevel, GrantRepository, RevokeRepositoryGrant};
use grantd_node::{Node, Realm};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{Rig, does};

struct Asked {
    node: Node,
    realm: std::sync::Arc<Realm>,
    repository: Uuid,
    dir: TempDir,
    _kept: Rig,
}

impl Asked {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = DecisionLog::to_file(&dir.path().join("decisions.jsonl"), 1).await.unwrap();
        let rig = Rig::new().await;
        let node = rig.node_with(Some(log));
        let realm = node.realm(DEFAULT).await.unwrap();
        let made = CreateRepository { name: None, public: false, default_branch: "main".into() };
        let repository = does(&realm, made).await.answer;
        Self { node, realm, repository, dir, _kept: rig }
    }

    async fn key(&self, grants: &[Authority]) -> Caller {
        let grants = grants.to_vec();
        let made = CreateApiKey { name: "k".into(), expires: None, grants, secret: None };
        Caller::local(Actor::ApiKey(does(&self.realm, made).await.answer.id))
    }

    async fn identity(&self) -> (Uuid, Caller) {
        let id = does(&self.realm, CreateIdentity { managed: false }).await.answer.id;
        (id, Caller::local(Actor::Identity(id)))
    }

    fn may(&self, caller: &Caller, action: &str) -> bool {
        let id = self.repository.to_string();
        let asking = self.node.asking_of_oneself(self.realm.published(), caller);
        asking.may_enter(action, ObjectRef { kind: "fs_repo", id: &id }).is_allowed()
    }

    fn may_still(&self, caller: &Caller) -> bool {
        let id = self.repository.to_string();
        let asking = self.node.asking_of_oneself(self.realm.published(), caller).again();
        asking.may_enter("read", ObjectRef { kind: "fs_repo", id: &id }).is_allowed()
    }

    /// Subject, action and answer of each line.
    async fn log(self) -> Vec<(String, String, bool)> {
        self.node.stop().await.unwrap();
        let text = std::fs::read_to_string(self.dir.path().join("decisions.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        lines
            .map(|line| (text(&line["subject"]), text(&line["action"]), line["allowed"].as_bool().unwrap()))
            .collect()
    }
}

#[tokio::test]
async fn who_may_write_grants_needs_none_and_everybody_else_does() {
    let asked = Asked::new().await;
    let system = |held: &[Authority]| Caller {
        actor: Actor::SystemKey(Uuid::nil()),
        conferred: Some(held.iter().copied().collect::<Authorities>()),
    };
    for caller in [asked.key(&[Authority::Writer]).await, asked.key(&[Authority::Admin]).await] {
        assert!(asked.may(&caller, "read") && asked.may(&caller, "write"));
    }
    assert!(asked.may(&system(&[Authority::Writer]), "write"));
    let strangers = [
        asked.key(&[Authority::Operator, Authority::Checker]).await,
        system(&[Authority::Operator]),
        Caller::visitor(),
        asked.identity().await.1,
    ];
    for caller in strangers {
        assert!(!asked.may(&caller, "read") && !asked.may(&caller, "write"), "{}", caller.actor);
    }
}

#[tokio::test]
async fn a_grant_is_enough_as_far_as_it_goes() {
    let asked = Asked::new().await;
    let (identity, caller) = asked.identity().await;
    let repository = asked.repository;
    does(&asked.realm, GrantRepository { identity, repository, level: AccessLevel::Read }).await;
    assert!(asked.may(&caller, "read") && !asked.may(&caller, "write"));
}

#[tokio::test]
async fn what_goes_on_is_written_down_when_it_ends() {
    let asked = Asked::new().await;
    let key = asked.key(&[Authority::Writer]).await;
    let (identity, caller) = asked.identity().await;
    let repository = asked.repository;
    does(&asked.realm, GrantRepository { identity, repository, level: AccessLevel::Read }).await;
    assert!(asked.may(&caller, "read") && asked.may(&key, "write"));
    for _ in 0..5 {
        assert!(asked.may_still(&caller) && asked.may_still(&key));
    }
    does(&asked.realm, RevokeRepositoryGrant { identity, repository }).await;
    assert!(!asked.may_still(&caller));
    let (identity, key) = (caller.actor.to_string(), key.actor.to_string());
    let line = |who: &str, action: &str, allowed| (who.to_owned(), action.to_owned(), allowed);
    let expected = [line(&identity, "read", true), line(&key, "write", true), line(&identity, "read", false)];
    assert_eq!(asked.log().await, expected);
}
