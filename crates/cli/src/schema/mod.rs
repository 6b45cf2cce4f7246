//! `grantd schema`: permission models.

mod csv;
mod report;
mod store;
mod test;
mod tuples;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use grantd_engine::{Schema, SchemaError, Source};
use grantd_realm::builtin;
use serde_json::{Value, json};

use crate::client::{Client, ClientArgs, Why};
use crate::exit::Ended;
use crate::output;

/// What to do with models.
#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// Check files as one model beside the built-in ones; no server needed; exits with 1 on a mistake
    Check(CheckArgs),
    /// Show the model of a realm
    Show(ShowArgs),
    /// Give a realm a model in place of the one that it has
    Load(LoadArgs),
    /// Run the tests of OpenFGA store files (*.fga.yaml); no server needed; exits with 1 if one fails
    Test(TestArgs),
}

/// Files to check.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Files in the modelling language, or in its JSON form (*.json)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Check the files alone, without the built-in types
    #[arg(long)]
    alone: bool,
}

/// Which realm.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    server: ClientArgs,
}

/// A model to be loaded.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// File in the modelling language, or in its JSON form (*.json)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only say which stored relationships would be orphaned
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Store files.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Store files
    #[arg(required = true, value_name = "STORE_FILE")]
    files: Vec<PathBuf>,
}

/// Runs one of them.
pub(crate) fn run(command: &SchemaCommand) -> anyhow::Result<Ended> {
    match command {
        SchemaCommand::Check(args) => check(args),
        SchemaCommand::Show(args) => show(args),
        SchemaCommand::Load(args) => load(args),
        SchemaCommand::Test(args) => test::run(&args.files),
    }
}

fn check(CheckArgs { files, alone }: &CheckArgs) -> anyhow::Result<Ended> {
    let base = if *alone { Schema::default() } else { Schema::clone(&*builtin::schema()?) };
    match read(&base, files)? {
        Ok(schema) => {
            let own = schema.without(&base);
            let relations: usize = own.types().map(|kind| own.relations(kind.as_str()).count()).sum();
            let types = own.types().filter(|kind| base.type_name(kind.as_str()).is_none()).count();
            let conditions = own.conditions().count();
            output::line(format_args!(
                "good: {types} types, {relations} relations, {conditions} conditions"
            ))?;
            Ok(Ended::Yes)
        }
        Err(mistake) => {
            output::line(mistake)?;
            Ok(Ended::No)
        }
    }
}

/// Files as one schema; a single file may be in the JSON form.
fn read(base: &Schema, files: &[PathBuf]) -> anyhow::Result<Result<Schema, SchemaError>> {
    let texts = files
        .iter()
        .map(|file| Ok((file.display().to_string(), text_of(file)?)))
        .collect::<anyhow::Result<Vec<(String, String)>>>()?;
    if let ([file], [(name, text)]) = (files, texts.as_slice())
        && is_json(file)
    {
        return Ok(base.extend_json(name, text));
    }
    anyhow::ensure!(
        !files.iter().any(|file| is_json(file)),
        "a model in its JSON form must be the only file"
    );
    let sources: Vec<_> = texts.iter().map(|(name, text)| Source { name, text }).collect();
    Ok(base.extend(&sources))
}

fn text_of(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("`{}`", file.display()))
}

fn is_json(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "json")
}

fn show(ShowArgs { server }: &ShowArgs) -> anyhow::Result<Ended> {
    let client = Client::new(server)?;
    if server.json {
        output::json(&client.get("/api/v1/schema?format=json")?.body)?;
        return Ok(Ended::Yes);
    }
    let text = client.get_text("/api/v1/schema?format=text")?;
    if text.is_empty() {
        output::note("the realm has no model of its own")?;
    } else {
        output::line(text.trim_end_matches('\n'))?;
    }
    Ok(Ended::Yes)
}

fn load(LoadArgs { file, dry_run, why, server }: &LoadArgs) -> anyhow::Result<Ended> {
    let text = text_of(file)?;
    let schema = if is_json(file) {
        serde_json::from_str::<Value>(&text).with_context(|| format!("`{}`", file.display()))?
    } else {
        Value::String(text)
    };
    let answer =
        Client::new(server)?.put("/api/v1/schema", &json!({"schema": schema, "dry_run": dry_run}), why)?;
    if server.json {
        output::json(&answer.body)?;
        return Ok(Ended::Yes);
    }
    let orphans = answer.body.get("orphan_count").and_then(Value::as_u64).unwrap_or_default();
    if *dry_run {
        let s = if orphans == 1 { "" } else { "s" };
        output::line(format_args!("the model is good; {orphans} stored relationship{s} would be orphaned"))?;
        for orphan in answer.body.get("orphans").and_then(Value::as_array).into_iter().flatten() {
            output::line(orphan.as_str().unwrap_or_default())?;
        }
        return Ok((orphans == 0).into());
    }
    output::line(format_args!("the model is loaded (revision {})", answer.text("revision")))?;
    Ok(Ended::Yes)
}
