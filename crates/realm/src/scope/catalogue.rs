//! The scopes that come with grantd, read from `schemas/mollie-scopes.txt`, which says how it is written.

use std::sync::{Arc, LazyLock};

use imbl::OrdMap;

use super::{Scope, ScopeText};

const TEXT: &str = include_str!("../../../../schemas/mollie-scopes.txt");

/// By id. A line that does not fit is left out; a test counts them.
pub(super) static CATALOGUE: LazyLock<OrdMap<Arc<str>, Arc<Scope>>> = LazyLock::new(|| read(TEXT));

fn read(text: &str) -> OrdMap<Arc<str>, Arc<Scope>> {
    let blocks = text.split("\n\n").filter_map(read_scope);
    blocks.map(|scope| (scope.id.clone(), Arc::new(scope))).collect()
}

fn read_scope(block: &str) -> Option<Scope> {
    let mut lines = block.lines().filter(|line| !line.starts_with('#'));
    let mut words = lines.next()?.strip_prefix("scope ")?.split(' ');
    let id = words.next()?.into();
    let marks: Vec<&str> = words.collect();
    let mut texts: Vec<ScopeText> = Vec::new();
    for line in lines {
        let (language, text) = line.split_once(' ')?;
        match language.strip_suffix('!') {
            Some(language) => {
                texts.iter_mut().find(|one| *one.language == *language)?.warning = Some(text.into());
            }
            None => {
                texts.push(ScopeText { language: language.into(), description: text.into(), warning: None });
            }
        }
    }
    let is = |mark: &str| marks.contains(&mark);
    Some(Scope { id, texts, in_v1: is("v1"), in_v2: is("v2"), deprecated: is("deprecated") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_catalogue_is_read() {
        let scopes = TEXT.lines().filter(|line| line.starts_with("scope ")).count();
        assert_eq!((CATALOGUE.len(), scopes), (63, 63));
        assert_eq!(CATALOGUE.values().filter(|scope| scope.in_v2).count(), 61);
        assert_eq!(CATALOGUE.values().filter(|scope| scope.in_v1).count(), 15);
        let lines = TEXT.lines().filter(|line| line.starts_with("en") || line.starts_with("nl")).count();
        let read: usize = CATALOGUE
            .values()
            .flat_map(|scope| &scope.texts)
            .map(|text| 1 + usize::from(text.warning.is_some()))
            .sum();
        assert_eq!(read, lines);
        for scope in CATALOGUE.values() {
            let languages: Vec<&str> = scope.texts.iter().map(|text| &*text.language).collect();
            assert_eq!(languages, ["en", "nl"], "{}", scope.id);
        }
    }
}
