//! Pages of searches: `page` in the request says which, `page` in the answer where it goes on.

use axum::response::Response;
use grantd_node::question::Asking;
use serde::Serialize;

use super::Call;
use super::answer::json;
use super::errors::Error;
use super::wire::PageRequest;
use crate::call::aside;
use crate::cursor::Cursor;

/// Without a limit, and at most.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

/// A page to be made.
pub(super) struct Page<'c> {
    /// The state of this page and of those before it.
    pub(super) asking: Asking<'c>,
    /// What the page before ended with.
    pub(super) after: Option<String>,
    limit: usize,
    query: String,
}

/// A page as it stands on the wire; `page` comes first.
#[derive(Serialize)]
struct Answer<T> {
    page: AnswerPage,
    results: Vec<T>,
}

#[derive(Serialize)]
struct AnswerPage {
    next_token: String,
    count: usize,
}

impl<'c> Page<'c> {
    /// The page that is asked for. `query` is everything that must be the same for the next one.
    pub(super) fn new(call: &'c Call, request: Option<PageRequest>, query: String) -> Result<Self, Error> {
        let PageRequest { limit, token } = request.unwrap_or_default();
        if limit == Some(0) {
            return Err(Error::invalid("page.limit", "must be at least 1"));
        }
        let asking = call.app.node.asking(call.published(), &call.caller)?;
        let limit = limit.map(|limit| limit.min(MAX_LIMIT));
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Ok(Self { asking, after: None, limit: limit.unwrap_or(DEFAULT_LIMIT), query });
        };
        let cursor = Cursor::open(call, &call.realm, query.as_bytes(), &token)
            .map_err(|problem| Error::invalid("page.token", problem.to_string()))?;
        call.answers_by(&cursor.state);
        let limit = limit.unwrap_or(cursor.limit);
        Ok(Self { asking: asking.at(cursor.state, cursor.time), after: Some(cursor.last), limit, query })
    }

    /// How many results to look for: one more than the page takes says whether there is a next one.
    pub(super) fn sought(&self) -> usize {
        self.limit + 1
    }

    /// The answer. `key` is what the next page starts after.
    pub(super) fn respond<E, T: Serialize>(
        self,
        call: &Call,
        mut found: Vec<E>,
        key: impl Fn(&E) -> String,
        show: impl Fn(E) -> T,
    ) -> Response {
        let more = found.len() > self.limit;
        found.truncate(self.limit);
        let next_token = match found.last().filter(|_| more) {
            None => String::new(),
            Some(last) => {
                let (state, time) = (self.asking.published().clone(), self.asking.time());
                Cursor { state, time, limit: self.limit, last: key(last) }.seal(
                    call,
                    &call.realm,
                    self.query.as_bytes(),
                )
            }
        };
        let page = AnswerPage { next_token, count: found.len() };
        json(&Answer { page, results: found.into_iter().map(show).collect() })
    }
}

/// Searches off the threads that answer everybody else: a search may look at much.
pub(super) async fn search(
    call: Call,
    search: fn(&Call) -> Result<Response, Error>,
) -> Result<Response, Error> {
    aside(move || search(&call)).await?
}
