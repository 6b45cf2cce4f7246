//! `grantd ssh-certificate`: a certificate for a key, to log in to a VM with.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::client::{Client, ClientArgs, Why, segment};
use crate::exit::Ended;
use crate::output;

/// Which key, for which VM.
#[derive(Debug, Args)]
pub(crate) struct CertificateArgs {
    /// The VM's id
    vm: String,
    /// The public key (`.pub`) to certify; the certificate goes into the file that ssh looks for beside it (`-cert.pub`)
    #[arg(value_name = "FILE")]
    key: PathBuf,
    /// As which Linux user; may be given again [default: those that the grant names, or root]
    #[arg(long = "user", value_name = "NAME", value_delimiter = ',')]
    users: Vec<String>,
    /// How many seconds it counts: 30 to 3600 [default: 300]
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
    /// For which identity, by an API key that holds writer [default: the one whose token is shown]
    #[arg(long, value_name = "ID")]
    identity: Option<String>,
    /// Print the certificate instead
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    server: ClientArgs,
}

/// Has a key certified.
pub(crate) fn certificate(args: &CertificateArgs) -> anyhow::Result<Ended> {
    let key =
        std::fs::read_to_string(&args.key).with_context(|| format!("key file `{}`", args.key.display()))?;
    let users = Some(&args.users).filter(|users| !users.is_empty());
    let body =
        json!({ "public_key": key, "users": users, "ttl_seconds": args.ttl, "identity": args.identity });
    let path = format!("/api/v1/vms/{}/certificates", segment(&args.vm));
    let issued = Client::new(&args.server)?.post(&path, &body, &Why::default())?;
    if args.server.json {
        output::json(&issued.body)?;
    } else if args.print {
        output::line(issued.text("certificate"))?;
    } else {
        let file = beside(&args.key)?;
        std::fs::write(&file, format!("{}\n", issued.text("certificate")))
            .with_context(|| format!("certificate file `{}`", file.display()))?;
        output::line(format_args!("{} counts until {}", file.display(), issued.text("expires_at")))?;
    }
    Ok(Ended::Yes)
}

/// `id_ed25519.pub` -> `id_ed25519-cert.pub`.
fn beside(key: &Path) -> anyhow::Result<PathBuf> {
    let name = key.file_name().and_then(|name| name.to_str());
    let name = name.and_then(|name| name.strip_suffix(".pub"));
    let name =
        name.with_context(|| format!("`{}` is no public key: its name must end with .pub", key.display()))?;
    Ok(key.with_file_name(format!("{name}-cert.pub")))
}
