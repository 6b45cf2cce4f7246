//! A token revoked by its own client (RFC 7009).

use super::{ACCESS_ROWS, AccessToken, Family, ShownAccess};
use crate::State;
use crate::app::ShownClient;
use crate::caller::Authority;
use crate::command::{Command, Context, Decision, RowWrite};
use crate::refusal::{GrantProblem, Refusal};

/// A token that was found.
#[derive(Debug, Clone)]
pub enum FoundToken {
    /// An access token.
    Access(ShownAccess, AccessToken),
    /// A refresh token's family.
    Refresh(Family),
}

/// Revokes a token: an access token alone, or with a refresh token all that its code gave. The authorization stays.
pub struct RevokeToken {
    /// Which client; the caller is that app.
    pub client: ShownClient,
    /// What it shows.
    pub token: FoundToken,
}

impl Command for RevokeToken {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.client.require(state, cx)
    }

    fn decide(&self, _: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let (app, row) = match &self.token {
            FoundToken::Access(shown, token) => {
                let row = RowWrite::Delete { kind: ACCESS_ROWS, key: shown.key().to_vec() };
                (token.app(), row)
            }
            FoundToken::Refresh(family) => (Some(&family.bound.app), family.end()),
        };
        if app.is_none_or(|app| **app != *self.client.client_id) {
            return Err(Refusal::Grant(GrantProblem::OtherClient));
        }
        Ok(Decision { rows: vec![row], ..Decision::unchanged(()) })
    }
}
