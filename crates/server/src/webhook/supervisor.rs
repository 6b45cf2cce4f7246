//! Who sees to it that there is a worker for each webhook of each realm that is loaded, and that a realm is loaded when
//! something is due in it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use grantd_node::Realm;
use grantd_node::realm::webhook::{DELIVERY_ROWS, Delivery};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::Sender;
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
    let mut looks: u32 = 0;
    loop {
        tokio::select! {
            () = sender.drain.wait() => return,
            _ = woken.changed() => {}
            _ = tick.tick() => {
                if looks.is_multiple_of(ELSEWHERE) {
                    load_due(&sender).await;
                }
                looks = looks.wrapping_add(1);
            }
        }
        workers.retain(|_, worker| !worker.is_finished());
        for realm in sender.node.loaded() {
            start_workers(&sender, &realm, &mut workers);
        }
    }
}

fn start_workers(sender: &Arc<Sender>, realm: &Arc<Realm>, workers: &mut Workers) {
    let published = realm.published();
    for webhook in published.state.webhooks().iter_after(0).filter(|webhook| webhook.enabled) {
        let key = (realm.name().to_owned(), webhook.id);
        workers
            .entry(key)
            .or_insert_with(|| tokio::spawn(Worker::new(sender.clone(), realm, webhook.clone()).run()));
    }
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
