//! The catalogue: permissions as records, each of a content type. Who holds one is in relationships, `tdp_permission:46 # holder @
//! user:alice` or `@ role:qa#member`; it has a number for a name, which is never used again, so that another codename or another
//! content type changes nothing of that.

mod beginning;
mod catalogue_permission;
mod content_type;
mod effective;
mod names;
mod role;
mod sync;

pub(crate) use beginning::beginning;
pub use catalogue_permission::{
    CataloguePermission, CreateCataloguePermission, DeleteCataloguePermission, MAX_CODENAME, MAX_NAME,
    PERMISSION_TYPE, PermissionView, UpdateCataloguePermission,
};
pub use content_type::{ContentType, ContentTypeView, CreateContentType, MAX_LABEL};
pub use effective::{Effective, effective, permission_texts};
pub use role::{CreateCatalogueRole, MAX_ROLE_NAME, UpdateCatalogueRole, held_by_role, shown_names};
pub use sync::{PermissionDraft, SyncCatalogue, SyncReport, TypeDraft};

use std::sync::Arc;

use imbl::OrdMap;

use crate::change::shared;
use crate::personal::Personal;

/// How many content types a realm can have.
pub const MAX_TYPES: usize = 5_000;

/// How many catalogue permissions a realm can have.
pub const MAX_PERMISSIONS: usize = 20_000;

/// The content type of a permission that names none.
pub const DEFAULT_TYPE: (&str, &str) = ("core", "globalpermission");

/// The catalogue of a realm.
#[derive(Clone, Default)]
pub struct Catalogue {
    pub(crate) types: OrdMap<u64, ContentType>,
    type_numbers: OrdMap<(Arc<str>, Arc<str>), u64>,
    pub(crate) permissions: OrdMap<u64, CataloguePermission>,
    permission_numbers: OrdMap<(u64, Arc<str>), u64>,
    pub(crate) next_type: u64,
    pub(crate) next_permission: u64,
}

impl Catalogue {
    /// Whether there ever was anything in it.
    pub fn has_begun(&self) -> bool {
        self.next_type > 0
    }

    /// A content type.
    pub fn content_type(&self, number: u64) -> Option<&ContentType> {
        self.types.get(&number)
    }

    /// A content type by its natural key.
    pub fn content_type_of(&self, app_label: &str, model: &str) -> Option<&ContentType> {
        self.types.get(self.type_numbers.get(&(shared(app_label), shared(model)))?)
    }

    /// The content types, by app label and model.
    pub fn content_types(&self) -> impl Iterator<Item = &ContentType> {
        self.type_numbers.values().filter_map(|number| self.types.get(number))
    }

    /// The content types of one app, by model.
    pub fn content_types_of<'a>(
        &'a self,
        app_label: &str,
    ) -> impl Iterator<Item = &'a ContentType> + use<'a> {
        let app_label = shared(app_label);
        self.type_numbers
            .range((app_label.clone(), shared(""))..)
            .take_while(move |((app, _), _)| *app == app_label)
            .filter_map(|(_, number)| self.types.get(number))
    }

    /// A permission.
    pub fn permission(&self, number: u64) -> Option<&CataloguePermission> {
        self.permissions.get(&number)
    }

    /// A permission by its content type and codename.
    pub fn permission_of(&self, content_type: u64, codename: &str) -> Option<&CataloguePermission> {
        self.permissions.get(self.permission_numbers.get(&(content_type, shared(codename)))?)
    }

    /// The permissions of a content type, by codename.
    pub fn permissions_of(&self, content_type: u64) -> impl Iterator<Item = &CataloguePermission> {
        self.permission_numbers
            .range((content_type, shared(""))..)
            .take_while(move |((of, _), _)| *of == content_type)
            .filter_map(|(_, number)| self.permissions.get(number))
    }

    /// All permissions, by app label, model and codename.
    pub fn permissions(&self) -> impl Iterator<Item = &CataloguePermission> {
        self.content_types().flat_map(|kind| self.permissions_of(kind.number))
    }

    /// How many permissions there are.
    pub fn len(&self) -> usize {
        self.permissions.len()
    }

    /// Whether there are no permissions.
    pub fn is_empty(&self) -> bool {
        self.permissions.is_empty()
    }

    pub(crate) fn put_type(&mut self, kind: ContentType, is_new: bool) -> Result<(), String> {
        let key = (kind.app_label.clone(), kind.model.clone());
        match (self.types.get(&kind.number), is_new) {
            (Some(_), true) => return Err(format!("content type {} exists already", kind.number)),
            (None, false) => return Err(format!("there is no content type {}", kind.number)),
            (Some(before), false) => {
                self.type_numbers.remove(&(before.app_label.clone(), before.model.clone()));
            }
            (None, true) => {}
        }
        if self.type_numbers.insert(key, kind.number).is_some() {
            return Err(format!("content type `{kind}` exists already"));
        }
        self.next_type = self.next_type.max(kind.number.saturating_add(1));
        self.types.insert(kind.number, kind);
        Ok(())
    }

    /// With its permissions; gives their numbers.
    pub(crate) fn delete_type(&mut self, number: u64) -> Result<Vec<u64>, String> {
        let kind = self.types.remove(&number).ok_or_else(|| format!("there is no content type {number}"))?;
        self.type_numbers.remove(&(kind.app_label, kind.model));
        let numbers: Vec<u64> = self.permissions_of(number).map(|one| one.number).collect();
        numbers.iter().try_for_each(|number| self.delete_permission(*number))?;
        Ok(numbers)
    }

    pub(crate) fn put_permission(&mut self, one: CataloguePermission, is_new: bool) -> Result<(), String> {
        if !self.types.contains_key(&one.content_type) {
            return Err(format!("there is no content type {}", one.content_type));
        }
        match (self.permissions.get(&one.number), is_new) {
            (Some(_), true) => return Err(format!("permission {} exists already", one.number)),
            (None, false) => return Err(format!("there is no permission {}", one.number)),
            (Some(before), false) => {
                self.permission_numbers.remove(&(before.content_type, before.codename.clone()));
            }
            (None, true) => {}
        }
        if self.permission_numbers.insert((one.content_type, one.codename.clone()), one.number).is_some() {
            return Err(format!("content type {} has such a codename already", one.content_type));
        }
        self.next_permission = self.next_permission.max(one.number.saturating_add(1));
        self.permissions.insert(one.number, one);
        Ok(())
    }

    pub(crate) fn delete_permission(&mut self, number: u64) -> Result<(), String> {
        let one =
            self.permissions.remove(&number).ok_or_else(|| format!("there is no permission {number}"))?;
        self.permission_numbers.remove(&(one.content_type, one.codename));
        Ok(())
    }

    pub(crate) fn erase_name(&mut self, number: u64) {
        if let Some(one) = self.permissions.get_mut(&number) {
            one.name = Personal::erased(&one.name);
        }
    }
}
