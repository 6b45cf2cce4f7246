//! Apps made, changed and deleted.

use std::collections::BTreeSet;

use super::redirect::{MAX_REDIRECTS, check_redirect, check_website};
use super::{App, AppSettings, SECRET_PREFIX};
use crate::State;
use crate::caller::Authority;
use crate::change::{AppChange, Change};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision, Secret};
use crate::entropy::secret_hash;
use crate::organization::check_name;
use crate::refusal::Refusal;
use crate::scope::check_list;

/// Makes an app.
pub struct CreateApp {
    /// What people call it.
    pub name: String,
    /// How it asks.
    pub settings: AppSettings,
}

/// An app at the moment of its making, or with a new secret.
#[derive(Debug, Clone)]
pub struct AppCreated {
    /// Its client id.
    pub client_id: String,
    /// Its secret, shown this one time; `None` when it is public, or the answer is a repeated one.
    pub client_secret: Option<Secret>,
}

impl Answer for AppCreated {
    fn encode(&self, w: &mut Writer) {
        w.text(&self.client_id);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { client_id: r.text()?.into(), client_secret: None })
    }
}

impl Command for CreateApp {
    type Answer = AppCreated;
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<AppCreated>, Refusal> {
        check_name(&self.name)?;
        let settings = checked(state, &self.settings)?;
        let client_id = cx.entropy.letters("app_", 23);
        let number = state.apps().next_number.max(1);
        let client_secret = (!settings.public).then(|| cx.entropy.secret(SECRET_PREFIX));
        let secret = client_secret.as_deref().map(secret_hash);
        let name = cx.personal(&self.name);
        let change = AppChange::AppCreated { client_id: client_id.clone(), number, name, settings, secret };
        let client_secret = client_secret.map(Secret);
        Ok(Decision::one(Change::of(change), AppCreated { client_id, client_secret }))
    }
}

/// Changes what people call an app, and how it asks.
pub struct UpdateApp {
    /// Which.
    pub client_id: String,
    /// What people call it from now on.
    pub name: Option<String>,
    /// How it asks from now on. Whether it is public stays.
    pub settings: Option<AppSettings>,
}

impl Command for UpdateApp {
    /// Whether anything is different now.
    type Answer = bool;
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<bool>, Refusal> {
        let app = App::find(state, &self.client_id)?;
        let settings = self.settings.as_ref().unwrap_or(&app.settings);
        if settings.public != app.settings.public {
            return Err(Refusal::invalid("public", "is fixed when the app is made; make another app"));
        }
        let settings = if self.settings.is_some() { checked(state, settings)? } else { settings.clone() };
        let name = self.name.as_deref().filter(|name| app.name.text() != Some(name));
        name.map(check_name).transpose()?;
        if name.is_none() && settings == app.settings {
            return Ok(Decision::unchanged(false));
        }
        let name = name.map(|name| cx.personal(name));
        let change = AppChange::AppChanged { client_id: self.client_id.clone(), name, settings };
        Ok(Decision::one(Change::of(change), true))
    }
}

/// Gives an app another secret; the one before counts no more. What was issued to the app stays.
pub struct RotateAppSecret {
    /// Which.
    pub client_id: String,
}

impl Command for RotateAppSecret {
    type Answer = AppCreated;
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<AppCreated>, Refusal> {
        let app = App::find(state, &self.client_id)?;
        if app.settings.public {
            return Err(Refusal::invalid("client_id", "is a public app's, which has no secret"));
        }
        let client_id = self.client_id.clone();
        let secret = cx.entropy.secret(SECRET_PREFIX);
        let change = AppChange::AppSecretSet { client_id: client_id.clone(), secret: secret_hash(&secret) };
        Ok(Decision::one(Change::of(change), AppCreated { client_id, client_secret: Some(Secret(secret)) }))
    }
}

/// Deletes an app, with everything that any organization let it do: one change.
pub struct DeleteApp {
    /// Which.
    pub client_id: String,
}

impl Command for DeleteApp {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        App::find(state, &self.client_id)?;
        Ok(Decision::one(Change::of(AppChange::AppDeleted { client_id: self.client_id.clone() }), ()))
    }
}

fn checked(state: &State, settings: &AppSettings) -> Result<AppSettings, Refusal> {
    let uris = &settings.redirect_uris;
    if uris.len() > MAX_REDIRECTS {
        return Err(Refusal::invalid("redirect_uris", "must be at most 50"));
    }
    uris.iter().try_for_each(|uri| check_redirect(uri))?;
    if uris.iter().collect::<BTreeSet<_>>().len() < uris.len() {
        return Err(Refusal::invalid("redirect_uris", "can name each once"));
    }
    settings.website.as_deref().map(check_website).transpose()?;
    let optional = check_list(state, "optional_scopes", &settings.optional_scopes)?;
    let optional_scopes = optional.iter().map(ToString::to_string).collect();
    Ok(AppSettings { optional_scopes, ..settings.clone() })
}
