//! The queue's own commands: put in, taken to be tried, tried again or ended. None of them is an entry of the ledger.

use uuid::Uuid;

use super::delivery::{Attempt, Delivery};
use super::event::{Event, events};
use super::finished::{Ending, note};
use super::retries::Retries;
use crate::caller::{Actor, Authority};
use crate::change::Change;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision, RowWrite};
use crate::refusal::{Noun, Refusal};
use crate::{Micros, State};

/// How long a delivery belongs to who took it. Longer than an attempt lasts: then it is due again. 60 seconds.
const LEASE: Micros = 60 * 1_000_000;

/// The rows that tell of an entry's changes.
pub(crate) fn queued(state: &State, changes: &[Change], cx: &mut Context<'_>) -> Vec<RowWrite> {
    let webhooks = state.webhooks();
    if webhooks.is_empty() || changes.is_empty() {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for event in events(state, changes, cx.now) {
        for webhook in webhooks.iter_after(0).filter(|webhook| webhook.wants(&event)) {
            rows.push(Delivery::new(webhook.id, cx.entropy.uuid(), event.clone()).put(cx.now));
        }
    }
    rows
}

/// Only grantd itself.
pub(crate) fn require_sender(state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
    match cx.caller.actor {
        Actor::System(_) => cx.require(state, Authority::Admin),
        _ => Err(Refusal::NotAllowed(Authority::Admin)),
    }
}

/// Sends a webhook a message that says nothing, to see whether it arrives.
#[derive(Debug, Clone)]
pub struct SendPing {
    /// Which webhook.
    pub webhook: Uuid,
}

impl Command for SendPing {
    /// The message's id.
    type Answer = Uuid;
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Uuid>, Refusal> {
        let webhook = state.webhooks().get(self.webhook);
        let webhook = webhook.ok_or_else(|| Refusal::not_found(Noun::Webhook, self.webhook))?;
        if !webhook.enabled {
            return Err(Refusal::invalid("enabled", "is false: nothing is sent; enable the webhook first"));
        }
        let (id, event) = (cx.entropy.uuid(), Event::ping(webhook.app.clone(), cx.now));
        let rows = vec![Delivery::new(webhook.id, id, event).put(cx.now)];
        Ok(Decision { rows, ..Decision::unchanged(id) })
    }
}

/// Takes deliveries so that nobody else tries them meanwhile. Whether that succeeded is in the rows: see [`Leased`].
#[derive(Debug, Clone)]
pub struct LeaseDeliveries {
    /// Which, as they were found.
    pub deliveries: Vec<Delivery>,
}

/// The deliveries as they are if they were taken: each is whose row holds exactly this.
#[derive(Debug, Clone)]
pub struct Leased(pub Vec<Delivery>);

impl Answer for Leased {
    fn encode(&self, _: &mut Writer) {}
    fn decode(_: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self(Vec::new()))
    }
}

impl Command for LeaseDeliveries {
    type Answer = Leased;
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_sender(state, cx)
    }

    fn decide(&self, _: &State, cx: &mut Context<'_>) -> Result<Decision<Leased>, Refusal> {
        let due = cx.now.saturating_add(LEASE);
        let lease = Some(cx.entropy.uuid());
        let taken = |delivery: &Delivery| Delivery { due, lease, ..delivery.clone() };
        let leased: Vec<_> = self.deliveries.iter().map(taken).collect();
        let rows =
            leased.iter().zip(&self.deliveries).map(|(to, from)| to.instead_of(from, cx.now)).collect();
        Ok(Decision { rows, ..Decision::unchanged(Leased(leased)) })
    }
}

/// How an attempt went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Arrived,
    /// It did not; to be tried again, not before this time.
    Again(Option<Micros>),
    /// The receiver wants no more of it.
    Never,
}

impl Verdict {
    /// How a delivery that was tried so often before ends with this, if it does.
    pub fn ending(self, attempts: u32, retries: &Retries) -> Option<Ending> {
        match self {
            Self::Arrived => Some(Ending::Delivered),
            Self::Never => Some(Ending::Dead),
            Self::Again(_) => retries.end_after(attempts.saturating_add(1)).then_some(Ending::Dead),
        }
    }
}

/// Notes how an attempt went.
#[derive(Debug, Clone)]
pub struct SettleDelivery {
    /// Which, as it was taken.
    pub delivery: Delivery,
    /// What came of it.
    pub attempt: Attempt,
    /// What follows.
    pub verdict: Verdict,
    /// When it would be tried again.
    pub retries: Retries,
    /// Where it is noted if it ends; see [`super::Slots`].
    pub place: u8,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It ended.
    Ended(Ending),
    /// It is tried again then.
    Due(Micros),
}

impl Answer for Fate {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Ended(Ending::Delivered) => w.u8(0),
            Self::Ended(Ending::Dead) => w.u8(1),
            Self::Due(at) => {
                w.u8(2);
                w.i64(*at);
            }
        }
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(match r.u8()? {
            0 => Self::Ended(Ending::Delivered),
            1 => Self::Ended(Ending::Dead),
            2 => Self::Due(r.i64()?),
            other => return Err(CodecError::Unknown { what: "a fate", found: other.to_string() }),
        })
    }
}

impl Command for SettleDelivery {
    type Answer = Fate;
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_sender(state, cx)
    }

    fn decide(&self, _: &State, cx: &mut Context<'_>) -> Result<Decision<Fate>, Refusal> {
        let attempts = self.delivery.attempts.saturating_add(1);
        let tried = Delivery { attempts, lease: None, ..self.delivery.clone() };
        let [random] = cx.entropy.bytes();
        let next = match self.verdict {
            Verdict::Again(not_before) => self.retries.next(attempts, cx.now, not_before, random),
            Verdict::Arrived | Verdict::Never => None,
        };
        if let Some(due) = next {
            let later = Delivery { due, last: Some(self.attempt.clone()), ..tried };
            let rows = vec![later.instead_of(&self.delivery, cx.now)];
            return Ok(Decision { rows, ..Decision::unchanged(Fate::Due(due)) });
        }
        let ending = if self.verdict == Verdict::Arrived { Ending::Delivered } else { Ending::Dead };
        let rows = vec![self.delivery.delete(), note(&tried, ending, &self.attempt, self.place, cx.now)];
        Ok(Decision { rows, ..Decision::unchanged(Fate::Ended(ending)) })
    }
}

/// Takes deliveries out of the queue for which there is no room, or no webhook any more.
#[derive(Debug, Clone)]
pub struct DropDeliveries {
    /// Which.
    pub deliveries: Vec<Delivery>,
}

impl Command for DropDeliveries {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_sender(state, cx)
    }

    fn decide(&self, _: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let rows = self.deliveries.iter().map(Delivery::delete).collect();
        Ok(Decision { rows, ..Decision::unchanged(()) })
    }
}
