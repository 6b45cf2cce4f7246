//! What every face shares.

use std::sync::Arc;

use grantd_node::LoadError;
use grantd_node::realm::basis::Delegation;
use grantd_node::realm::realms::SYSTEM;
use grantd_node::realm::session::{Entrance, Limits};
use grantd_node::{Node, Realm};

use crate::csrf::origin_of;
use crate::edge::{Drain, FailureLimits, FailureQuotas};
use crate::forward::Rules;
use crate::git::GitFront;
use crate::oidc::Oidc;
use crate::serve::{CatalogueSettings, FaceSettings};
use crate::ssh::logins::SshLogins;
use crate::webhook::Sender;

/// What every face shares; handed to handlers as axum's state.
pub struct App {
    /// The realms.
    pub node: Arc<Node>,
    /// The realm that holds the system keys.
    pub(crate) system: Arc<Realm>,
    /// Counts of wrong credentials.
    pub(crate) failures: FailureLimits,
    /// How many proxies stand in front, for the address of a source.
    pub(crate) trusted_hops: usize,
    /// Authenticates the cursors of lists.
    pub(crate) cursor_key: [u8; 32],
    /// Makes the tokens by which our own pages show that a request is theirs.
    pub(crate) csrf_key: [u8; 32],
    /// How long sessions live.
    pub(crate) sessions: Limits,
    /// What can be chosen about the catalogue dialect.
    pub(crate) catalogue: CatalogueSettings,
    /// What may be granted in the users-and-roles dialect.
    pub(crate) pulp_delegation: Delegation,
    /// Which actions the methods are that proxies ask about.
    pub(crate) forward: Rules,
    /// Whether the approvals dialect takes callers without a credential.
    pub(crate) mix_open: bool,
    /// Where the documentation is that answers of the app-permissions dialect name, without a slash at the end.
    pub(crate) mollie_docs: String,
    /// The provider by which people sign in, if there is one.
    pub(crate) oidc: Option<Oidc>,
    /// When answers that go on must end.
    pub(crate) drain: Drain,
    /// The git front.
    pub(crate) git: GitFront,
    /// How long an SSH certificate counts at most, in seconds.
    pub(crate) ssh_certificate_ttl: u64,
    /// Logins that sshd asks about.
    pub(crate) ssh_logins: SshLogins,
    /// Who sends to webhooks.
    pub(crate) webhooks: Arc<Sender>,
    /// Where the world reaches this server, without a slash at the end. Never taken from a Host header.
    pub public_url: String,
    /// Scheme, host and port of that.
    public_origin: String,
}

/// Handed to handlers.
pub type SharedApp = Arc<App>;

impl App {
    /// The parts, around a node on which the first start is done.
    pub(crate) async fn new(
        node: Arc<Node>,
        settings: &FaceSettings,
        webhooks: Arc<Sender>,
        git: GitFront,
    ) -> Result<Self, LoadError> {
        let system = node.realm(SYSTEM).await?;
        Ok(Self {
            cursor_key: node.derived_key("grantd list cursors 1"),
            csrf_key: node.derived_key("grantd csrf tokens 1"),
            node,
            system,
            failures: FailureLimits::new(FailureQuotas::default()),
            trusted_hops: settings.trusted_hops,
            sessions: settings.sessions,
            catalogue: settings.catalogue,
            pulp_delegation: settings.pulp_delegation,
            forward: settings.forward.clone(),
            mix_open: settings.mix_open,
            mollie_docs: settings
                .mollie_docs
                .clone()
                .unwrap_or_else(|| format!("{}/docs", settings.public_url)),
            oidc: settings.oidc.clone().map(Oidc::new),
            drain: settings.drain.clone(),
            git,
            ssh_certificate_ttl: settings.ssh_certificate_ttl,
            ssh_logins: SshLogins::default(),
            webhooks,
            public_url: settings.public_url.clone(),
            public_origin: origin_of(&settings.public_url),
        })
    }

    /// How long sessions of an entrance live.
    pub(crate) fn session_limits(&self, entrance: Entrance) -> Limits {
        match entrance {
            Entrance::Pages => self.sessions,
            Entrance::Catalogue => self.catalogue.sessions,
        }
    }

    /// Scheme, host and port of the address by which the world knows this server.
    pub(crate) fn public_origin(&self) -> &str {
        &self.public_origin
    }

    /// The path of that address, which stands in front of every path of ours that a browser is told; mostly empty.
    pub(crate) fn public_path(&self) -> &str {
        self.public_url.strip_prefix(&self.public_origin).unwrap_or_default()
    }

    /// Whether the world reaches this server by TLS, be it a proxy's.
    pub(crate) fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}
