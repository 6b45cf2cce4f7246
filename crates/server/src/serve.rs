//! The faces put together, and served.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use grantd_node::Node;
use grantd_node::realm::Micros;
use grantd_node::realm::basis::Delegation;
use grantd_node::realm::session::Limits;
use http::header;

use crate::app::{App, SharedApp};
use crate::dispatch::Dispatch;
use crate::edge::Drain;
use crate::edge::layers::{BULK_BODY, LayerSettings, ORDINARY_BODY, stack, stack_part};
use crate::forward::Rules;
use crate::git::{GitFront, GitSettings};
use crate::mix::Cors;
use crate::oidc::OidcSettings;
use crate::ssh::gateway::Gateway;
use crate::telemetry::Metrics;
use crate::webhook::{Sender, WebhookSettings};
use crate::{
    api, authzen, client_certificate, forward, freestyle, git, mcp, mix, mollie, oauth, operations, pages,
    pulp, tdp,
};

/// 16 KiB: the body of a form.
const FORM_BODY: u64 = 16 << 10;

/// What can be chosen about the catalogue dialect.
#[derive(Debug, Clone, Copy)]
pub struct CatalogueSettings {
    /// Whether it answers as its old page says, where that differs from what its clients were answered.
    pub as_documented: bool,
    /// How long its sessions live.
    pub sessions: Limits,
}

impl Default for CatalogueSettings {
    /// 30 minutes, 14 days.
    fn default() -> Self {
        const MINUTE: Micros = 60 * 1_000_000;
        Self { as_documented: false, sessions: Limits { idle: 30 * MINUTE, absolute: 14 * 24 * 60 * MINUTE } }
    }
}

/// What can be chosen about the faces.
#[derive(Debug, Clone)]
pub struct FaceSettings {
    /// Where the world reaches this server, without a slash at the end.
    pub public_url: String,
    /// Whether the dialects' documented paths work at the root.
    pub root_paths: bool,
    /// Whether `POST /bench/constant` is served.
    pub bench_route: bool,
    /// How many proxies stand in front.
    pub trusted_hops: usize,
    /// How long sessions live.
    pub sessions: Limits,
    /// What may be granted in the users-and-roles dialect.
    pub pulp_delegation: Delegation,
    /// Which actions the methods are that proxies ask about.
    pub forward: Rules,
    /// The catalogue dialect.
    pub catalogue: CatalogueSettings,
    /// Whether the approvals dialect takes callers without a credential: only where no other machine can reach it.
    pub mix_open: bool,
    /// Where the documentation is that answers of the app-permissions dialect name; `None`: `/docs` below the public address.
    pub mollie_docs: Option<String>,
    /// Whose pages may call the approvals dialect.
    pub mix_cors: Cors,
    /// The git front.
    pub git: GitSettings,
    /// How long an SSH certificate counts at most, in seconds: of [`crate::ssh::certificate::LIVES`].
    pub ssh_certificate_ttl: u64,
    /// The SSH gateway, if there is one.
    pub ssh: Option<Gateway>,
    /// What is sent to webhooks, and where to.
    pub webhooks: WebhookSettings,
    /// The OpenID provider by which people sign in, if there is one.
    pub oidc: Option<OidcSettings>,
    /// When answers that go on must end; see [`crate::edge::Server::drain`].
    pub drain: Drain,
}

/// Whose client certificates a listener asks for: the names of the realms' authorities (DER).
pub const CLIENT_AUTHORITIES: [&[u8]; 1] = [client_certificate::AUTHORITY_NAME];

