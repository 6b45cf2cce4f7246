//! Times for people.

use grantd_node::realm::Micros;
use jiff::Timestamp;

/// `25 Nov 2026, 20:54 UTC`.
pub(super) fn moment(at: Micros) -> String {
    let at = Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// How long ago, in one unit.
pub(super) fn ago(now: Micros, at: Micros) -> String {
    let seconds = now.saturating_sub(at) / 1_000_000;
    let (count, unit) = match seconds {
        ..60 => return "just now".into(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_one_unit() {
        let second = 1_000_000;
        for (seconds, said) in [
            (-5, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (7_200, "2 hours ago"),
            (86_400, "1 day ago"),
        ] {
            assert_eq!(ago(seconds * second, 0), said);
        }
        assert_eq!(moment(0), "1 Jan 1970, 00:00 UTC");
    }
}
