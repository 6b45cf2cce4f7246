//! Functions on values.

use std::net::IpAddr;

use super::Stop;
use super::convert;
use super::eval::{Evaluation, failed};
use super::pattern::Pattern;
use super::syntax::Function;
use super::value::Val;
use crate::condition::time::Timestamp;

/// The steps that it takes to compile a regular expression.
const COMPILE: usize = 2_000;

impl Evaluation<'_> {
    pub(super) fn call(&mut self, function: Function, arguments: &[Val]) -> Result<Val, Stop> {
        let (Some(first), second) = (arguments.first(), arguments.get(1)) else {
            return failed("a function without arguments");
        };
        match (function, first, second) {
            (Function::Size, Val::Text(text), None) => {
                self.budget.spend_on(text.len())?;
                size(text.chars().count())
            }
            (Function::Size, Val::List(list), None) => size(list.len()),
            (Function::Size, Val::Map(map), None) => size(map.len()),
            (_, Val::Text(text), Some(Val::Text(other))) => self.texts(function, text, other),
            (Function::InCidr, Val::Address(address), Some(Val::Text(block))) => in_cidr(*address, block)
                .map_or_else(
                    || failed(format!("`{block}` is not a range of addresses such as `10.0.0.0/8`")),
                    |inside| Ok(Val::Bool(inside)),
                ),
            (_, Val::Timestamp(at), zone) => match part(function, *at, zone) {
                Some(value) => value,
                None => convert::call(function, first),
            },
            (_, Val::Duration(nanos), None) => match span_part(function, *nanos) {
                Some(value) => Ok(Val::Int(value)),
                None => convert::call(function, first),
            },
            (_, Val::Text(text), None) => {
                self.budget.spend_on(text.len())?;
                convert::call(function, first)
            }
            (_, _, None) => convert::call(function, first),
            (_, first, Some(second)) => failed(format!(
                "`{}` cannot take a {} and a {}",
                function.name(),
                first.type_name(),
                second.type_name()
            )),
        }
    }

    fn texts(&mut self, function: Function, text: &str, other: &str) -> Result<Val, Stop> {
        self.budget.spend_on(text.len() + other.len())?;
        Ok(Val::Bool(match function {
            Function::Contains => text.contains(other),
            Function::StartsWith => text.starts_with(other),
            Function::EndsWith => text.ends_with(other),
            Function::Matches => {
                self.budget.spend(COMPILE)?;
                let pattern = Pattern::new(other).map_err(Stop::Failed)?;
                self.budget.spend(pattern.cost(text.len()))?;
                pattern.is_match(text)
            }
            _ => return failed(format!("`{}` cannot take two strings", function.name())),
        }))
    }
}

fn size(count: usize) -> Result<Val, Stop> {
    i64::try_from(count).map_or_else(|_| failed("integer overflow"), |count| Ok(Val::Int(count)))
}

/// Whether an address is in a range written `10.0.0.0/8` or `2001:db8::/32`; none if that is no range. An IPv4 address is
/// in no IPv6 range.
fn in_cidr(address: IpAddr, block: &str) -> Option<bool> {
    let (base, length) = block.split_once('/')?;
    let base: IpAddr = base.parse().ok()?;
    let plain = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
    let plain = plain && (length == "0" || !length.starts_with('0'));
    let length: u32 = plain.then(|| length.parse().ok())??;
    let prefix = |bits: u128, width: u32| bits.checked_shr(width - length).unwrap_or(0);
    match (address, base) {
        (IpAddr::V4(a), IpAddr::V4(b)) if length <= 32 => {
            Some(prefix(a.to_bits().into(), 32) == prefix(b.to_bits().into(), 32))
        }
        (IpAddr::V6(a), IpAddr::V6(b)) if length <= 128 => {
            Some(prefix(a.to_bits(), 128) == prefix(b.to_bits(), 128))
        }
        (IpAddr::V4(_), IpAddr::V6(_)) if length <= 128 => Some(false),
        (IpAddr::V6(_), IpAddr::V4(_)) if length <= 32 => Some(false),
        _ => None,
    }
}

/// A part of a moment in a zone, UTC if none is named; none if the function is about something else.
fn part(function: Function, at: Timestamp, zone: Option<&Val>) -> Option<Result<Val, Stop>> {
    use Function as F;
    let zone = match zone {
        None => "UTC",
        Some(Val::Text(zone)) => zone,
        Some(_) => return Some(failed("a time zone is a string")),
    };
    let getters = [
        F::FullYear,
        F::Month,
        F::DayOfYear,
        F::DayOfMonth,
        F::Date,
        F::DayOfWeek,
        F::Hours,
        F::Minutes,
        F::Seconds,
        F::Milliseconds,
    ];
    if !getters.contains(&function) {
        return None;
    }
    let Some(civil) = at.civil(zone) else {
        return Some(failed(format!(
            "there is no time zone `{zone}`: write `UTC` or an offset such as `+02:00`"
        )));
    };
    Some(Ok(Val::Int(match function {
        F::FullYear => civil.year,
        F::Month => civil.month - 1,
        F::DayOfYear => civil.day_of_year,
        F::DayOfMonth => civil.day - 1,
        F::Date => civil.day,
        F::DayOfWeek => civil.day_of_week,
        F::Hours => civil.hour,
        F::Minutes => civil.minute,
        F::Seconds => civil.second,
        _ => civil.nano / 1_000_000,
    })))
}

/// The whole of a duration in a unit.
fn span_part(function: Function, nanos: i64) -> Option<i64> {
    let unit = match function {
        Function::Hours => 3_600_000_000_000,
        Function::Minutes => 60_000_000_000,
        Function::Seconds => 1_000_000_000,
        Function::Milliseconds => 1_000_000,
        _ => return None,
    };
    Some(nanos / unit)
}
