//! Codes: what a browser carries from the consent to the app.

use super::pkce::Challenge;
use super::{Bound, CODE_LIFE, ShownCode, read_form};
use crate::Micros;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::RowWrite;

/// The family of rows that codes are.
pub const CODE_ROWS: &str = "oauth_code";

/// How long a code's row stays beyond its end, so that a late client is told that it is late.
const REMEMBERED: Micros = 10 * 60 * 1_000_000;

/// What a code is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRequest {
    /// For which scopes.
    pub scopes: Vec<String>,
    /// Where it is sent.
    pub redirect_uri: String,
    /// Whether the app named that place; if so it names it again when it redeems the code (RFC 6749 section 4.1.3).
    pub redirect_sent: bool,
    /// What the app will prove itself by.
    pub challenge: Option<Challenge>,
}

/// A code, as its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Of what.
    pub bound: Bound,
    /// Where it was sent.
    pub redirect_uri: String,
    /// Whether the app had named that place.
    pub redirect_sent: bool,
    /// What the app has to prove itself by.
    pub challenge: Option<Challenge>,
    /// From then on it cannot be redeemed.
    pub expires: Micros,
}

impl Code {
    /// Reads a row.
    pub fn read(value: &[u8]) -> Result<Self, CodecError> {
        let mut r = Reader::new(value);
        read_form(&mut r)?;
        let code = Self {
            bound: Bound::read(&mut r)?,
            redirect_uri: r.text()?.into(),
            redirect_sent: r.bool()?,
            challenge: r.option(|r| r.array().map(Challenge))?,
            expires: r.i64()?,
        };
        r.finish()?;
        Ok(code)
    }

    fn value(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(super::FORM);
        self.bound.write(&mut w);
        w.text(&self.redirect_uri);
        w.bool(self.redirect_sent);
        w.option(self.challenge, |w, challenge| w.fixed(&challenge.0));
        w.i64(self.expires);
        w.finish().0
    }

    pub(super) fn new(bound: Bound, request: &CodeRequest, now: Micros) -> Self {
        Self {
            bound,
            redirect_uri: request.redirect_uri.clone(),
            redirect_sent: request.redirect_sent,
            challenge: request.challenge,
            expires: now.saturating_add(CODE_LIFE),
        }
    }

    pub(super) fn put(&self, shown: &ShownCode) -> RowWrite {
        let expires = self.expires.saturating_add(REMEMBERED);
        RowWrite::Put { kind: CODE_ROWS, key: shown.key(), value: self.value(), expires }
    }

    /// Once, whoever else tries.
    pub(super) fn take(&self, shown: &ShownCode) -> RowWrite {
        RowWrite::Take { kind: CODE_ROWS, key: shown.key(), value: self.value() }
    }
}
