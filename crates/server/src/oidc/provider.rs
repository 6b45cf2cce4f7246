//! What is known of the provider: its discovery document and its keys, kept for an hour.

use std::sync::Arc;
use std::time::{Duration, Instant};

use openidconnect::core::{CoreClient, CoreClientAuthMethod, CoreProviderMetadata};
use openidconnect::{
    AuthType, ClientId, ClientSecret, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, RedirectUrl,
};
use tokio::sync::Mutex;

use super::error::OidcError;
use super::fetch::Fetcher;
use super::settings::OidcSettings;

/// How long the document and the keys are believed.
const FRESH: Duration = Duration::from_secs(3_600);

/// How long they are still used when the provider does not give new ones.
const STALE: Duration = Duration::from_secs(24 * 3_600);

/// How long nobody asks again after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// A token with an unknown key makes us look for new keys: at most so often.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// The client by which the provider knows us.
pub(super) type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// See the module.
pub(super) struct Provider {
    issuer: String,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    pub(super) fetcher: Fetcher,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    metadata: Option<Arc<CoreProviderMetadata>>,
    at: Option<Instant>,
    failed: Option<Instant>,
    looked: Option<Instant>,
}

impl Provider {
    pub(super) fn new(settings: &OidcSettings) -> Self {
        Self {
            issuer: settings.issuer.clone(),
            client_id: ClientId::new(settings.client_id.clone()),
            client_secret: settings.client_secret.clone().map(|secret| ClientSecret::new(secret.0)),
            fetcher: Fetcher::new(settings),
            known: Mutex::default(),
        }
    }

    /// What is known; asked for if it is too old. Whoever comes meanwhile waits for the same answer.
    pub(super) async fn metadata(&self) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let mut known = self.known.lock().await;
        let is_within = |since: Option<Instant>, time| since.is_some_and(|since| since.elapsed() < time);
        if let Some(metadata) = known.metadata.as_ref().filter(|_| is_within(known.at, FRESH)) {
            return Ok(metadata.clone());
        }
        let usable = known.metadata.clone().filter(|_| is_within(known.at, STALE));
        if is_within(known.failed, AFTER_FAILURE) {
            return usable.ok_or(OidcError::Down);
        }
        self.discover(&mut known).await.or_else(|error| usable.ok_or(error))
    }

    /// What is known after a token came whose key is in none of `than`: keys change.
    pub(super) async fn newer(
        &self,
        than: &Arc<CoreProviderMetadata>,
    ) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let mut known = self.known.lock().await;
        match &known.metadata {
            Some(metadata) if !Arc::ptr_eq(metadata, than) => return Ok(metadata.clone()),
            _ => {}
        }
        if known.looked.is_some_and(|looked| looked.elapsed() < BETWEEN_LOOKS) {
            return Err(OidcError::Unproven);
        }
        known.looked = Some(Instant::now());
        self.discover(&mut known).await
    }

    async fn discover(&self, known: &mut Known) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let found = match IssuerUrl::new(self.issuer.clone()) {
            Ok(issuer) => CoreProviderMetadata::discover_async(issuer, &self.fetcher).await,
            Err(error) => {
                tracing::error!(issuer = self.issuer, %error, "the OpenID provider's issuer is no URL");
                return Err(OidcError::Down);
            }
        };
        match found {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known = Known {
                    metadata: Some(metadata.clone()),
                    at: Some(Instant::now()),
                    failed: None,
                    looked: known.looked,
                };
                Ok(metadata)
            }
            Err(error) => {
                known.failed = Some(Instant::now());
                let why = why(&error);
                tracing::warn!(issuer = self.issuer, why, "the OpenID provider cannot be discovered");
                Err(OidcError::Down)
            }
        }
    }

    /// The client, which is sent back to this address.
    pub(super) fn client(
        &self,
        metadata: &CoreProviderMetadata,
        redirect_uri: &str,
    ) -> Result<Client, OidcError> {
        let redirect_uri = RedirectUrl::new(redirect_uri.to_owned()).map_err(|error| {
            tracing::error!(%error, redirect_uri, "the public URL makes no redirect URI");
            OidcError::Down
        })?;
        let (id, secret) = (self.client_id.clone(), self.client_secret.clone());
        let client =
            CoreClient::from_provider_metadata(metadata.clone(), id, secret).set_redirect_uri(redirect_uri);
        // Basic is what every provider must take unless it says otherwise (OpenID Connect Discovery, section 3).
        let takes = |method| {
            let supported = metadata.token_endpoint_auth_methods_supported();
            supported.is_some_and(|methods| methods.contains(&method))
        };
        let in_body =
            takes(CoreClientAuthMethod::ClientSecretPost) && !takes(CoreClientAuthMethod::ClientSecretBasic);
        Ok(client.set_auth_type(if in_body { AuthType::RequestBody } else { AuthType::BasicAuth }))
    }
}

/// An error with what it came of.
pub(super) fn why(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
