//! Which face a path belongs to: the mounts, the documented paths at the root, and `/r/<realm>` in front of either.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use futures::FutureExt as _;
use futures::future::Map;
use grantd_node::Node;
use grantd_node::realm::realms::DEFAULT;
use http::Uri;
use http::uri::PathAndQuery;
use tower::Service;

use crate::call::RealmName;
use crate::consistency::{Noted, RevisionNote};
use crate::edge::Peer;
use crate::{forward, mollie, pulp, tdp};

/// The faces by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaceName {
    /// grantd's own API.
    Api,
    /// OpenID AuthZEN.
    Authzen,
    /// What a proxy asks before it lets a request through.
    Forward,
    /// The identities dialect.
    Freestyle,
    /// The git front.
    Git,
    /// The approvals dialect.
    Mix,
    /// The app-permissions dialect.
    Mollie,
    /// The pages.
    Pages,
    /// The users-and-roles dialect.
    Pulp,
    /// The catalogue dialect.
    Tdp,
    /// The Model Context Protocol.
    Mcp,
    /// The authorization server.
    Oauth,
    /// Health, readiness, metrics, and the 404 of everything that nobody serves.
    Operations,
}

impl FaceName {
    /// The dialect or the front that an address of its own serves, by the name in `--listen NAME=ADDR`.
    pub fn of_dialect(name: &str) -> Option<Self> {
        match name {
            "freestyle" => Some(Self::Freestyle),
            "git" => Some(Self::Git),
            "mix" => Some(Self::Mix),
            "mollie" => Some(Self::Mollie),
            "pulp" => Some(Self::Pulp),
            "tdp" => Some(Self::Tdp),
            _ => None,
        }
    }
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// To which face.
    pub face: FaceName,
    /// On which realm, if the path names one.
    pub realm: Option<&'a str>,
    /// The path as the face's routes know it.
    pub path: &'a str,
}

/// The well-known documents, each with its face.
const METADATA: [(&str, FaceName); 2] = [
    ("/.well-known/authzen-configuration", FaceName::Authzen),
    ("/.well-known/oauth-authorization-server", FaceName::Oauth),
];

/// The keys that sign what triggers are sent: one document for all realms.
const PUSH_KEYS: &str = "/.well-known/jwks.json";

