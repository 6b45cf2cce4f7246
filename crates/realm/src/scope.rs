//! Scopes: the permissions that an app can ask an organization for. A catalogue comes with grantd; a realm adds its own and changes
//! how those of the catalogue read.

mod catalogue;
mod commands;

pub use commands::{DefineScope, DeleteScope, MAX_OWN};

use std::sync::Arc;

use imbl::OrdMap;

use crate::refusal::{Noun, Refusal};
use catalogue::CATALOGUE;

/// The language that every scope has a text in.
pub const DEFAULT_LANGUAGE: &str = "en";

/// A permission that an app can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// For example `payments.read`.
    pub id: Arc<str>,
    /// In order of the languages; one of them is [`DEFAULT_LANGUAGE`].
    pub texts: Vec<ScopeText>,
    /// Whether version 1 of the permissions API lists it.
    pub in_v1: bool,
    /// Whether version 2 does.
    pub in_v2: bool,
    /// Apps should ask for it no more.
    pub deprecated: bool,
}

/// What a scope means, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeText {
    /// Two small letters.
    pub language: Arc<str>,
    /// What an app can do by it.
    pub description: Arc<str>,
    /// What should be thought of before agreeing to it.
    pub warning: Option<Arc<str>>,
}

impl Scope {
    /// The scope, or the refusal that says there is none.
    pub fn find<'a>(state: &'a crate::State, id: &str) -> Result<&'a Arc<Self>, Refusal> {
        state.scopes().get(id).ok_or_else(|| Refusal::not_found(Noun::Scope, id))
    }

    /// The text in the language of a locale (`nl`, `nl_NL`, `nl-BE`), else in English.
    pub fn text(&self, locale: &str) -> Option<&ScopeText> {
        let language = locale.split(['_', '-']).next().unwrap_or_default();
        let of = |wanted: &str| self.texts.iter().find(|text| text.language.eq_ignore_ascii_case(wanted));
        of(language).or_else(|| of(DEFAULT_LANGUAGE)).or_else(|| self.texts.first())
    }

    /// Whether it comes with grantd.
    pub fn is_builtin(&self) -> bool {
        CATALOGUE.contains_key(&self.id)
    }
}

/// The scopes of a realm.
#[derive(Clone)]
pub struct Scopes {
    by_id: OrdMap<Arc<str>, Arc<Scope>>,
    /// Those that the realm has defined; `None`: and deleted again.
    pub(crate) own: OrdMap<Arc<str>, Option<Arc<Scope>>>,
}

impl Default for Scopes {
    /// The catalogue.
    fn default() -> Self {
        Self { by_id: CATALOGUE.clone(), own: OrdMap::new() }
    }
}

impl Scopes {
    /// One of them.
    pub fn get(&self, id: &str) -> Option<&Arc<Scope>> {
        self.by_id.get(id)
    }

    /// All, in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Scope>> {
        self.by_id.values()
    }

    /// Those behind an id, in order.
    pub fn iter_after<'a>(&'a self, after: Option<&str>) -> impl Iterator<Item = &'a Arc<Scope>> + use<'a> {
        let from = after.map_or(std::ops::Bound::Unbounded, |id| std::ops::Bound::Excluded(Arc::from(id)));
        self.by_id.range::<_, Arc<str>>((from, std::ops::Bound::Unbounded)).map(|(_, scope)| scope)
    }

    /// The ids of all that there are and ever were.
    pub(crate) fn every_id(&self) -> impl Iterator<Item = &Arc<str>> {
        let gone = self.own.iter().filter(|(_, scope)| scope.is_none()).map(|(id, _)| id);
        self.by_id.keys().chain(gone)
    }

    pub(crate) fn define(&mut self, scope: &Scope) {
        let scope = Arc::new(scope.clone());
        self.own.insert(scope.id.clone(), Some(scope.clone()));
        self.by_id.insert(scope.id.clone(), scope);
    }

    /// One of the catalogue reads again as it did; any other id is never used again.
    pub(crate) fn delete(&mut self, id: &str) -> Result<(), String> {
        let Some(Some(scope)) = self.own.get(id).cloned() else {
            return Err(format!("scope `{id}` is not the realm's own"));
        };
        match CATALOGUE.get(id) {
            Some(original) => {
                self.own.remove(id);
                self.by_id.insert(scope.id.clone(), original.clone());
            }
            None => self.bury(&scope.id),
        }
        Ok(())
    }

    pub(crate) fn bury(&mut self, id: &Arc<str>) {
        self.own.insert(id.clone(), None);
        self.by_id.remove(id);
    }
}

/// The scopes of a list as apps write it: separated by spaces.
pub fn parse_list(text: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for id in text.split(' ').filter(|id| !id.is_empty()) {
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    }
    ids
}

/// Scopes of the catalogue, in order and each once; `field` is what the caller named wrongly if one is not.
pub(crate) fn check_list(
    state: &crate::State,
    field: &'static str,
    ids: &[String],
) -> Result<Vec<Arc<str>>, Refusal> {
    let known = |id: &String| match state.scopes().get(id) {
        Some(scope) => Ok(scope.id.clone()),
        None => Err(Refusal::invalid(field, format!("there is no scope `{}`", shown(id)))),
    };
    let mut found = ids.iter().map(known).collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// As much of what a stranger wrote as an error text repeats.
fn shown(id: &str) -> String {
    id.chars().filter(|letter| !letter.is_control()).take(80).collect()
}
