//! What a receiver answers, as far as it is looked at.

use grantd_node::realm::Micros;
use grantd_node::realm::webhook::Verdict;
use http::{HeaderMap, StatusCode, header};
use jiff::fmt::rfc2822;

/// An answer without its body, which nobody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Micros>,
}

impl Answer {
    pub(super) fn new(status: StatusCode, headers: &HeaderMap, now: Micros) -> Self {
        // Only these two speak of a time that passes.
        let heeded = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
        let retry_after = heeded.then(|| retry_after(headers, now)).flatten();
        Self { status, retry_after }
    }

    /// What follows from it: 2xx is success, 410 that the receiver is gone.
    pub(super) fn verdict(self) -> Verdict {
        match self.status {
            status if status.is_success() => Verdict::Arrived,
            StatusCode::GONE => Verdict::Never,
            _ => Verdict::Again(self.retry_after),
        }
    }

    /// Why it is no success.
    pub(super) fn problem(self) -> Option<String> {
        match self.status {
            status if status.is_success() => None,
            StatusCode::GONE => Some("the receiver is gone for good".into()),
            status if status.is_redirection() => Some("redirects are not followed".into()),
            _ => Some("not a success".into()),
        }
    }
}

/// Seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: Micros) -> Option<Micros> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse::<u32>() {
        Ok(seconds) => Some(now.saturating_add(Micros::from(seconds) * 1_000_000)),
        Err(_) => {
            let at = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            Some(at.as_microsecond())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn answered(status: u16, retry_after: Option<&str>) -> Verdict {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(header::RETRY_AFTER, value.parse().unwrap());
        }
        Answer::new(StatusCode::from_u16(status).unwrap(), &headers, 1_000).verdict()
    }

    #[test]
    fn what_follows_from_a_status() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(answered(status, None), Verdict::Arrived, "{status}");
        }
        for status in [300, 301, 307, 400, 401, 404, 408, 429, 500, 503] {
            assert_eq!(answered(status, None), Verdict::Again(None), "{status}");
        }
        assert_eq!(answered(410, None), Verdict::Never);
    }

    #[test]
    fn the_receiver_says_when() {
        assert_eq!(answered(429, Some("120")), Verdict::Again(Some(120_001_000)));
        assert_eq!(answered(503, Some(" 0 ")), Verdict::Again(Some(1_000)));
        let date = Some("Thu, 01 Jan 1970 00:01:00 GMT");
        assert_eq!(answered(503, date), Verdict::Again(Some(60_000_000)));
        assert_eq!(answered(500, Some("120")), Verdict::Again(None), "that is no promise of anything");
        for nonsense in ["-1", "soon", "99999999999999", ""] {
            assert_eq!(answered(429, Some(nonsense)), Verdict::Again(None), "{nonsense}");
        }
    }
}
