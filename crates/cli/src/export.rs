//! `grantd export`: relationships into a file.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::client::{Client, ClientArgs, segment};
use crate::exit::Ended;
use crate::import::FileFormat;
use crate::{output, progress};

/// What to export, and where to.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// File to write; stdout without it
    file: Option<PathBuf>,
    /// Form of the lines [default: csv for a file named *.csv, else jsonl]
    #[arg(long, value_name = "FORMAT")]
    format: Option<FileFormat>,
    /// Only on this resource, `type:id`
    #[arg(long, value_name = "TYPE:ID")]
    resource: Option<String>,
    /// Only this relation
    #[arg(long, value_name = "NAME")]
    relation: Option<String>,
    /// Only with this subject
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// Only on resources of this type
    #[arg(long, value_name = "TYPE")]
    resource_type: Option<String>,
    /// Only with subjects of this type
    #[arg(long, value_name = "TYPE")]
    subject_type: Option<String>,
    /// Leave out managed relationships, which an import elsewhere would refuse
    #[arg(long)]
    without_managed: bool,
    #[command(flatten)]
    server: ClientArgs,
}

/// Writes the file; it has its name only once it is whole.
pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<Ended> {
    let mut body = Client::new(&args.server)?.stream(&path(args))?;
    match &args.file {
        None => {
            copy(&mut body, &mut std::io::stdout().lock())?;
        }
        Some(file) => {
            let about = || format!("`{}`", file.display());
            let part = beside(file, "part");
            let mut out = BufWriter::new(File::create(&part).with_context(about)?);
            let (lines, bytes) = copy(&mut body, &mut out)?;
            out.into_inner()
                .map_err(std::io::IntoInnerError::into_error)
                .and_then(|file| file.sync_all())
                .with_context(about)?;
            std::fs::rename(&part, file).with_context(about)?;
            output::note(format_args!("{lines} lines, {bytes} bytes"))?;
        }
    }
    Ok(Ended::Yes)
}

fn path(args: &ExportArgs) -> String {
    let format = FileFormat::of(args.format, args.file.as_deref());
    let mut path = format!("/api/v1/relationships/export?format={}", format.name());
    for (name, value) in [
        ("resource", &args.resource),
        ("relation", &args.relation),
        ("subject", &args.subject),
        ("resource_type", &args.resource_type),
        ("subject_type", &args.subject_type),
    ] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", segment(value)));
        }
    }
    if args.without_managed {
        path.push_str("&managed=false");
    }
    path
}

/// Copies to the end; tells how many lines and bytes.
fn copy(from: &mut impl Read, to: &mut impl Write) -> anyhow::Result<(u64, u64)> {
    let bar = progress::bytes(None);
    let (mut lines, mut bytes) = (0, 0);
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = from.read(&mut buffer).context("the export broke off; what there is of it is not all")?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else { break };
        to.write_all(piece)?;
        lines += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        bytes += read as u64;
        bar.inc(read as u64);
    }
    to.flush()?;
    bar.finish_and_clear();
    Ok((lines, bytes))
}

/// A file's name with something behind it.
pub(crate) fn beside(file: &Path, what: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}
