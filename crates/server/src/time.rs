//! Times as on the wire.

use grantd_node::realm::Micros;
use jiff::Timestamp;

/// RFC 3339, in UTC, with microseconds.
pub fn rfc3339(micros: Micros) -> String {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// A time in RFC 3339, with any offset.
pub fn parse_rfc3339(text: &str) -> Option<Micros> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}
