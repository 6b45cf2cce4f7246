//! Which provider, and whom it may sign in.

use grantd_node::realm::command::Secret;
use grantd_node::realm::linked_account::Policy;
use http::Uri;
use rustls_pki_types::CertificateDer;

/// A provider by which people sign in.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// Its issuer URL, byte for byte as its tokens have it.
    pub issuer: String,
    /// By which it knows this server.
    pub client_id: String,
    /// By which this server proves to be that client; `None`: a public client, which has PKCE only.
    pub client_secret: Option<Secret>,
    /// What people call it: the text of the button is `Sign in with <name>`.
    pub name: String,
    /// Asked of the provider as `acr_values`, if anything.
    pub acr_values: Option<String>,
    /// What is done with accounts that are linked to nobody.
    pub policy: Policy,
    /// The realms whose people sign in by it.
    pub realms: Vec<String>,
    /// Whose signature is believed besides that of the public authorities.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Anybody on the way could be the provider.
    #[error(
        "`{0}` is no issuer: it must be an https URL without query or fragment, or an http one of this machine (127.0.0.1, [::1], localhost)"
    )]
    Issuer(String),
}

impl OidcSettings {
    /// Refuses an issuer whose answers anybody on the way could change.
    pub fn check_issuer(issuer: &str) -> Result<(), SettingsError> {
        let error = || SettingsError::Issuer(issuer.to_owned());
        if issuer.contains(['?', '#', ' ', '@']) {
            return Err(error());
        }
        let uri: Uri = issuer.parse().map_err(|_| error())?;
        let here = ["127.0.0.1", "[::1]", "localhost"];
        match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(_)) => Ok(()),
            (Some("http"), Some(host)) if here.contains(&host) => Ok(()),
            _ => Err(error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_https_or_here() {
        for fits in [
            "https://id.example",
            "https://id.example:8443/realms/a",
            "http://127.0.0.1:9000",
            "http://[::1]:1/a",
        ] {
            assert_eq!(OidcSettings::check_issuer(fits), Ok(()), "{fits}");
        }
        for unfit in [
            "http://id.example",
            "http://127.0.0.1.example",
            "http://localhost.example/",
            "http://127.0.0.1@id.example",
            "https://id.example/?a=b",
            "https://id.example/#a",
            "id.example",
            "ftp://id.example",
            "https://",
            "",
        ] {
            assert!(OidcSettings::check_issuer(unfit).is_err(), "{unfit}");
        }
    }
}
