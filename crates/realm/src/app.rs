//! Apps: programs of third parties that ask organizations for permissions (OAuth 2.0 clients, RFC 6749 section 2).

mod client;
mod commands;
mod redirect;

pub use client::ShownClient;
pub use commands::{AppCreated, CreateApp, DeleteApp, RotateAppSecret, UpdateApp};
pub use redirect::{MAX_REDIRECTS, MAX_URI};

use std::sync::Arc;

use imbl::OrdMap;

use crate::change::{Stamp, shared};
use crate::personal::Personal;
use crate::refusal::{Noun, Refusal};
use crate::{Micros, State};

/// The type of apps.
pub const APP_TYPE: &str = "app";

/// Prefix of an app's secret, by which secret scanners know it.
pub const SECRET_PREFIX: &str = "gdc_";

/// An app.
#[derive(Debug, Clone)]
pub struct App {
    /// `app_` and 23 letters and digits; never used again.
    pub client_id: Arc<str>,
    /// Counts up in the order of their making; never used again.
    pub number: u64,
    /// What people call it.
    pub name: Personal,
    /// How it asks.
    pub settings: AppSettings,
    /// When it was made.
    pub created_at: Micros,
    pub(crate) secret: Option<[u8; 32]>,
}

/// How an app asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppSettings {
    /// Where codes may be sent, as the app writes it.
    pub redirect_uris: Vec<String>,
    /// It cannot keep a secret, so it has none: an app on people's own devices. Fixed when it is made.
    pub public: bool,
    /// Scopes that people can decline when they agree to the others.
    pub optional_scopes: Vec<String>,
    /// It has to prove with each code that it began the authorization (RFC 7636). A public one always has to.
    pub pkce_required: bool,
    /// Where people learn more about it.
    pub website: Option<String>,
}

impl App {
    /// The app, or the refusal that says there is none.
    pub fn find<'a>(state: &'a State, client_id: &str) -> Result<&'a Arc<Self>, Refusal> {
        state.apps().get(client_id).ok_or_else(|| Refusal::not_found(Noun::App, client_id))
    }

    /// Whether it has to send a code challenge.
    pub fn needs_pkce(&self) -> bool {
        self.settings.public || self.settings.pkce_required
    }

    /// Whether people can decline a scope and agree to others.
    pub fn is_optional(&self, scope: &str) -> bool {
        self.settings.optional_scopes.iter().any(|optional| optional == scope)
    }
}

/// The apps of a realm.
#[derive(Clone, Default)]
pub struct Apps {
    pub(crate) by_id: OrdMap<Arc<str>, Arc<App>>,
    pub(crate) by_number: OrdMap<u64, Arc<str>>,
    pub(crate) next_number: u64,
}

impl Apps {
    /// One of them.
    pub fn get(&self, client_id: &str) -> Option<&Arc<App>> {
        self.by_id.get(client_id)
    }

    /// All, in the order of their making, from the one behind this number on.
    pub fn iter_after(&self, number: u64) -> impl DoubleEndedIterator<Item = &Arc<App>> {
        self.by_number.range(number.saturating_add(1)..).filter_map(|(_, id)| self.by_id.get(id))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    fn get_mut(&mut self, client_id: &str) -> Result<&mut App, String> {
        let found = self.by_id.get_mut(client_id).map(Arc::make_mut);
        found.ok_or_else(|| format!("there is no app `{client_id}`"))
    }

    pub(crate) fn create(
        &mut self,
        client_id: &str,
        number: u64,
        name: &Personal,
        settings: &AppSettings,
        secret: Option<[u8; 32]>,
        stamp: Stamp,
    ) -> Result<(), String> {
        self.insert(App {
            client_id: shared(client_id),
            number,
            name: name.stored(),
            settings: settings.clone(),
            created_at: stamp.time,
            secret,
        })
    }

    pub(crate) fn insert(&mut self, app: App) -> Result<(), String> {
        let (id, number) = (app.client_id.clone(), app.number);
        self.next_number = self.next_number.max(number + 1);
        let known = self.by_number.insert(number, id.clone()).is_some();
        if self.by_id.insert(id.clone(), Arc::new(app)).is_some() || known {
            return Err(format!("app `{id}` or its number exists already"));
        }
        Ok(())
    }

    pub(crate) fn change(
        &mut self,
        client_id: &str,
        name: Option<&Personal>,
        settings: &AppSettings,
    ) -> Result<(), String> {
        let app = self.get_mut(client_id)?;
        if let Some(name) = name {
            app.name = name.stored();
        }
        app.settings = settings.clone();
        Ok(())
    }

    pub(crate) fn set_secret(&mut self, client_id: &str, secret: [u8; 32]) -> Result<(), String> {
        self.get_mut(client_id)?.secret = Some(secret);
        Ok(())
    }

    pub(crate) fn delete(&mut self, client_id: &str) -> Result<Arc<App>, String> {
        let gone = self.by_id.remove(client_id).ok_or_else(|| format!("there is no app `{client_id}`"))?;
        self.by_number.remove(&gone.number);
        Ok(gone)
    }

    pub(crate) fn erase_name(&mut self, client_id: &str) {
        if let Ok(app) = self.get_mut(client_id) {
            app.name = app.name.erased();
        }
    }
}
