//! The parameters of a body: a form (RFC 6749 appendix B), or a JSON object of texts, as one of the real clients sends it.

use std::collections::HashMap;
use std::fmt;

use http::{HeaderMap, header};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::errors::Error;
use crate::edge::{JsonRules, parse_object};

/// Each parameter once. One without a value counts as not sent (RFC 6749 section 3.1). They are never taken from the address,
/// which proxies and logs keep.
#[derive(Default)]
pub(super) struct Parameters(HashMap<String, String>);

impl Parameters {
    /// Reads a body.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Error> {
        let pairs = match kind(headers) {
            Kind::Form => serde_urlencoded::from_bytes(body).map_err(|_| unread())?,
            Kind::Json if body.trim_ascii().is_empty() => Vec::new(),
            Kind::Json => parse_object::<Members>(body, JsonRules::default()).map_err(|_| unread())?.0,
            Kind::Other => {
                return Err(Error::invalid_request(
                    "The body must be application/x-www-form-urlencoded or application/json",
                ));
            }
        };
        let mut parameters = HashMap::new();
        for (name, value) in pairs {
            if parameters.insert(name, value).is_some() {
                return Err(Error::invalid_request("A parameter is given twice"));
            }
        }
        parameters.retain(|_, value| !value.is_empty());
        Ok(Self(parameters))
    }

    /// A parameter, if it was sent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that there must be.
    pub(super) fn require(&self, name: &str) -> Result<&str, Error> {
        self.get(name)
            .ok_or_else(|| Error::invalid_request(format!("Missing parameter: \"{name}\" is required")))
    }
}

fn unread() -> Error {
    Error::invalid_request("The body cannot be read: it must be a form, or a JSON object of texts")
}

enum Kind {
    Form,
    Json,
    Other,
}

/// What the body says it is. Nothing said is a form.
fn kind(headers: &HeaderMap) -> Kind {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Kind::Form };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/x-www-form-urlencoded" | "" => Kind::Form,
        "application/json" => Kind::Json,
        _ => Kind::Other,
    }
}

/// The members of a JSON object, doubles included; `null` is not sent.
struct Members(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectOfTexts;
        impl<'de> Visitor<'de> for ObjectOfTexts {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Option<String>>()? {
                    members.push((name, value.unwrap_or_default()));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(ObjectOfTexts)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn read(content_type: Option<&'static str>, body: &str) -> Result<Vec<(String, String)>, ()> {
        let mut headers = HeaderMap::new();
        if let Some(value) = content_type {
            headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(value));
        }
        let read = Parameters::read(&headers, body.as_bytes()).map_err(|_| ())?;
        let mut pairs: Vec<_> = read.0.into_iter().collect();
        pairs.sort();
        Ok(pairs)
    }

    fn pairs(of: &[(&str, &str)]) -> Result<Vec<(String, String)>, ()> {
        Ok(of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn forms_and_objects_say_the_same() {
        const FORM: &str = "application/x-www-form-urlencoded";
        const JSON: &str = "application/json; charset=utf-8";
        assert_eq!(read(Some(FORM), "a=1&b=x+y%2B&c="), pairs(&[("a", "1"), ("b", "x y+")]));
        assert_eq!(read(None, "a=1"), pairs(&[("a", "1")]));
        assert_eq!(read(Some(JSON), r#"{"a":"1","b":null}"#), pairs(&[("a", "1")]));
        assert_eq!(read(Some(JSON), ""), pairs(&[]));
        assert_eq!(read(Some(FORM), ""), pairs(&[]));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read() {
        for (content_type, body) in [
            ("application/x-www-form-urlencoded", "a=1&a=1"),
            ("application/x-www-form-urlencoded", "a=&a=1"),
            ("application/json", r#"{"a":"1","a":"2"}"#),
            ("application/json", r#"{"a":1}"#),
            ("application/json", r#"["a"]"#),
            ("application/json", r#"{"a":{"b":"c"}}"#),
            ("multipart/form-data; boundary=x", "--x--"),
            ("text/plain", "a=1"),
        ] {
            assert_eq!(read(Some(content_type), body), Err(()), "{content_type} {body}");
        }
    }
}
