//! Moments and spans of time as conditions write them.

use std::fmt::Write as _;

const NANOS: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * NANOS;

/// The first and the last moment that a timestamp can be: the years 1 to 9999.
const FIRST: i128 = -62_135_596_800 * NANOS;
const LAST: i128 = 253_402_300_800 * NANOS - 1;

/// A moment: nanoseconds since 1970-01-01T00:00:00Z, of the years 1 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Timestamp(i128);

/// A moment in parts.
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: i64,
    /// From 1.
    pub(crate) day: i64,
    /// From 0.
    pub(crate) day_of_year: i64,
    /// From 0 for Sunday.
    pub(crate) day_of_week: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    pub(crate) nano: i64,
}

impl Timestamp {
    pub(crate) fn of_nanos(nanos: i128) -> Option<Self> {
        (FIRST..=LAST).contains(&nanos).then_some(Self(nanos))
    }

    pub(crate) fn of_seconds(seconds: i64) -> Option<Self> {
        Self::of_nanos(i128::from(seconds) * NANOS)
    }

    pub(crate) fn seconds(self) -> i64 {
        i64::try_from(self.0.div_euclid(NANOS)).unwrap_or_default()
    }

    /// This moment later by so many nanoseconds.
    pub(crate) fn plus(self, nanos: i64) -> Option<Self> {
        Self::of_nanos(self.0 + i128::from(nanos))
    }

    /// How many nanoseconds this comes after another one.
    pub(crate) fn since(self, earlier: Self) -> Option<i64> {
        i64::try_from(self.0 - earlier.0).ok()
    }

    /// Reads RFC 3339, such as `2026-11-24T09:30:00Z` or `2026-11-24T09:30:00.5+01:00`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let digits = |from: usize, to: usize| -> Option<i64> {
            let part = text.get(from..to)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
        };
        let at = |index: usize, wanted: &[u8]| bytes.get(index).is_some_and(|byte| wanted.contains(byte));
        if !(at(4, b"-") && at(7, b"-") && at(10, b"Tt ") && at(13, b":") && at(16, b":")) {
            return None;
        }
        let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
        let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
        let days = days_in(year, month)?;
        if year < 1 || !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let mut rest = text.get(19..)?;
        let mut nanos = 0_i64;
        if let Some(fraction) = rest.strip_prefix('.') {
            let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
            nanos = fraction_nanos(fraction.get(..length)?)?;
            rest = fraction.get(length..)?;
        }
        let offset = zone(rest).filter(|_| rest != "UTC")?;
        let seconds = days_before(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
        Self::of_nanos(i128::from(seconds) * NANOS + i128::from(nanos))
    }

    /// The parts of the moment in a zone: `UTC`, or an offset such as `+02:00`. None for other zones.
    pub(crate) fn civil(self, in_zone: &str) -> Option<Civil> {
        let local = self.0 + i128::from(zone(in_zone)?) * NANOS;
        let days = i64::try_from(local.div_euclid(DAY)).ok()?;
        let within = i64::try_from(local.rem_euclid(DAY)).ok()?;
        let (year, month, day) = civil_of(days);
        let seconds = within / 1_000_000_000;
        Some(Civil {
            year,
            month,
            day,
            day_of_year: days - days_before(year, 1, 1),
            day_of_week: (days + 4).rem_euclid(7),
            hour: seconds / 3_600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            nano: within % 1_000_000_000,
        })
    }

    /// RFC 3339 in UTC.
    pub(crate) fn text(self) -> String {
        let Some(civil) = self.civil("UTC") else { return String::new() };
        let Civil { year, month, day, hour, minute, second, nano, .. } = civil;
        let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        push_fraction(&mut text, nano);
        text.push('Z');
        text
    }
}

