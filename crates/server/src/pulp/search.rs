//! The search for users, by body and by query.

use serde_json::Value;

use super::call::{Call, Needs, Read};
use super::criteria::Criteria;
use super::errors::Error;
use super::input::{self, Object};
use super::users::shown;
use super::wire::Answer;
use crate::call::{Patience, aside};

pub(super) async fn search_users(call: Call<Read>) -> Result<Answer<Vec<Value>>, Error> {
    let mut body = call.object()?;
    let criteria = body.remove("criteria").ok_or_else(|| Error::missing(&["criteria"]))?;
    let criteria = Criteria::read(criteria)?;
    // Asked by POST, and yet a read.
    call.realm.catch_up().await.map_err(crate::face::CallError::from)?;
    search(call, criteria).await
}

pub(super) async fn search_users_by_query(call: Call<Read>) -> Result<Answer<Vec<Value>>, Error> {
    let criteria = Criteria::read(by_query(call.place.query())?.into())?;
    search(call, criteria).await
}

async fn search<O: Needs>(call: Call<O>, criteria: Criteria) -> Result<Answer<Vec<Value>>, Error> {
    let (published, patience) = (call.published(), Patience::new());
    let found = aside(move || {
        let state = &published.state;
        let mut found = Vec::new();
        for user in state.users().iter_after(None) {
            patience.lasts()?;
            let user = serde_json::to_value(shown(&call, state, user)).unwrap_or_default();
            if criteria.matches(&user) {
                found.push(user);
            }
        }
        Ok(criteria.arrange(found))
    })
    .await?;
    found.map(Answer)
}

/// The criteria that a query spells: `filters` and `sort` are JSON, `field` may be repeated.
fn by_query(query: &str) -> Result<Object, Error> {
    let mut criteria = Object::new();
    let mut fields = Vec::new();
    for (name, value) in input::query(query)? {
        match name.as_str() {
            "field" | "fields" => fields.push(Value::String(value)),
            "filters" | "sort" => {
                let value = serde_json::from_str(&value).map_err(|_| Error::invalid(&name))?;
                criteria.insert(name, value);
            }
            _ => drop(criteria.insert(name, Value::String(value))),
        }
    }
    if !fields.is_empty() {
        criteria.insert("fields".into(), fields.into());
    }
    Ok(criteria)
}
