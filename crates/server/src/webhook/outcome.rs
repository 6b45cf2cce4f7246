//! What comes of an attempt: noted, and acted upon.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Sender;
use super::attempt::attempt;
use super::receiver::Receiver;
use grantd_node::realm::Caller;
use grantd_node::realm::command::Command;
use grantd_node::realm::trigger::DeleteTrigger;
use grantd_node::realm::webhook::{Delivery, Ending, Fate, SettleDelivery, Slots, UpdateWebhook, Verdict};
use grantd_node::{Done, Realm, Request, SubmitError};

/// How often an outcome is tried to be noted. After that the delivery is made again: better twice than never.
const NOTED: u32 = 15;

/// Between two of these tries.
const AGAIN: Duration = Duration::from_secs(2);

/// Who grantd is when it sends.
const ACTOR: &str = "webhooks";

/// One attempt and what follows from it.
pub(super) async fn deliver(
    sender: &Sender,
    realm: &Realm,
    receiver: &Receiver,
    delivery: Delivery,
    places: &Mutex<Slots>,
) {
    let (attempt, verdict) = attempt(sender, realm, receiver, &delivery).await;
    let retries = sender.retries.clone();
    let ending = verdict.ending(delivery.attempts, &retries);
    let place = ending.map_or(0, |ending| places.lock().unwrap_or_else(PoisonError::into_inner).take(ending));
    settle(sender, realm, SettleDelivery { delivery, attempt, verdict, retries, place }).await;
    if verdict == Verdict::Never {
        disable(realm, receiver).await;
    }
}

/// Notes how an attempt went.
async fn settle(sender: &Sender, realm: &Realm, settle: SettleDelivery) {
    for _ in 0..NOTED {
        match submit(realm, settle.clone(), None).await {
            Ok(done) => {
                match done.answer {
                    Fate::Ended(Ending::Delivered) => sender.metrics.delivered(),
                    Fate::Ended(Ending::Dead) => sender.metrics.dead(),
                    Fate::Due(_) => sender.metrics.failed(),
                }
                return;
            }
            Err(error) => {
                tracing::warn!(realm = realm.name(), %error, "the outcome of a delivery could not be noted");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// The receiver said that it is gone for good.
async fn disable(realm: &Realm, receiver: &Receiver) {
    let (id, reason) = (receiver.id(), Some("the receiver answered 410 Gone".to_owned()));
    let done = match receiver {
        Receiver::Webhook(_) => {
            let update = UpdateWebhook { id, enabled: Some(false), ..UpdateWebhook::default() };
            submit(realm, update, reason).await.map(drop)
        }
        Receiver::Trigger(trigger) => {
            let repository = trigger.form.repository;
            submit(realm, DeleteTrigger { repository, id }, reason).await.map(drop)
        }
    };
    match done {
        Ok(()) => {
            tracing::warn!(realm = realm.name(), receiver = %id, "nothing is sent there any more: the receiver is gone");
        }
        Err(error) => {
            tracing::warn!(realm = realm.name(), receiver = %id, %error, "a receiver that is gone could not be disabled");
        }
    }
}

/// Hands in a command of grantd's own.
pub(super) async fn submit<C: Command>(
    realm: &Realm,
    command: C,
    reason: Option<String>,
) -> Result<Done<C::Answer>, SubmitError> {
    let caller = Caller::system(ACTOR);
    realm.submit(Request { command, caller, via: "webhook", reason, idempotency: None }).await
}
