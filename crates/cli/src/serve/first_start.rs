//! The first start: its secrets come from the environment, or are random and shown once.

use anyhow::{Context as _, bail};
use grantd_node::Node;
use grantd_node::bootstrap::{First, Made, bootstrap, is_done};
use grantd_node::realm::api_key::KEY_PREFIX;
use grantd_node::realm::command::Secret;

use crate::{output, secret};

/// Makes what every store needs, unless it is there.
pub(super) async fn make(node: &Node) -> anyhow::Result<()> {
    if !is_done(node).await? {
        show(&bootstrap(node, wanted()?).await?)?;
    }
    Ok(())
}

fn show(made: &Made) -> anyhow::Result<()> {
    if made.api_key.is_none() && made.password.is_none() {
        return Ok(());
    }
    output::line("First start. These are shown once and stored nowhere in the clear:")?;
    if let Some(key) = &made.api_key {
        output::line(format_args!("  system API key            {}", key.0))?;
    }
    if let Some(password) = &made.password {
        output::line(format_args!("  password of user `admin`  {}", password.0))?;
    }
    Ok(())
}

/// The secrets of the first start: from the environment, or random.
fn wanted() -> anyhow::Result<First> {
    let api_key = from_environment("GRANTD_BOOTSTRAP_API_KEY")?;
    if api_key.as_ref().is_some_and(|key| !key.0.starts_with(KEY_PREFIX)) {
        bail!("GRANTD_BOOTSTRAP_API_KEY must start with `{KEY_PREFIX}`");
    }
    let (password, shown) = match from_environment("GRANTD_BOOTSTRAP_PASSWORD")? {
        Some(password) => (password, None),
        None => {
            let password = Secret(secret::random()?);
            (password.clone(), Some(password))
        }
    };
    let password_hash =
        grantd_server::password::hash_now(&password.0).context("the password cannot be hashed")?;
    Ok(First { api_key, password_hash, password: shown })
}

fn from_environment(name: &str) -> anyhow::Result<Option<Secret>> {
    match std::env::var(name) {
        Err(_) => Ok(None),
        Ok(value) if value.len() < 20 => bail!("{name} must have at least 20 characters"),
        Ok(value) => Ok(Some(Secret(value))),
    }
}
