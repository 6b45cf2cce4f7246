//! `grantd serve`.

mod first_start;
mod listen;
mod notify;
mod oidc;
mod ssh;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use grantd_node::decision_log::DecisionLog;
use grantd_node::realm::builtin;
use grantd_node::realm::session::Limits;
use grantd_node::realm::webhook::Retries;
use grantd_node::{Follow, Node, Settings, SystemClock, open};
use grantd_server::edge::{EdgeSettings, Server};
use grantd_server::forward::Rules;
use grantd_server::git::GitSettings;
use grantd_server::mix::Cors;
use grantd_server::outbound::read_authorities;
use grantd_server::serve::{CatalogueSettings, FaceSettings, faces};
use grantd_server::telemetry::{Metrics, log};
use grantd_server::webhook::WebhookSettings;

use crate::args::ServeArgs;
use crate::config::fill_in;
use crate::output;

/// What is logged unless something else is asked for: not each request, which at full load would cost more than the answer,
/// and not the steps of a migration.
const LOG: &str = "info,grantd::access=warn,refinery_core=warn";

/// How long a realm that nobody uses stays loaded.
const REALM_IDLE: Duration = Duration::from_secs(900);

/// Runs until SIGTERM or SIGINT, then drains.
pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<()> {
    let args = fill_in(args)?;
    log::init(args.log_format.as_deref().unwrap_or("auto").parse()?, args.log.as_deref().unwrap_or(LOG))?;
    listen::check(&args)?;
    ssh::check(&args)?;
    let oidc = oidc::settings(&args)?;
    let metrics = Metrics::new();
    let node = Arc::new(node(&args, metrics.clone()).await?);
    node.follow().await;
    node.check_master_key().await?;
    // The addresses are ours before secrets are made that are shown only once.
    let listen = listen::listeners(&args, &args.store.data())?;
    let server = Server::bind(listen, EdgeSettings::default()).await?.metrics(metrics.clone());
    let gateway = ssh::bind(&args).await?;
    first_start::make(&node).await?;

    let public_url = args.public_url.clone().unwrap_or_else(|| {
        let scheme = if args.tls_cert.is_some() || args.tls_self_signed { "https" } else { "http" };
        server.local_addrs().first().map_or_else(String::new, |addr| format!("{scheme}://{addr}"))
    });
    let settings = FaceSettings {
        public_url: public_url.trim_end_matches('/').to_owned(),
        root_paths: !args.no_root_paths,
        bench_route: args.bench_route,
        trusted_hops: usize::from(args.behind_proxy),
        sessions: sessions("session", (args.session_idle, args.session_absolute), Limits::default())?,
        pulp_delegation: args.pulp_delegation.unwrap_or_default().into(),
        forward: Rules(args.forward_rules.clone()),
        mix_open: args.mix_open,
        mollie_docs: args.mollie_docs_url.as_deref().map(|url| url.trim_end_matches('/').to_owned()),
        mix_cors: Cors::new(args.mix_cors_origins.iter().map(String::as_str))
            .context("`mix_cors_origins`")?,
        git: git(&args)?,
        ssh_certificate_ttl: ssh::certificate_ttl(&args),
        ssh: gateway.clone(),
        webhooks: webhooks(&args)?,
        oidc,
        catalogue: catalogue(&args)?,
        drain: server.drain(),
    };
    let faces = faces(node.clone(), settings, metrics).await?;
    // Whoever reads that it is ready may stop it at once.
    let asked_to_stop = asked_to_stop()?;
    output::line(format_args!("grantd {} is ready at {public_url}", env!("CARGO_PKG_VERSION")))?;
    notify::ready();
    let cut = server.serve(faces, asked_to_stop).await;
    if cut > 0 {
        tracing::warn!(connections = cut, "connections were cut: their requests took too long");
    }
    if let Some(gateway) = gateway {
        gateway.ended().await;
    }
    node.stop().await?;
    tracing::info!("stopped");
    Ok(())
}

