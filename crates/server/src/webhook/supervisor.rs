//! Who sees to it that there is a worker for each webhook of each realm that is loaded, and that a realm is loaded when
//! something is due in it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use grantd_node::Realm;
use grantd_node::realm::webhook::{DELIVERY_ROWS, Delivery, rows_of};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::Sender;
use super::receiver::Receiver;
use super::worker::Worker;

/// How often it is looked for webhooks without a worker.
const EVERY: Duration = Duration::from_secs(1);

/// At every so many of these looks also in the realms that are not loaded.
const ELSEWHERE: u32 = 60;

/// How many rows of such a realm are looked at.
const ROWS: usize = 200;

/// The workers, by realm and webhook.
type Workers = HashMap<(String, Uuid), JoinHandle<()>>;

/// Runs until the server goes down.
pub(super) async fn run(sender: Arc<Sender>) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut woken = sender.woken.subscribe();
    let mut workers = Workers::new();
    // Where it was looked for what triggers wait for, lately.
    let mut looked: Vec<Weak<Realm>> = Vec::new();
    let mut looks: u32 = 0;
    loop {
        tokio::select! {
            () = sender.drain.wait() => return,
            _ = woken.changed() => {}
            _ = tick.tick() => {
                if looks.is_multiple_of(ELSEWHERE) {
                    load_due(&sender).await;
                    looked.clear();
                }
                looks = looks.wrapping_add(1);
            }
        }
        workers.retain(|_, worker| !worker.is_finished());
        looked.retain(|realm| realm.strong_count() > 0);
        for realm in sender.node.loaded() {
            start_workers(&sender, &realm, &mut workers);
            if !looked.iter().any(|looked| std::ptr::eq(looked.as_ptr(), Arc::as_ptr(&realm))) {
                look_for_pushes(&sender, &realm, &mut workers).await;
                looked.push(Arc::downgrade(&realm));
            }
        }
        start_waiting(&sender, &mut workers);
    }
}

/// Starts workers for the triggers that somebody says have something to send. One that has a worker is looked at again: that worker may be about
/// to end.
fn start_waiting(sender: &Arc<Sender>, workers: &mut Workers) {
    let waiting = std::mem::take(&mut *sender.waiting.lock().unwrap_or_else(PoisonError::into_inner));
    for key in waiting {
        if workers.contains_key(&key) {
            sender.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        } else if let Some(realm) = sender.node.loaded_realm(&key.0) {
            start_for(sender, &realm, key.1, workers);
        }
    }
}

/// Starts a worker for each trigger with something to send, be it from before a restart, or another node's.
async fn look_for_pushes(sender: &Arc<Sender>, realm: &Arc<Realm>, workers: &mut Workers) {
    let triggers: Vec<Uuid> =
        realm.published().state.triggers().iter().map(|trigger| trigger.form.id).collect();
    for trigger in triggers {
        let rows = realm.rows(DELIVERY_ROWS, &rows_of(trigger), sender.now(), 1).await;
        if rows.is_ok_and(|rows| !rows.is_empty()) {
            start_for(sender, realm, trigger, workers);
        }
    }
}

fn start_for(sender: &Arc<Sender>, realm: &Arc<Realm>, trigger: Uuid, workers: &mut Workers) {
    let published = realm.published();
    let Some(found) = published.state.triggers().iter().find(|found| found.form.id == trigger) else {
        return;
    };
    start(sender, realm, Receiver::Trigger(found.clone()), workers);
}

fn start_workers(sender: &Arc<Sender>, realm: &Arc<Realm>, workers: &mut Workers) {
    let published = realm.published();
    for webhook in published.state.webhooks().iter_after(0).filter(|webhook| webhook.enabled) {
        start(sender, realm, Receiver::Webhook(webhook.clone()), workers);
    }
}

/// Starts a worker unless there is one.
fn start(sender: &Arc<Sender>, realm: &Arc<Realm>, receiver: Receiver, workers: &mut Workers) {
    let key = (realm.name().to_owned(), receiver.id());
    workers.entry(key).or_insert_with(|| tokio::spawn(Worker::new(sender.clone(), realm, receiver).run()));
}

/// Loads the realms in which something is due. Nobody else may ask for them for a long time.
async fn load_due(sender: &Sender) {
    let names = match sender.node.unloaded().await {
        Ok(names) => names,
        Err(error) => {
            tracing::warn!(%error, "what is due to webhooks cannot be looked for");
            return;
        }
    };
    for name in names {
        let rows = sender.node.rows_of(&name, DELIVERY_ROWS, ROWS).await.unwrap_or_default();
        let now = sender.now();
        let mut found = rows.iter().filter_map(|(key, value)| Delivery::read(key, value).ok());
        if found.any(|delivery| delivery.due <= now)
            && let Err(error) = sender.node.realm(&name).await
        {
            tracing::debug!(realm = name, %error, "a realm with something due to webhooks cannot be loaded");
        }
    }
}
