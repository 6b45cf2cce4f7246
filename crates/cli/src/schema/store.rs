//! An OpenFGA store file: a model, relationships and tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::text_of;

/// A whole file.
#[derive(Debug, Deserialize)]
pub(super) struct Store {
    pub(super) name: Option<String>,
    model: Option<String>,
    model_file: Option<PathBuf>,
    #[serde(flatten)]
    pub(super) tuples: Tuples,
    #[serde(default)]
    pub(super) tests: Vec<Test>,
}

/// Relationships, here or in other files.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Tuples {
    #[serde(default)]
    pub(super) tuples: Vec<Tuple>,
    pub(super) tuple_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) tuple_files: Vec<PathBuf>,
}

/// One relationship.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Tuple {
    pub(super) user: String,
    pub(super) relation: String,
    pub(super) object: String,
    pub(super) condition: Option<TupleCondition>,
}

/// The condition of a relationship.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TupleCondition {
    pub(super) name: String,
    #[serde(default)]
    pub(super) context: Map<String, Value>,
}

/// Questions with the answers that are expected.
#[derive(Debug, Deserialize)]
pub(super) struct Test {
    pub(super) name: Option<String>,
    #[serde(flatten)]
    pub(super) tuples: Tuples,
    #[serde(default)]
    pub(super) check: Vec<Check>,
    #[serde(default)]
    pub(super) list_objects: Vec<ListObjects>,
    #[serde(default)]
    pub(super) list_users: Vec<ListUsers>,
}

/// May these users do this to these objects?
#[derive(Debug, Deserialize)]
pub(super) struct Check {
    pub(super) user: Option<String>,
    #[serde(default)]
    pub(super) users: Vec<String>,
    pub(super) object: Option<String>,
    #[serde(default)]
    pub(super) objects: Vec<String>,
    #[serde(default)]
    pub(super) context: Map<String, Value>,
    pub(super) assertions: BTreeMap<String, bool>,
}

/// What may a user do it to?
#[derive(Debug, Deserialize)]
pub(super) struct ListObjects {
    pub(super) user: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) context: Map<String, Value>,
    pub(super) assertions: BTreeMap<String, Vec<String>>,
}

/// Who may do it?
#[derive(Debug, Deserialize)]
pub(super) struct ListUsers {
    pub(super) object: String,
    pub(super) user_filter: Vec<UserFilter>,
    #[serde(default)]
    pub(super) context: Map<String, Value>,
    pub(super) assertions: BTreeMap<String, ListedUsers>,
}

/// Which users.
#[derive(Debug, Deserialize)]
pub(super) struct UserFilter {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) relation: Option<String>,
}

/// The users that are expected.
#[derive(Debug, Deserialize)]
pub(super) struct ListedUsers {
    #[serde(default)]
    pub(super) users: Vec<String>,
}

impl Store {
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let about = || format!("`{}`", file.display());
        let text = text_of(file)?;
        if file.extension().is_some_and(|extension| extension == "json") {
            return serde_json::from_str(&text).with_context(about);
        }
        serde_saphyr::from_str(&text).with_context(about)
    }

    /// The model's text, and what messages call it.
    pub(super) fn model(&self, file: &Path) -> anyhow::Result<(String, String)> {
        match (&self.model, &self.model_file) {
            (Some(text), _) => Ok((file.display().to_string(), text.clone())),
            (None, Some(named)) => {
                let named = beside(file, named);
                let text = text_of(&named)?;
                Ok((named.display().to_string(), text))
            }
            (None, None) => anyhow::bail!("`{}` has neither `model` nor `model_file`", file.display()),
        }
    }
}

impl Tuples {
    /// All of them, those in other files included.
    pub(super) fn all(&self, file: &Path) -> anyhow::Result<Vec<Tuple>> {
        let mut all = self.tuples.clone();
        for named in self.tuple_file.iter().chain(&self.tuple_files) {
            let named = beside(file, named);
            let about = || format!("`{}`", named.display());
            let text = text_of(&named)?;
            let more: Vec<Tuple> = match named.extension().and_then(std::ffi::OsStr::to_str) {
                Some("json") => serde_json::from_str(&text).with_context(about)?,
                Some("csv") => super::csv::tuples(&text).with_context(about)?,
                _ => serde_saphyr::from_str(&text).with_context(about)?,
            };
            all.extend(more);
        }
        Ok(all)
    }
}

/// A path in a store file is relative to the file.
fn beside(file: &Path, named: &Path) -> PathBuf {
    file.parent().map_or_else(|| named.to_owned(), |folder| folder.join(named))
}
