//! The address of the store: a `postgres://` URL or a list of `key=value`, as libpq takes them, with one or more hosts.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, SslNegotiation, TargetSessionAttrs};

use super::options::PostgresOptions;
use super::tls::{self, Connect, Protection};
use crate::store::StoreError;

/// One host of the address, and how it is reached.
pub(super) struct Place {
    /// As errors name it.
    pub(super) name: String,
    pub(super) config: Config,
    pub(super) tls: Connect,
    /// How long to try it.
    pub(super) patience: Duration,
}

/// What of an address is ours to read, because the client library does not know it or not all of it.
#[derive(Debug, Default, PartialEq)]
struct Settings {
    mode: Option<Protection>,
    files: tls::Files,
    any_session: bool,
}

/// The hosts of an address, in their order.
///
/// # Errors
/// [`StoreError::Invalid`]; its text never holds a part of the address but the names of hosts and files.
pub(super) fn places(address: &str, options: &PostgresOptions) -> Result<Vec<Place>, StoreError> {
    let (rest, settings) = take_ours(address)?;
    settings.files.check()?;
    // The parser's own text may quote the address, and with it the password.
    let config: Config = rest.parse().map_err(|_| not_an_address())?;
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    if hosts.is_empty() && addresses.is_empty() {
        return Err(invalid("names no host; for a socket add `?host=/var/run/postgresql`"));
    }
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(invalid("has as many `hostaddr` as `host`, or none"));
    }
    let ports = config.get_ports();
    let count = hosts.len().max(addresses.len());
    if ports.len() > 1 && ports.len() != count {
        return Err(invalid("has one port for all hosts, or one for each"));
    }
    (0..count)
        .map(|index| {
            let (host, address) = (hosts.get(index), addresses.get(index).copied());
            let port = ports.get(index).or_else(|| ports.first()).copied().unwrap_or(5432);
            place(&config, &settings, options, (host, address, port))
        })
        .collect()
}

fn place(
    all: &Config,
    settings: &Settings,
    options: &PostgresOptions,
    (host, address, port): (Option<&Host>, Option<IpAddr>, u16),
) -> Result<Place, StoreError> {
    let mut config = without_hosts(all, options);
    config.port(port);
    if let Some(address) = address {
        config.hostaddr(address);
    }
    let (mut name, mut protection) = (address.map(|address| address.to_string()), settings.mode);
    match host {
        Some(Host::Tcp(host)) => {
            config.host(host);
            name = Some(host.clone());
        }
        #[cfg(unix)]
        Some(Host::Unix(path)) => {
            config.host_path(path);
            name = Some(path.display().to_string());
            protection = Some(Protection::Disable);
        }
        None => {
            // A certificate may be for an address.
            config.host(address.map(|address| address.to_string()).unwrap_or_default());
        }
    }
    let name = name.unwrap_or_default();
    let default = if is_local(&name, address) { Protection::Prefer } else { Protection::VerifyFull };
    let protection = protection.unwrap_or(default);
    config.ssl_mode(protection.mode());
    let any = if settings.any_session { TargetSessionAttrs::Any } else { TargetSessionAttrs::ReadWrite };
    config.target_session_attrs(any);
    let direct = config.get_ssl_negotiation() == SslNegotiation::Direct;
    if direct && config.get_ssl_mode() != SslMode::Require {
        return Err(invalid("has `sslnegotiation=direct`, and so needs `sslmode=require` or a stricter one"));
    }
    let patience = options.connect_timeout.max(all.get_connect_timeout().copied().unwrap_or_default());
    let tls = tls::connector(protection, &settings.files, direct)?;
    Ok(Place { name: format!("{name}:{port}"), config, tls, patience })
}

/// All that is the same for each host. A server that is gone without a word is noticed within seconds.
fn without_hosts(all: &Config, options: &PostgresOptions) -> Config {
    let mut config = Config::new();
    if let Some(user) = all.get_user() {
        config.user(user);
    }
    if let Some(password) = all.get_password() {
        config.password(password);
    }
    if let Some(dbname) = all.get_dbname() {
        config.dbname(dbname);
    }
    if let Some(options) = all.get_options() {
        config.options(options);
    }
    config.application_name(all.get_application_name().unwrap_or(options.application_name));
    config.ssl_negotiation(all.get_ssl_negotiation()).channel_binding(all.get_channel_binding());
    config.connect_timeout(all.get_connect_timeout().copied().unwrap_or(options.connect_timeout));
    config.tcp_user_timeout(all.get_tcp_user_timeout().copied().unwrap_or(options.patience()));
    let idle = all.get_keepalives_idle();
    let unset = Config::new().get_keepalives_idle();
    config.keepalives(all.get_keepalives());
    config.keepalives_idle(if idle == unset { Duration::from_secs(10) } else { idle });
    config.keepalives_interval(all.get_keepalives_interval().unwrap_or(Duration::from_secs(3)));
    config.keepalives_retries(all.get_keepalives_retries().unwrap_or(3));
    config
}

