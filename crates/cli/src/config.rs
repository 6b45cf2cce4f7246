//! The settings file. Its keys are the long flags, with underscores; flags and `GRANTD_*` win over it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::args::{DelegationArg, ServeArgs};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data: Option<PathBuf>,
    store: Option<String>,
    master_key_file: Option<PathBuf>,
    listen: Option<Vec<String>>,
    public_url: Option<String>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    tls_self_signed: Option<bool>,
    behind_proxy: Option<bool>,
    no_root_paths: Option<bool>,
    decision_log: Option<PathBuf>,
    decision_log_every: Option<u64>,
    realm_idle: Option<u64>,
    poll: Option<f64>,
    stale_after: Option<u64>,
    max_lag: Option<u64>,
    session_idle: Option<u64>,
    session_absolute: Option<u64>,
    pulp: Option<Pulp>,
    mix: Option<Mix>,
    forward: Option<Forward>,
    mollie: Option<Mollie>,
    git: Option<Git>,
    ssh: Option<Ssh>,
    webhook: Option<Webhook>,
    oidc: Option<Oidc>,
    tdp: Option<Tdp>,
    log_format: Option<String>,
    log: Option<String>,
    bench_route: Option<bool>,
}

/// Settings of the users-and-roles dialect.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pulp {
    delegation: Option<DelegationArg>,
}

/// Settings of the approvals dialect.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mix {
    open: Option<bool>,
    cors_origins: Option<Vec<String>>,
}

/// Settings of what is sent to webhooks.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhook {
    allow_private: Option<bool>,
    ca_file: Option<PathBuf>,
    queue: Option<usize>,
    retries: Option<Vec<u32>>,
}

/// Settings of what proxies ask.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Forward {
    rules: Option<Vec<String>>,
}

/// Settings of the git front.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Git {
    directory: Option<PathBuf>,
    program: Option<PathBuf>,
    processes: Option<u16>,
    idle: Option<u64>,
    max_push: Option<u32>,
}

/// Settings of the SSH gateway.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ssh {
    host_key: Option<PathBuf>,
    connections: Option<u32>,
    connections_per_source: Option<u32>,
    sign_in: Option<u64>,
    idle: Option<u64>,
    certificate_ttl: Option<u64>,
}

/// Settings of the app-permissions dialect.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mollie {
    docs_url: Option<String>,
}

/// Settings of the provider by which people sign in.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Oidc {
    issuer: Option<String>,
    client_id: Option<String>,
    client_secret_file: Option<PathBuf>,
    name: Option<String>,
    create_users: Option<bool>,
    email_domains: Option<Vec<String>>,
    realms: Option<Vec<String>>,
    acr_values: Option<String>,
    ca_file: Option<PathBuf>,
}

/// Settings of the catalogue dialect.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tdp {
    as_documented: Option<bool>,
    session_idle: Option<u64>,
    session_absolute: Option<u64>,
}

/// Fills in from the file what neither a flag nor the environment says.
pub(crate) fn fill_in(args: ServeArgs) -> anyhow::Result<ServeArgs> {
    let Some(path) = args.config.clone() else { return Ok(args) };
    let file = read(&path).with_context(|| format!("settings file `{}`", path.display()))?;
    merge(args, file)
}

fn read(path: &Path) -> anyhow::Result<File> {
    Ok(toml::from_str(&std::fs::read_to_string(path)?)?)
}

