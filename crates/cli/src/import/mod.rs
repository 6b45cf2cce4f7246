//! `grantd import`: relationships from a file.
//!
//! The file goes to the server in pieces of a few megabytes, one request each: after each answer it is known what is durable,
//! and written down beside the file, so that an import whose client or server was killed goes on with `--resume`.

mod mark;
mod pieces;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::client::{Client, ClientArgs, Sent, Why, text};
use crate::exit::Ended;
use crate::{output, progress};
use mark::{Mark, Marked};
use pieces::{Piece, Pieces};

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileFormat {
    /// One JSON object a line
    Jsonl,
    /// Comma-separated values with a header: resource, relation, subject, until, condition, parameters
    Csv,
}

impl FileFormat {
    /// The one that was named, or that of the file's name.
    pub(crate) fn of(named: Option<Self>, file: Option<&Path>) -> Self {
        let csv =
            file.and_then(Path::extension).is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        named.unwrap_or(if csv { Self::Csv } else { Self::Jsonl })
    }

    /// As the API names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }
}

/// What to import.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// File to read; `-` is stdin
    file: PathBuf,
    /// Form of the lines [default: csv for a file named *.csv, else jsonl]
    #[arg(long, value_name = "FORMAT")]
    format: Option<FileFormat>,
    /// Go on where an import of this file was interrupted
    #[arg(long, conflicts_with_all = ["from_line", "dry_run"])]
    resume: bool,
    /// Begin with this line of the file
    #[arg(long, value_name = "LINE")]
    from_line: Option<u64>,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Exits with 0 when every line was taken, 1 when some were refused.
pub(crate) fn run(args: &ImportArgs) -> anyhow::Result<Ended> {
    let client = Client::new(&args.server)?;
    let format = FileFormat::of(args.format, Some(&args.file));
    let about = || format!("`{}`", args.file.display());
    let stdin = args.file.as_os_str() == "-";
    if stdin && args.resume {
        bail!("stdin cannot be resumed; name the line to begin with by --from-line");
    }
    let (reader, mark): (Box<dyn Read>, Option<Mark>) = if stdin {
        (Box::new(std::io::stdin()), None)
    } else {
        let file = File::open(&args.file).with_context(about)?;
        let mark = Mark::new(&args.file, &file.metadata().with_context(about)?, client.base());
        (Box::new(file), Some(mark).filter(|_| !args.dry_run))
    };
    let bar = progress::bytes(mark.as_ref().map(Mark::size));
    let mut import = Import { args, client, format, mark, bar, done: Marked::default(), errors: Vec::new() };
    if args.resume {
        import.done = import.mark.as_ref().map(Mark::read).transpose()?.flatten().unwrap_or_default();
    }
    let begin = args.from_line.unwrap_or(1).max(import.done.lines + 1);
    import.run(Pieces::new(BufReader::new(reader), format == FileFormat::Csv, begin))?;
    import.report()
}

struct Import<'a> {
    args: &'a ImportArgs,
    client: Client,
    format: FileFormat,
    mark: Option<Mark>,
    bar: ProgressBar,
    done: Marked,
    errors: Vec<Value>,
}

impl Import<'_> {
    fn run(&mut self, mut pieces: Pieces<impl Read>) -> anyhow::Result<()> {
        let about = || format!("`{}`", self.args.file.display());
        loop {
            let next = pieces.next().with_context(about);
            let piece = match next {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(error) => return Err(self.interrupted(error)),
            };
            self.send(&piece)?;
            self.bar.set_position(piece.read);
            self.bar.set_message(format!("{} lines", self.done.lines));
        }
        self.bar.finish_and_clear();
        if let Some(mark) = &self.mark {
            mark.remove()?;
        }
        Ok(())
    }

    fn send(&mut self, piece: &Piece) -> anyhow::Result<()> {
        let dry_run = if self.args.dry_run { "?dry_run=true" } else { "" };
        let path = format!("/api/v1/relationships/import{dry_run}");
        let content_type = self.format.content_type();
        match self.client.send(&path, content_type, &piece.body, &self.args.why) {
            Ok(Sent::Done(answer)) => self.note(piece, &answer, piece.last),
            Ok(Sent::Failed(progress, error)) => {
                if let Some(progress) = progress {
                    let next = progress.get("resume_from").and_then(Value::as_u64).unwrap_or(1);
                    self.note(piece, &progress, piece.line(next).saturating_sub(1))?;
                }
                Err(self.interrupted(error))
            }
            Err(error) => Err(self.interrupted(error)),
        }
    }

    /// Adds what the server said of a piece, and writes down how far the file is imported.
    fn note(&mut self, piece: &Piece, answer: &Value, last: u64) -> anyhow::Result<()> {
        let count = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
        self.done.lines = self.done.lines.max(last);
        self.done.written += count("written");
        self.done.unchanged += count("unchanged");
        self.done.refused += count("refused");
        for error in answer.get("errors").and_then(Value::as_array).into_iter().flatten() {
            let line = piece.line(error.get("line").and_then(Value::as_u64).unwrap_or_default());
            let (code, problem) = (text(error, "code"), text(error, "error"));
            if !self.args.server.json {
                let plain: String = problem.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                self.bar.suspend(|| output::note(format_args!("line {line}: {plain} ({code})")))?;
            }
            self.errors.push(json!({ "line": line, "code": code, "error": problem }));
        }
        match &self.mark {
            Some(mark) => mark.write(&self.done),
            None => Ok(()),
        }
    }

    /// Says what is in, and how to go on.
    fn interrupted(&self, error: anyhow::Error) -> anyhow::Error {
        self.bar.finish_and_clear();
        if self.args.dry_run {
            return error;
        }
        let lines = self.done.lines;
        let how = match &self.mark {
            Some(_) => "--resume".to_owned(),
            None => format!("--from-line {}", lines + 1),
        };
        error.context(format!("the import stopped; the lines up to {lines} are dealt with; go on with {how}"))
    }

    fn report(&self) -> anyhow::Result<Ended> {
        let Marked { lines, written, unchanged, refused } = self.done;
        if self.args.server.json {
            output::json(&json!({
                "lines": lines, "written": written, "unchanged": unchanged, "refused": refused,
                "errors": self.errors,
            }))?;
        } else {
            let told = self.errors.len() as u64;
            if told < refused {
                output::note(format_args!("... and {} more lines were refused", refused - told))?;
            }
            let would = if self.args.dry_run { " would be" } else { "" };
            output::line(format_args!(
                "{lines} lines: {written}{would} written, {unchanged} unchanged, {refused} refused"
            ))?;
        }
        Ok((refused == 0).into())
    }
}
