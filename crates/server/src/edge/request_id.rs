//! The name of one request, in answers and in logs.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header it comes in and goes out with.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer incoming ids are not taken over.
const MAX_LEN: usize = 128;

/// The name of one request: 1 to 128 visible ASCII characters. In the request's extensions.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Both ways to make one allow visible ASCII only, so the other arm is never taken.
        self.0.to_str().unwrap_or_default()
    }

    /// As a header's value.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// What the client sent, if it can stand in a log line and in a header.
    fn from_client(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(X_REQUEST_ID).iter();
        let value = values.next()?;
        let sane = (1..=MAX_LEN).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic);
        // Two ids are no id: which of them would an operator look for?
        (sane && values.next().is_none()).then(|| Self(value.clone()))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({self})")
    }
}

/// Makes request ids: a prefix that names the process, and a count. Cloning shares the count.
///
/// They are names, not secrets; a random number for each would cost a system call for each.
#[derive(Clone, Debug)]
pub struct RequestIds {
    prefix: Arc<str>,
    next: Arc<AtomicU64>,
}

impl RequestIds {
    /// Ids that start with this prefix (at most 64 visible ASCII characters, else it is left out).
    #[must_use]
    pub fn with_prefix(prefix: &str) -> Self {
        let sane = prefix.len() <= 64 && prefix.bytes().all(|byte| byte.is_ascii_graphic());
        let prefix = if sane { prefix } else { "" };
        Self { prefix: prefix.into(), next: Arc::default() }
    }

    /// The client's own id if it is sane, else a new one.
    #[must_use]
    pub fn name(&self, headers: &HeaderMap) -> RequestId {
        RequestId::from_client(headers).unwrap_or_else(|| self.make())
    }

    fn make(&self) -> RequestId {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let text = format!("{}{count:x}", self.prefix);
        // Hexadecimal digits after visible ASCII are always a header value.
        RequestId(HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("-")))
    }
}

impl Default for RequestIds {
    /// A random prefix of 48 bits: two processes, or two runs, do not give the same names.
    fn default() -> Self {
        let (random, ..) = uuid::Uuid::new_v4().as_fields();
        let (.., low) = uuid::Uuid::new_v4().as_u64_pair();
        Self::with_prefix(&format!("{random:08x}{:04x}-", low & 0xffff))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn named(values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_REQUEST_ID, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        RequestIds::with_prefix("made-").name(&headers).to_string()
    }

    #[test]
    fn a_sane_id_is_kept_and_any_other_is_replaced() {
        assert_eq!(named(&["abc-1~!"]), "abc-1~!");
        assert_eq!(named(&[&"x".repeat(128)]), "x".repeat(128));
        for bad in [&[][..], &[""], &["a b"], &["a\tb"], &["é"], &["a", "b"], &[&"x".repeat(129)]] {
            assert_eq!(named(bad), "made-0", "{bad:?}");
        }
    }

    #[test]
    fn made_ids_differ() {
        let ids = RequestIds::default();
        assert_ne!(ids.make(), ids.clone().make());
        assert_ne!(RequestIds::default().prefix, ids.prefix);
    }
}
