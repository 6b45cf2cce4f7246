//! A browser, as far as the pages need one: it keeps cookies and sends the forms that it is shown.

use std::collections::BTreeMap;
use std::net::IpAddr;

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Call, Rig, client};

pub(crate) const PASSWORD: &str = "a long enough password";

/// The name of the session cookie of the realm `default` without TLS.
pub(crate) const COOKIE: &str = "grantd_session";

#[derive(Clone)]
pub(crate) struct Browser {
    base: String,
    http: reqwest::Client,
    /// What it would send, by name.
    pub(crate) cookies: BTreeMap<String, String>,
    /// The token of the page that it was last shown.
    pub(crate) csrf: String,
}

impl Browser {
    /// At a realm's pages: `` or `/r/<realm>` in front of every path.
    pub(crate) fn at(rig: &Rig, mount: &str) -> Self {
        Self::from(rig, mount, [127, 0, 0, 1].into())
    }

    pub(crate) fn new(rig: &Rig) -> Self {
        Self::at(rig, "")
    }

    /// From another address than other browsers.
    pub(crate) fn elsewhere(rig: &Rig, last: u8) -> Self {
        Self::from(rig, "", [127, 0, 0, last].into())
    }

    fn from(rig: &Rig, mount: &str, source: IpAddr) -> Self {
        let http =
            client().local_address(source).user_agent("Test/1.0 (X11; Linux) Firefox/1.0").build().unwrap();
        Self { base: format!("{}{mount}", rig.base()), http, cookies: BTreeMap::new(), csrf: String::new() }
    }

    /// The same browser on another server.
    pub(crate) fn on(&self, rig: &Rig) -> Self {
        Self { base: rig.base().into(), ..self.clone() }
    }

    /// A request with the cookies that it has.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        let call = Call(
            self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", self.base)),
        );
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if cookies.is_empty() { call } else { call.header("cookie", &cookies.join("; ")) }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.call("GET", path).send().await;
        self.keeps(&answer);
        answer
    }

    /// Sends a form with the token of the page that it was last shown.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.call("POST", path).form(fields, &self.csrf).await;
        self.keeps(&answer);
        answer
    }

    fn keeps(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        if let Some(token) = answer.text.split("name=\"csrf\" value=\"").nth(1) {
            self.csrf = token.split('"').next().unwrap().into();
        }
    }

    /// What the sign-in page says to a login and a password.
    pub(crate) async fn tries(&mut self, login: &str, password: &str) -> Answer {
        self.get("/login").await.is(200);
        self.post("/login", &[("login", login), ("password", password)]).await
    }

    /// Signs in; what follows is signed in.
    pub(crate) async fn signs_in(&mut self, login: &str) {
        let answer = self.tries(login, PASSWORD).await.is(303);
        assert!(answer.header("location").ends_with("/account"), "{:?}", answer.headers);
        self.get("/account").await.is(200);
    }

    /// Whether its cookie still stands for somebody.
    pub(crate) async fn is_signed_in(&self) -> bool {
        let page = self.call("GET", "/account").send().await;
        let api = self.call("GET", "/api/v1/session").send().await;
        match (page.status, api.status) {
            (200, 200) => true,
            (303, 401) => false,
            other => panic!("{other:?}: {} {}", page.text, api.text),
        }
    }

    pub(crate) fn session(&self) -> &str {
        &self.cookies[COOKIE]
    }
}

impl Call {
    /// Sends a form.
    pub(crate) async fn form(self, fields: &[(&str, &str)], csrf: &str) -> Answer {
        let escaped = |text: &str| {
            let bytes = text.bytes().map(|b| match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(b).to_string(),
                other => format!("%{other:02X}"),
            });
            bytes.collect::<String>()
        };
        let fields = fields.iter().copied().chain([("csrf", csrf)]);
        let body: Vec<_> = fields.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        self.text("application/x-www-form-urlencoded", &body.join("&")).await
    }
}

impl Rig {
    /// A new user with [`PASSWORD`].
    pub(crate) async fn person(&self, login: &str) {
        self.person_at("", login).await;
    }

    /// A new user of a realm.
    pub(crate) async fn person_at(&self, mount: &str, login: &str) {
        let user = json!({"login": login, "name": format!("The name of {login}"), "password": PASSWORD});
        self.call("POST", &format!("{mount}/api/v1/users")).json(user).await.is(201);
    }

    /// A server with the user `ann`, and two browsers of hers.
    pub(crate) async fn with_ann() -> (Self, Browser, Browser) {
        let rig = Self::new().await;
        rig.person("ann").await;
        let (mut one, mut other) = (Browser::new(&rig), Browser::new(&rig));
        one.signs_in("ann").await;
        other.signs_in("ann").await;
        (rig, one, other)
    }
}
