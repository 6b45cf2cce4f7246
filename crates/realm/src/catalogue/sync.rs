//! The catalogue brought into line with what an application says of its own, by natural key. The same again changes nothing.

use std::collections::BTreeSet;

use super::beginning::{Draft, begun};
use super::catalogue_permission::{PermissionView, changed, check_text, make};
use super::content_type::{check_label, make_type};
use super::{ContentType, DEFAULT_TYPE, MAX_CODENAME, MAX_NAME};
use crate::State;
use crate::caller::Authority;
use crate::change::Change;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision};
use crate::refusal::Refusal;
use crate::reserved::keeps_catalogue;

/// A permission as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PermissionDraft {
    /// What programs call it.
    pub codename: String,
    /// What people call it.
    pub name: String,
    /// The codename that it may still have: it keeps its number and its holders.
    pub renamed_from: Option<String>,
}

/// A content type as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TypeDraft {
    /// Of which application.
    pub app_label: String,
    /// Which of its models.
    pub model: String,
    /// App label and model that it may still have: it keeps its number and its permissions.
    pub renamed_from: Option<(String, String)>,
    /// Its permissions.
    pub permissions: Vec<PermissionDraft>,
}

/// Brings the catalogue into line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncCatalogue {
    /// What there is to be. Content types that are not named stay as they are.
    pub types: Vec<TypeDraft>,
    /// Deletes what is not named: permissions of the content types that are, and content types of the same apps.
    pub prune: bool,
    /// Only says what would happen.
    pub dry_run: bool,
}

/// What a sync came to, by natural keys: `app_label.model` and `app_label.model.codename`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncReport {
    /// What was made.
    pub created: Vec<String>,
    /// What was renamed, or is called otherwise.
    pub changed: Vec<String>,
    /// What was deleted.
    pub deleted: Vec<String>,
    /// How many permissions were just so.
    pub unchanged: u64,
}

impl Answer for SyncReport {
    fn encode(&self, w: &mut Writer) {
        for list in [&self.created, &self.changed, &self.deleted] {
            w.u64(list.len() as u64);
            list.iter().for_each(|key| w.text(key));
        }
        w.u64(self.unchanged);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut list =
            || (0..r.u64()?).map(|_| r.text().map(Into::into)).collect::<Result<Vec<String>, CodecError>>();
        let (created, changed, deleted) = (list()?, list()?, list()?);
        Ok(Self { created, changed, deleted, unchanged: r.u64()? })
    }
}

impl Command for SyncCatalogue {
    type Answer = SyncReport;
    const REQUIRES: Authority = Authority::Writer;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        if keeps_catalogue(state, cx.caller, cx.now) { Ok(()) } else { cx.require(state, Self::REQUIRES) }
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<SyncReport>, Refusal> {
        let mut sync =
            Sync { draft: begun(state, cx)?, report: SyncReport::default(), named: BTreeSet::new() };
        for (place, kind) in self.types.iter().enumerate() {
            sync.content_type(kind, self.prune, cx).map_err(|refusal| at(place, refusal))?;
        }
        if self.prune {
            sync.prune_types(&self.types, cx)?;
        }
        let Sync { draft, report, .. } = sync;
        let changes = if self.dry_run { Vec::new() } else { draft.changes };
        Ok(Decision::all(changes, report))
    }
}

/// Says which of many it is about.
fn at(place: usize, refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Invalid { field, problem } => {
            Refusal::invalid("content_types", format!("[{place}]: `{field}` {problem}"))
        }
        other => other,
    }
}

struct Sync {
    draft: Draft,
    report: SyncReport,
    /// The numbers of the content types that were named.
    named: BTreeSet<u64>,
}

impl Sync {
    fn state(&self) -> &State {
        &self.draft.state
    }

