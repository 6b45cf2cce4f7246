//! Search criteria: which records, in which order, how many, and what of each.

mod filter;
mod order;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use serde_json::Value;

use super::errors::Error;
use super::input::{Object, nothing_else, take};
use filter::Filter;

/// What a search asks for.
pub(super) struct Criteria {
    filter: Filter,
    sort: Vec<Sort>,
    limit: Option<usize>,
    skip: usize,
    fields: Option<Vec<String>>,
}

/// One field to sort by.
struct Sort {
    field: String,
    descending: bool,
}

impl Criteria {
    /// Reads them; what does not fit is an error that names the member.
    pub(super) fn read(criteria: Value) -> Result<Self, Error> {
        let Value::Object(mut criteria) = criteria else { return Err(Error::invalid("criteria")) };
        let read = Self {
            filter: match take(&mut criteria, "filters") {
                Some(filters) => Filter::read(&filters).map_err(|_| Error::invalid("filters"))?,
                None => Filter::everything(),
            },
            sort: read_sort(take(&mut criteria, "sort"))?,
            limit: count(&mut criteria, "limit", 1)?,
            skip: count(&mut criteria, "skip", 0)?.unwrap_or(0),
            fields: read_fields(take(&mut criteria, "fields"))?,
        };
        nothing_else(&criteria)?;
        Ok(read)
    }

    /// Whether a record is among those that are asked for.
    pub(super) fn matches(&self, record: &Value) -> bool {
        self.filter.matches(record)
    }

    /// Those that match, in order, the page of them, and of each the fields that are asked for.
    pub(super) fn arrange(&self, mut records: Vec<Value>) -> Vec<Value> {
        if !self.sort.is_empty() {
            records.sort_by(|a, b| self.compare(a, b));
        }
        let page = records.into_iter().skip(self.skip).take(self.limit.unwrap_or(usize::MAX));
        page.map(|record| self.project(record)).collect()
    }

    fn compare(&self, a: &Value, b: &Value) -> Ordering {
        let by = |sort: &Sort| {
            let order = order::compare(field(a, &sort.field), field(b, &sort.field));
            if sort.descending { order.reverse() } else { order }
        };
        self.sort.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// The ids are always there.
    fn project(&self, record: Value) -> Value {
        match (&self.fields, record) {
            (Some(fields), Value::Object(mut record)) => {
                record.retain(|name, _| ["_id", "id"].contains(&name.as_str()) || fields.contains(name));
                record.into()
            }
            (_, record) => record,
        }
    }
}

/// A field of a record; null if it has none of that name.
fn field<'a>(record: &'a Value, name: &str) -> &'a Value {
    record.get(name).unwrap_or(&Value::Null)
}

/// `[["login", "ascending"], ...]`; a direction may be 1 or -1 as well.
fn read_sort(sort: Option<Value>) -> Result<Vec<Sort>, Error> {
    let invalid = || Error::invalid("sort");
    let Some(sort) = sort else { return Ok(Vec::new()) };
    let Value::Array(sort) = sort else { return Err(invalid()) };
    let one = |entry: &Value| {
        let field = entry.get(0)?.as_str()?.to_owned();
        let direction = match entry.get(1)? {
            Value::String(direction) => direction.to_ascii_lowercase(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let descending = match direction.as_str() {
            "ascending" | "1" => false,
            "descending" | "-1" => true,
            _ => return None,
        };
        Some(Sort { field, descending })
    };
    sort.iter().map(|entry| one(entry).ok_or_else(invalid)).collect()
}

/// A whole number, as a number or as text.
fn count(criteria: &mut Object, name: &str, least: usize) -> Result<Option<usize>, Error> {
    let number = |value: Value| match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse::<u64>().ok(),
        _ => None,
    };
    let Some(value) = take(criteria, name) else { return Ok(None) };
    let found = number(value).map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    found.filter(|number| *number >= least).map(Some).ok_or_else(|| Error::invalid(name))
}

fn read_fields(fields: Option<Value>) -> Result<Option<Vec<String>>, Error> {
    let Some(fields) = fields else { return Ok(None) };
    let names: Option<Vec<String>> = fields
        .as_array()
        .and_then(|fields| fields.iter().map(|name| name.as_str().map(Into::into)).collect());
    names.map(Some).ok_or_else(|| Error::invalid("fields"))
}
