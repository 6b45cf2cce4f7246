//! Which app it is that calls at the token endpoint (RFC 6749 section 2.3).

use super::App;
use crate::State;
use crate::caller::Actor;
use crate::command::{Context, Secret};
use crate::entropy::secret_hash;
use crate::refusal::{GrantProblem, Refusal};

/// What a client says that it is. Commands that take one look at it again, on the state that they are decided on.
#[derive(Debug, Clone)]
pub struct ShownClient {
    /// Its client id.
    pub client_id: String,
    /// Its secret; an app that is public has none.
    pub secret: Option<Secret>,
}

impl ShownClient {
    /// The app, if it is the one. A public app that shows a secret is not.
    pub fn verify<'a>(&self, state: &'a State) -> Result<&'a App, Refusal> {
        let app = state.apps().get(&self.client_id).ok_or(Refusal::Grant(GrantProblem::Client))?;
        let is_it = match (&app.secret, &self.secret) {
            (None, None) => true,
            // In constant time, as BLAKE3 compares its hashes.
            (Some(kept), Some(shown)) => {
                blake3::Hash::from(*kept) == blake3::Hash::from(secret_hash(&shown.0))
            }
            _ => false,
        };
        if is_it { Ok(app) } else { Err(Refusal::Grant(GrantProblem::Client)) }
    }

    /// For a command's authorization: it is the app, and it is the app that calls.
    pub(crate) fn require(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        let calls = matches!(&cx.caller.actor, Actor::App(client_id) if *client_id == self.client_id);
        if calls { self.verify(state).map(|_| ()) } else { Err(Refusal::Grant(GrantProblem::Client)) }
    }
}