/// Reads a span of time as Go writes it: `1h30m`, `-1.5s`, `200ms`, `0`. Nanoseconds.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos = 0_i128;
    while !rest.is_empty() {
        let whole = rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = rest.get(..whole)?;
        rest = rest.get(whole..)?;
        let mut fraction = "";
        if let Some(after) = rest.strip_prefix('.') {
            let length = after.bytes().take_while(u8::is_ascii_digit).count();
            fraction = after.get(..length)?;
            rest = after.get(length..)?;
        }
        if digits.is_empty() && fraction.is_empty() {
            return None;
        }
        let length = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit: i128 = match rest.get(..length)? {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => NANOS,
            "m" => 60 * NANOS,
            "h" => 3_600 * NANOS,
            _ => return None,
        };
        rest = rest.get(length..)?;
        let whole: i128 = if digits.is_empty() { 0 } else { digits.parse::<u64>().ok()?.into() };
        let part = i128::from(fraction_nanos(fraction)?);
        nanos += whole * unit + part * unit / NANOS;
        if nanos > i128::from(i64::MAX) + 1 {
            return None;
        }
    }
    i64::try_from(if negative { -nanos } else { nanos }).ok()
}

/// A span of time in seconds: `5400s`, `-1.5s`.
pub(crate) fn duration_text(nanos: i64) -> String {
    let magnitude = nanos.unsigned_abs();
    let mut text = String::from(if nanos < 0 { "-" } else { "" });
    let _ = write!(text, "{}", magnitude / 1_000_000_000);
    push_fraction(&mut text, i64::try_from(magnitude % 1_000_000_000).unwrap_or_default());
    text.push('s');
    text
}

fn push_fraction(text: &mut String, nanos: i64) {
    if nanos != 0 {
        let digits = format!("{nanos:09}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
}

/// What stands after the point, in nanoseconds; digits beyond the ninth are cut off.
fn fraction_nanos(digits: &str) -> Option<i64> {
    let kept = digits.get(..digits.len().min(9))?;
    format!("{kept:0<9}").parse().ok()
}

/// The seconds that a zone is ahead of UTC.
fn zone(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z" | "UTC") {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let number = |part: &str| -> Option<i64> {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> Option<i64> {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if is_leap(year) { 29 } else { 28 }),
        _ => None,
    }
}

/// The days from 1970-01-01 to a day of the proleptic Gregorian calendar. Years are counted from March, so that the leap
/// day is the last of its year.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// The inverse of [`days_before`].
fn civil_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    // 400 years have 146,097 days; by the mean length of a year the guess is at most two years too late.
    let mut year = (shifted * 400).div_euclid(146_097) + 1;
    while days_before(year, 3, 1) > days {
        year -= 1;
    }
    let of_year = days - days_before(year, 3, 1);
    let month = (of_year * 5 + 2) / 153;
    let day = of_year - (month * 153 + 2) / 5 + 1;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_day_of_the_calendar_is_the_next_of_the_one_before() {
        let mut days = days_before(1, 1, 1);
        assert_eq!(days_before(1970, 1, 1), 0);
        for year in 1..=9999 {
            for month in 1..=12 {
                for day in 1..=days_in(year, month).unwrap() {
                    assert_eq!(days_before(year, month, day), days);
                    assert_eq!(civil_of(days), (year, month, day));
                    days += 1;
                }
            }
        }
        assert_eq!(i128::from(days) * DAY - 1, LAST);
    }

    #[test]
    fn texts_are_read_and_written() {
        for (text, written) in [
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("2024-02-29T23:59:59.120+01:30", "2024-02-29T22:29:59.12Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().text(), written);
        }
        for text in [
            "",
            "1970-01-01",
            "1970-01-01T00:00:00",
            "1970-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:00:60Z",
            "1970-01-01T00:00:00+1:00",
            "0001-01-01T00:00:00+01:00",
            "+970-01-01T00:00:00Z",
            "1970-01-01T00:00:00UTC",
            "1970-01-01T00:00:00.Z\u{e9}",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
        for (text, nanos) in [
            ("0", 0),
            ("1h30m", 5_400_000_000_000),
            ("-1.5s", -1_500_000_000),
            ("200ms", 200_000_000),
            ("1us", 1_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("3ns", 3),
        ] {
            assert_eq!(parse_duration(text), Some(nanos), "{text}");
        }
        for text in
            ["", "-", "1", "h", "1x", "1h ", "9223372036854775808ns", "1d", ".s", "99999999999999999999h"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        assert_eq!(duration_text(5_400_000_000_000), "5400s");
        assert_eq!(duration_text(-1_500_000_000), "-1.5s");
    }
}
