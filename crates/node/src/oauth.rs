//! The rows of codes and tokens, found.

use std::sync::Arc;

use grantd_ledger::store::StoreError;
use grantd_realm::Micros;
use grantd_realm::codec::CodecError;
use grantd_realm::oauth_token::{
    ACCESS_ROWS, AccessToken, CODE_ROWS, Code, FAMILY_ROWS, Family, Holder, ShownAccess, ShownCode,
    ShownRefresh, USED_ROWS, read_use,
};
use uuid::Uuid;

use crate::running::Realm;

fn damaged(error: &CodecError) -> StoreError {
    StoreError::Damaged(format!("an OAuth row: {error}"))
}

impl Realm {
    /// A code's row, and the row of what it gave. Without the first and with the second, it was redeemed before.
    pub async fn found_code(&self, shown: &ShownCode) -> Result<(Option<Code>, Option<Family>), StoreError> {
        let code = self.row(CODE_ROWS, &shown.key(), self.now()).await?;
        let code = code.map(|row| Code::read(&row)).transpose().map_err(|error| damaged(&error))?;
        // A code that is there gave nothing yet.
        let family = if code.is_some() { None } else { self.family(&shown.family_key()).await? };
        Ok((code, family))
    }

    /// The family of a refresh token, whether the token is its present one or not.
    pub async fn found_refresh(&self, shown: &ShownRefresh) -> Result<Option<Family>, StoreError> {
        self.family(&shown.family_key()).await
    }

    async fn family(&self, key: &[u8]) -> Result<Option<Family>, StoreError> {
        let row = self.row(FAMILY_ROWS, key, self.now()).await?;
        row.map(|row| Family::read(key, &row)).transpose().map_err(|error| damaged(&error))
    }

    /// What an access token stands for, an app's or an organization's own. Whether it counts is to be asked of the newest published
    /// state: [`AccessToken::is_live`], [`AccessToken::granted`]. One that was seen lately costs no look at the store, unless other nodes
    /// write to it: one of them may have revoked it.
    pub async fn access_token(&self, shown: &ShownAccess) -> Result<Option<Arc<AccessToken>>, StoreError> {
        let (key, now) = (shown.key(), self.now());
        if !self.is_shared()
            && let Some(token) = self.tokens().get(&key, now)
        {
            return Ok(Some(token));
        }
        if let Some(own) = AccessToken::of_organization(&self.published().state, shown) {
            return Ok(Some(Arc::new(own)));
        }
        match self.read_token(shown, &key, now).await? {
            Some(token) => {
                // Another node may have just made what it is bound to.
                if !token.is_live(&self.published().state, now) {
                    self.at_head().await?;
                }
                Ok(Some(token))
            }
            None => {
                self.at_head().await?;
                Ok(AccessToken::of_organization(&self.published().state, shown).map(Arc::new))
            }
        }
    }

    async fn at_head(&self) -> Result<(), StoreError> {
        self.catch_up().await.map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    async fn read_token(
        &self,
        shown: &ShownAccess,
        key: &[u8; 32],
        now: Micros,
    ) -> Result<Option<Arc<AccessToken>>, StoreError> {
        let look = self.tokens().look();
        let Some(row) = self.row(ACCESS_ROWS, &shown.key(), now).await? else {
            self.tokens().miss(key);
            return Ok(None);
        };
        let token = Arc::new(AccessToken::read(&row).map_err(|error| damaged(&error))?);
        if let Holder::App { family, .. } = &token.holder
            && self.row(FAMILY_ROWS, family, now).await?.is_none()
        {
            self.tokens().miss(key);
            return Ok(None);
        }
        self.tokens().keep(&look, *key, token.clone(), now);
        Ok(Some(token))
    }

    /// When an app last used an authorization, up to a minute behind; lost if the process died before it was noted.
    pub async fn last_used(&self, authorization: Uuid) -> Result<Option<Micros>, StoreError> {
        let row = self.row(USED_ROWS, authorization.as_bytes(), self.now()).await?;
        let noted = row.map(|row| read_use(&row)).transpose().map_err(|error| damaged(&error))?;
        Ok(noted.max(self.tokens().last_use(authorization)))
    }
}