/// Finds the face of a path that came in on a listener of this tag.
pub fn target<'a>(path: &'a str, listener: &str, root_paths: bool) -> Target<'a> {
    let (realm, path) = match path.strip_prefix("/r/").and_then(|rest| rest.split_once('/')) {
        Some((realm, rest)) if !realm.is_empty() => {
            let from = path.len() - rest.len() - 1;
            (Some(realm), path.get(from..).unwrap_or("/"))
        }
        _ => (None, path),
    };
    if realm.is_none()
        && let Some(target) =
            METADATA.into_iter().find_map(|(document, face)| well_known(document, face, path))
    {
        return target;
    }
    let to = |face, path| Target { face, realm, path };
    // One of the real clients has one base address for the dialect and for its tokens.
    let alone = FaceName::of_dialect(listener);
    let of_mollie = match alone {
        Some(FaceName::Mollie) => Some(below("/mollie", path).unwrap_or(path)),
        Some(_) => None,
        None => below("/mollie", path),
    };
    if let Some(path) = of_mollie.filter(|path| below("/oauth2", path).is_some()) {
        // People consent at the one page, to which this leads.
        let page = without_slash(path) == "/oauth2/authorize";
        return to(FaceName::Oauth, if page { "/mollie/oauth2/authorize" } else { without_slash(path) });
    }
    match alone {
        // Upstream's clients put the mount in front wherever they are pointed at.
        Some(FaceName::Pulp) => return to(FaceName::Pulp, below("/pulp/api", path).unwrap_or(path)),
        Some(FaceName::Tdp) => return to(FaceName::Tdp, tdp::plain(below("/tdp", path).unwrap_or(path))),
        Some(FaceName::Mollie) => {
            return to(FaceName::Mollie, without_slash(below("/mollie", path).unwrap_or(path)));
        }
        Some(FaceName::Git) => return to(FaceName::Git, below("/git", path).unwrap_or(path)),
        Some(face) => return to(face, without_slash(path)),
        None => {}
    }
    if realm.is_none() && path == PUSH_KEYS {
        return to(FaceName::Git, path);
    }
    // The identities dialect has its repository API below the same word.
    if let Some(rest) = below("/git", path).filter(|rest| below("/v1", rest).is_none()) {
        return to(FaceName::Git, rest);
    }
    if let Some(rest) = below("/pulp/api", path) {
        return to(FaceName::Pulp, rest);
    }
    if let Some(rest) = below("/freestyle", path) {
        return to(FaceName::Freestyle, without_slash(rest));
    }
    if let Some(rest) = below("/mix", path) {
        return to(FaceName::Mix, without_slash(rest));
    }
    if let Some(rest) = below("/mollie", path) {
        return to(FaceName::Mollie, without_slash(rest));
    }
    if let Some(rest) = below("/tdp", path) {
        return to(FaceName::Tdp, tdp::plain(rest));
    }
    if below("/api/v1", path).is_some() || below("/bench", path).is_some() || path == "/openapi.json" {
        return to(FaceName::Api, path);
    }
    if below("/access/v1", path).is_some() {
        return to(FaceName::Authzen, without_slash(path));
    }
    if below("/oauth2", path).is_some() {
        let path = without_slash(path);
        return to(if path == "/oauth2/authorize" { FaceName::Pages } else { FaceName::Oauth }, path);
    }
    if below(forward::MOUNT, path).is_some() {
        return to(FaceName::Forward, path);
    }
    if without_slash(path) == "/mcp" {
        return to(FaceName::Mcp, "/mcp");
    }
    if is_page(path) {
        return to(FaceName::Pages, if path == "/" { path } else { without_slash(path) });
    }
    if root_paths && is_pulp(path) {
        return to(FaceName::Pulp, path);
    }
    if root_paths && is_freestyle(path) {
        return to(FaceName::Freestyle, without_slash(path));
    }
    if root_paths && is_mix(path) {
        return to(FaceName::Mix, without_slash(path));
    }
    if root_paths && is_mollie(path) {
        return to(FaceName::Mollie, without_slash(path));
    }
    if root_paths && is_tdp(path) {
        return to(FaceName::Tdp, tdp::plain(path));
    }
    to(FaceName::Operations, path)
}

/// A well-known document, which names its realm behind its own name (RFC 8615 leaves nothing in front).
fn well_known<'a>(document: &'static str, face: FaceName, path: &'a str) -> Option<Target<'a>> {
    let of = below(document, path)?;
    Some(match of.strip_prefix("/r/") {
        Some(realm) if !realm.is_empty() && !realm.contains('/') => {
            Target { face, realm: Some(realm), path: document }
        }
        _ => Target { face, realm: None, path },
    })
}

/// The pages' paths.
fn is_page(path: &str) -> bool {
    path == "/"
        || ["/login", "/logout", "/account", "/apps", "/inbox", "/assets"]
            .iter()
            .any(|prefix| below(prefix, path).is_some())
}

/// The identities dialect's documented paths at the root.
fn is_freestyle(path: &str) -> bool {
    ["/identity/v1", "/git/v1", "/v5/identities"].iter().any(|prefix| below(prefix, path).is_some())
        || without_slash(path) == "/auth/v1/whoami"
}

/// The approvals dialect's documented paths at the root.
fn is_mix(path: &str) -> bool {
    ["/api/permissions", "/api/sessions"].iter().any(|prefix| below(prefix, path).is_some())
        || ["/stream", "/health"].contains(&without_slash(path))
}

/// The app-permissions dialect's documented paths at the root. Others have a permission's number behind `/v1/permissions/`, and paths
/// with a slash at the end behind `/v2/`.
fn is_mollie(path: &str) -> bool {
    let id = |prefix: &str| {
        let id = without_slash(path).strip_prefix(prefix)?;
        (!id.is_empty() && !id.contains('/')).then_some(id)
    };
    let is_number = |id: &str| id.bytes().all(|b| b.is_ascii_digit());
    ["/v1/permissions", "/v2/permissions", "/v2/organizations/me"].contains(&path)
        || id("/v1/permissions/").is_some_and(|id| !is_number(id))
        || id("/v2/permissions/").is_some_and(|id| id.contains('.'))
}

