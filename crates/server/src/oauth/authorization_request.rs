//! What an app asks a person for, at `/oauth2/authorize` (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
//!
//! The order of the checks is the point of them: nobody is sent anywhere before it is sure that the address is the app's own.

use std::collections::HashMap;

use grantd_node::Realm;
use grantd_node::realm::app::App;
use grantd_node::realm::authorization::missing;
use grantd_node::realm::oauth_token::Challenge;
use grantd_node::realm::scope::parse_list;
use grantd_node::realm::{Micros, State};

use super::issuer;
use super::redirect::{Failure, failed};
use crate::face::CallError;

/// How many scopes one request can ask for.
const MAX_SCOPES: usize = 200;

/// Whether the person is asked also where they agreed to everything before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApprovalPrompt {
    /// Only for what is new.
    Auto,
    /// In any case; what is agreed on then takes the place of what was.
    Force,
}

/// A checked request: the app is there, the address is one of its own, every scope is in the catalogue.
///
/// It can only be had from [`AuthorizationRequest::check`]. Between page and form it travels as its own query, and is checked
/// again when it comes back.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizationRequest {
    /// The app's client id.
    pub(crate) app: String,
    /// Where the answer goes.
    pub(crate) redirect_uri: String,
    /// Whether the request named that address: then the exchange of the code has to name it as well.
    pub(crate) redirect_uri_named: bool,
    /// What is asked for, each once, in the order it was asked for.
    pub(crate) scopes: Vec<String>,
    /// Those of them that the person may leave out.
    pub(crate) optional: Vec<String>,
    /// Goes back to the app as it came.
    pub(crate) state: Option<String>,
    /// The app's proof key, S256.
    pub(crate) code_challenge: Option<Challenge>,
    /// The organization to offer first, if the app named one (`org_...`). The person need not be a member of it.
    pub(crate) organization: Option<String>,
    /// The language asked for (`nl_NL`), for who is not signed in. Any text.
    pub(crate) locale: Option<String>,
    /// See there.
    pub(crate) approval_prompt: ApprovalPrompt,
    /// Whether the app is public: it cannot prove who it is, so that the person is asked each time (RFC 6749 section 10.2).
    pub(crate) public: bool,
}

/// Why there is nothing to ask the person.
#[derive(Debug)]
pub(crate) enum AuthorizeError {
    /// The app or its address is not sure: a page says so, with status 400, and nobody is sent anywhere.
    Shown(&'static str),
    /// The app is told, at this address: a redirect by 303.
    Sent(String),
    /// The realm cannot be asked.
    Call(CallError),
}

/// Checks a query on the newest state.
pub(crate) async fn check(
    app: &crate::app::App,
    realm: &Realm,
    query: &str,
) -> Result<AuthorizationRequest, AuthorizeError> {
    let issuer = issuer(app, realm.name());
    // What another node registered a moment ago is never unknown here.
    realm.catch_up().await.map_err(|error| AuthorizeError::Call(error.into()))?;
    AuthorizationRequest::check(query, &realm.published().state, &issuer)
}

impl AuthorizationRequest {
    /// Whether the person has to be asked for this organization: for what they have not agreed to yet, because the app wants
    /// it so, or because nobody can know that it is the app who asks.
    pub(crate) fn is_to_be_asked(&self, state: &State, organization: &str, now: Micros) -> bool {
        self.public
            || self.approval_prompt == ApprovalPrompt::Force
            || !missing(state, &self.app, organization, &self.scopes, now).is_empty()
    }

    /// Checks a query. `issuer` is [`super::issuer`] of the realm.
    pub(crate) fn check(query: &str, state: &State, issuer: &str) -> Result<Self, AuthorizeError> {
        let asked = Asked::read(query);
        let (app, redirect_uri) = asked.recipient(state)?;
        asked.checked(app, redirect_uri.clone(), state).map_err(|failure| {
            // A state that came twice is nobody's.
            let state = asked.one("state").ok().flatten();
            AuthorizeError::Sent(failed(&redirect_uri, failure, state, issuer))
        })
    }
}

/// The parameters as they came: each with its value, or none if it came twice.
struct Asked(HashMap<String, Option<String>>);

struct Twice;

impl From<Twice> for Failure {
    fn from(Twice: Twice) -> Self {
        Self::InvalidRequest("a parameter is given twice")
    }
}

impl Asked {
    fn read(query: &str) -> Self {
        let mut values = HashMap::new();
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        for (name, value) in pairs {
            values.entry(name).and_modify(|known| *known = None).or_insert(Some(value));
        }
        Self(values)
    }

