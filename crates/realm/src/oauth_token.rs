//! What is issued under an authorization (RFC 6749 sections 1.3.1, 1.4 and 1.5): codes, access tokens and refresh tokens.
//!
//! All of them are ephemeral rows beside the ledger; of their secrets only hashes are kept. What one code gave is a **family**: one
//! refresh token, under the same handle for ever, and the access tokens that it was renewed to. Each row names the authorization and its
//! generation and is judged on the newest state: what ends that ends them. Where the family's row is gone, so is all of it.

mod access;
mod code;
mod family;
mod issue;
mod pkce;
mod redeem;
mod refresh;
mod revoke;
mod shown;
mod used;

pub use access::{ACCESS_ROWS, AccessToken, Holder};
pub use code::{CODE_ROWS, Code, CodeRequest};
pub use family::{FAMILY_ROWS, Family};
pub use issue::{CodeIssued, Give, IssueCode, Tokens};
pub(crate) use issue::{issue_code, issue_tokens};
pub use pkce::Challenge;
pub use redeem::{RedeemCode, Redeemed};
pub use refresh::{RefreshTokens, Refreshed};
pub use revoke::{FoundToken, RevokeToken};
pub use shown::{ShownAccess, ShownCode, ShownRefresh};
pub use used::{NoteUses, USED_ROWS, read_use};

use std::sync::Arc;

use uuid::Uuid;

use crate::authorization::Authorization;
use crate::codec::{CodecError, Reader, Writer};
use crate::refusal::{GrantProblem, Refusal};
use crate::{Micros, State};

/// Begins a code.
pub const CODE_PREFIX: &str = "auth_";

/// Begins an access token, of an app or of an organization's own.
pub const ACCESS_PREFIX: &str = "access_";

/// Begins a refresh token.
pub const REFRESH_PREFIX: &str = "refresh_";

/// How many letters and digits follow: 178 bits.
pub const LETTERS: usize = 30;

/// How long a code can be redeemed: 30 s.
pub const CODE_LIFE: Micros = 30 * 1_000_000;

/// How long an access token lives: an hour.
pub const ACCESS_LIFE: Micros = 3_600 * 1_000_000;

/// What was issued: for which app, at which organization, under which authorization, for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The app, by client id.
    pub app: Arc<str>,
    /// The organization.
    pub organization: Arc<str>,
    /// The authorization.
    pub authorization: Uuid,
    /// Its generation then.
    pub generation: u32,
    /// The scopes that it was issued for; what of them still counts, the authorization says.
    pub scopes: Vec<Arc<str>>,
}

impl Bound {
    fn to(authorization: &Authorization, scopes: Vec<Arc<str>>) -> Self {
        Self {
            app: authorization.app.clone(),
            organization: authorization.organization.clone(),
            authorization: authorization.id,
            generation: authorization.generation,
            scopes,
        }
    }

    /// The authorization, if it still stands.
    pub fn live<'a>(&self, state: &'a State, now: Micros) -> Option<&'a Arc<Authorization>> {
        let found = state.authorizations().get(self.authorization)?;
        (found.generation == self.generation && found.is_live(now)).then_some(found)
    }

    fn require_live<'a>(&self, state: &'a State, now: Micros) -> Result<&'a Arc<Authorization>, Refusal> {
        self.live(state, now).ok_or(Refusal::Grant(GrantProblem::Ended))
    }

    fn write(&self, w: &mut Writer) {
        w.text(&self.app);
        w.text(&self.organization);
        w.uuid(self.authorization);
        w.u32(self.generation);
        w.texts(&self.scopes);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            app: r.text()?.into(),
            organization: r.text()?.into(),
            authorization: r.uuid()?,
            generation: r.u32()?,
            scopes: r.texts()?,
        })
    }
}

/// The form of all these rows.
const FORM: u8 = 1;

fn read_form(r: &mut Reader<'_>) -> Result<(), CodecError> {
    match r.u8()? {
        FORM => Ok(()),
        other => Err(CodecError::Unknown { what: "an OAuth row's form", found: other.to_string() }),
    }
}
