//! `grantd ssh-principals`: for sshd's AuthorizedPrincipalsCommand.

use clap::Args;

use super::door::{DoorArgs, is_allowed};
use crate::exit::Ended;
use crate::output;

/// Who shows which certificate.
#[derive(Debug, Args)]
pub(crate) struct PrincipalsArgs {
    /// The certificate's key id: %i
    #[arg(long, value_name = "TEXT")]
    key_id: String,
    /// The key that signed it: %K
    #[arg(long, value_name = "BASE64")]
    ca_key: String,
    #[command(flatten)]
    door: DoorArgs,
}

/// Prints the principal that the certificate must have, if who holds it may log in now, and else nothing.
pub(crate) fn principals(args: &PrincipalsArgs) -> anyhow::Result<Ended> {
    let answer = args.door.ask(&[("key_id", &args.key_id), ("ca_key", &args.ca_key)])?;
    if is_allowed(&answer) {
        output::line(answer.text("principal"))?;
    }
    Ok(Ended::Yes)
}
