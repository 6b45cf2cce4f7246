//! Clients that others wrote, against the server process: code with PKCE, refresh, introspection and revocation.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse,
    IntrospectionUrl, PkceCodeChallenge, RedirectUrl, RefreshToken, RevocationUrl, Scope,
    TokenIntrospectionResponse as _, TokenResponse as _, TokenUrl,
};
use openidconnect::core::{CoreClient, CoreJsonWebKeySet, CoreResponseType};
use openidconnect::{AuthenticationFlow, IssuerUrl, Nonce};
use rustls::crypto::aws_lc_rs;
use serde_json::{Value, json};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, http};

use crate::support::{KEY, Place, Server};

const BACK: &str = "https://shop.example/back";
const PASSWORD: &str = "a long enough password";

/// A client of HTTP, and what a browser keeps.
struct Web {
    agent: Agent,
    url: String,
    cookies: BTreeMap<String, String>,
}

impl Web {
    fn of(server: &Server<'_>, certificate: &Path) -> Self {
        let pem = std::fs::read(certificate).unwrap();
        let roots = parse_pem(&pem).filter_map(|item| match item.unwrap() {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        });
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::from(roots))
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .tls_config(tls)
            .build()
            .new_agent();
        Self { agent, url: server.url.clone(), cookies: BTreeMap::new() }
    }

    /// What the independent clients send their requests by.
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
        let (parts, mut body) = self.agent.run(request)?.into_parts();
        Ok(http::Response::from_parts(parts, body.read_to_vec()?))
    }

    /// A request of a browser, or with the system key.
    fn call(&mut self, method: &str, path: &str, form: Option<&[(&str, &str)]>) -> (u16, String, String) {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let body = form.map(form_of).unwrap_or_default();
        let url = if path.starts_with("https:") { path.to_owned() } else { format!("{}{path}", self.url) };
        let request = http::Request::builder()
            .method(method)
            .uri(url)
            .header("cookie", cookies.join("; "))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.into_bytes())
            .unwrap();
        let answer = self.send(request).unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.into(), value.into());
        }
        let location = answer.headers().get("location").map_or("", |value| value.to_str().unwrap());
        let (status, location) = (answer.status().as_u16(), location.to_owned());
        (status, location, String::from_utf8(answer.into_body()).unwrap())
    }

    /// A call of the native API.
    fn api(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {KEY}"))
            .header("content-type", "application/json")
            .body(body.to_string().into_bytes())
            .unwrap();
        let answer = self.send(request).unwrap();
        assert!(answer.status().is_success(), "{path}: {}", String::from_utf8_lossy(answer.body()));
        serde_json::from_slice(answer.body()).unwrap_or_default()
    }

    /// Signs in, opens the app's link, says yes; where that leads.
    fn consents(&mut self, login: &str, link: &str) -> BTreeMap<String, String> {
        let (_, _, page) = self.call("GET", "/login", None);
        let csrf = hidden(&page, "csrf");
        let form = [("login", login), ("password", PASSWORD), ("csrf", csrf.as_str())];
        assert_eq!(self.call("POST", "/login", Some(&form)).0, 303);
        let (status, _, page) = self.call("GET", link, None);
        assert_eq!(status, 200, "{page}");
        let names = ["csrf", "organization", "seen", "texts"];
        let values = names.map(|name| hidden(&page, name));
        let mut form: Vec<_> = names.into_iter().zip(values.iter().map(String::as_str)).collect();
        form.push(("decision", "allow"));
        let (status, location, page) = self.call("POST", link, Some(&form));
        assert_eq!(status, 303, "{page}");
        let query =
            location.strip_prefix(BACK).unwrap_or_else(|| panic!("{location}")).trim_start_matches('?');
        serde_urlencoded::from_str(query).unwrap()
    }
}

fn form_of(form: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(form).unwrap()
}

/// A hidden field of a page's last form.
fn hidden(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let value = page.rsplit(&field).next().filter(|_| page.contains(&field)).unwrap_or_default();
    value.split('"').next().unwrap_or_default().to_owned()
}

/// A server with ann in an organization.
fn world<'a>(place: &'a Place) -> (Server<'a>, Web) {
    let server = place.serve(&["--tls-self-signed"]);
    let web = Web::of(&server, &place.path("grantd-data/tls-self-signed.crt"));
    web.api("POST", "/api/v1/users", &json!({"login": "ann", "password": PASSWORD}));
    let organization = web.api("POST", "/api/v1/organizations", &json!({"name": "The bakery"}))["id"].clone();
    let seat = format!("/api/v1/organizations/{}/members/user:ann", organization.as_str().unwrap());
    web.api("PUT", &seat, &json!({"seat": "admin"}));
    (server, web)
}

