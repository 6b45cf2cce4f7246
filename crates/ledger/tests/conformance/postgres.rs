//! The shared store, in a schema that goes away with the next run of the same test server.

use std::sync::Arc;

use async_trait::async_trait;
use grantd_ledger::postgres::{PostgresOptions, PostgresStore};
use tokio_postgres::{Client, Config, NoTls};

use crate::world::{Tamper, World};

pub(crate) struct Subject {
    store: Arc<PostgresStore>,
    pub(crate) url: String,
}

/// Opens a store in a fresh schema of the server that the environment names.
pub(crate) async fn subject() -> Subject {
    let server = std::env::var("GRANTD_TEST_POSTGRES")
        .expect("set GRANTD_TEST_POSTGRES to the connection string of a test server");
    let schema = format!("t_{}", uuid::Uuid::new_v4().simple());
    connect(&server).await.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
    let separator = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{separator}options=-csearch_path%3D{schema}");
    Subject { store: Arc::new(open(&url).await), url }
}

pub(crate) async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(url, PostgresOptions { connections: 4, ..PostgresOptions::default() }).await.unwrap()
}

pub(crate) async fn connect(url: &str) -> Client {
    let config: Config = url.parse().unwrap();
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Subject {
    pub(crate) fn world(&self) -> World {
        World { store: Arc::clone(&self.store) as _, tamper: Arc::new(Shell { url: self.url.clone() }) }
    }
}

struct Shell {
    url: String,
}

#[async_trait]
impl Tamper for Shell {
    async fn run(&self, sql: &str) {
        connect(&self.url).await.batch_execute(sql).await.unwrap();
    }
}
