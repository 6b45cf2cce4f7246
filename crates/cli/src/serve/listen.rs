//! Where the server listens, and with which certificate.

use std::path::Path;

use anyhow::bail;
use grantd_server::edge::Listen;
use grantd_server::edge::tls::Tls;
use grantd_server::serve::CLIENT_AUTHORITIES;

use crate::args::{ListenArg, ServeArgs};

/// Refuses to be reached from other machines without TLS, or where it asks for no credential; looked at before anything is opened
/// or made.
pub(super) fn check(args: &ServeArgs) -> anyhow::Result<()> {
    let reachable = http(args).into_iter().find(|listen| !listen.addr.ip().is_loopback());
    if args.mix_open {
        // A proxy is on loopback itself, and whoever it speaks for is not.
        if args.behind_proxy {
            bail!(
                "--mix-open takes callers without a credential, and --behind-proxy would bring them from elsewhere; leave one out"
            );
        }
        if let Some(ListenArg { addr, .. }) = &reachable {
            bail!(
                "{addr} can be reached from other machines; with --mix-open every --listen must be a loopback address"
            );
        }
    }
    if args.behind_proxy || args.tls_self_signed || args.tls_cert.is_some() {
        return Ok(());
    }
    match reachable {
        None => Ok(()),
        Some(ListenArg { addr, .. }) => bail!(
            "{addr} can be reached from other machines and would be served without TLS; \
             give --tls-cert and --tls-key, --tls-self-signed, or --behind-proxy if a proxy does TLS"
        ),
    }
}

/// Where HTTP is spoken. A gateway for SSH alone takes nothing away: it needs a server that can be asked.
fn http(args: &ServeArgs) -> Vec<ListenArg> {
    let named: Vec<_> = args.listen.iter().filter(|listen| !listen.is_ssh()).cloned().collect();
    let default = ListenArg { dialect: None, addr: ([127, 0, 0, 1], 7070).into() };
    if named.is_empty() { vec![default] } else { named }
}

/// The listeners, with their certificate: read from its files, or made in the data directory.
pub(super) fn listeners(args: &ServeArgs, data: &Path) -> anyhow::Result<Vec<Listen>> {
    let wanted = http(args);
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Some(Tls::from_pem_files(cert, key, &CLIENT_AUTHORITIES)?),
        _ if args.tls_self_signed => {
            let mut names: Vec<String> = vec!["localhost".into()];
            names.extend(wanted.iter().map(|listen| listen.addr.ip().to_string()));
            Some(Tls::self_signed(data, &names, &CLIENT_AUTHORITIES)?)
        }
        _ => None,
    };
    let listen = |arg: ListenArg| Listen {
        addr: arg.addr,
        tag: arg.dialect.unwrap_or_else(|| "main".into()).into(),
        tls: tls.clone(),
    };
    Ok(wanted.into_iter().map(listen).collect())
}
