//! Makes a golden ledger: people who sign in by accounts elsewhere.

use grantd_node::Request;
use grantd_node::realm::Basis;
use grantd_node::realm::caller::{Actor, Caller};
use grantd_node::realm::linked_account::{
    AccountId, LinkAccount, Policy, ProvenAccount, SignInByAccount, UnlinkAccount,
};
use grantd_node::realm::session::{Device, Entrance, Limits};
use grantd_node::realm::user::DeleteUser;

use super::keep;
use crate::support::{Rig, does, request, user};

const ISSUER: &str = "https://id.example/realms/a";

#[tokio::test]
#[ignore = "makes a file; see cases/ledgers/README.md"]
async fn make_a_golden_ledger_of_linked_accounts() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    for login in ["ann@example.com", "ben@example.com", "zoe"] {
        does(&realm, user(login)).await;
    }
    let link = |login: &str, issuer: &str, subject: &str| LinkAccount {
        login: login.into(),
        issuer: issuer.into(),
        subject: subject.into(),
    };
    does(&realm, link("zoe", ISSUER, "1")).await;
    does(&realm, link("zoe", "https://other.example", "1")).await;
    does(&realm, link("ben@example.com", ISSUER, "2")).await;
    let account = AccountId::of("https://other.example", "1");
    does(&realm, UnlinkAccount { login: "zoe".into(), account }).await;
    for login in ["ann@example.com", "new@example.com"] {
        let command = SignInByAccount {
            login: login.into(),
            proven: ProvenAccount {
                issuer: ISSUER.into(),
                subject: format!("subject of {login}"),
                email: Some(login.into()),
                name: Some(format!("the name of {login}")),
            },
            policy: Policy { create_users: true, email_domains: Vec::new() },
            instead_of: None,
            device: Device::default(),
            entrance: Entrance::Pages,
            limits: Limits::default(),
        };
        let caller = Caller::local(Actor::User(login.into()));
        let done = realm.submit(Request { caller, ..request(command) }).await.unwrap();
        assert!(done.answer.secret.is_some());
    }
    does(&realm, DeleteUser { login: "ben@example.com".into(), basis: Basis::Grantd }).await;
    keep("linking-format-1", rig.ledger().await, Some(&realm));
}