    fn content_type(&mut self, kind: &TypeDraft, prune: bool, cx: &mut Context<'_>) -> Result<(), Refusal> {
        let (app_label, model) = (kind.app_label.as_str(), kind.model.as_str());
        check_label("app_label", app_label)?;
        check_label("model", model)?;
        let natural = format!("{app_label}.{model}");
        let catalogue = self.state().catalogue();
        let before = kind
            .renamed_from
            .as_ref()
            .filter(|(app, was)| (app.as_str(), was.as_str()) != (app_label, model));
        let before = before.and_then(|(app, was)| catalogue.content_type_of(app, was)).map(|one| one.number);
        let now = catalogue.content_type_of(app_label, model).map(|one| one.number);
        let number = match (now, before) {
            (Some(_), Some(_)) => {
                return Err(Refusal::invalid(
                    "renamed_from",
                    "names a content type that is there beside the new one: leave it out, or delete one of the two",
                ));
            }
            (Some(number), None) => number,
            (None, Some(number)) => {
                self.push(
                    Change::ContentTypeRenamed { number, app_label: app_label.into(), model: model.into() },
                    cx,
                )?;
                self.report.changed.push(natural.clone());
                number
            }
            (None, None) => {
                let (number, made) = make_type(self.state(), app_label, model)?;
                self.push(made, cx)?;
                self.report.created.push(natural.clone());
                number
            }
        };
        if !self.named.insert(number) {
            return Err(Refusal::invalid("model", "is named twice"));
        }
        let mut kept = BTreeSet::new();
        for one in &kind.permissions {
            let number = self.permission(number, &natural, one, cx)?;
            if !kept.insert(number) {
                return Err(Refusal::invalid("permissions", format!("`{}` is named twice", one.codename)));
            }
        }
        if prune {
            self.prune_permissions(number, &natural, &kept, cx)?;
        }
        Ok(())
    }

    fn permission(
        &mut self,
        content_type: u64,
        natural: &str,
        wanted: &PermissionDraft,
        cx: &mut Context<'_>,
    ) -> Result<u64, Refusal> {
        let key = format!("{natural}.{}", wanted.codename);
        let catalogue = self.state().catalogue();
        let before = wanted.renamed_from.as_ref().filter(|was| **was != wanted.codename);
        let before = before.and_then(|was| catalogue.permission_of(content_type, was));
        let now = catalogue.permission_of(content_type, &wanted.codename);
        let found = match (now, before) {
            (Some(_), Some(_)) => {
                return Err(Refusal::invalid(
                    "renamed_from",
                    format!(
                        "names a permission that is there beside `{key}`: leave it out, or delete one of the two"
                    ),
                ));
            }
            (found, None) | (None, found) => found,
        };
        let Some(found) = found else {
            let (number, made) = make(self.state(), content_type, &wanted.codename, &wanted.name, cx)?;
            self.push(made, cx)?;
            self.report.created.push(key);
            return Ok(number);
        };
        let before = PermissionView::from(found);
        let after =
            PermissionView { codename: wanted.codename.clone(), name: wanted.name.clone(), ..before.clone() };
        if after == before {
            self.report.unchanged += 1;
        } else {
            check_text("codename", &after.codename, MAX_CODENAME)?;
            check_text("name", &after.name, MAX_NAME)?;
            self.push(changed(&after, cx), cx)?;
            self.report.changed.push(key);
        }
        Ok(after.number)
    }

    fn prune_permissions(
        &mut self,
        content_type: u64,
        natural: &str,
        kept: &BTreeSet<u64>,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let others = self.state().catalogue().permissions_of(content_type);
        let others = others.filter(|one| !kept.contains(&one.number));
        let others: Vec<(u64, String)> =
            others.map(|one| (one.number, format!("{natural}.{}", one.codename))).collect();
        for (number, key) in others {
            self.push(Change::CataloguePermissionDeleted { number }, cx)?;
            self.report.deleted.push(key);
        }
        Ok(())
    }

    /// Content types of the apps that were named; that of permissions which name none is nobody's.
    fn prune_types(&mut self, types: &[TypeDraft], cx: &mut Context<'_>) -> Result<(), Refusal> {
        let apps: BTreeSet<&str> = types.iter().map(|kind| kind.app_label.as_str()).collect();
        let catalogue = self.state().catalogue();
        let is_default = |kind: &ContentType| (&*kind.app_label, &*kind.model) == DEFAULT_TYPE;
        let others = apps.iter().flat_map(|app| catalogue.content_types_of(app));
        let others = others.filter(|kind| !self.named.contains(&kind.number) && !is_default(kind));
        let others: Vec<(u64, String)> = others.map(|kind| (kind.number, kind.to_string())).collect();
        for (number, key) in others {
            self.push(Change::ContentTypeDeleted { number }, cx)?;
            self.report.deleted.push(key);
        }
        Ok(())
    }

    fn push(&mut self, change: Change, cx: &Context<'_>) -> Result<(), Refusal> {
        self.draft.push(change, cx)
    }
}
