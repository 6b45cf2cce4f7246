//! `grantd ssh-ca`: whose certificates VMs are to trust.

use clap::Args;
use serde_json::json;

use crate::client::{Client, ClientArgs, Why};
use crate::exit::Ended;
use crate::output;

/// Which authority.
#[derive(Debug, Args)]
pub(crate) struct CaArgs {
    /// Put another one in its place: at once no certificate of the one before opens anything
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Prints the line for `TrustedUserCAKeys`.
pub(crate) fn ca(args: &CaArgs) -> anyhow::Result<Ended> {
    let (client, path) = (Client::new(&args.server)?, "/api/v1/ssh/ca");
    let ca = if args.replace { client.post(path, &json!({}), &args.why) } else { client.get(path) }?;
    if args.server.json {
        output::json(&ca.body)?;
    } else {
        output::line(ca.text("public_key"))?;
    }
    Ok(Ended::Yes)
}
