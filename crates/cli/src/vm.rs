//! `grantd vm`: machines behind the SSH gateway.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::fields;
use crate::client::{Answer, Client, ClientArgs, Why, segment, text};
use crate::exit::Ended;
use crate::output;

/// What to do with VMs.
#[derive(Debug, Subcommand)]
pub(crate) enum VmCommand {
    /// List the VMs
    List(ClientArgs),
    /// Show a VM
    Show(ShowArgs),
    /// Register a VM, or say how it is reached and known from now on; prints the key that it is to trust
    Set(SetArgs),
    /// Give the gateway another key to a VM, and print it; the one before is used too for 24 hours
    Rotate(OneArgs),
    /// Remove a VM with every grant on it
    Remove(OneArgs),
}

/// A VM to be shown.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Its id
    id: String,
    #[command(flatten)]
    server: ClientArgs,
}

/// How a VM is reached, and known.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// Its id: what grants on it name, and people at the gateway
    id: String,
    /// Host and port; without a port it is 22, an IPv6 address stands in brackets
    #[arg(long, value_name = "HOST[:PORT]")]
    address: String,
    /// The host key that it shows, `ssh-ed25519 AAAA...`
    #[arg(long, value_name = "KEY", required_unless_present = "host_key_file")]
    host_key: Option<String>,
    /// File that holds it, such as its /etc/ssh/ssh_host_ed25519_key.pub
    #[arg(long, value_name = "FILE", conflicts_with = "host_key")]
    host_key_file: Option<PathBuf>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// A VM to be changed.
#[derive(Debug, Args)]
pub(crate) struct OneArgs {
    /// Its id
    id: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Runs one of them.
pub(crate) fn run(command: &VmCommand) -> anyhow::Result<Ended> {
    match command {
        VmCommand::List(args) => list(args),
        VmCommand::Show(args) => show(args),
        VmCommand::Set(args) => set(args),
        VmCommand::Rotate(args) => rotate(args),
        VmCommand::Remove(args) => remove(args),
    }?;
    Ok(Ended::Yes)
}

fn of(id: &str) -> String {
    format!("/api/v1/vms/{}", segment(id))
}

fn list(args: &ClientArgs) -> anyhow::Result<()> {
    let vms = Client::new(args)?.list("/api/v1/vms")?;
    if args.json {
        return output::json(&vms);
    }
    let row =
        |vm: &Value| ["id", "address", "host_key", "created_at"].map(|member| text(vm, member)).to_vec();
    output::table(&["ID", "ADDRESS", "HOST KEY", "REGISTERED"], vms.iter().map(row).collect())
}

fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let vm = Client::new(&args.server)?.get(&of(&args.id))?.body;
    if args.server.json {
        return output::json(&vm);
    }
    output::table(&["FIELD", "VALUE"], fields(&vm))
}

fn set(args: &SetArgs) -> anyhow::Result<()> {
    let host_key = match (&args.host_key, &args.host_key_file) {
        (_, Some(path)) => {
            std::fs::read_to_string(path).with_context(|| format!("host key file `{}`", path.display()))?
        }
        (key, None) => key.clone().unwrap_or_default(),
    };
    let body = json!({ "address": args.address, "host_key": host_key });
    let vm = Client::new(&args.server)?.put(&of(&args.id), &body, &args.why)?;
    if args.server.json {
        return output::json(&vm.body);
    }
    let (id, address) = (&args.id, vm.text("address"));
    to_trust(&vm, &format!("VM {id} is reached at {address}; it must trust this key of the gateway:"))
}

fn rotate(args: &OneArgs) -> anyhow::Result<()> {
    let vm =
        Client::new(&args.server)?.post(&format!("{}/gateway-key", of(&args.id)), &json!({}), &args.why)?;
    if args.server.json {
        return output::json(&vm.body);
    }
    let until = vm.text("previous_gateway_key_until");
    to_trust(
        &vm,
        &format!("VM {} must trust this key of the gateway; the one before is used until {until}:", args.id),
    )
}

/// The key alone on stdout, so that it can be sent into a file.
fn to_trust(vm: &Answer, note: &str) -> anyhow::Result<()> {
    output::note(format_args!("{note}"))?;
    output::line(vm.text("gateway_key"))
}

fn remove(args: &OneArgs) -> anyhow::Result<()> {
    let answer = Client::new(&args.server)?.delete(&of(&args.id), &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("VM {} is removed, with {} grants on it", args.id, answer.text("grants")))
}
