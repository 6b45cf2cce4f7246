//! The connections that are open, so that a drain reaches each and can wait for the last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Watch;
use crate::edge::EdgeSettings;

/// All open connections of a server.
#[derive(Default)]
pub(in crate::edge) struct Connections {
    inner: Mutex<Inner>,
    one_closed: Notify,
}

#[derive(Default)]
struct Inner {
    next: u64,
    draining: bool,
    open: HashMap<u64, Arc<Watch>>,
}

impl Connections {
    /// Notes a connection; it counts as open until the value is dropped.
    pub(in crate::edge) fn open(self: &Arc<Self>, settings: &Arc<EdgeSettings>) -> Open {
        let watch = Arc::new(Watch::new(Arc::clone(settings)));
        let mut inner = self.lock();
        if inner.draining {
            watch.drain();
        }
        let id = inner.next;
        inner.next += 1;
        inner.open.insert(id, Arc::clone(&watch));
        Open { id, watch, all: Arc::clone(self) }
    }

    /// Tells each connection, and those still to come, to finish.
    pub(in crate::edge) fn drain(&self) {
        let mut inner = self.lock();
        inner.draining = true;
        inner.open.values().for_each(|watch| watch.drain());
    }

    /// Cuts what is open, and says how many that were.
    pub(in crate::edge) fn kill(&self) -> usize {
        let inner = self.lock();
        inner.open.values().for_each(|watch| watch.kill());
        inner.open.len()
    }

    /// Returns when none is open.
    pub(in crate::edge) async fn none_open(&self) {
        loop {
            let one_closed = self.one_closed.notified();
            if self.lock().open.is_empty() {
                return;
            }
            one_closed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One open connection.
pub(in crate::edge) struct Open {
    id: u64,
    pub(in crate::edge) watch: Arc<Watch>,
    all: Arc<Connections>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.all.lock().open.remove(&self.id);
        // `notify_waiters` and not `notify_one`: nothing is stored while nobody waits.
        self.all.one_closed.notify_waiters();
    }
}
