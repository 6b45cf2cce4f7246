//! A server with organizations, people in them, and apps that ask them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grantd_node::Request;
use grantd_node::realm::app::{AppSettings, CreateApp};
use grantd_node::realm::authorization::{Authorize, ConsentGiven};
use grantd_node::realm::caller::{Actor, Caller};
use grantd_node::realm::command::Command;
use grantd_node::realm::oauth_token::{Challenge, CodeRequest, Give};
use grantd_node::realm::organization::{CreateOrganization, Seat, SeatMember};
use grantd_node::realm::role::Member;
use serde_json::Value;

use crate::support::{Answer, Call, Rig, Setup};

/// Where the apps' answers go.
pub(super) const BACK: &str = "https://shop.example/back";

/// The verifier and the challenge of RFC 7636, appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A second, in microseconds.
pub(super) const SECOND: i64 = 1_000_000;

/// What apps ask for here.
pub(super) const SCOPES: &str = "payments.read organizations.read";

/// An app as its developer knows it.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: String,
    /// A public one has none.
    pub(super) secret: Option<String>,
}

/// `ann` is in the organization; `shop` and `rival` are apps with a secret, `phone` is a public one.
pub(super) struct World {
    pub(super) rig: Rig,
    pub(super) organization: String,
    pub(super) shop: Client,
    pub(super) rival: Client,
    pub(super) phone: Client,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::on(Rig::new().await).await
    }

    /// On a store that other nodes share.
    pub(super) async fn shared() -> Self {
        Self::on(Rig::set_up(Setup { shared: true, ..Setup::default() }).await).await
    }

    /// The same world by another node.
    pub(super) async fn beside(&self) -> Self {
        let rig = self.rig.another().await;
        let clients = (self.shop.clone(), self.rival.clone(), self.phone.clone());
        let (shop, rival, phone) = clients;
        Self { rig, organization: self.organization.clone(), shop, rival, phone }
    }

    async fn on(rig: Rig) -> Self {
        rig.person("ann").await;
        let made = run(&rig, Caller::system("test"), CreateOrganization { name: "The bakery".into() }).await;
        let (organization, member) = (made.id, Member::User("ann".into()));
        let seat = SeatMember { organization: organization.clone(), member, seat: Seat::Admin };
        run(&rig, Caller::system("test"), seat).await;
        let shop = register(&rig, "The shop", confidential(&[BACK])).await;
        let rival = register(&rig, "The rival", confidential(&["https://rival.example/back"])).await;
        let phone = AppSettings { public: true, ..confidential(&["http://127.0.0.1/back", BACK]) };
        let phone = register(&rig, "The phone", phone).await;
        Self { rig, organization, shop, rival, phone }
    }

    /// What ann's consent to an app gives: a code.
    pub(super) async fn code(&self, client: &Client, challenge: Option<&str>) -> String {
        let challenge = challenge.map(|text| Challenge::parse(text, Some("S256")).unwrap());
        self.code_for(client, SCOPES, challenge, true).await
    }

    pub(super) async fn code_for(
        &self,
        client: &Client,
        scopes: &str,
        challenge: Option<Challenge>,
        redirect_sent: bool,
    ) -> String {
        let scopes: Vec<String> = scopes.split(' ').map(Into::into).collect();
        let request =
            CodeRequest { scopes: scopes.clone(), redirect_uri: BACK.into(), redirect_sent, challenge };
        let consent = ConsentGiven { text_version: 1, locale: "en".into(), address: "192.0.2.1".into() };
        let command = Authorize {
            app: client.id.clone(),
            organization: self.organization.clone(),
            scopes,
            force: false,
            consent: Some(consent),
            expires: None,
            give: Give::Code(request),
        };
        run(&self.rig, Caller::local(Actor::User("ann".into())), command).await.code.unwrap().0
    }

    /// Exchanges a code.
    pub(super) async fn redeem(&self, client: &Client, code: &str, more: &[(&str, &str)]) -> Answer {
        let form = [&[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK)], more];
        self.post(client, "/oauth2/tokens", &form.concat()).await
    }

    /// Access and refresh token of an app that ann has just agreed with.
    pub(super) async fn tokens(&self, client: &Client) -> (String, String) {
        let is_public = client.secret.is_none();
        let code = self.code(client, is_public.then_some(CHALLENGE)).await;
        let verifier: &[_] = if is_public { &[("code_verifier", VERIFIER)] } else { &[] };
        pair(&self.redeem(client, &code, verifier).await.is(200))
    }

    pub(super) async fn refresh(&self, client: &Client, token: &str) -> Answer {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.post(client, "/oauth2/tokens", &form).await
    }

    /// A form of a client that says who it is by HTTP Basic, or, if it has no secret, by its id in the form.
    pub(super) async fn post(&self, client: &Client, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(client, "POST", path, form).await
    }

    pub(super) async fn send(
        &self,
        client: &Client,
        method: &str,
        path: &str,
        form: &[(&str, &str)],
    ) -> Answer {
        let call = self.rig.bare(method, path);
        match &client.secret {
            Some(secret) => call.basic(&client.id, secret).fields(form).await,
            None => call.fields(&[form, &[("client_id", &client.id)]].concat()).await,
        }
    }

    /// What a token is good for, as the system key is told.
    pub(super) async fn introspect(&self, token: &str) -> Value {
        self.rig.call("POST", "/oauth2/introspect").fields(&[("token", token)]).await.is(200).body
    }

    pub(super) async fn is_active(&self, token: &str) -> bool {
        self.introspect(token).await["active"] == true
    }

    /// Carries out a command as grantd's operator.
    pub(super) async fn operate<C: Command>(&self, command: C) -> C::Answer {
        run(&self.rig, Caller::system("test"), command).await
    }
}

pub(super) async fn run<C: Command>(rig: &Rig, caller: Caller, command: C) -> C::Answer {
    let realm = rig.node.realm("default").await.unwrap();
    let request = Request { command, caller, via: "test", reason: None, idempotency: None };
    realm.submit(request).await.unwrap().answer
}

pub(super) fn confidential(redirect_uris: &[&str]) -> AppSettings {
    AppSettings {
        redirect_uris: redirect_uris.iter().map(|uri| (*uri).to_owned()).collect(),
        public: false,
        optional_scopes: Vec::new(),
        pkce_required: false,
        website: None,
    }
}

pub(super) async fn register(rig: &Rig, name: &str, settings: AppSettings) -> Client {
    let made = run(rig, Caller::system("test"), CreateApp { name: name.into(), settings }).await;
    Client { id: made.client_id, secret: made.client_secret.map(|secret| secret.0) }
}

/// Access and refresh token of an answer.
pub(super) fn pair(answer: &Answer) -> (String, String) {
    let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

impl Call {
    pub(super) fn basic(self, id: &str, secret: &str) -> Self {
        let encoded = STANDARD.encode(format!("{id}:{secret}"));
        self.header("authorization", &format!("Basic {encoded}"))
    }

    pub(super) async fn fields(self, form: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(form).unwrap();
        self.text("application/x-www-form-urlencoded", &body).await
    }
}

/// The fields of a form, or what is changed about them.
pub(super) type Fields<'a> = &'a [(&'a str, &'a str)];

#[allow(clippy::wrong_self_convention, reason = "`is` reads as what it checks")]
impl Answer {
    /// The error that the standard names.
    pub(super) fn is_oauth(self, status: u16, error: &str) -> Self {
        let answer = self.is(status);
        assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text);
        assert_eq!(answer.body["error"], error, "{}", answer.text);
        assert!(answer.body["error_description"].is_string(), "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        answer
    }
}
