//! Times for people.

use grantd_node::realm::Micros;
use jiff::Timestamp;

/// `25 Nov 2026, 20:54 UTC`.
pub(super) fn moment(at: Micros) -> String {
    let at = Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// `2026-11-25`: the same in every language.
pub(super) fn day(at: Micros) -> String {
    Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH).strftime("%Y-%m-%d").to_string()
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

/// How long there is still time, as the inbox's script says it from then on.
pub(super) fn left(now: Micros, until: Micros) -> String {
    let left = until.saturating_sub(now);
    let seconds = left / 1_000_000 + i64::from(left % 1_000_000 > 0);
    match seconds {
        ..=0 => "time is up".into(),
        1..60 => format!("{seconds} s left"),
        60..3_600 => format!("{} min {} s left", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min left", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h left", seconds / 86_400, seconds % 86_400 / 3_600),
    }
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
        for (seconds, said) in [
            (-1, "time is up"),
            (59, "59 s left"),
            (61, "1 min 1 s left"),
            (7_260, "2 h 1 min left"),
            (90_000, "1 d 1 h left"),
        ] {
            assert_eq!(left(0, seconds * second), said);
        }
        assert_eq!(moment(0), "1 Jan 1970, 00:00 UTC");
        assert_eq!(day(0), "1970-01-01");
    }
}
