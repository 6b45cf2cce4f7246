//! The authorization server (OAuth 2.1 draft, RFC 6749, 7009, 7636, 7662, 8414, 9207), under `/oauth2`.
//!
//! A translation and nothing else: what a code, a token and an authorization are is in `realm`. The page on which a person
//! consents is in `pages/consent/`; it takes an [`AuthorizationRequest`] and answers by [`answer`].

mod answer;
mod authorization_request;
mod redirect;

pub(crate) use answer::{Answerer, Consent, answer};
pub(crate) use authorization_request::{ApprovalPrompt, AuthorizationRequest, AuthorizeError};
