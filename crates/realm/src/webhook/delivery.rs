//! What waits to be sent: a row for each delivery, in the order in which they are due.

use uuid::Uuid;

use super::event::Event;
use crate::Micros;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::RowWrite;

/// The family of rows that deliveries are.
pub const DELIVERY_ROWS: &str = "webhook_delivery";

/// The form of a row's value.
const FORM: u8 = 1;

/// A row that nobody touches for so long is given up: that of a webhook that stays disabled. 7 days.
pub(super) const LIFE: Micros = 7 * 24 * 3_600 * 1_000_000;

/// The most bytes of what is noted of a failure.
const MAX_PROBLEM: usize = 200;

/// What came of trying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it ended.
    pub at: Micros,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// What went wrong, in our own words: nothing of what the receiver says.
    pub problem: Option<String>,
}

impl Attempt {
    pub(super) fn write(&self, w: &mut Writer) {
        w.i64(self.at);
        w.option(self.status, |w, status| w.u32(status.into()));
        let cut = |problem: &'_ String| problem.floor_char_boundary(MAX_PROBLEM);
        let problem = self.problem.as_ref().and_then(|problem| problem.get(..cut(problem)));
        w.option(problem, Writer::text);
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let at = r.i64()?;
        let status = r.option(Reader::u32)?.map(u16::try_from).transpose();
        let status =
            status.map_err(|error| CodecError::Unknown { what: "a status", found: error.to_string() })?;
        Ok(Self { at, status, problem: r.option(|r| r.text().map(Into::into))? })
    }
}

/// Something to be told to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which webhook, or which trigger of a repository.
    pub webhook: Uuid,
    /// Not before.
    pub due: Micros,
    /// Names the message: the same in each attempt.
    pub id: Uuid,
    /// How often it was tried.
    pub attempts: u32,
    /// Who tries it now, if anybody: until it is due.
    pub lease: Option<Uuid>,
    /// The last attempt.
    pub last: Option<Attempt>,
    /// What is told.
    pub event: Event,
}

/// The keys of all deliveries of a webhook begin with this.
pub fn rows_of(webhook: Uuid) -> Vec<u8> {
    webhook.as_bytes().to_vec()
}

impl Delivery {
    pub(crate) fn new(webhook: Uuid, id: Uuid, event: Event) -> Self {
        Self { webhook, due: event.at, id, attempts: 0, lease: None, last: None, event }
    }

    /// Its key: a webhook's deliveries lie side by side, what is due first in front.
    pub fn key(&self) -> Vec<u8> {
        let due = self.due.max(0).to_be_bytes();
        [self.webhook.as_bytes().as_slice(), &due, self.id.as_bytes()].concat()
    }

    /// The value of its row.
    pub fn value(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(FORM);
        w.u32(self.attempts);
        w.option(self.lease, Writer::uuid);
        w.option(self.last.as_ref(), |w, last| last.write(w));
        self.event.write(&mut w);
        w.finish().0
    }

    /// Reads a row.
    pub fn read(key: &[u8], value: &[u8]) -> Result<Self, CodecError> {
        let mut k = Reader::new(key);
        let (webhook, due, id) = (k.uuid()?, i64::from_be_bytes(k.array()?), k.uuid()?);
        k.finish()?;
        let mut r = Reader::new(value);
        match r.u8()? {
            FORM => {}
            other => {
                return Err(CodecError::Unknown { what: "a delivery's form", found: other.to_string() });
            }
        }
        let delivery = Self {
            webhook,
            due,
            id,
            attempts: r.u32()?,
            lease: r.option(Reader::uuid)?,
            last: r.option(Attempt::read)?,
            event: Event::read(&mut r)?,
        };
        r.finish()?;
        Ok(delivery)
    }

    pub(crate) fn put(&self, now: Micros) -> RowWrite {
        let (key, value) = (self.key(), self.value());
        RowWrite::Put { kind: DELIVERY_ROWS, key, value, expires: now.saturating_add(LIFE) }
    }

    /// Puts it in the place of what it was; nothing if somebody else has done so.
    pub(super) fn instead_of(&self, before: &Self, now: Micros) -> RowWrite {
        RowWrite::Move {
            kind: DELIVERY_ROWS,
            key: before.key(),
            to: self.key(),
            value: self.value(),
            expires: now.saturating_add(LIFE),
        }
    }

    pub(super) fn delete(&self) -> RowWrite {
        RowWrite::Delete { kind: DELIVERY_ROWS, key: self.key() }
    }
}
