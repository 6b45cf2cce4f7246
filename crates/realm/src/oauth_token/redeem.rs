//! A code turned into tokens (RFC 6749 section 4.1.3).

use super::issue::{found_family, still_had};
use super::pkce::check_verifier;
use super::{Code, Family, ShownCode, Tokens};
use crate::State;
use crate::app::ShownClient;
use crate::caller::Authority;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision};
use crate::refusal::{GrantProblem, Refusal};

/// Redeems a code, once. One that was redeemed before ends what it gave.
pub struct RedeemCode {
    /// Which client shows it; the caller is that app.
    pub client: ShownClient,
    /// The code.
    pub code: ShownCode,
    /// Its row, as it was found.
    pub found: Option<Code>,
    /// The row of what it gave, as it was found.
    pub family: Option<Family>,
    /// Where the client says that it was sent.
    pub redirect_uri: Option<String>,
    /// What the client proves itself by.
    pub verifier: Option<String>,
}

/// What redeeming came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// The tokens.
    Tokens(Tokens),
    /// There is no such code any more, or never was. If it was redeemed before, by the same client, what it gave is over now.
    Gone,
}

impl Answer for Redeemed {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Tokens(tokens) => {
                w.u8(0);
                tokens.encode(w);
            }
            Self::Gone => w.u8(1),
        }
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        match r.u8()? {
            0 => Tokens::decode(r).map(Self::Tokens),
            1 => Ok(Self::Gone),
            other => Err(CodecError::Unknown { what: "a redemption", found: other.to_string() }),
        }
    }
}

impl Command for RedeemCode {
    type Answer = Redeemed;
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.client.require(state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Redeemed>, Refusal> {
        let is_theirs = |app: &str| *app == *self.client.client_id;
        let Some(code) = &self.found else {
            let gave = self.family.iter().filter(|family| is_theirs(&family.bound.app));
            let rows = gave.map(Family::end).collect();
            return Ok(Decision { rows, ..Decision::unchanged(Redeemed::Gone) });
        };
        if !is_theirs(&code.bound.app) {
            return Err(Refusal::Grant(GrantProblem::Code));
        }
        if code.expires <= cx.now {
            return Err(Refusal::Grant(GrantProblem::CodeExpired));
        }
        let is_there = match &self.redirect_uri {
            Some(uri) => *uri == code.redirect_uri,
            None => !code.redirect_sent,
        };
        if !is_there {
            return Err(Refusal::Grant(GrantProblem::RedirectUri));
        }
        check_verifier(code.challenge, self.verifier.as_deref())?;
        let authorization = code.bound.require_live(state, cx.now)?;
        let live = still_had(state, authorization, &code.bound.scopes, cx);
        let mut rows = vec![code.take(&self.code)];
        let tokens = found_family(code.bound.clone(), &self.code.handle(), live, cx, &mut rows);
        Ok(Decision { rows, ..Decision::unchanged(Redeemed::Tokens(tokens)) })
    }
}
