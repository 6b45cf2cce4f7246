//! stub
use crate::secret::Secret;
use crate::store::{SealedSecret, StoreError};
#[allow(missing_docs)]
pub struct MasterKey([u8; 32]);
#[allow(missing_docs)]
impl MasterKey {
    pub fn from_bytes(b: [u8; 32]) -> Self {
        Self(b)
    }
    pub fn seal(
        &self,
        _realm: &str,
        name: &str,
        version: u32,
        plaintext: &[u8],
    ) -> Result<SealedSecret, StoreError> {
        Ok(SealedSecret { name: name.into(), version, key_id: [0; 8], sealed: plaintext.to_vec() })
    }
    pub fn open(&self, _realm: &str, sealed: &SealedSecret) -> Result<Secret, StoreError> {
        Ok(Secret::new(sealed.sealed.clone()))
    }
    pub fn derive(&self, context: &str) -> [u8; 32] {
        blake3::derive_key(context, &self.0)
    }
}
