//! Codes and tokens issued.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    ACCESS_LIFE, ACCESS_PREFIX, AccessToken, Bound, CODE_PREFIX, Code, CodeRequest, Family, LETTERS,
    ShownAccess, ShownCode, ShownRefresh,
};
use crate::State;
use crate::app::App;
use crate::authorization::{Authorization, authorization_of, is_granted};
use crate::caller::{Actor, Authority, Caller};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision, RowWrite, Secret};
use crate::organization::seat_of;
use crate::refusal::{ConsentProblem, GrantProblem, Refusal};

/// What an app is given with an authorization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Give {
    /// Nothing.
    Nothing,
    /// A code, to be sent by way of the browser.
    Code(CodeRequest),
    /// Tokens, to be handed over otherwise.
    Tokens,
}

/// What a token endpoint answers (RFC 6749 section 5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// By which authorization.
    pub authorization: Uuid,
    /// The access token, this one time.
    pub access_token: Option<Secret>,
    /// The refresh token, this one time.
    pub refresh_token: Option<Secret>,
    /// How long the access token lives, in seconds.
    pub expires_in: u64,
    /// What it is good for now, in order.
    pub scopes: Vec<String>,
}

impl Answer for Tokens {
    fn encode(&self, w: &mut Writer) {
        w.uuid(self.authorization);
        w.u64(self.expires_in);
        w.texts(&self.scopes);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            authorization: r.uuid()?,
            access_token: None,
            refresh_token: None,
            expires_in: r.u64()?,
            scopes: r.texts()?,
        })
    }
}

/// Issues a code for what was agreed on before: no consent is needed, because nothing is new.
pub struct IssueCode {
    /// Which app, by client id.
    pub app: String,
    /// Which organization; the caller is a user who has a seat in it.
    pub organization: String,
    /// What for, and where to.
    pub request: CodeRequest,
}

/// A code at the moment of its making.
#[derive(Debug, Clone)]
pub struct CodeIssued {
    /// The secret, this one time.
    pub code: Option<Secret>,
}

impl Answer for CodeIssued {
    fn encode(&self, _: &mut Writer) {}
    fn decode(_: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { code: None })
    }
}

impl Command for IssueCode {
    type Answer = CodeIssued;
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        match cx.caller {
            Caller { actor: Actor::User(login), conferred: None }
                if seat_of(state, &self.organization, login, cx.now).is_some() =>
            {
                Ok(())
            }
            _ => Err(Refusal::Consent(ConsentProblem::NotMember)),
        }
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<CodeIssued>, Refusal> {
        let app = App::find(state, &self.app)?;
        let found = authorization_of(state, &self.app, &self.organization, cx.now);
        let authorization = found.ok_or(Refusal::Grant(GrantProblem::Ended))?;
        let mut rows = Vec::new();
        let now = cx.now;
        let has = |scope: &str| is_granted(state, authorization, scope, now);
        let code = Some(issue_code(app, authorization, &self.request, has, cx, &mut rows)?);
        Ok(Decision { rows, ..Decision::unchanged(CodeIssued { code }) })
    }
}

/// A new code, for scopes that are all had.
pub(crate) fn issue_code(
    app: &App,
    authorization: &Authorization,
    request: &CodeRequest,
    has: impl Fn(&str) -> bool,
    cx: &mut Context<'_>,
    rows: &mut Vec<RowWrite>,
) -> Result<Secret, Refusal> {
    if !app.redirects_to(&request.redirect_uri) {
        return Err(Refusal::Grant(GrantProblem::RedirectUri));
    }
    if app.needs_pkce() && request.challenge.is_none() {
        return Err(Refusal::Grant(GrantProblem::ChallengeMissing));
    }
    if request.scopes.is_empty() || !request.scopes.iter().all(|scope| has(scope)) {
        return Err(Refusal::Grant(GrantProblem::Scope));
    }
    let mut scopes: Vec<Arc<str>> = request.scopes.iter().map(|scope| scope.as_str().into()).collect();
    scopes.sort_unstable();
    scopes.dedup();
    let code = Code::new(Bound::to(authorization, scopes), request, cx.now);
    let secret = cx.entropy.letters(CODE_PREFIX, LETTERS);
    // What was just made fits its own form.
    let shown = ShownCode::parse(&secret).ok_or(Refusal::Grant(GrantProblem::Code))?;
    rows.push(code.put(&shown));
    Ok(Secret(secret))
}

/// A new family of tokens, without a code.
pub(crate) fn issue_tokens(
    authorization: &Authorization,
    scopes: &[Arc<str>],
    cx: &mut Context<'_>,
    rows: &mut Vec<RowWrite>,
) -> Tokens {
    let bound = Bound::to(authorization, scopes.to_vec());
    let handle = cx.entropy.letters("", super::shown::HANDLE);
    found_family(bound, &handle, scopes.to_vec(), cx, rows)
}

/// A new family with its first tokens.
pub(super) fn found_family(
    bound: Bound,
    handle: &str,
    live: Vec<Arc<str>>,
    cx: &mut Context<'_>,
    rows: &mut Vec<RowWrite>,
) -> Tokens {
    let refresh = ShownRefresh::new(handle, &mut cx.entropy);
    let family = Family { key: refresh.family_key(), bound, issued_at: cx.now, refresh: refresh.hash() };
    rows.push(family.put());
    issue_access(&family, live, &refresh, cx, rows)
}

/// A new access token of a family, for those of its scopes that are had now.
pub(super) fn issue_access(
    family: &Family,
    live: Vec<Arc<str>>,
    refresh: &ShownRefresh,
    cx: &mut Context<'_>,
    rows: &mut Vec<RowWrite>,
) -> Tokens {
    let scopes = live.iter().map(ToString::to_string).collect();
    let bound = Bound { scopes: live, ..family.bound.clone() };
    let token = AccessToken::issue(bound, family, cx.now);
    let secret = cx.entropy.letters(ACCESS_PREFIX, LETTERS);
    rows.extend(ShownAccess::parse(&secret).and_then(|shown| token.put(&shown)));
    Tokens {
        authorization: family.bound.authorization,
        access_token: Some(Secret(secret)),
        refresh_token: Some(Secret(refresh.text().to_owned())),
        expires_in: ACCESS_LIFE.unsigned_abs() / 1_000_000,
        scopes,
    }
}

/// Those of the scopes that an authorization still has.
pub(super) fn still_had(
    state: &State,
    authorization: &Authorization,
    scopes: &[Arc<str>],
    cx: &Context<'_>,
) -> Vec<Arc<str>> {
    scopes.iter().filter(|scope| is_granted(state, authorization, scope, cx.now)).cloned().collect()
}
