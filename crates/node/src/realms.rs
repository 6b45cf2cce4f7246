//! Making and deleting realms.
//!
//! The list in the realm `system` and a realm's own ledger are two ledgers, so each of the two does its steps in an order
//! that can be gone on with after an interruption: the same call made again finishes it.

use grantd_ledger::entry::{CommandId, LedgerId};
use grantd_ledger::store::{Append, Appended, StoreError};
use grantd_realm::change::Stamp;
use grantd_realm::command::{self, Context};
use grantd_realm::entropy::Entropy;
use grantd_realm::realms::{CreateRealm, DeleteRealm, ListRealm, SYSTEM, UnlistRealm, check_name, is_fixed};
use grantd_realm::refusal::Noun;
use grantd_realm::{Caller, Micros, Refusal};
use uuid::Uuid;

use crate::entry::{Heading, commit, draft};
use crate::load::LoadError;
use crate::node::Node;
use crate::running::Realm;
use crate::submit::{Done, Idempotency, Request, SubmitError};

/// Who makes or deletes a realm, as each of the two ledgers knows them, and why.
#[derive(Debug, Clone)]
pub struct RealmChange {
    /// The realm's name.
    pub name: String,
    /// The caller on the realm `system`.
    pub on_system: Caller,
    /// The same caller on the realm itself.
    pub on_realm: Caller,
    /// Through which face.
    pub via: &'static str,
    /// Why, in the caller's words.
    pub reason: Option<String>,
    /// So that a repeated request is carried out once.
    pub idempotency: Option<Idempotency>,
}

/// Why a realm was not made or deleted.
#[derive(Debug, thiserror::Error)]
pub enum RealmError {
    /// A command was refused or not carried out.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The realm cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl From<Refusal> for RealmError {
    fn from(refusal: Refusal) -> Self {
        Self::Submit(refusal.into())
    }
}

impl From<StoreError> for RealmError {
    fn from(error: StoreError) -> Self {
        Self::Load(error.into())
    }
}

/// How often another node's append may come first.
const CONFLICTS: usize = 8;

