//! Log lines on stderr.

use std::io::IsTerminal;
use std::panic;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The target of the line that each request gives; `grantd::access=off` in the filter turns them off.
pub const ACCESS: &str = "grantd::access";

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Text when stderr is a terminal, else JSON.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl std::str::FromStr for Format {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        match text {
            "auto" => Ok(Self::Auto),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(LogError::Format),
        }
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Not a [`Format`].
    #[error("a log format is `auto`, `text` or `json`")]
    Format,
    /// The filter does not parse; it is like `info,grantd::access=off`.
    #[error("the log filter cannot be read: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// [`init`] was called before.
    #[error("logging is set up already")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Sends log lines to stderr, for the whole process, and panics to the log.
///
/// # Errors
/// A filter that does not parse, or a second call.
pub fn init(format: Format, filter: &str) -> Result<(), LogError> {
    // Below that level the driver writes down what its statements are given: rows of sessions, and sealed secrets.
    let filter = EnvFilter::builder().parse(filter)?.add_directive("tokio_postgres=info".parse()?);
    let discreet = filter_fn(|of| is_discreet(of.target()));
    let json = match format {
        Format::Auto => !std::io::stderr().is_terminal(),
        Format::Text => false,
        Format::Json => true,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter).with(discreet);
    if json {
        registry.with(lines.json().flatten_event(true)).try_init()?;
    } else {
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        registry.with(lines.with_ansi(colours)).try_init()?;
    }
    log_panics();
    Ok(())
}

/// Whether lines of there may be written at all, whatever the filter says. The SSH library writes down the names that users sign in
/// with, and these hold tokens.
fn is_discreet(target: &str) -> bool {
    !target.starts_with("russh")
}

/// A panic becomes a log line that says where, and says what only if that is a text of the program: a formatted message
/// may repeat whatever the request held.
fn log_panics() {
    panic::set_hook(Box::new(|info| {
        let (file, line) = info.location().map_or(("?", 0), |at| (at.file(), at.line()));
        let message = info.payload().downcast_ref::<&'static str>().copied().unwrap_or("(not shown)");
        tracing::error!(target: "grantd::panic", file, line, message);
    }));
}
