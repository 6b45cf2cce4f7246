//! Permissions by name, in questions: `tdp_permission:app_label.codename` and `tdp_permission:app_label.model.codename`.

use grantd_engine::ObjectRef;

use super::catalogue_permission::PERMISSION_TYPE;
use super::{Catalogue, ContentType};

impl Catalogue {
    /// The ids that a question about this object is about, if it is a permission by name. There may be several: the same codename
    /// under two models of one app is one permission to who asks by `app_label.codename`; or none.
    pub fn ids_meant(&self, object: ObjectRef<'_>) -> Option<Vec<String>> {
        if object.kind != PERMISSION_TYPE {
            return None;
        }
        let (app_label, rest) = object.id.split_once('.')?;
        let one_of = |kind: &ContentType, codename: &str| {
            self.permission_of(kind.number, codename).map(|one| one.number.to_string())
        };
        let by_codename: Vec<String> =
            self.content_types_of(app_label).filter_map(|kind| one_of(kind, rest)).collect();
        if !by_codename.is_empty() {
            return Some(by_codename);
        }
        // A codename may hold a dot itself: what is one as a whole is meant first.
        let by_model = rest
            .split_once('.')
            .and_then(|(model, codename)| one_of(self.content_type_of(app_label, model)?, codename));
        Some(by_model.into_iter().collect())
    }
}
