//! The last deliveries that came to an end, for whoever wants to see what became of them.
//!
//! A webhook has a fixed number of places for them, so that they need no clearing away: the newest takes the place of the
//! oldest.

use uuid::Uuid;

use super::delivery::{Attempt, Delivery, LIFE};
use super::event::Event;
use crate::Micros;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::RowWrite;

/// The family of rows that they are.
pub const FINISHED_ROWS: &str = "webhook_finished";

/// The form of a row's value.
const FORM: u8 = 1;

/// How many of each ending are kept for a webhook.
const PLACES: u8 = 100;

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// 0: it arrived.
    Delivered,
    /// 1: it was given up.
    Dead,
}

impl Ending {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Delivered => 0,
            Self::Dead => 1,
        }
    }
}

/// A delivery that came to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How.
    pub ending: Ending,
    /// The message.
    pub id: Uuid,
    /// How often it was tried.
    pub attempts: u32,
    /// The last attempt.
    pub last: Attempt,
    /// What was told.
    pub event: Event,
    place: u8,
}

impl Finished {
    /// Reads a row.
    pub fn read(key: &[u8], value: &[u8]) -> Result<Self, CodecError> {
        let unknown = |what, found: u8| CodecError::Unknown { what, found: found.to_string() };
        let mut k = Reader::new(key);
        k.uuid()?;
        let ending = match k.u8()? {
            0 => Ending::Delivered,
            1 => Ending::Dead,
            other => return Err(unknown("an ending", other)),
        };
        let place = k.u8()?;
        k.finish()?;
        let mut r = Reader::new(value);
        match r.u8()? {
            FORM => {}
            other => return Err(unknown("a finished delivery's form", other)),
        }
        let (id, attempts, last, event) = (r.uuid()?, r.u32()?, Attempt::read(&mut r)?, Event::read(&mut r)?);
        r.finish()?;
        Ok(Self { ending, id, attempts, last, event, place })
    }
}

/// The places of a webhook: where the next one goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slots {
    delivered: u8,
    dead: u8,
}

impl Slots {
    /// Behind the newest of those that there are.
    pub fn behind(finished: &[Finished]) -> Self {
        let next = |ending| {
            let of_it = finished.iter().filter(|one| one.ending == ending);
            of_it.max_by_key(|one| one.last.at).map_or(0, |newest| newest.place.wrapping_add(1) % PLACES)
        };
        Self { delivered: next(Ending::Delivered), dead: next(Ending::Dead) }
    }

    /// The next place.
    pub fn take(&mut self, ending: Ending) -> u8 {
        let place = match ending {
            Ending::Delivered => &mut self.delivered,
            Ending::Dead => &mut self.dead,
        };
        let taken = *place;
        *place = taken.wrapping_add(1) % PLACES;
        taken
    }
}

/// Notes how a delivery ended.
pub(super) fn note(delivery: &Delivery, ending: Ending, last: &Attempt, place: u8, now: Micros) -> RowWrite {
    let mut w = Writer::new();
    w.u8(FORM);
    w.uuid(delivery.id);
    w.u32(delivery.attempts);
    last.write(&mut w);
    delivery.event.write(&mut w);
    let key = [delivery.webhook.as_bytes().as_slice(), &[ending.number(), place]].concat();
    RowWrite::Put { kind: FINISHED_ROWS, key, value: w.finish().0, expires: now.saturating_add(LIFE) }
}
