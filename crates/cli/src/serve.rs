//! `grantd serve`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use grantd_node::bootstrap::{First, Made, bootstrap, is_done};
use grantd_node::decision_log::DecisionLog;
use grantd_node::realm::api_key::KEY_PREFIX;
use grantd_node::realm::builtin;
use grantd_node::realm::command::Secret;
use grantd_node::{Node, Settings, SystemClock, open};
use grantd_server::edge::tls::Tls;
use grantd_server::edge::{EdgeSettings, Listen, Server};
use grantd_server::serve::{FaceSettings, faces};
use grantd_server::telemetry::{Metrics, log};

use crate::args::{ListenArg, ServeArgs};
use crate::config::fill_in;
use crate::secret;

/// What is logged unless something else is asked for: not each request, which at full load would cost more than the answer,
/// and not the steps of a migration.
const LOG: &str = "info,grantd::access=warn,refinery_core=warn";

/// How often a node looks for what others wrote to a shared store.
const FOLLOW: Duration = Duration::from_secs(1);

/// Runs until SIGTERM or SIGINT, then drains.
pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<()> {
    let args = fill_in(args)?;
    log::init(args.log_format.as_deref().unwrap_or("auto").parse()?, args.log.as_deref().unwrap_or(LOG))?;
    let data = args.store.data.clone().unwrap_or_else(|| PathBuf::from("grantd-data"));
    let listen = listeners(&args, &data)?;
    let metrics = Metrics::new();
    let node = Arc::new(node(&args, &data, metrics.clone()).await?);
    let made = if is_done(&node).await? { None } else { Some(bootstrap(&node, first()?).await?) };

    let server = Server::bind(listen, EdgeSettings::default()).await?.metrics(metrics.clone());
    let public_url = args.public_url.clone().unwrap_or_else(|| {
        let scheme = if args.tls_cert.is_some() || args.tls_self_signed { "https" } else { "http" };
        server.local_addrs().first().map_or_else(String::new, |addr| format!("{scheme}://{addr}"))
    });
    let settings = FaceSettings {
        public_url: public_url.trim_end_matches('/').to_owned(),
        root_paths: !args.no_root_paths,
        bench_route: args.bench_route,
        trusted_hops: usize::from(args.behind_proxy),
    };
    let faces = faces(node.clone(), settings, metrics).await?;
    greet(&public_url, made.as_ref());
    let cut = server.serve(faces, asked_to_stop()).await;
    if cut > 0 {
        tracing::warn!(connections = cut, "connections were cut: their requests took too long");
    }
    node.stop().await?;
    tracing::info!("stopped");
    Ok(())
}

async fn node(args: &ServeArgs, data: &Path, observer: Arc<Metrics>) -> anyhow::Result<Node> {
    let decision_log = match &args.decision_log {
        None => None,
        Some(path) => {
            let log = DecisionLog::to_file(path, args.decision_log_every.unwrap_or(1)).await;
            Some(log.with_context(|| format!("decision log `{}`", path.display()))?)
        }
    };
    let opened = open::open(&open::Location {
        data: data.to_owned(),
        url: args.store.store.clone(),
        master_key_file: args.store.master_key_file.clone(),
        unsafe_no_sync: args.unsafe_synchronous.as_deref() == Some("off"),
    })
    .await?;
    Ok(Node::new(Settings {
        store: opened.store,
        master_key: opened.master_key,
        schema: builtin::schema()?,
        clock: Arc::new(SystemClock),
        decision_log,
        observer,
        follow: Some(FOLLOW),
    }))
}

/// The secrets of the first start: from the environment, or random.
fn first() -> anyhow::Result<First> {
    let api_key = from_environment("GRANTD_BOOTSTRAP_API_KEY")?;
    if api_key.as_ref().is_some_and(|key| !key.0.starts_with(KEY_PREFIX)) {
        bail!("GRANTD_BOOTSTRAP_API_KEY must start with `{KEY_PREFIX}`");
    }
    let (password, shown) = match from_environment("GRANTD_BOOTSTRAP_PASSWORD")? {
        Some(password) => (password, None),
        None => {
            let password = Secret(secret::random()?);
            (password.clone(), Some(password))
        }
    };
    let password_hash =
        grantd_server::password::hash_now(&password.0).context("the password cannot be hashed")?;
    Ok(First { api_key, password_hash, password: shown })
}

fn from_environment(name: &str) -> anyhow::Result<Option<Secret>> {
    match std::env::var(name) {
        Err(_) => Ok(None),
        Ok(value) if value.len() < 20 => bail!("{name} must have at least 20 characters"),
        Ok(value) => Ok(Some(Secret(value))),
    }
}

/// What a person wants to know after the start, on stdout; secrets are shown this once.
fn greet(public_url: &str, made: Option<&Made>) {
    if let Some(made) = made.filter(|made| made.api_key.is_some() || made.password.is_some()) {
        anstream::println!("First start. These are shown once and stored nowhere in the clear:");
        if let Some(key) = &made.api_key {
            anstream::println!("  system API key            {}", key.0);
        }
        if let Some(password) = &made.password {
            anstream::println!("  password of user `admin`  {}", password.0);
        }
    }
    anstream::println!("grantd {} is ready at {public_url}", env!("CARGO_PKG_VERSION"));
}

fn listeners(args: &ServeArgs, data: &Path) -> anyhow::Result<Vec<Listen>> {
    let default = ListenArg { dialect: None, addr: ([127, 0, 0, 1], 7070).into() };
    let wanted = if args.listen.is_empty() { vec![default] } else { args.listen.clone() };
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Some(Tls::from_pem_files(cert, key)?),
        _ if args.tls_self_signed => {
            let mut names: Vec<String> = vec!["localhost".into()];
            names.extend(wanted.iter().map(|listen| listen.addr.ip().to_string()));
            Some(Tls::self_signed(data, &names)?)
        }
        _ => None,
    };
    for ListenArg { addr, .. } in &wanted {
        if tls.is_none() && !addr.ip().is_loopback() && !args.behind_proxy {
            bail!(
                "{addr} can be reached from other machines and would be served without TLS; \
                 give --tls-cert and --tls-key, --tls-self-signed, or --behind-proxy if a proxy does TLS"
            );
        }
    }
    let listen = |arg: ListenArg| Listen {
        addr: arg.addr,
        tag: arg.dialect.unwrap_or_else(|| "main".into()).into(),
        tls: tls.clone(),
    };
    Ok(wanted.into_iter().map(listen).collect())
}

async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return drop(tokio::signal::ctrl_c().await);
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("stopping: requests in flight are answered first");
}
