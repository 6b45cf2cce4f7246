//! What the consent pages say, in each language that they speak. The words are data: `texts/<language>.json`.
//!
//! What somebody agreed to is evidence, so each consent names the version of the text that they saw. Whoever changes a word
//! there gives it the next version; a test compares.

use std::sync::LazyLock;

use serde::Deserialize;

/// The words of one language. `{name}` stands for what a page fills in.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Texts {
    /// Of the words; the same in each language.
    pub(super) version: u32,
    /// Its tag (BCP 47).
    pub(super) lang: String,
    pub(super) skip: String,
    pub(super) title: String,
    pub(super) asks: String,
    pub(super) asks_more: String,
    pub(super) asks_again: String,
    pub(super) for_organization: String,
    pub(super) another_organization: String,
    pub(super) signed_in: String,
    pub(super) sign_out: String,
    pub(super) will_be_able: String,
    pub(super) will_also_be_able: String,
    pub(super) optional: String,
    pub(super) optional_hint: String,
    pub(super) already: String,
    pub(super) nothing_new: String,
    pub(super) replaces: String,
    pub(super) until: String,
    pub(super) without_end: String,
    pub(super) take_back: String,
    pub(super) goes_to: String,
    pub(super) website: String,
    pub(super) unproven: String,
    pub(super) allow: String,
    pub(super) deny: String,
    pub(super) changed: String,
    pub(super) not_complete: String,
    pub(super) nothing_ticked: String,
    pub(super) choose_title: String,
    pub(super) choose: String,
    pub(super) choose_hint: String,
    pub(super) as_admin: String,
    pub(super) as_member: String,
    pub(super) none_title: String,
    pub(super) none: String,
    pub(super) none_hint: String,
    pub(super) approval_title: String,
    pub(super) approval: String,
    pub(super) approval_hint: String,
    pub(super) back: String,
    pub(super) leaving_title: String,
    pub(super) leaving: String,
    pub(super) leaving_link: String,
    pub(super) wrong_title: String,
    pub(super) wrong_hint: String,
    pub(super) wrong_reason: String,
}

const SOURCES: [&str; 2] = [include_str!("texts/en.json"), include_str!("texts/nl.json")];

/// Every language; the first one is for who asks for none of them.
static ALL: LazyLock<Vec<Texts>> = LazyLock::new(|| {
    let read = SOURCES.into_iter().map(serde_json::from_str);
    read.collect::<Result<_, _>>().unwrap_or_else(|error| {
        tracing::error!(%error, "the texts of the consent pages cannot be read");
        Vec::new()
    })
});

impl Texts {
    /// In the language of a locale (`nl_NL`), if it is one of ours; else in the first of ours that the browser asks for
    /// (`Accept-Language`, RFC 9110 section 12.5.4); else in English.
    pub(in crate::pages) fn of(locale: Option<&str>, accepted: Option<&str>) -> &'static Self {
        static WORDLESS: LazyLock<Texts> = LazyLock::new(Texts::default);
        let named = locale.and_then(Self::of_tag);
        named.or_else(|| accepted.and_then(Self::accepted)).or_else(|| ALL.first()).unwrap_or(&WORDLESS)
    }

    /// What tells these words from others: which language, which version.
    pub(super) fn mark(&self) -> String {
        format!("{} {}", self.lang, self.version)
    }

    fn of_tag(tag: &str) -> Option<&'static Self> {
        let language = tag.split(['_', '-']).next().unwrap_or_default();
        ALL.iter().find(|texts| texts.lang.eq_ignore_ascii_case(language))
    }

    fn accepted(header: &str) -> Option<&'static Self> {
        let mut best: Option<(f32, &'static Self)> = None;
        for range in header.split(',').take(20) {
            let mut parts = range.split(';').map(str::trim);
            let Some(texts) = parts.next().and_then(Self::of_tag) else { continue };
            let quality = parts.find_map(|part| part.strip_prefix("q="));
            let quality = quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
            if quality > best.map_or(0.0, |(best, _)| best) {
                best = Some((quality, texts));
            }
        }
        best.map(|(_, texts)| texts)
    }
}

/// The text with its names filled in. A name that is filled in is not looked at again.
pub(super) fn fill(text: &str, names: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        let known = names.iter().find(|(known, _)| *known == name);
        out.push_str(known.map_or(name, |(_, value)| value));
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]
    use super::*;

    /// The version, and what the words of all languages hash to. A new version gets a new line; the old ones stay, so that what a
    /// consent names can be found in the history of these files.
    const VERSIONS: [(u32, &str); 1] = [(1, "426a1d35ea402c24")];

    #[test]
    fn other_words_are_another_version() {
        let hash = blake3::hash(SOURCES.concat().as_bytes()).to_hex();
        let (version, known) = VERSIONS[VERSIONS.len() - 1];
        assert_eq!(ALL.len(), SOURCES.len());
        assert!(ALL.iter().all(|texts| texts.version == version));
        assert_eq!(&hash[..16], known, "the words have changed: give them the next version");
    }

    #[test]
    fn every_language_names_the_same_things() {
        let names = |source: &str| -> Vec<Vec<String>> {
            let read: std::collections::BTreeMap<String, serde_json::Value> =
                serde_json::from_str(source).unwrap();
            let of = |value: &serde_json::Value| {
                let text = value.as_str().unwrap_or_default();
                let mut names: Vec<_> =
                    text.split('{').skip(1).map(|part| part.split('}').next().unwrap().to_owned()).collect();
                names.sort();
                names
            };
            read.values().map(of).collect()
        };
        for source in SOURCES {
            assert_eq!(names(source), names(SOURCES[0]));
        }
    }

    #[test]
    fn the_language_is_what_was_asked_for() {
        let lang = |locale, accepted| Texts::of(locale, accepted).lang.as_str();
        for (locale, accepted, spoken) in [
            (None, None, "en"),
            (Some("nl_NL"), None, "nl"),
            (Some("nl_BE"), Some("en"), "nl"),
            (Some("fr_FR"), Some("nl"), "nl"),
            (Some("<x>"), None, "en"),
            (None, Some("nl-NL,nl;q=0.9,en;q=0.8"), "nl"),
            (None, Some("en-GB;q=0.3, nl;q=0.7"), "nl"),
            (None, Some("fr, *;q=0.5"), "en"),
            (None, Some("nl;q=0, en;q=0.1"), "en"),
            (None, Some("nl;q=x"), "en"),
        ] {
            assert_eq!(lang(locale, accepted), spoken, "{locale:?} {accepted:?}");
        }
    }

    #[test]
    fn names_are_filled_in_once() {
        assert_eq!(fill("{app} asks {x} {", &[("app", "{x}"), ("x", "y")]), "{x} asks y {");
        assert_eq!(fill("plain", &[]), "plain");
    }
}
