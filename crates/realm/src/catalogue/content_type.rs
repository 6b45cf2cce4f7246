//! Content types: what the permissions of the catalogue are about, by app label and model.

use std::fmt;
use std::sync::Arc;

use super::beginning::begun;
use super::catalogue_permission::{DEFAULT_ACTIONS, default_name, make};
use super::{Catalogue, MAX_TYPES};
use crate::State;
use crate::basis::Basis;
use crate::caller::Authority;
use crate::change::{Change, shared};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision};
use crate::refusal::{Noun, Refusal};

/// The longest app label and the longest model, in characters.
pub const MAX_LABEL: usize = 100;

/// A content type. Shown as `app_label.model`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    /// Never used again.
    pub number: u64,
    /// Of which application.
    pub app_label: Arc<str>,
    /// Which of its models.
    pub model: Arc<str>,
}

impl ContentType {
    /// The content type, or the refusal that says there is none.
    pub fn find(catalogue: &Catalogue, number: u64) -> Result<&Self, Refusal> {
        catalogue.content_type(number).ok_or_else(|| Refusal::not_found(Noun::ContentType, number))
    }

    pub(crate) fn of(number: u64, app_label: &str, model: &str) -> Self {
        Self { number, app_label: shared(app_label), model: shared(model) }
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.app_label, self.model)
    }
}

/// A content type as every face shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentTypeView {
    /// Never used again.
    pub number: u64,
    /// Of which application.
    pub app_label: String,
    /// Which of its models.
    pub model: String,
}

impl From<&ContentType> for ContentTypeView {
    fn from(kind: &ContentType) -> Self {
        Self { number: kind.number, app_label: kind.app_label.to_string(), model: kind.model.to_string() }
    }
}

impl Answer for ContentTypeView {
    fn encode(&self, w: &mut Writer) {
        w.u64(self.number);
        w.text(&self.app_label);
        w.text(&self.model);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { number: r.u64()?, app_label: r.text()?.into(), model: r.text()?.into() })
    }
}

/// Refuses what is neither an app label nor a model.
pub(super) fn check_label(field: &'static str, label: &str) -> Result<(), Refusal> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if (1..=MAX_LABEL).contains(&label.len()) && label.bytes().all(fits) {
        Ok(())
    } else {
        Err(Refusal::invalid(field, format!("must be 1 to {MAX_LABEL} of `a-z`, `0-9` and `_`")))
    }
}

/// The change that makes a content type, and the number that it gets.
pub(super) fn make_type(state: &State, app_label: &str, model: &str) -> Result<(u64, Change), Refusal> {
    check_label("app_label", app_label)?;
    check_label("model", model)?;
    let catalogue = state.catalogue();
    if catalogue.content_type_of(app_label, model).is_some() {
        return Err(Refusal::exists(Noun::ContentType, format!("{app_label}.{model}")));
    }
    if catalogue.types.len() >= MAX_TYPES {
        return Err(Refusal::TooMany { what: "content types", most: MAX_TYPES as u64 });
    }
    let number = catalogue.next_type.max(1);
    Ok((number, Change::ContentTypeCreated { number, app_label: app_label.into(), model: model.into() }))
}

/// Makes a content type with the four permissions that each has by default: to add, change, delete and view one.
#[derive(Debug, Default)]
pub struct CreateContentType {
    /// Of which application.
    pub app_label: String,
    /// Which of its models.
    pub model: String,
    /// What people call one of it, in the names of its permissions; by default its model.
    pub name: Option<String>,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for CreateContentType {
    type Answer = ContentTypeView;
    const REQUIRES: Authority = Authority::Writer;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<ContentTypeView>, Refusal> {
        let mut draft = begun(state, cx)?;
        let Self { app_label, model, name, .. } = self;
        let number = make_with_defaults(&mut draft, app_label, model, name.as_deref(), cx)?;
        let answer = ContentTypeView { number, app_label: app_label.clone(), model: model.clone() };
        Ok(Decision::all(draft.changes, answer))
    }
}

/// Makes a content type with its default permissions; gives its number.
pub(super) fn make_with_defaults(
    draft: &mut super::beginning::Draft,
    app_label: &str,
    model: &str,
    name: Option<&str>,
    cx: &mut Context<'_>,
) -> Result<u64, Refusal> {
    let (number, made) = make_type(&draft.state, app_label, model)?;
    draft.push(made, cx)?;
    for action in DEFAULT_ACTIONS {
        let (codename, name) = (format!("{action}_{model}"), default_name(action, name.unwrap_or(model)));
        let (_, made) = make(&draft.state, number, &codename, &name, cx)?;
        draft.push(made, cx)?;
    }
    Ok(number)
}
