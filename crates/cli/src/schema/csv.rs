//! Relationships as comma-separated values, with the columns that OpenFGA's command line reads.

use anyhow::{Context as _, bail, ensure};

use super::store::{Tuple, TupleCondition};

/// The relationships; the first line names the columns.
pub(super) fn tuples(text: &str) -> anyhow::Result<Vec<Tuple>> {
    let mut lines = records(text)?.into_iter();
    let header = lines.next().context("the first line must name the columns")?;
    let column = |name: &str| header.iter().position(|found| found.trim() == name);
    let needed = |name: &'static str| column(name).with_context(|| format!("there is no column `{name}`"));
    let (user_type, user_id) = (needed("user_type")?, needed("user_id")?);
    let (relation, object_type, object_id) =
        (needed("relation")?, needed("object_type")?, needed("object_id")?);
    let optional = [column("user_relation"), column("condition_name"), column("condition_context")];
    let mut found = Vec::new();
    for (at, line) in lines.enumerate() {
        let field = |column: usize| line.get(column).map_or("", |field| field.trim());
        let [user_relation, condition, context] = optional.map(|column| column.map_or("", field));
        let mut user = format!("{}:{}", field(user_type), field(user_id));
        if !user_relation.is_empty() {
            user = format!("{user}#{user_relation}");
        }
        let condition = match (condition, context) {
            ("", _) => None,
            (name, "") => Some(TupleCondition { name: name.to_owned(), context: serde_json::Map::new() }),
            (name, context) => {
                let context = serde_json::from_str(context)
                    .with_context(|| format!("record {}: `condition_context`", at + 1))?;
                Some(TupleCondition { name: name.to_owned(), context })
            }
        };
        let object = format!("{}:{}", field(object_type), field(object_id));
        found.push(Tuple { user, relation: field(relation).to_owned(), object, condition });
    }
    Ok(found)
}

/// The records of RFC 4180; empty lines are left out.
fn records(text: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let mut records = Vec::new();
    let (mut record, mut field) = (Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' => {
                ensure!(field.trim().is_empty(), "a quote in the middle of a field");
                field.clear();
                quoted = true;
            }
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            '\r' if !quoted => {}
            c => field.push(c),
        }
    }
    if quoted {
        bail!("a quoted field has no end");
    }
    record.push(field);
    records.push(record);
    records.retain(|record| record.iter().any(|field| !field.is_empty()));
    Ok(records)
}
