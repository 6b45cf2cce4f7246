//! Scopes defined and deleted.

use super::{DEFAULT_LANGUAGE, Scope};
use crate::State;
use crate::caller::Authority;
use crate::change::{AppChange, Change};
use crate::command::{Command, Context, Decision};
use crate::refusal::Refusal;

/// How many scopes a realm can define.
pub const MAX_OWN: usize = 1_000;

/// The longest text, in bytes.
const MAX_TEXT: usize = 500;

/// Defines a scope, or says anew what one means. One of the catalogue can be given other texts, and be left out of the lists.
pub struct DefineScope {
    /// As it is from now on.
    pub scope: Scope,
}

impl Command for DefineScope {
    /// Whether anything is different now.
    type Answer = bool;
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<bool>, Refusal> {
        let mut scope = self.scope.clone();
        check_id(&scope.id)?;
        scope.texts.sort_by(|one, other| one.language.cmp(&other.language));
        check_texts(&scope)?;
        match state.scopes().own.get(&scope.id) {
            Some(None) => {
                return Err(Refusal::invalid(
                    "id",
                    "was deleted, and is never used again; choose another one",
                ));
            }
            None if state.scopes().own.len() >= MAX_OWN => {
                return Err(Refusal::TooMany { what: "scopes", most: MAX_OWN as u64 });
            }
            _ => {}
        }
        if state.scopes().get(&scope.id).is_some_and(|known| **known == scope) {
            return Ok(Decision::unchanged(false));
        }
        Ok(Decision::one(Change::of(AppChange::ScopeDefined { scope }), true))
    }
}

/// Deletes a scope of the realm's own: nothing is granted by it any more, and its id is never used again. One of the catalogue reads
/// again as it came.
pub struct DeleteScope {
    /// Which.
    pub id: String,
}

impl Command for DeleteScope {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let scope = Scope::find(state, &self.id)?;
        if !state.scopes().own.contains_key(&scope.id) {
            return Err(Refusal::invalid(
                "id",
                "comes with grantd and cannot be deleted; define it with `in_v1` and `in_v2` false to hide it",
            ));
        }
        Ok(Decision::one(Change::of(AppChange::ScopeDeleted { id: self.id.clone() }), ()))
    }
}

/// As in RFC 6749 section 3.3 a scope is a word; here it also has a dot, by which a permission's path is known from other ones, and
/// nothing that would have to be encoded in it.
fn check_id(id: &str) -> Result<(), Refusal> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let starts = |b: &u8| b.is_ascii_lowercase();
    let ends = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let whole = id.bytes().all(fits) && id.contains('.') && !id.contains("..");
    if (3..=100).contains(&id.len())
        && whole
        && id.as_bytes().first().is_some_and(starts)
        && id.as_bytes().last().is_some_and(ends)
    {
        Ok(())
    } else {
        Err(Refusal::invalid(
            "id",
            "must be 3 to 100 of `a-z`, `0-9`, `.`, `_` and `-` with a dot in it, such as `reports.read`",
        ))
    }
}

fn check_texts(scope: &Scope) -> Result<(), Refusal> {
    let is_language = |name: &str| name.len() == 2 && name.bytes().all(|b| b.is_ascii_lowercase());
    if !scope.texts.iter().all(|text| is_language(&text.language)) {
        return Err(Refusal::invalid("texts", "each language must be two small letters, such as `nl`"));
    }
    let mut pairs = scope.texts.iter().zip(scope.texts.iter().skip(1));
    if pairs.any(|(one, next)| one.language == next.language) {
        return Err(Refusal::invalid("texts", "each language can be there once"));
    }
    if !scope.texts.iter().any(|text| *text.language == *DEFAULT_LANGUAGE) {
        return Err(Refusal::invalid("texts", "one of the languages must be `en`"));
    }
    let fits = |text: &str| (1..=MAX_TEXT).contains(&text.len()) && !text.chars().any(char::is_control);
    let all_fit =
        |text: &super::ScopeText| fits(&text.description) && text.warning.as_deref().is_none_or(fits);
    if scope.texts.iter().all(all_fit) {
        Ok(())
    } else {
        Err(Refusal::invalid("texts", "must be 1 to 500 bytes each, without control characters"))
    }
}