/// Whether what is sent there does not leave this machine.
fn is_local(name: &str, address: Option<IpAddr>) -> bool {
    let named = name.parse().ok();
    match address.or(named) {
        Some(address) => address.is_loopback(),
        None => name == "localhost",
    }
}

/// Takes our settings out of an address.
fn take_ours(address: &str) -> Result<(String, Settings), StoreError> {
    let mut settings = Settings::default();
    let is_url = address.starts_with("postgres://") || address.starts_with("postgresql://");
    let rest = if is_url { from_query(address, &mut settings)? } else { from_pairs(address, &mut settings)? };
    Ok((rest, settings))
}

fn from_query(url: &str, settings: &mut Settings) -> Result<String, StoreError> {
    // What stands before the first `@` may be a password.
    let start = url.find('@').unwrap_or_default();
    let Some(query) = url.get(start..).and_then(|rest| rest.find('?')).map(|at| start + at) else {
        return Ok(url.to_owned());
    };
    let (front, query) = (url.get(..query).unwrap_or_default(), url.get(query + 1..).unwrap_or_default());
    let mut others = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(not_an_address)?;
        let value = percent_decode_str(value).decode_utf8().map_err(|_| not_an_address())?;
        if !settings.take(key, &value)? {
            others.push(pair);
        }
    }
    let separator = if others.is_empty() { "" } else { "?" };
    Ok(format!("{front}{separator}{}", others.join("&")))
}

fn from_pairs(text: &str, settings: &mut Settings) -> Result<String, StoreError> {
    let mut others = String::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(not_an_address)?;
        let (value, length) = value_of(after.trim_start()).ok_or_else(not_an_address)?;
        let end = rest.len() - after.trim_start().len() + length;
        if !settings.take(key.trim(), &value)? {
            others.push_str(rest.get(..end).unwrap_or_default());
            others.push(' ');
        }
        rest = rest.get(end..).unwrap_or_default().trim_start();
    }
    Ok(others)
}

/// A value of the `key=value` form, quoted or not, and how long it is as it is written.
fn value_of(text: &str) -> Option<(String, usize)> {
    let quoted = text.starts_with('\'');
    let (mut value, mut escaped) = (String::new(), false);
    for (at, character) in text.char_indices().skip(usize::from(quoted)) {
        match character {
            _ if escaped => {
                value.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '\'' if quoted => return Some((value, at + 1)),
            _ if !quoted && character.is_whitespace() => return Some((value, at)),
            _ => value.push(character),
        }
    }
    (!quoted && !escaped).then_some((value, text.len()))
}

impl Settings {
    /// Takes a setting if it is one of ours.
    fn take(&mut self, key: &str, value: &str) -> Result<bool, StoreError> {
        let file = || Some(PathBuf::from(value));
        match key {
            "sslmode" => self.mode = Some(value.parse()?),
            "sslrootcert" if value == "system" => self.files.root = None,
            "sslrootcert" => self.files.root = file(),
            "sslcert" => self.files.certificate = file(),
            "sslkey" => self.files.key = file(),
            "target_session_attrs" => match value {
                "any" => self.any_session = true,
                "read-write" | "primary" => self.any_session = false,
                _ => {
                    return Err(invalid(
                        "has a `target_session_attrs` that is neither `read-write` nor `any`; grantd writes",
                    ));
                }
            },
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl FromStr for Protection {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        Ok(match text {
            "disable" => Self::Disable,
            // The library knows no way to try it without first.
            "allow" | "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => {
                return Err(invalid(
                    "has an unknown `sslmode`; there are disable, prefer, require, verify-ca and verify-full",
                ));
            }
        })
    }
}

fn not_an_address() -> StoreError {
    invalid("is neither a PostgreSQL URL nor a list of `key=value` with settings that grantd knows")
}

pub(super) fn invalid(what: &str) -> StoreError {
    StoreError::Invalid(format!("the address of the store {what}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a failed test panics")]
mod tests;