/// The users-and-roles dialect's documented paths at the root.
fn is_pulp(path: &str) -> bool {
    ["/v2/users", "/v2/roles", "/v2/actions", "/v2/permissions/actions"]
        .iter()
        .any(|prefix| below(prefix, path).is_some())
        || path == "/v2/permissions/"
}

/// The catalogue dialect's documented paths at the root. What else begins with `/v1/permissions` is another dialect's.
fn is_tdp(path: &str) -> bool {
    let is_number = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    path == "/v1/permissions/"
        || path.strip_prefix("/v1/permissions/").is_some_and(|id| is_number(without_slash(id)))
        || ["/v1/roles", "/v1/content_types", "/v1/login", "/v1/logout"]
            .iter()
            .any(|prefix| below(prefix, path).is_some())
        || without_slash(path) == "/v1/auth_check"
}

/// What follows a prefix that ends at a segment's end.
pub(crate) fn below<'a>(prefix: &str, path: &'a str) -> Option<&'a str> {
    match path.strip_prefix(prefix)? {
        "" => Some("/"),
        rest if rest.starts_with('/') => Some(rest),
        _ => None,
    }
}

/// The dialects' paths mean the same with and without a slash at the end.
pub(crate) fn without_slash(path: &str) -> &str {
    match path.strip_suffix('/') {
        None | Some("") => path,
        Some(stripped) => stripped,
    }
}

/// Hands each request to its face and names the revision of the answer.
#[derive(Clone)]
pub struct Dispatch {
    pub(crate) api: Router,
    pub(crate) authzen: Router,
    pub(crate) forward: Router,
    pub(crate) freestyle: Router,
    pub(crate) git: Router,
    pub(crate) mix: Router,
    pub(crate) mollie: Router,
    pub(crate) pages: Router,
    pub(crate) pulp: Router,
    pub(crate) tdp: Router,
    pub(crate) mcp: Router,
    pub(crate) oauth: Router,
    pub(crate) operations: Router,
    pub(crate) root_paths: bool,
    pub(crate) node: Arc<Node>,
}

type Answered = Box<dyn FnOnce(Result<Response, Infallible>) -> Result<Response, Infallible> + Send>;

impl Service<Request> for Dispatch {
    type Response = Response;
    type Error = Infallible;
    type Future = Map<RouteFuture<Infallible>, Answered>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let listener = request.extensions().get::<Peer>().map(|peer| peer.listener.clone());
        let path = request.uri().path().to_owned();
        let target = target(&path, listener.as_deref().unwrap_or_default(), self.root_paths);
        let routed = match target.face {
            FaceName::Pulp => pulp::settle(&mut request, target.path),
            _ => Cow::Borrowed(target.path),
        };
        if target.face == FaceName::Mollie {
            mollie::settle(&mut request, target.path);
        }
        if *routed != *path {
            rewrite(request.uri_mut(), &routed);
        }
        let realm = target.realm.map(str::to_owned);
        if let Some(realm) = realm.clone() {
            request.extensions_mut().insert(RealmName(realm));
        }
        let note = RevisionNote::default();
        request.extensions_mut().insert(note.clone());
        let face = match target.face {
            FaceName::Api => &mut self.api,
            FaceName::Authzen => &mut self.authzen,
            FaceName::Forward => &mut self.forward,
            FaceName::Freestyle => &mut self.freestyle,
            FaceName::Git => &mut self.git,
            FaceName::Mix => &mut self.mix,
            FaceName::Mollie => &mut self.mollie,
            FaceName::Pages => &mut self.pages,
            FaceName::Pulp => &mut self.pulp,
            FaceName::Tdp => &mut self.tdp,
            FaceName::Mcp => &mut self.mcp,
            FaceName::Oauth => &mut self.oauth,
            FaceName::Operations => &mut self.operations,
        };
        let node = self.node.clone();
        let name_revision: Answered = Box::new(move |answer| {
            let realm = realm.as_deref().unwrap_or(DEFAULT);
            let head = || node.loaded_realm(realm).map(|realm| Noted::newest(&node, &realm).0);
            answer.map(|mut response| {
                note.write(response.headers_mut(), head);
                response
            })
        });
        face.call(request).map(name_revision)
    }
}

fn rewrite(uri: &mut Uri, path: &str) {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = std::mem::take(uri).into_parts();
    parts.path_and_query = PathAndQuery::try_from(text).ok();
    *uri = Uri::from_parts(parts).unwrap_or_default();
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
