//! A checkpoint as it is printed and kept.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use grantd_node::ledger::entry::{Hash, LedgerId};
use grantd_node::ledger::store::Checkpoint;
use grantd_server::time::{parse_rfc3339, rfc3339};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::hex;

/// The JSON form. Everything but the realm's name is signed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CheckpointFile {
    pub(super) realm: String,
    ledger_id: Uuid,
    revision: u64,
    head_hash: String,
    state_hash: String,
    time: String,
    public_key: String,
    signature: String,
}

impl CheckpointFile {
    pub(super) fn new(realm: &str, checkpoint: &Checkpoint) -> Self {
        Self {
            realm: realm.into(),
            ledger_id: checkpoint.ledger_id.0,
            revision: checkpoint.revision,
            head_hash: hex::encode(&checkpoint.head_hash.0),
            state_hash: hex::encode(&checkpoint.state_hash.0),
            time: rfc3339(checkpoint.time),
            public_key: hex::encode(&checkpoint.public_key),
            signature: hex::encode(&checkpoint.signature),
        }
    }

    /// Reads one that somebody kept.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let about = || format!("checkpoint file `{}`", path.display());
        let text = std::fs::read_to_string(path).with_context(about)?;
        serde_json::from_str(&text).with_context(about)
    }

    pub(super) fn checkpoint(&self) -> anyhow::Result<Checkpoint> {
        let unfit =
            |member| anyhow!("`{member}` of the checkpoint file is not what `ledger checkpoint` prints");
        Ok(Checkpoint {
            ledger_id: LedgerId(self.ledger_id),
            revision: self.revision,
            head_hash: Hash(hex::decode(&self.head_hash).ok_or_else(|| unfit("head_hash"))?),
            state_hash: Hash(hex::decode(&self.state_hash).ok_or_else(|| unfit("state_hash"))?),
            time: parse_rfc3339(&self.time).ok_or_else(|| unfit("time"))?,
            public_key: hex::decode(&self.public_key).ok_or_else(|| unfit("public_key"))?,
            signature: hex::decode(&self.signature).ok_or_else(|| unfit("signature"))?,
        })
    }
}
