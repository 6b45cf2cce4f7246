//! `grantd ssh-ca`: whose certificates VMs are to trust.

use crate::client::{Client, ClientArgs};
use crate::exit::Ended;
use crate::output;

/// Prints the line for `TrustedUserCAKeys`.
pub(crate) fn ca(args: &ClientArgs) -> anyhow::Result<Ended> {
    let ca = Client::new(args)?.get("/api/v1/ssh/ca")?;
    if args.json {
        output::json(&ca.body)?;
    } else {
        output::line(ca.text("public_key"))?;
    }
    Ok(Ended::Yes)
}