/// Why the faces cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum FacesError {
    /// The realm of the system keys cannot be loaded.
    #[error(transparent)]
    Load(#[from] grantd_node::LoadError),
    /// A certificate that is to be believed is none.
    #[error("an authority for webhooks cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

/// Every face behind one service.
pub async fn faces(
    node: Arc<Node>,
    settings: FaceSettings,
    metrics: Arc<Metrics>,
) -> Result<Dispatch, FacesError> {
    let FaceSettings { webhooks, public_url, drain, .. } = &settings;
    let sender = Arc::new(Sender::new(node.clone(), webhooks, public_url, &metrics, drain.clone())?);
    let front = GitFront::new(settings.git.clone(), &metrics);
    let app: SharedApp = Arc::new(App::new(node.clone(), &settings, sender.clone(), front).await?);
    sender.start();
    git::start(app.clone());
    if let Some(gateway) = &settings.ssh {
        gateway.start(app.clone(), metrics.ssh.clone(), settings.drain.clone());
    }
    spawn_upkeep(app.clone());
    let freestyle_layers = LayerSettings::new("freestyle").renderer(freestyle::render);
    Ok(Dispatch {
        api: api_face(settings.bench_route, &metrics).with_state(app.clone()),
        authzen: authzen_face(&metrics).with_state(app.clone()),
        forward: forward::face(&metrics).with_state(app.clone()),
        freestyle: stack(freestyle::routes(), freestyle_layers, metrics.clone()).with_state(app.clone()),
        git: git::face(settings.git.idle, &metrics).with_state(app.clone()),
        mcp: mcp_face(&metrics).with_state(app.clone()),
        mix: mix::face(&metrics, settings.mix_cors).with_state(app.clone()),
        mollie: mollie::face(&app.mollie_docs, &metrics).with_state(app.clone()),
        oauth: oauth::face(&app.mollie_docs, &metrics).with_state(app.clone()),
        pages: pages_face(&metrics).with_state(app.clone()),
        pulp: pulp::face(metrics.clone()).with_state(app.clone()),
        tdp: tdp::face(&metrics).with_state(app.clone()),
        operations: stack(
            operations::routes(metrics.clone()),
            LayerSettings::new("operations"),
            metrics.clone(),
        )
        .with_state(app),
        root_paths: settings.root_paths,
        node,
    })
}

/// What is done once a minute.
fn spawn_upkeep(app: SharedApp) {
    tokio::spawn(async move {
        let mut minute = tokio::time::interval(Duration::from_secs(60));
        loop {
            minute.tick().await;
            app.failures.forget_old();
            if let Some(oidc) = &app.oidc {
                oidc.forget_old();
            }
            app.node.upkeep().await;
        }
    });
}

fn api_face(bench_route: bool, metrics: &Arc<Metrics>) -> Router<SharedApp> {
    let layers = LayerSettings::new("api");
    let waiting = LayerSettings { timeout: Some(Duration::from_secs(75)), ..layers.clone() };
    let streaming = layers.clone().streaming();
    let mut ordinary = api::routes().route("/openapi.json", get(openapi));
    if bench_route {
        ordinary = ordinary.route("/bench/constant", post(api::constant));
    }
    stack(ordinary, layers.clone(), metrics.clone())
        .merge(stack_part(api::bulk_routes(), layers.body_limit(BULK_BODY), metrics.clone()))
        .merge(stack_part(api::waiting_routes(), waiting, metrics.clone()))
        .merge(stack_part(api::streaming_routes(), streaming, metrics.clone()))
}

fn authzen_face(metrics: &Arc<Metrics>) -> Router<SharedApp> {
    let layers = LayerSettings::new("authzen").renderer(authzen::render);
    stack(authzen::routes(), layers.clone(), metrics.clone()).merge(stack_part(
        authzen::bulk_routes(),
        layers.body_limit(BULK_BODY),
        metrics.clone(),
    ))
}

fn mcp_face(metrics: &Arc<Metrics>) -> Router<SharedApp> {
    let layers = LayerSettings { timeout: None, ..LayerSettings::new("mcp") };
    stack(mcp::routes(), layers, metrics.clone())
}

fn pages_face(metrics: &Arc<Metrics>) -> Router<SharedApp> {
    let layers = LayerSettings::new("pages").renderer(pages::render).body_limit(FORM_BODY);
    let layers = LayerSettings { answer_headers: pages::headers(), ..layers };
    stack(pages::routes(), layers.clone(), metrics.clone())
        .merge(stack_part(pages::inbox_routes(), layers.clone().body_limit(ORDINARY_BODY), metrics.clone()))
        .merge(stack_part(pages::streaming_routes(), layers.streaming(), metrics.clone()))
}

async fn openapi() -> impl axum::response::IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], api::document())
}
