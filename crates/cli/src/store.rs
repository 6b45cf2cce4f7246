//! Which store a command works on, without a server.

use std::path::PathBuf;

use clap::Args;
use grantd_node::ledger::store::Store;
use grantd_node::open::{self, Location, OpenError};

/// Where the ledgers are.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct StoreArgs {
    /// Data directory [default: ./grantd-data]
    #[arg(long, env = "GRANTD_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Keep the ledgers in this PostgreSQL database instead (postgres://...)
    #[arg(long, env = "GRANTD_STORE", value_name = "URL", hide_env_values = true)]
    pub(crate) store: Option<String>,
    /// File of the master key, made at the first start [default: <data>/master.key]
    #[arg(long, env = "GRANTD_MASTER_KEY_FILE", value_name = "FILE")]
    pub(crate) master_key_file: Option<PathBuf>,
}

impl StoreArgs {
    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| PathBuf::from("grantd-data"))
    }

    /// The same for the node.
    pub(crate) fn location(&self) -> Location {
        Location {
            data: self.data(),
            url: self.store.clone(),
            master_key_file: self.master_key_file.clone(),
            unsafe_no_sync: false,
        }
    }

    /// Opens the store to read it, beside a running server or without one.
    pub(crate) async fn read(&self) -> anyhow::Result<std::sync::Arc<dyn Store>> {
        Ok(open::open_read_only(&self.location()).await?)
    }

    /// Opens the store to change it, which needs the server to be stopped.
    pub(crate) async fn change(&self) -> anyhow::Result<std::sync::Arc<dyn Store>> {
        open::open_existing(&self.location()).await.map_err(stop_the_server)
    }
}

/// Says what to do when somebody holds the data directory.
pub(crate) fn stop_the_server(error: OpenError) -> anyhow::Error {
    if Location::is_held(&error) {
        return anyhow::anyhow!("{error}; stop that server first, this cannot be done beside it");
    }
    error.into()
}
