//! Somebody who was let in, for as long as that lasts: a transfer of git, a session on a machine.
//!
//! What lasts is judged like what begins, by the same question, with each publication and by the clock.

use std::sync::Arc;
use std::time::Duration;

use grantd_node::question::AskingOfOneself;
use grantd_node::realm::Caller;
use grantd_node::realm::command::Secret;
use grantd_node::realm::entropy::secret_hash;
use grantd_node::{Realm, SubmitError};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::app::App;
use crate::caller::bearer;
use crate::edge::Source;
use crate::face::CallError;

/// How often it is looked where no entry says that something has changed: grants and keys end by time, and what another node wrote
/// must be asked for.
const LOOK: Duration = Duration::from_millis(400);

/// How long such a look may wait for the store. Without it, what was known last goes on.
const PATIENCE: Duration = Duration::from_millis(300);

/// Who was let in, and by what.
pub(crate) struct Admission {
    realm: Arc<Realm>,
    /// The hash of what was shown: an identity's token or an API key. Nothing, where anybody may.
    secret: Option<[u8; 32]>,
}

impl Admission {
    /// Finds out on a realm's newest state who it is that shows this, or nothing. Whether they may do anything is still to be asked.
    pub(crate) async fn find(
        app: &App,
        realm: Arc<Realm>,
        secret: Option<&Secret>,
        source: Source,
    ) -> Result<(Self, Caller), CallError> {
        catch_up(app, &realm).await?;
        let caller = match secret {
            Some(secret) => bearer::find(app, &realm, &secret.0, source).await?,
            None => Caller::visitor(),
        };
        Ok((Self { realm, secret: secret.map(|secret| secret_hash(&secret.0)) }, caller))
    }

    /// The realm.
    pub(crate) fn realm(&self) -> &Arc<Realm> {
        &self.realm
    }

    /// Whether they have shown nothing.
    pub(crate) fn is_visitor(&self) -> bool {
        self.secret.is_none()
    }

    /// Returns once they are no longer who they were, or `still` says no of them. It is asked on the newest state, quietly: see
    /// [`AskingOfOneself::again`].
    pub(crate) async fn ended(&self, app: &App, still: impl Fn(&AskingOfOneself<'_>) -> bool) {
        let (mut here, mut system) = (self.realm.revisions(), app.system.revisions());
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first look is at once: what was allowed may have waited for its turn.
        while self.lasts(app, &still) {
            tokio::select! {
                changed = here.changed() => if changed.is_err() { return },
                changed = system.changed() => if changed.is_err() { return },
                _ = look.tick() => {
                    // A store that is away has nothing new to say.
                    let _as_far_as_it_goes = timeout(PATIENCE, catch_up(app, &self.realm)).await;
                }
            }
        }
    }

    fn lasts(&self, app: &App, still: impl Fn(&AskingOfOneself<'_>) -> bool) -> bool {
        let served = app.node.loaded_realm(self.realm.name());
        if !served.is_some_and(|served| Arc::ptr_eq(&served, &self.realm)) {
            return false;
        }
        let published = self.realm.published();
        let caller = match &self.secret {
            Some(hash) => bearer::known(app, &published, hash),
            None => Some(Caller::visitor()),
        };
        caller.is_some_and(|caller| still(&app.node.asking_of_oneself(published, &caller).again()))
    }
}

/// Both where somebody may be known; to the store it is one question.
async fn catch_up(app: &App, realm: &Realm) -> Result<(), SubmitError> {
    tokio::try_join!(realm.catch_up(), app.system.catch_up()).map(drop)
}
