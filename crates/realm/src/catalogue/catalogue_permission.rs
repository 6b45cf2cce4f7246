//! The permissions of the catalogue: a codename, a name for people, and the content type that it is about.

use std::sync::Arc;

use super::beginning::begun;
use super::content_type::ContentType;
use super::{Catalogue, DEFAULT_TYPE, MAX_PERMISSIONS};
use crate::State;
use crate::basis::Basis;
use crate::caller::Authority;
use crate::change::{Change, shared};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision};
use crate::personal::Personal;
use crate::refusal::{Noun, Refusal};

/// The type of these permissions; the id is the number.
pub const PERMISSION_TYPE: &str = "tdp_permission";

/// The relation of who holds one.
pub(super) const HOLDER: &str = "holder";

/// The longest codename, in characters.
pub const MAX_CODENAME: usize = 100;

/// The longest name, in characters.
pub const MAX_NAME: usize = 255;

/// What a content type has a permission for by default.
pub(super) const DEFAULT_ACTIONS: [&str; 4] = ["add", "change", "delete", "view"];

/// A permission of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CataloguePermission {
    /// Names it in relationships; never used again.
    pub number: u64,
    /// What it is about.
    pub content_type: u64,
    /// What programs call it; one of its kind in its content type.
    pub codename: Arc<str>,
    /// What people call it.
    pub name: Personal,
}

impl CataloguePermission {
    /// The permission, or the refusal that says there is none.
    pub fn find(catalogue: &Catalogue, number: u64) -> Result<&Self, Refusal> {
        catalogue.permission(number).ok_or_else(|| Refusal::not_found(Noun::CataloguePermission, number))
    }

    pub(crate) fn of(number: u64, content_type: u64, codename: &str, name: &Personal) -> Self {
        Self { number, content_type, codename: shared(codename), name: name.stored() }
    }
}

/// A permission as every face shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionView {
    /// Never used again.
    pub number: u64,
    /// What it is about.
    pub content_type: u64,
    /// What programs call it.
    pub codename: String,
    /// What people call it; the codename where the name is erased.
    pub name: String,
}

impl From<&CataloguePermission> for PermissionView {
    fn from(one: &CataloguePermission) -> Self {
        Self {
            number: one.number,
            content_type: one.content_type,
            codename: one.codename.to_string(),
            name: one.name.text().unwrap_or(&one.codename).to_owned(),
        }
    }
}

impl Answer for PermissionView {
    /// The name is left out: a remembered answer must not keep what an erasure removes.
    fn encode(&self, w: &mut Writer) {
        w.u64(self.number);
        w.u64(self.content_type);
        w.text(&self.codename);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (number, content_type, codename) = (r.u64()?, r.u64()?, r.text()?.to_owned());
        Ok(Self { number, content_type, name: codename.clone(), codename })
    }
}

/// `Can add log entry`.
pub(super) fn default_name(action: &str, of: &str) -> String {
    format!("Can {action} {of}")
}

/// Refuses a text that is empty, too long or holds a NUL. Anything else is a text like any other.
pub(super) fn check_text(field: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    if text.trim().is_empty() || text.chars().count() > most || text.contains('\0') {
        return Err(Refusal::invalid(
            field,
            format!("must be 1 to {most} characters, not all blank, none of them NUL"),
        ));
    }
    Ok(())
}

/// Refuses a codename that another permission of the content type has.
fn check_pair(catalogue: &Catalogue, content_type: u64, codename: &str) -> Result<(), Refusal> {
    match catalogue.permission_of(content_type, codename) {
        None => Ok(()),
        Some(_) => {
            let kind = catalogue.content_type(content_type).map(ToString::to_string).unwrap_or_default();
            Err(Refusal::exists(Noun::CataloguePermission, format!("{kind}.{codename}")))
        }
    }
}

