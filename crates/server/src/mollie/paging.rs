//! The pages of v1's list: `offset` items are left out, `count` are shown.

use serde::Serialize;

use super::errors::Problem;

/// Without a `count`.
const ORDINARY: usize = 10;
/// The most.
const MOST: usize = 250;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paging {
    pub(super) offset: usize,
    pub(super) count: usize,
}

/// The addresses of other pages.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Links {
    first: String,
    previous: Option<String>,
    next: Option<String>,
    last: String,
}

impl Paging {
    /// Reads a query. What is named twice counts as named last; other names mean nothing. The oldest clients send `count=0`.
    pub(super) fn of(query: &str) -> Result<Self, Problem> {
        let (mut offset, mut count) = (0, 0);
        // Any bytes can be read as pairs of texts.
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        for (name, value) in pairs {
            match name.as_str() {
                "offset" => offset = number("offset", &value, usize::MAX)?,
                "count" => count = number("count", &value, MOST)?,
                _ => {}
            }
        }
        Ok(Self { offset, count: if count == 0 { ORDINARY } else { count } })
    }

    /// The other pages of so many items in all.
    pub(super) fn links(self, list: &str, total: usize) -> Links {
        let Self { offset, count } = self;
        let at = |offset: usize| format!("{list}?count={count}&offset={offset}");
        let last = total.saturating_sub(1) / count * count;
        let behind = offset.saturating_add(count);
        Links {
            first: at(0),
            previous: (offset > 0).then(|| at(offset.saturating_sub(count).min(last))),
            next: (behind < total).then(|| at(behind)),
            last: at(last),
        }
    }
}

fn number(field: &'static str, value: &str, most: usize) -> Result<usize, Problem> {
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    let read = value.parse().ok().filter(|read| digits && *read <= most);
    read.ok_or_else(|| {
        let problem = match most {
            usize::MAX => format!("The {field} must be a whole number, 0 or more"),
            most => format!("The {field} must be a whole number from 0 to {most}"),
        };
        Problem::Invalid { field, problem }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn of(query: &str) -> Option<(usize, usize)> {
        Paging::of(query).ok().map(|paging| (paging.offset, paging.count))
    }

    #[test]
    fn queries_are_read() {
        for (query, read) in [
            ("", Some((0, 10))),
            ("offset=0&count=0", Some((0, 10))),
            ("count=250", Some((0, 250))),
            ("count=251", None),
            ("count=-1", None),
            ("count=%2B1", None),
            ("count=", None),
            ("count=ten", None),
            ("offset=-1", None),
            ("offset=1e3", None),
            ("offset=99999999999999999999999", None),
            ("offset=5&offset=7&x=y", Some((7, 10))),
        ] {
            assert_eq!(of(query), read, "{query}");
        }
    }

    #[test]
    fn pages_lead_to_each_other() {
        let links = |offset, count, total| {
            let links = Paging { offset, count }.links("", total);
            let at = |link: Option<String>| {
                link.map(|link| link.split("offset=").nth(1).unwrap().parse().unwrap())
            };
            [at(Some(links.first)), at(links.previous), at(links.next), at(Some(links.last))]
        };
        let (no, first): (Option<usize>, _) = (None, Some(0));
        assert_eq!(links(0, 10, 15), [first, no, Some(10), Some(10)]);
        assert_eq!(links(10, 10, 15), [first, Some(0), no, Some(10)]);
        assert_eq!(links(5, 5, 15), [first, Some(0), Some(10), Some(10)]);
        assert_eq!(links(0, 250, 15), [first, no, no, Some(0)]);
        assert_eq!(links(1_000, 10, 15), [first, Some(10), no, Some(10)]);
        assert_eq!(links(0, 10, 0), [first, no, no, Some(0)]);
        assert_eq!(links(usize::MAX, 10, 15), [first, Some(10), no, Some(10)]);
    }
}
