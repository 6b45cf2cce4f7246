//! What every face shares.

use std::sync::Arc;

use grantd_node::LoadError;
use grantd_node::realm::realms::SYSTEM;
use grantd_node::{Node, Realm};

use crate::edge::{FailureLimits, FailureQuotas};

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
    /// Where the world reaches this server, without a slash at the end. Never taken from a Host header.
    pub public_url: String,
}

/// Handed to handlers.
pub type SharedApp = Arc<App>;

impl App {
    /// The parts, around a node on which the first start is done.
    pub async fn new(node: Arc<Node>, public_url: String, trusted_hops: usize) -> Result<Self, LoadError> {
        let system = node.realm(SYSTEM).await?;
        let cursor_key = node.derived_key("grantd list cursors 1");
        Ok(Self {
            cursor_key,
            node,
            system,
            failures: FailureLimits::new(FailureQuotas::default()),
            trusted_hops,
            public_url,
        })
    }
}