/// The change that makes a permission, and the number that it gets.
pub(super) fn make(
    state: &State,
    content_type: u64,
    codename: &str,
    name: &str,
    cx: &mut Context<'_>,
) -> Result<(u64, Change), Refusal> {
    check_text("codename", codename, MAX_CODENAME)?;
    check_text("name", name, MAX_NAME)?;
    let catalogue = state.catalogue();
    ContentType::find(catalogue, content_type)?;
    check_pair(catalogue, content_type, codename)?;
    if catalogue.len() >= MAX_PERMISSIONS {
        return Err(Refusal::TooMany { what: "permissions", most: MAX_PERMISSIONS as u64 });
    }
    let number = catalogue.next_permission.max(1);
    let (codename, name) = (codename.to_owned(), cx.personal(name));
    Ok((number, Change::CataloguePermissionCreated { number, content_type, codename, name }))
}

/// The number of a content type, by default of the one that is meant where none is named.
fn type_or_default(catalogue: &Catalogue, content_type: Option<u64>) -> Result<u64, Refusal> {
    let (app_label, model) = DEFAULT_TYPE;
    match content_type {
        Some(number) => ContentType::find(catalogue, number).map(|kind| kind.number),
        None => catalogue
            .content_type_of(app_label, model)
            .map(|kind| kind.number)
            .ok_or_else(|| Refusal::not_found(Noun::ContentType, format!("{app_label}.{model}"))),
    }
}

/// Makes a permission, which nobody holds yet.
#[derive(Debug, Default)]
pub struct CreateCataloguePermission {
    /// What programs call it.
    pub codename: String,
    /// What people call it.
    pub name: String,
    /// What it is about; `None`: [`DEFAULT_TYPE`].
    pub content_type: Option<u64>,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for CreateCataloguePermission {
    type Answer = PermissionView;
    const REQUIRES: Authority = Authority::Writer;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<PermissionView>, Refusal> {
        let mut draft = begun(state, cx)?;
        let content_type = type_or_default(draft.state.catalogue(), self.content_type)?;
        let (number, made) = make(&draft.state, content_type, &self.codename, &self.name, cx)?;
        draft.push(made, cx)?;
        let (codename, name) = (self.codename.clone(), self.name.clone());
        Ok(Decision::all(draft.changes, PermissionView { number, content_type, codename, name }))
    }
}

/// Changes a permission; what is `None` stays. It keeps its number and its holders.
#[derive(Debug, Default)]
pub struct UpdateCataloguePermission {
    /// Which.
    pub number: u64,
    /// What programs call it.
    pub codename: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// What it is about; `Some(None)`: [`DEFAULT_TYPE`].
    pub content_type: Option<Option<u64>>,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for UpdateCataloguePermission {
    type Answer = PermissionView;
    const REQUIRES: Authority = Authority::Writer;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<PermissionView>, Refusal> {
        let catalogue = state.catalogue();
        let before = PermissionView::from(CataloguePermission::find(catalogue, self.number)?);
        let mut answer = before.clone();
        if let Some(codename) = &self.codename {
            check_text("codename", codename, MAX_CODENAME)?;
            answer.codename.clone_from(codename);
        }
        if let Some(name) = &self.name {
            check_text("name", name, MAX_NAME)?;
            answer.name.clone_from(name);
        }
        if let Some(content_type) = self.content_type {
            answer.content_type = type_or_default(catalogue, content_type)?;
        }
        if (answer.content_type, &answer.codename) != (before.content_type, &before.codename) {
            check_pair(catalogue, answer.content_type, &answer.codename)?;
        }
        if answer == before {
            return Ok(Decision::unchanged(answer));
        }
        Ok(Decision::one(changed(&answer, cx), answer))
    }
}

/// The change that makes a permission what this says.
pub(super) fn changed(to: &PermissionView, cx: &mut Context<'_>) -> Change {
    Change::CataloguePermissionChanged {
        number: to.number,
        content_type: to.content_type,
        codename: to.codename.clone(),
        name: cx.personal(&to.name),
    }
}

/// Deletes a permission: nobody holds it any more.
#[derive(Debug, Default)]
pub struct DeleteCataloguePermission {
    /// Which.
    pub number: u64,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for DeleteCataloguePermission {
    /// What it was.
    type Answer = PermissionView;
    const REQUIRES: Authority = Authority::Writer;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<PermissionView>, Refusal> {
        let was = PermissionView::from(CataloguePermission::find(state.catalogue(), self.number)?);
        Ok(Decision::one(Change::CataloguePermissionDeleted { number: self.number }, was))
    }
}
