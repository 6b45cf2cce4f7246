//! The SSH gateway, if one is asked for, and SSH certificates.

use std::time::Duration;

use anyhow::bail;
use grantd_server::ssh::certificate::LIVES;
use grantd_server::ssh::gateway::{Gateway, SshSettings};

use crate::args::ServeArgs;

/// Looked at before anything is opened or made.
pub(super) fn check(args: &ServeArgs) -> anyhow::Result<()> {
    let is_asked_for = args.listen.iter().any(crate::args::ListenArg::is_ssh);
    if is_asked_for && args.store.store.is_some() && args.ssh_host_key.is_none() {
        bail!(
            "--listen ssh=... with --store needs --ssh-host-key FILE: all nodes of a store must show the same key; \
             make one with `ssh-keygen -t ed25519 -N '' -f FILE` and give each node a copy"
        );
    }
    let least = [
        ("ssh_connections", args.ssh_connections.map(u64::from)),
        ("ssh_connections_per_source", args.ssh_connections_per_source.map(u64::from)),
        ("ssh_sign_in", args.ssh_sign_in),
    ];
    if args.ssh_certificate_ttl.is_some_and(|ttl| !LIVES.contains(&ttl)) {
        bail!("`ssh_certificate_ttl` must be {} to {} seconds", LIVES.start(), LIVES.end());
    }
    match least.into_iter().find(|(_, value)| *value == Some(0)) {
        Some((setting, _)) => bail!("`{setting}` must be at least 1: nobody could sign in"),
        None => Ok(()),
    }
}

/// How long a certificate counts at most.
pub(super) fn certificate_ttl(args: &ServeArgs) -> u64 {
    args.ssh_certificate_ttl.unwrap_or(*LIVES.end())
}

/// Its addresses are ours and its key is there, once this returns.
pub(super) async fn bind(args: &ServeArgs) -> anyhow::Result<Option<Gateway>> {
    let addrs: Vec<_> =
        args.listen.iter().filter(|listen| listen.is_ssh()).map(|listen| listen.addr).collect();
    if addrs.is_empty() {
        return Ok(None);
    }
    let default = SshSettings::default();
    let settings = SshSettings {
        host_key: args.ssh_host_key.clone().unwrap_or_else(|| args.store.data().join(default.host_key)),
        connections: count(args.ssh_connections, default.connections),
        connections_per_source: count(args.ssh_connections_per_source, default.connections_per_source),
        sign_in: args.ssh_sign_in.map_or(default.sign_in, Duration::from_secs),
        idle: match args.ssh_idle {
            None => default.idle,
            Some(0) => None,
            Some(seconds) => Some(Duration::from_secs(seconds)),
        },
    };
    Ok(Some(Gateway::bind(&addrs, settings).await?))
}

fn count(given: Option<u32>, default: usize) -> usize {
    given.map_or(default, |given| usize::try_from(given).unwrap_or(usize::MAX))
}
