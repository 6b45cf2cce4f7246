//! Every sealed secret under the master key in force, after that was changed or lost.

use std::collections::BTreeMap;

use grantd_ledger::seal::{MasterKey, SealError};
use grantd_ledger::store::{Append, Appended, SecretWrite, Store, StoreError};

/// Secrets of one append.
const BATCH: usize = 100;

/// How often a batch is tried again when nodes that share the store append meanwhile.
const ATTEMPTS: usize = 64;

/// What becomes of secrets that no key at hand opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unopened {
    /// They stay as they are.
    Keep,
    /// They are removed: the key to them is gone for good.
    Forget,
}

/// What was done. The names of secrets say what they are of (`password/...`), and nothing of what they are.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Secrets that are under the key in force now and were not before.
    pub resealed: usize,
    /// Secrets that were under it already.
    pub already: usize,
    /// Secrets that no key at hand opens: realm and name. They are gone if that was asked for.
    pub unopened: Vec<(String, String)>,
}

/// Why not everything was done; what was done is.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// The store fails.
    #[error("{0}; run the same command again, it does what is left")]
    Store(#[from] StoreError),
    /// A secret is under a key at hand, and still does not open, or cannot be sealed.
    #[error("realm `{realm}`: {error}")]
    Seal {
        /// Whose.
        realm: String,
        /// What is wrong.
        error: SealError,
    },
    /// Other nodes append without pause.
    #[error("other nodes change realm `{0}` all the time; run the same command again, it does what is left")]
    Busy(String),
}

/// Seals whatever is under another key than the one in force. Servers may run meanwhile: a secret is replaced only as
/// long as nothing was appended since it was read.
pub async fn reseal(store: &dyn Store, key: &MasterKey, unopened: Unopened) -> Result<Resealed, ResealError> {
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut done = Resealed::default();
    for (realm, secret) in store.secrets().await? {
        if secret.key_id == key.id() {
            done.already += 1;
        } else {
            names.entry(realm).or_default().push(secret.name);
        }
    }
    for (realm, names) in names {
        for names in names.chunks(BATCH) {
            batch(store, key, unopened, &realm, names, &mut done).await?;
        }
    }
    Ok(done)
}

async fn batch(
    store: &dyn Store,
    key: &MasterKey,
    unopened: Unopened,
    realm: &str,
    names: &[String],
    done: &mut Resealed,
) -> Result<(), ResealError> {
    for _ in 0..ATTEMPTS {
        let mut append = Append::on(realm, store.head(realm).await?);
        let mut now = Resealed::default();
        for name in names {
            // Deleted meanwhile, with the user or the webhook that it was of.
            let Some(secret) = store.secret(realm, name).await? else { continue };
            match key.reseal(realm, &secret) {
                Ok(_) if secret.key_id == key.id() => now.already += 1,
                Ok(sealed) => {
                    now.resealed += 1;
                    append.secrets.push(SecretWrite::Put(sealed));
                }
                Err(SealError::OtherKey { .. }) => {
                    now.unopened.push((realm.to_owned(), name.clone()));
                    if unopened == Unopened::Forget {
                        append.secrets.push(SecretWrite::Delete(name.clone()));
                    }
                }
                Err(error) => return Err(ResealError::Seal { realm: realm.to_owned(), error }),
            }
        }
        if append.secrets.is_empty() {
            done.add(now);
            return Ok(());
        }
        match store.append(append).await {
            Appended::Durable(_) => {
                done.add(now);
                return Ok(());
            }
            Appended::Conflict(_) | Appended::Untaken(_) => {}
            Appended::Rejected(error) | Appended::Unknown(error) => return Err(error.into()),
        }
    }
    Err(ResealError::Busy(realm.to_owned()))
}

impl Resealed {
    fn add(&mut self, more: Self) {
        self.resealed += more.resealed;
        self.already += more.already;
        self.unopened.extend(more.unopened);
    }
}
