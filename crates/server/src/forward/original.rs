//! The request that a proxy asks about, as its headers describe it.
//!
//! Proxies disagree on the names, and a client can send any of them itself. A proxy that is set up as `docs/enforcement.md` says
//! sets its own; if one of another family comes as well and says something else, that was the client, and it gets a no.

use http::request::Parts;
use http::{HeaderMap, Uri, header};

use super::MOUNT;
use super::answer::Refused;
use crate::dispatch::below;

/// Method, host and path, with its query, as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Original<'a> {
    pub(super) method: &'a str,
    pub(super) host: &'a str,
    pub(super) uri: &'a str,
}

impl<'a> Original<'a> {
    /// Reads what the proxy says: `X-Forwarded-*` (Caddy, Traefik), `X-Original-*` (nginx), `X-Original-URL` (ingress-nginx), or
    /// the request itself with its path behind ours (Envoy).
    pub(super) fn read(parts: &'a Parts) -> Result<Self, Refused> {
        let headers = &parts.headers;
        let url = header(headers, "x-original-url")?.map(split_url).transpose()?;
        let (url_host, url_path) = url.unzip();
        let envoy = behind_mount(&parts.uri);
        let own_host = envoy.and_then(|_| headers.get(header::HOST)).and_then(|host| host.to_str().ok());
        let method = [
            header(headers, "x-forwarded-method")?,
            header(headers, "x-original-method")?,
            envoy.map(|_| parts.method.as_str()),
        ];
        let host =
            [header(headers, "x-forwarded-host")?, header(headers, "x-original-host")?, url_host, own_host];
        let uri = [header(headers, "x-forwarded-uri")?, header(headers, "x-original-uri")?, url_path, envoy];
        Ok(Self { method: only(method, "method")?, host: only(host, "host")?, uri: only(uri, "path")? })
    }
}

/// The header's value; none may be there twice.
fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Refused> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    if second.is_some() {
        return Err(Refused::Contradiction(name));
    }
    value.to_str().map(Some).map_err(|_| Refused::NoPath("it holds bytes that no address may hold"))
}

/// The one thing that is said, however often.
fn only<'a, const N: usize>(said: [Option<&'a str>; N], what: &'static str) -> Result<&'a str, Refused> {
    let mut said = said.into_iter().flatten();
    let first = said.next().ok_or(Refused::NotSaid(what))?;
    if said.all(|other| other == first) { Ok(first) } else { Err(Refused::Contradiction(what)) }
}

/// Host and path of a URL.
fn split_url(url: &str) -> Result<(&str, &str), Refused> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or(Refused::NoPath("`X-Original-URL` is no http address"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    Ok(rest.split_at(end))
}

/// What follows our own path.
fn behind_mount(uri: &Uri) -> Option<&str> {
    let behind = below(MOUNT, uri.path())?;
    if uri.path().len() == MOUNT.len() {
        return None;
    }
    // With its query: the path alone would compare as another one.
    uri.path_and_query().and_then(|whole| whole.as_str().get(MOUNT.len()..)).or(Some(behind))
}