/// How long sessions live, from the settings' seconds.
fn sessions(
    settings: &str,
    (idle, absolute): (Option<u64>, Option<u64>),
    default: Limits,
) -> anyhow::Result<Limits> {
    let or = |setting: &str, seconds: Option<u64>, default| match seconds {
        None => Ok(default),
        Some(0) => bail!("`{settings}_{setting}` must be at least 1: nobody could sign in"),
        Some(seconds) => Ok(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000)),
    };
    Ok(Limits {
        idle: or("idle", idle, default.idle)?,
        absolute: or("absolute", absolute, default.absolute)?,
    })
}

/// What is sent to webhooks, and where to.
fn webhooks(args: &ServeArgs) -> anyhow::Result<WebhookSettings> {
    let mut settings =
        WebhookSettings { allow_private: args.webhook_allow_private, ..WebhookSettings::default() };
    if let Some(path) = &args.webhook_ca_file {
        settings.authorities = read_authorities(path).context("--webhook-ca-file")?;
    }
    settings.queue = args.webhook_queue.unwrap_or(settings.queue);
    if !args.webhook_retries.is_empty() {
        let waits: Vec<_> =
            args.webhook_retries.iter().map(|seconds| i64::from(*seconds) * 1_000_000).collect();
        settings.retries = Retries::new(waits);
    }
    Ok(settings)
}

/// The git front.
fn git(args: &ServeArgs) -> anyhow::Result<GitSettings> {
    let default = GitSettings::default();
    if args.git_processes == Some(0) || args.git_idle == Some(0) {
        bail!("`git_processes` and `git_idle` must be at least 1: no repository could be served");
    }
    Ok(GitSettings {
        directory: args.git_directory.clone().unwrap_or_else(|| args.store.data().join("git")),
        program: args.git_program.clone().unwrap_or(default.program),
        processes: args.git_processes.map_or(default.processes, usize::from),
        idle: args.git_idle.map_or(default.idle, Duration::from_secs),
        max_push: match args.git_max_push {
            None => default.max_push,
            Some(0) => None,
            Some(mib) => Some(u64::from(mib) << 20),
        },
    })
}

fn catalogue(args: &ServeArgs) -> anyhow::Result<CatalogueSettings> {
    let default = CatalogueSettings::default().sessions;
    let sessions = sessions("tdp.session", (args.tdp_session_idle, args.tdp_session_absolute), default)?;
    Ok(CatalogueSettings { as_documented: args.tdp_as_documented, sessions })
}

async fn node(args: &ServeArgs, observer: Arc<Metrics>) -> anyhow::Result<Node> {
    let decision_log = match &args.decision_log {
        None => None,
        Some(path) => {
            let log = DecisionLog::to_file(path, args.decision_log_every.unwrap_or(1)).await;
            Some(log.with_context(|| format!("decision log `{}`", path.display()))?)
        }
    };
    let location = open::Location {
        unsafe_no_sync: args.unsafe_synchronous.as_deref() == Some("off"),
        ..args.store.location()
    };
    let opened = open::open(&location).await?;
    let node = Node::new(Settings {
        store: opened.store,
        master_key: opened.master_key,
        schema: builtin::schema()?,
        clock: Arc::new(SystemClock),
        decision_log,
        observer,
        follow: Some(follow(args)?),
    });
    Ok(match args.realm_idle.map_or(REALM_IDLE, Duration::from_secs) {
        Duration::ZERO => node,
        idle => node.unload_after(idle),
    })
}

/// How to follow a store that other nodes share.
fn follow(args: &ServeArgs) -> anyhow::Result<Follow> {
    let default = Follow::default();
    let poll = match args.poll {
        None => default.poll,
        Some(seconds) if (0.01..=3_600.0).contains(&seconds) => Duration::from_secs_f64(seconds),
        Some(_) => bail!("`poll` must be 0.01 to 3600 seconds"),
    };
    Ok(Follow {
        poll,
        stale_after: args.stale_after.map_or(default.stale_after, Duration::from_secs),
        max_lag: match args.max_lag {
            None => default.max_lag,
            Some(0) => None,
            Some(seconds) => Some(Duration::from_secs(seconds)),
        },
    })
}

/// Ends when SIGTERM or SIGINT comes; listens for them from this call on, not only from the first look at the future.
fn asked_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: requests in flight are answered first");
        notify::stopping();
    })
}
