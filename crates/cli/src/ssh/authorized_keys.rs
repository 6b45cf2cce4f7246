//! `grantd ssh-authorized-keys`: for sshd's AuthorizedKeysCommand.

use clap::Args;

use super::door::{DoorArgs, is_allowed};
use crate::exit::Ended;
use crate::output;

/// Who shows which key.
#[derive(Debug, Args)]
pub(crate) struct AuthorizedKeysArgs {
    /// The kind of the key: %t
    #[arg(long, value_name = "KIND")]
    key_type: String,
    /// The key: %k
    #[arg(long, value_name = "BASE64")]
    key: String,
    /// What stands in front of the key, see sshd(8)
    #[arg(long, value_name = "OPTIONS", default_value = "restrict,pty")]
    options: String,
    #[command(flatten)]
    door: DoorArgs,
}

/// Prints the key if who holds it may log in now, and else nothing.
pub(crate) fn authorized_keys(args: &AuthorizedKeysArgs) -> anyhow::Result<Ended> {
    let AuthorizedKeysArgs { key_type, key, options, door } = args;
    anyhow::ensure!(
        !options.chars().any(char::is_control),
        "--options must be one line, as in front of a key in `authorized_keys`"
    );
    // Certificates are for the principals command.
    if key_type.contains("-cert-v") {
        return Ok(Ended::Yes);
    }
    let answer = door.ask(&[("public_key", &format!("{key_type} {key}"))])?;
    if is_allowed(&answer) {
        let line = format!("{options} {key_type} {key}");
        output::line(line.trim_start())?;
    }
    Ok(Ended::Yes)
}
