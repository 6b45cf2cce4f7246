//! Whether the master key is the one of this store.

use grantd_ledger::store::StoreError;
use grantd_realm::realms::DEFAULT;
use grantd_realm::user::password_secret;

use crate::load::LoadError;
use crate::node::Node;

impl Node {
    /// Opens one sealed secret of the realm `default`, if it has any. With another store's key everything would start, and
    /// seal new secrets that the right key does not open.
    pub async fn check_master_key(&self) -> Result<(), LoadError> {
        let realm = match self.realm(DEFAULT).await {
            Err(LoadError::Store(StoreError::NoLedger(_))) => return Ok(()),
            realm => realm?,
        };
        let published = realm.published();
        let mut users = published.state.users().iter_after(None);
        if let Some(user) = users.find(|user| user.password.is_some()) {
            realm.secret(&password_secret(user.uuid)).await?;
        }
        Ok(())
    }
}
