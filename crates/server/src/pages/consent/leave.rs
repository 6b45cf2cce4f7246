//! The way from a page of ours to an app.

use askama::Template;
use axum::response::Response;
use http::{HeaderValue, StatusCode, Uri, header};

use super::texts::{Texts, fill};
use crate::pages::frame::{Frame, page, see_other};
use crate::pages::inbox::in_field;
use crate::pages::visit::Visit;

#[derive(Template)]
#[template(path = "consent/leaving.html")]
struct LeavingPage {
    frame: Frame,
    texts: &'static Texts,
    address: String,
    says: String,
    link: String,
}

/// Leads the browser to an app's address, which has been checked to be the app's own.
///
/// A browser that has just sent a form to one of our pages (that of the sign-in) goes nowhere else by a redirect: the page's policy
/// forbids it. So it gets a page that leads on.
pub(super) fn leave(visit: &Visit, address: &str) -> Response {
    if !visit.comes_from_own_page() {
        return see_other(address, None);
    }
    let texts = visit.texts(None);
    let host = host(address);
    let shown = LeavingPage {
        frame: visit.frame(&texts.leaving_title),
        texts,
        address: address.to_owned(),
        says: fill(&texts.leaving, &[("host", &host)]),
        link: fill(&texts.leaving_link, &[("host", &host)]),
    };
    page(StatusCode::OK, &shown, None)
}

/// Where an address leads, for people: its host, or the scheme of an app on this machine.
pub(super) fn host(address: &str) -> String {
    let uri: Uri = address.parse().unwrap_or_default();
    let named = match (uri.authority(), uri.scheme_str()) {
        (Some(authority), Some("http" | "https")) => authority.as_str(),
        _ => address.split_once(':').map_or(address, |(scheme, _)| scheme),
    };
    in_field(named)
}

/// The page, from which a form may lead to the app as well. Nothing else of the policy changes.
pub(super) fn may_lead_to(mut page: Response, address: &str) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {}; base-uri 'none'; \
         frame-ancestors 'none'",
        source(address)
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    page
}

/// An address as a source of a policy (CSP 3, section 2.3.1): scheme, host and port; the scheme alone where the host is nothing that
/// a source can name.
fn source(address: &str) -> String {
    let uri: Uri = address.parse().unwrap_or_default();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-:".contains(&b);
    if let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority())
        && authority.as_str().bytes().all(plain)
    {
        return format!("{scheme}://{authority}");
    }
    let scheme = address.split_once(':').map_or("", |(scheme, _)| scheme);
    let fits = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b));
    if fits && !scheme.is_empty() { format!("{scheme}:") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_hold_nothing_but_an_origin() {
        for (address, allowed) in [
            ("https://app.example/callback?x=1", "https://app.example"),
            ("https://app.example:8443/", "https://app.example:8443"),
            ("http://127.0.0.1:5000/cb", "http://127.0.0.1:5000"),
            ("http://[::1]:5000/cb", "http:"),
            ("https://a;script-src/", "https:"),
            ("https://a'/", "https:"),
            ("com.example.app:/done", "com.example.app:"),
            ("a b:c", ""),
            ("nothing", ""),
        ] {
            assert_eq!(source(address), allowed, "{address}");
        }
    }

    #[test]
    fn people_see_the_host() {
        assert_eq!(host("https://app.example/callback"), "app.example");
        assert_eq!(host("com.example.app:/done"), "com.example.app");
    }
}
