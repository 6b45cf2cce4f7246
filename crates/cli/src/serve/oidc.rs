//! The OpenID provider by which people sign in.

use std::path::Path;

use anyhow::{Context as _, bail};
use grantd_node::realm::command::Secret;
use grantd_node::realm::linked_account::Policy;
use grantd_node::realm::realms::DEFAULT;
use grantd_server::oidc::OidcSettings;
use grantd_server::outbound::read_authorities;

use crate::args::ServeArgs;

/// The provider that the settings name, if they name one; looked at before anything is opened or made.
pub(super) fn settings(args: &ServeArgs) -> anyhow::Result<Option<OidcSettings>> {
    let Some(issuer) = args.oidc_issuer.clone() else {
        if args.oidc_client_id.is_some() {
            bail!("--oidc-client-id needs --oidc-issuer, the provider that it is an id at");
        }
        return Ok(None);
    };
    OidcSettings::check_issuer(&issuer).context("--oidc-issuer")?;
    let Some(client_id) = args.oidc_client_id.clone() else {
        bail!("--oidc-issuer needs --oidc-client-id, by which the provider knows this server");
    };
    let secret = args.oidc_client_secret_file.as_deref().map(secret).transpose()?;
    let authorities =
        args.oidc_ca_file.as_deref().map(read_authorities).transpose().context("--oidc-ca-file")?;
    let realms = if args.oidc_realms.is_empty() { vec![DEFAULT.into()] } else { args.oidc_realms.clone() };
    Ok(Some(OidcSettings {
        name: args.oidc_name.clone().unwrap_or_else(|| host(&issuer)),
        issuer,
        client_id,
        client_secret: secret,
        acr_values: args.oidc_acr_values.clone(),
        policy: Policy {
            create_users: args.oidc_create_users,
            email_domains: args.oidc_email_domains.clone(),
        },
        realms,
        authorities: authorities.unwrap_or_default(),
    }))
}

fn secret(file: &Path) -> anyhow::Result<Secret> {
    let named = || format!("--oidc-client-secret-file `{}`", file.display());
    let text = std::fs::read_to_string(file).with_context(named)?;
    match text.trim() {
        "" => bail!("{} is empty", named()),
        secret => Ok(Secret(secret.into())),
    }
}

/// What stands between the scheme and the path.
fn host(issuer: &str) -> String {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest).to_owned()
}
