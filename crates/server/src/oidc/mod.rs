//! Signing in by an OpenID Connect provider: OpenID Connect Core 1.0, authorization code flow, with PKCE (RFC 7636).
//!
//! [`begin`] sends a browser to the provider, [`finish`] takes what it comes back with and makes a session of it. Both know
//! nothing of pages or dialects; what those have in common is here. `docs/oidc.md` says what a user is found by.

mod begin;
mod error;
mod fetch;
mod finish;
mod provider;
mod settings;
mod trip;

use std::num::NonZeroU32;

use crate::edge::{FailureLimits, FailureQuotas};

pub(crate) use begin::{Start, begin};
pub(crate) use error::OidcError;
pub(crate) use finish::{Back, Sent, finish};
pub use settings::{OidcSettings, SettingsError};
pub(crate) use trip::cookie_name;

use provider::Provider;

/// How many sign-ins a source may begin a minute: each is a row in the store.
const STARTS_A_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(299);

/// The provider by which people sign in, and what is known of it.
pub(crate) struct Oidc {
    pub(crate) settings: OidcSettings,
    provider: Provider,
    starts: FailureLimits,
}

impl Oidc {
    /// Asks nothing of the provider yet: it may be down when this server starts.
    pub(crate) fn new(settings: OidcSettings) -> Self {
        let quotas = FailureQuotas { per_account: STARTS_A_MINUTE, per_source: STARTS_A_MINUTE };
        Self { provider: Provider::new(&settings), starts: FailureLimits::new(quotas), settings }
    }

    /// Whether people sign in to this realm by it.
    pub(crate) fn serves(&self, realm: &str) -> bool {
        self.settings.realms.iter().any(|served| served == realm)
    }

    /// What is done once a minute.
    pub(crate) fn forget_old(&self) {
        self.starts.forget_old();
    }
}