/// The metadata, which says where everything is.
fn discovered(web: &mut Web) -> Value {
    let (status, _, body) = web.call("GET", "/.well-known/oauth-authorization-server", None);
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn the_oauth2_crate_with_a_secret_in_the_header() {
    let place = Place::new();
    let (_server, mut web) = world(&place);
    let made = web.api("POST", "/api/v1/apps", &json!({"name": "The shop", "redirect_uris": [BACK]}));
    let metadata = discovered(&mut web);
    let client = BasicClient::new(ClientId::new(text(&made["client_id"])))
        .set_client_secret(ClientSecret::new(text(&made["client_secret"])))
        .set_auth_uri(AuthUrl::new(text(&metadata["authorization_endpoint"])).unwrap())
        .set_token_uri(TokenUrl::new(text(&metadata["token_endpoint"])).unwrap())
        .set_introspection_url(IntrospectionUrl::new(text(&metadata["introspection_endpoint"])).unwrap())
        .set_revocation_url(RevocationUrl::new(text(&metadata["revocation_endpoint"])).unwrap())
        .set_redirect_uri(RedirectUrl::new(BACK.into()).unwrap());
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (link, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scope(Scope::new("payments.read".into()))
        .add_scope(Scope::new("payment-links.read".into()))
        .set_pkce_challenge(challenge)
        .url();
    let told = web.consents("ann", link.as_str());
    assert_eq!(told["state"], *state.secret());
    assert_eq!(told["iss"], text(&metadata["issuer"]));
    let http = |request| web.send(request);
    let code = || AuthorizationCode::new(told["code"].clone());
    let tokens = client.exchange_code(code()).set_pkce_verifier(verifier).request(&http).unwrap();
    let scopes: Vec<_> = tokens.scopes().unwrap().iter().map(|scope| scope.as_str()).collect();
    assert_eq!(scopes.len(), 2);
    assert_eq!(tokens.expires_in().unwrap().as_secs(), 3_600);
    let refresh = tokens.refresh_token().unwrap();
    let renewed = client.exchange_refresh_token(refresh).request(&http).unwrap();
    assert_eq!(renewed.refresh_token().map(RefreshToken::secret), Some(refresh.secret()));
    let is_active = |token: &oauth2::AccessToken| client.introspect(token).request(&http).unwrap().active();
    assert!(is_active(tokens.access_token()) && is_active(renewed.access_token()));
    client.revoke_token(tokens.access_token().clone().into()).unwrap().request(&http).unwrap();
    assert!(!is_active(tokens.access_token()) && is_active(renewed.access_token()));
    client.revoke_token(refresh.clone().into()).unwrap().request(&http).unwrap();
    assert!(!is_active(renewed.access_token()));
    let refused = client.exchange_refresh_token(refresh).request(&http).unwrap_err();
    assert!(format!("{refused:?}").contains("invalid_grant"), "{refused:?}");
}

#[test]
fn the_openidconnect_crate_as_a_public_client() {
    let place = Place::new();
    let (_server, mut web) = world(&place);
    let app = json!({"name": "The phone", "redirect_uris": [BACK], "public": true});
    let id = text(&web.api("POST", "/api/v1/apps", &app)["client_id"]);
    let metadata = discovered(&mut web);
    let issuer = IssuerUrl::new(text(&metadata["issuer"])).unwrap();
    let client = CoreClient::new(ClientId::new(id), issuer, CoreJsonWebKeySet::default())
        .disable_openid_scope()
        .set_auth_type(AuthType::RequestBody)
        .set_auth_uri(AuthUrl::new(text(&metadata["authorization_endpoint"])).unwrap())
        .set_token_uri(TokenUrl::new(text(&metadata["token_endpoint"])).unwrap())
        .set_revocation_url(RevocationUrl::new(text(&metadata["revocation_endpoint"])).unwrap())
        .set_redirect_uri(RedirectUrl::new(BACK.into()).unwrap());
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
    let (link, state, _) = client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("payments.read".into()))
        .set_pkce_challenge(challenge)
        .url();
    let told = web.consents("ann", link.as_str());
    assert_eq!(told["state"], *state.secret());
    let http = |request| web.send(request);
    let code = AuthorizationCode::new(told["code"].clone());
    let tokens = client.exchange_code(code).set_pkce_verifier(verifier).request(&http).unwrap();
    let first = tokens.refresh_token().unwrap();
    let renewed = client.exchange_refresh_token(first).request(&http).unwrap();
    let second = renewed.refresh_token().unwrap();
    assert_ne!(first.secret(), second.secret());
    client.revoke_token(renewed.access_token().clone().into()).unwrap().request(&http).unwrap();
    // A refresh token that was used before ends all that came of it.
    client.exchange_refresh_token(first).request(&http).unwrap_err();
    client.exchange_refresh_token(second).request(&http).unwrap_err();
}