    /// A parameter. An empty one counts as not sent (RFC 6749 section 3.1).
    fn one(&self, name: &str) -> Result<Option<&str>, Twice> {
        match self.0.get(name) {
            None => Ok(None),
            Some(None) => Err(Twice),
            Some(Some(value)) => Ok(Some(value.as_str()).filter(|value| !value.is_empty())),
        }
    }

    fn owned(&self, name: &str) -> Result<Option<String>, Twice> {
        Ok(self.one(name)?.map(Into::into))
    }

    /// The app, and the address of its own that the answer goes to.
    fn recipient<'s>(&self, state: &'s State) -> Result<(&'s App, String), AuthorizeError> {
        let shown = AuthorizeError::Shown;
        let id = self.one("client_id").map_err(|Twice| shown("the link names its app twice"))?;
        let id = id.ok_or(shown("the link does not say which app it is from"))?;
        let app: &App =
            state.apps().get(id).ok_or(shown("there is no such app; it may have been deleted"))?;
        let wanted = self.one("redirect_uri");
        let wanted = wanted.map_err(|Twice| shown("the link names two addresses to go back to"))?;
        let unknown = shown("the link leads back to an address that is not registered for the app");
        let address = match wanted {
            Some(wanted) => app.redirects_to(wanted).then_some(wanted),
            None => app.only_redirect(),
        };
        Ok((app, address.ok_or(unknown)?.to_owned()))
    }

    fn checked(
        &self,
        app: &App,
        redirect_uri: String,
        state: &State,
    ) -> Result<AuthorizationRequest, Failure> {
        // A request object may say other things than the query does; to read only one of them would be wrong.
        if self.0.contains_key("request") {
            return Err(Failure::RequestNotSupported);
        }
        if self.0.contains_key("request_uri") {
            return Err(Failure::RequestUriNotSupported);
        }
        let echoed = self.owned("state")?;
        match self.one("response_type")? {
            Some("code") => {}
            Some(_) => return Err(Failure::UnsupportedResponseType),
            None => return Err(Failure::InvalidRequest("response_type must be code")),
        }
        if self.one("response_mode")?.is_some_and(|mode| mode != "query") {
            return Err(Failure::InvalidRequest("response_mode must be query"));
        }
        let code_challenge = self.code_challenge(app)?;
        if echoed.is_none() && code_challenge.is_none() {
            return Err(Failure::InvalidRequest(
                "state is missing: send a value that only the browser's session knows",
            ));
        }
        let approval_prompt = match self.one("approval_prompt")? {
            None | Some("auto") => ApprovalPrompt::Auto,
            Some("force") => ApprovalPrompt::Force,
            Some(_) => return Err(Failure::InvalidRequest("approval_prompt must be auto or force")),
        };
        let scopes = scopes(self.one("scope")?, state)?;
        let optional = scopes.iter().filter(|scope| app.is_optional(scope)).cloned().collect();
        Ok(AuthorizationRequest {
            app: app.client_id.to_string(),
            redirect_uri,
            redirect_uri_named: self.one("redirect_uri")?.is_some(),
            scopes,
            optional,
            state: echoed,
            code_challenge,
            organization: self.owned("organization")?,
            locale: self.owned("locale")?,
            approval_prompt,
            public: app.settings.public,
        })
    }

    /// The proof key (RFC 7636). `plain`, which is also what no method means, proves nothing to who sees the request.
    fn code_challenge(&self, app: &App) -> Result<Option<Challenge>, Failure> {
        match (self.one("code_challenge")?, self.one("code_challenge_method")?) {
            (None, Some(_)) => Err(Failure::InvalidRequest("code_challenge is missing")),
            (None, None) if app.needs_pkce() => {
                Err(Failure::InvalidRequest("code_challenge is missing: this app has to use PKCE with S256"))
            }
            (None, None) => Ok(None),
            (Some(text), method) => Challenge::parse(text, method).map(Some).map_err(|_| {
                Failure::InvalidRequest(
                    "code_challenge must be the SHA-256 of the verifier in base64url without padding, and \
                     code_challenge_method must be S256",
                )
            }),
        }
    }
}

/// The scopes, each once.
fn scopes(text: Option<&str>, state: &State) -> Result<Vec<String>, Failure> {
    let scopes = parse_list(text.unwrap_or_default());
    if scopes.is_empty() {
        return Err(Failure::InvalidScope("scope is missing: name at least one"));
    }
    if scopes.len() > MAX_SCOPES {
        return Err(Failure::InvalidScope("too many scopes: at most 200 in one request"));
    }
    if scopes.iter().any(|scope| state.scopes().get(scope).is_none()) {
        return Err(Failure::InvalidScope(
            "a scope is not in the catalogue: scopes_supported names them all",
        ));
    }
    Ok(scopes)
}
