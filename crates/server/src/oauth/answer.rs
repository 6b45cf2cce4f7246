//! What becomes of a request when the person has decided: the address that they are sent to.

use grantd_node::realm::authorization::{Authorize, ConsentGiven};
use grantd_node::realm::caller::Actor;
use grantd_node::realm::command::Command;
use grantd_node::realm::oauth_token::{CodeRequest, Give, IssueCode};
use grantd_node::realm::{Caller, Refusal};
use grantd_node::{Realm, Request as Submission};

use super::authorization_request::{ApprovalPrompt, AuthorizationRequest};
use super::redirect::{Failure, failed, succeeded};
use super::{VIA, issuer};
use crate::app::App;
use crate::edge::EdgeError;
use crate::face::CallError;

/// What the person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Consent {
    /// They agree, for this organization (`org_...`), to these of the scopes that were asked for.
    Given {
        /// For which organization.
        organization: String,
        /// To what, that included which they had agreed to before. Whatever is not optional is in it.
        scopes: Vec<String>,
    },
    /// They agreed to everything before, and are not asked: see [`AuthorizationRequest::is_to_be_asked`].
    GivenBefore {
        /// For which organization.
        organization: String,
    },
    /// They do not agree.
    Refused,
}

/// Who decided, and on which text: evidence for the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Answerer {
    /// Who is signed in.
    pub(crate) login: String,
    /// The version of the text that they saw.
    pub(crate) text_version: u32,
    /// In which language.
    pub(crate) locale: String,
    /// From which address.
    pub(crate) address: String,
}

/// Puts a decision on record and says where the person goes next (303): to the app, with a code or with the refusal.
///
/// Who may not decide for that organization is refused, and stays where they are.
pub(crate) async fn answer(
    app: &App,
    realm: &Realm,
    request: &AuthorizationRequest,
    by: &Answerer,
    consent: Consent,
) -> Result<String, CallError> {
    let issuer = issuer(app, realm.name());
    let state = request.state.as_deref();
    let code = match consent {
        Consent::Refused => return Ok(failed(&request.redirect_uri, Failure::AccessDenied, state, &issuer)),
        Consent::Given { organization, scopes } => {
            request.require_whole(&scopes)?;
            let command = Authorize {
                app: request.app.clone(),
                organization,
                give: Give::Code(request.code(scopes.clone())),
                scopes,
                force: request.approval_prompt == ApprovalPrompt::Force,
                consent: Some(ConsentGiven {
                    text_version: by.text_version,
                    locale: by.locale.clone(),
                    address: by.address.clone(),
                }),
                expires: None,
            };
            submit(realm, by, command).await?.code
        }
        Consent::GivenBefore { organization } => {
            let now = app.node.now();
            if request.is_to_be_asked(&realm.published().state, &organization, now) {
                return Err(
                    Refusal::invalid("scopes", "not all of them are agreed on; ask the person").into()
                );
            }
            let code = request.code(request.scopes.clone());
            let command = IssueCode { app: request.app.clone(), organization, request: code };
            submit(realm, by, command).await?.code
        }
    };
    // Only a repeated answer has none, and nothing is repeated here.
    let code = code.ok_or(EdgeError::Internal)?;
    Ok(succeeded(&request.redirect_uri, &code.0, state, &issuer))
}

async fn submit<C: Command>(realm: &Realm, by: &Answerer, command: C) -> Result<C::Answer, CallError> {
    let caller = Caller::local(Actor::User(by.login.clone()));
    let request = Submission { command, caller, via: VIA, reason: None, idempotency: None };
    Ok(realm.submit(request).await?.answer)
}

impl AuthorizationRequest {
    /// Refuses a choice that was not offered.
    fn require_whole(&self, chosen: &[String]) -> Result<(), CallError> {
        let required = self.scopes.iter().filter(|scope| !self.optional.contains(scope));
        let is_whole = required.into_iter().all(|scope| chosen.contains(scope));
        if is_whole && !chosen.is_empty() && chosen.iter().all(|scope| self.scopes.contains(scope)) {
            return Ok(());
        }
        Err(Refusal::invalid("scopes", "must be all that is asked for; only optional ones can be left out")
            .into())
    }

    fn code(&self, scopes: Vec<String>) -> CodeRequest {
        CodeRequest {
            scopes,
            redirect_uri: self.redirect_uri.clone(),
            redirect_sent: self.redirect_uri_named,
            challenge: self.code_challenge,
        }
    }
}
