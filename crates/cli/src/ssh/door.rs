//! Asking whether somebody at the door may come in, in a time that sshd can wait.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::connection;
use crate::client::{Answer, Client, ClientArgs};

/// How long it may take in all. Whoever waits at the door sees no prompt until then.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which door, and as whom.
#[derive(Debug, Args)]
pub(crate) struct DoorArgs {
    /// The id of this VM, the one that grants name
    #[arg(long, value_name = "ID")]
    vm: String,
    /// The Linux user: %u
    #[arg(long, value_name = "NAME")]
    user: String,
    /// What tells this connection from others, for an sshd that has a token for it [default: the process that called]
    #[arg(long, value_name = "TEXT")]
    connection: Option<String>,
    #[command(flatten)]
    server: ClientArgs,
}

impl DoorArgs {
    /// Asks about who shows this. However it fails, it fails in time, and then nobody comes in.
    pub(super) fn ask(&self, shown: &[(&str, &str)]) -> anyhow::Result<Answer> {
        // Neither a disk that hangs nor a name that is not resolved may hold sshd.
        std::thread::spawn(|| {
            std::thread::sleep(PATIENCE);
            anstream::eprintln!("error: no answer within {} seconds; nobody is let in", PATIENCE.as_secs());
            std::process::exit(2);
        });
        let connection = self.connection.clone().unwrap_or_else(connection::of_parent);
        let mut login = json!({ "vm": self.vm, "user": self.user, "connection": connection });
        if let Some(login) = login.as_object_mut() {
            login.extend(shown.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        }
        Client::within(&self.server, PATIENCE)?.ask("/api/v1/ssh/authorize", &login, None)
    }
}

/// Whether they may come in.
pub(super) fn is_allowed(answer: &Answer) -> bool {
    answer.body.get("allowed").and_then(Value::as_bool) == Some(true)
}
