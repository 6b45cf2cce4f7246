//! What becomes of a request when the person has decided: the address that they are sent to.

use std::sync::Arc;

use grantd_node::realm::Caller;
use grantd_node::realm::authorization::{Authorize, Evidence};
use grantd_node::realm::caller::Actor;
use grantd_node::realm::oauth_token::IssueCode;
use grantd_node::{Realm, Request as Submission};

use super::authorization_request::{ApprovalPrompt, AuthorizationRequest};
use super::redirect::{Failure, failed, succeeded};
use crate::face::CallError;

/// What the person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Consent {
    /// They agree, for this organization (`org_...`), to these of the scopes that were asked for. Those that are not optional are
    /// among them.
    Given {
        /// For which organization.
        organization: String,
        /// To what, those included that were agreed on before.
        scopes: Vec<String>,
    },
    /// They agreed to everything before: the app gets a code and nobody is asked. Not for public apps, nor where the app wants
    /// the person asked.
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
