//! Freeing states that are no longer published.
//!
//! A large state takes long to free, and who happens to hold the last share of one is often a request. So each state that
//! was published is kept here until nobody else holds it, and is then freed on a thread where nobody waits.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::running::Published;

/// How long states are collected before they are looked at, and how often those still in use are looked at again.
const PAUSE: Duration = Duration::from_millis(20);

/// Frees what comes in, until nobody sends any more and everything is free.
pub(crate) async fn free(mut retired: mpsc::UnboundedReceiver<Arc<Published>>) {
    let mut held: Vec<Arc<Published>> = Vec::new();
    loop {
        if held.is_empty() {
            match retired.recv().await {
                Some(state) => held.push(state),
                None => return,
            }
        }
        tokio::time::sleep(PAUSE).await;
        while let Ok(state) = retired.try_recv() {
            held.push(state);
        }
        let (unused, used) = held.into_iter().partition(|state| Arc::strong_count(state) == 1);
        held = used;
        let unused: Vec<_> = unused;
        if !unused.is_empty() {
            // It only fails when the process stops.
            let _ = tokio::task::spawn_blocking(move || drop(unused)).await;
        }
    }
}