impl Node {
    /// Makes a realm. One of that name that was deleted begins anew: with nothing in it, under another ledger id.
    pub async fn create_realm(&self, change: &RealmChange) -> Result<std::sync::Arc<Realm>, RealmError> {
        check_name(&change.name)?;
        if is_fixed(&change.name) {
            return Err(Refusal::exists(Noun::Realm, &change.name).into());
        }
        let _alone = self.realms_change.lock().await;
        let listed = self.on_system(change, ListRealm { name: change.name.clone() }).await?;
        match self.realm(&change.name).await {
            // Listed by this very request, which was made before.
            Ok(realm) if listed.answer && !realm.published().state.name().is_empty() => return Ok(realm),
            Ok(realm) if realm.published().state.name().is_empty() => {}
            Ok(_) => return Err(Refusal::exists(Noun::Realm, &change.name).into()),
            Err(LoadError::Store(StoreError::NoLedger(_))) => {}
            Err(error) => return Err(error.into()),
        }
        if listed.replayed && !self.is_listed(&change.name).await? {
            // Made by this request, and deleted since: to repeat it makes nothing again.
            return Err(Refusal::not_found(Noun::Realm, &change.name).into());
        }
        match self.store().create(&change.name, LedgerId(Uuid::new_v4())).await {
            Ok(_) | Err(StoreError::LedgerExists(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let realm = self.opened(&change.name).await?;
        if realm.is_deleted() {
            self.begin_anew(&realm, change).await?;
        } else {
            let command = CreateRealm { name: change.name.clone() };
            realm.submit(request(change, &change.on_realm, command)).await?;
        }
        Ok(realm)
    }

    /// Deletes a realm: nothing of it is served any more. Its ledger stays as evidence, for who can read the store.
    pub async fn delete_realm(&self, change: &RealmChange) -> Result<(), RealmError> {
        if is_fixed(&change.name) {
            return Err(Refusal::invalid("name", "`system` and `default` cannot be deleted").into());
        }
        let _alone = self.realms_change.lock().await;
        match self.realm(&change.name).await {
            Ok(realm) if !realm.published().state.name().is_empty() => {
                let command = DeleteRealm { name: change.name.clone() };
                realm.submit(request(change, &change.on_realm, command)).await?;
                // An older snapshot would hold what was in it; the next load takes the newest.
                if let Err(error) = self.keep_snapshot(&realm, 0).await {
                    tracing::warn!(realm = realm.name(), %error, "a state snapshot could not be kept");
                }
            }
            Ok(_) | Err(LoadError::Store(StoreError::NoLedger(_))) => {}
            Err(error) => return Err(error.into()),
        }
        if self.on_system(change, UnlistRealm { name: change.name.clone() }).await?.answer {
            Ok(())
        } else {
            Err(Refusal::not_found(Noun::Realm, &change.name).into())
        }
    }

    /// Changes the list; tells whether that changed anything, now or when the same request was made before.
    async fn on_system<C: command::Command<Answer = bool>>(
        &self,
        change: &RealmChange,
        command: C,
    ) -> Result<Done<bool>, RealmError> {
        let request = Request {
            idempotency: change.idempotency.clone(),
            ..request(change, &change.on_system, command)
        };
        Ok(self.realm(SYSTEM).await?.submit(request).await?)
    }

    async fn is_listed(&self, name: &str) -> Result<bool, RealmError> {
        Ok(self.realm(SYSTEM).await?.published().state.realms().contains(name))
    }

    /// Goes on with the ledger of a deleted realm under a new id. The writer cannot do it: its appends never change the id.
    async fn begin_anew(&self, realm: &Realm, change: &RealmChange) -> Result<(), RealmError> {
        for _ in 0..CONFLICTS {
            let published = realm.published();
            if !realm.is_deleted() {
                return Err(Refusal::exists(Noun::Realm, &change.name).into());
            }
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(|_| SubmitError::Unavailable)?;
            let now: Micros = self.store().now().await?.max(published.head.time);
            let mut cx = Context { caller: &change.on_realm, now, entropy: Entropy::new(&seed), commit };
            let command = CreateRealm { name: change.name.clone() };
            let decision = command::decide(&command, &published.state, &mut cx)?;
            let stamp = Stamp { revision: published.head.revision + 1, time: now };
            let mut state = published.state.clone();
            for change in &decision.changes {
                state.apply(change, stamp).map_err(|misfit| SubmitError::Broken(misfit.to_string()))?;
            }
            let reason = change.reason.as_deref().map(|reason| cx.personal(reason));
            let heading = Heading {
                time: now,
                actor: change.on_realm.actor.to_string(),
                via: change.via,
                command_id: CommandId(
                    Entropy::new(&blake3::derive_key("grantd command id 1", &seed)).bytes(),
                ),
                reason,
            };
            let mut append = Append::on(realm.name(), published.head);
            append.continue_as = Some(LedgerId(cx.entropy.uuid()));
            append.drafts.push(draft(&decision.changes, heading));
            match self.store().append(append).await {
                Appended::Durable(_) => return Ok(realm.refresh().await?),
                Appended::Conflict(_) => realm.refresh().await?,
                Appended::Rejected(error) => return Err(error.into()),
                // It takes nothing.
                Appended::Untaken(_) => return Err(SubmitError::Unavailable.into()),
                Appended::Unknown(error) => {
                    tracing::error!(realm = realm.name(), %error, "the fate of an append is not known");
                    return Err(SubmitError::OutcomeUnknown.into());
                }
            }
        }
        Err(SubmitError::Unavailable.into())
    }
}

fn request<C>(change: &RealmChange, caller: &Caller, command: C) -> Request<C> {
    let (caller, reason) = (caller.clone(), change.reason.clone());
    Request { command, caller, via: change.via, reason, idempotency: None }
}
