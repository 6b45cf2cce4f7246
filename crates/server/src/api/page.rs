//! Lists: `{"items": [...], "next": "<cursor>" | null}`, with `limit` and `cursor`.
//!
//! All pages of a list are of one revision; see [`crate::cursor`].

use std::sync::Arc;

use grantd_node::realm::Micros;
use grantd_node::{Published, Realm};
use serde::{Deserialize, Serialize};

use super::Call;
use super::errors::{Error, invalid};
use crate::cursor::Cursor;

/// Without a limit, and at most.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Page<T> {
    /// What was asked for.
    pub(super) items: Vec<T>,
    /// Give this as `cursor` for the next page; null at the end.
    pub(super) next: Option<String>,
}

/// What a query says about paging.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub(super) struct Paging {
    /// At most so many items, 1 to 1000; 100 without it.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A page to be made.
pub(super) struct Wanted {
    /// Of which state.
    pub(super) published: Arc<Published>,
    /// At which time.
    pub(super) time: Micros,
    /// The key of the last item of the page before.
    pub(super) after: Option<String>,
    /// At most so many items.
    limit: usize,
    realm: Arc<Realm>,
    query: String,
}

impl Paging {
    pub(super) fn new(limit: Option<usize>, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }

    /// The page that is asked for. `published` is the state of a first page; `query` is everything that must be the same
    /// for the next one.
    pub(super) fn wanted(
        self,
        call: &Call,
        published: Arc<Published>,
        query: impl Into<String>,
    ) -> Result<Wanted, Error> {
        let wanted = self.wanted_of(call, call.realm.clone(), published, query)?;
        call.answers_by(&wanted.published);
        Ok(wanted)
    }

    /// The same for a list of another realm than the one that is called.
    pub(super) fn wanted_of(
        self,
        call: &Call,
        realm: Arc<Realm>,
        published: Arc<Published>,
        query: impl Into<String>,
    ) -> Result<Wanted, Error> {
        let (query, time) = (query.into(), call.now());
        let limit = match self.limit.unwrap_or(DEFAULT_LIMIT) {
            0 => return Err(invalid("limit", "must be 1 to 1000")),
            limit => limit.min(MAX_LIMIT),
        };
        let Some(cursor) = &self.cursor else {
            return Ok(Wanted { published, time, after: None, limit, realm, query });
        };
        let cursor = Cursor::open(call, &realm, query.as_bytes(), cursor)
            .map_err(|problem| invalid("cursor", problem.to_string()))?;
        let (published, time) = (cursor.state, cursor.time);
        Ok(Wanted { published, time, after: Some(cursor.last), limit, realm, query })
    }
}

impl Wanted {
    /// How many items to look for: one more than the page takes says whether there is a next one.
    pub(super) fn sought(&self) -> usize {
        self.limit + 1
    }

    /// The page, and the cursor behind its last item if there are more.
    pub(super) fn page<T>(self, call: &Call, mut items: Vec<T>, key: impl Fn(&T) -> String) -> Page<T> {
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let next = items.last().filter(|_| more).map(|last| {
            let cursor =
                Cursor { state: self.published, time: self.time, limit: self.limit, last: key(last) };
            cursor.seal(call, &self.realm, self.query.as_bytes())
        });
        Page { items, next }
    }
}
