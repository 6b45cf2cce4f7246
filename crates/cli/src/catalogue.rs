//! `grantd catalogue`: permissions as records.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::client::{Client, ClientArgs, Why, plain, text};
use crate::exit::Ended;
use crate::output;

/// What to do with the catalogue.
#[derive(Debug, Subcommand)]
pub(crate) enum CatalogueCommand {
    /// List the permissions, with their content types
    Show(ClientArgs),
    /// Bring the catalogue into line with a file; the same again changes nothing
    Sync(SyncArgs),
}

/// What there is to be.
#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// JSON: `{"content_types": [{"app_label", "model", "permissions": [{"codename", "name"}]}]}`, each with `renamed_from` where
    /// it had another name; `-` reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Delete what the file does not name: permissions of its content types, and content types of its apps
    #[arg(long)]
    prune: bool,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Runs one of them.
pub(crate) fn run(command: &CatalogueCommand) -> anyhow::Result<Ended> {
    match command {
        CatalogueCommand::Show(args) => show(args),
        CatalogueCommand::Sync(args) => sync(args),
    }?;
    Ok(Ended::Yes)
}

fn show(args: &ClientArgs) -> anyhow::Result<()> {
    let answer = Client::new(args)?.get("/api/v1/catalogue")?;
    if args.json {
        return output::json(&answer.body);
    }
    let mut rows = Vec::new();
    for kind in list(&answer.body, "content_types") {
        let of = format!("{}.{}", text(kind, "app_label"), text(kind, "model"));
        for one in list(kind, "permissions") {
            let row = [text(one, "id"), of.clone(), text(one, "codename"), text(one, "name")];
            rows.push(row.map(|text| plain(&text)).to_vec());
        }
    }
    output::table(&["ID", "CONTENT TYPE", "CODENAME", "NAME"], rows)
}

fn sync(args: &SyncArgs) -> anyhow::Result<()> {
    let mut body = read(&args.file)?;
    let object = body.as_object_mut().context("the file must hold a JSON object with `content_types`")?;
    for (member, asked) in [("prune", args.prune), ("dry_run", args.dry_run)] {
        if asked {
            object.insert(member.into(), true.into());
        }
    }
    let answer = Client::new(&args.server)?.put("/api/v1/catalogue", &body, &args.why)?.body;
    if args.server.json {
        return output::json(&answer);
    }
    for (mark, member) in [("+", "created"), ("~", "changed"), ("-", "deleted")] {
        for key in list(&answer, member) {
            output::line(format_args!("{mark} {}", plain(key.as_str().unwrap_or_default())))?;
        }
    }
    let done = if args.dry_run { "nothing is changed; unchanged would stay" } else { "unchanged" };
    output::note(format_args!("{done}: {} permissions", text(&answer, "unchanged")))
}

fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn read(file: &Path) -> anyhow::Result<Value> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("file `{}`", file.display()))?;
    }
    serde_json::from_str(&text).with_context(|| format!("file `{}` is no JSON", file.display()))
}