fn merge(args: ServeArgs, file: File) -> anyhow::Result<ServeArgs> {
    let mut args = args;
    args.store.data = args.store.data.or(file.data);
    args.store.store = args.store.store.or(file.store);
    args.store.master_key_file = args.store.master_key_file.or(file.master_key_file);
    if args.listen.is_empty() {
        let listen = file.listen.unwrap_or_default();
        let parsed: Result<_, String> = listen.iter().map(|text| text.parse()).collect();
        args.listen = parsed.map_err(anyhow::Error::msg).context("`listen`")?;
    }
    args.public_url = args.public_url.or(file.public_url);
    if args.tls_cert.is_none() && !args.tls_self_signed {
        args.tls_cert = file.tls_cert;
        args.tls_key = file.tls_key;
        args.tls_self_signed = file.tls_self_signed.unwrap_or(false);
    }
    args.behind_proxy |= file.behind_proxy.unwrap_or(false);
    args.no_root_paths |= file.no_root_paths.unwrap_or(false);
    args.decision_log = args.decision_log.or(file.decision_log);
    args.decision_log_every = args.decision_log_every.or(file.decision_log_every);
    args.realm_idle = args.realm_idle.or(file.realm_idle);
    args.poll = args.poll.or(file.poll);
    args.stale_after = args.stale_after.or(file.stale_after);
    args.max_lag = args.max_lag.or(file.max_lag);
    args.session_idle = args.session_idle.or(file.session_idle);
    args.session_absolute = args.session_absolute.or(file.session_absolute);
    args.pulp_delegation = args.pulp_delegation.or(file.pulp.unwrap_or_default().delegation);
    let mix = file.mix.unwrap_or_default();
    args.mix_open |= mix.open.unwrap_or(false);
    if args.mix_cors_origins.is_empty() {
        args.mix_cors_origins = mix.cors_origins.unwrap_or_default();
    }
    if args.forward_rules.is_empty() {
        let rules = file.forward.unwrap_or_default().rules.unwrap_or_default();
        let parsed: Result<_, String> = rules.iter().map(|text| text.parse()).collect();
        args.forward_rules = parsed.map_err(anyhow::Error::msg).context("`forward.rules`")?;
    }
    let webhook = file.webhook.unwrap_or_default();
    args.webhook_allow_private |= webhook.allow_private.unwrap_or(false);
    args.webhook_ca_file = args.webhook_ca_file.or(webhook.ca_file);
    args.webhook_queue = args.webhook_queue.or(webhook.queue);
    if args.webhook_retries.is_empty() {
        args.webhook_retries = webhook.retries.unwrap_or_default();
    }
    args.mollie_docs_url = args.mollie_docs_url.or(file.mollie.unwrap_or_default().docs_url);
    let git = file.git.unwrap_or_default();
    args.git_directory = args.git_directory.or(git.directory);
    args.git_program = args.git_program.or(git.program);
    args.git_processes = args.git_processes.or(git.processes);
    args.git_idle = args.git_idle.or(git.idle);
    args.git_max_push = args.git_max_push.or(git.max_push);
    let ssh = file.ssh.unwrap_or_default();
    args.ssh_host_key = args.ssh_host_key.or(ssh.host_key);
    args.ssh_connections = args.ssh_connections.or(ssh.connections);
    args.ssh_connections_per_source = args.ssh_connections_per_source.or(ssh.connections_per_source);
    args.ssh_sign_in = args.ssh_sign_in.or(ssh.sign_in);
    args.ssh_idle = args.ssh_idle.or(ssh.idle);
    args.ssh_certificate_ttl = args.ssh_certificate_ttl.or(ssh.certificate_ttl);
    merge_oidc(&mut args, file.oidc.unwrap_or_default());
    let tdp = file.tdp.unwrap_or_default();
    args.tdp_as_documented |= tdp.as_documented.unwrap_or(false);
    args.tdp_session_idle = args.tdp_session_idle.or(tdp.session_idle);
    args.tdp_session_absolute = args.tdp_session_absolute.or(tdp.session_absolute);
    args.log_format = args.log_format.or(file.log_format);
    args.log = args.log.or(file.log);
    args.bench_route |= file.bench_route.unwrap_or(false);
    Ok(args)
}

fn merge_oidc(args: &mut ServeArgs, file: Oidc) {
    args.oidc_issuer = args.oidc_issuer.take().or(file.issuer);
    args.oidc_client_id = args.oidc_client_id.take().or(file.client_id);
    args.oidc_client_secret_file = args.oidc_client_secret_file.take().or(file.client_secret_file);
    args.oidc_name = args.oidc_name.take().or(file.name);
    args.oidc_create_users |= file.create_users.unwrap_or(false);
    if args.oidc_email_domains.is_empty() {
        args.oidc_email_domains = file.email_domains.unwrap_or_default();
    }
    if args.oidc_realms.is_empty() {
        args.oidc_realms = file.realms.unwrap_or_default();
    }
    args.oidc_acr_values = args.oidc_acr_values.take().or(file.acr_values);
    args.oidc_ca_file = args.oidc_ca_file.take().or(file.ca_file);
}

/// The keys of the file, in order; serde lists them in the error for one that it does not know.
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(crate) fn keys() -> Vec<String> {
    let listed = |file: &str| -> Vec<String> {
        let error = toml::from_str::<File>(file).unwrap_err().to_string();
        let (_, listed) = error.split_once("expected ").unwrap();
        // Two of them are `a` or `b`, more one of `a`, `b`, `c`.
        let listed = listed.lines().next().unwrap_or_default().replace(" or ", ",");
        let names = listed.trim_start_matches("one of ").split(',');
        names.map(|name| name.trim().trim_matches('`').to_owned()).collect()
    };
    let of_dialect = |dialect: &str| -> Vec<String> {
        listed(&format!("{dialect}.x = 1")).into_iter().map(|key| format!("{dialect}.{key}")).collect()
    };
    let of_key = |key: String| match key.as_str() {
        "pulp" | "mix" | "forward" | "mollie" | "git" | "ssh" | "webhook" | "oidc" | "tdp" => {
            of_dialect(&key)
        }
        _ => vec![key],
    };
    listed("x = 1").into_iter().flat_map(of_key).collect()
}
