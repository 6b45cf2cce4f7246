//! Settings of the embedded store.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::entry::Micros;

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Every commit is synced before it is answered. The only setting for real data.
    #[default]
    Full,
    /// Nothing is synced: a power cut loses answered writes. It exists so that a test of durability can be seen to fail.
    Off,
}

/// Settings of [`super::SqliteStore`].
#[derive(Clone)]
pub struct SqliteOptions {
    /// Whether a commit waits for the disk.
    pub synchronous: Synchronous,
    /// Connections that read at the same time, at least 1.
    pub readers: usize,
    /// How long to wait for somebody else's lock on the file (a shell, a backup tool).
    pub busy_timeout: Duration,
    /// Length of the write-ahead log, in pages of 4 KiB, from which on it is folded back into the file.
    pub checkpoint_pages: i32,
    /// The store's clock.
    pub clock: Arc<dyn Fn() -> Micros + Send + Sync>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            checkpoint_pages: 4_000,
            clock: Arc::new(system_clock),
        }
    }
}

impl std::fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteOptions")
            .field("synchronous", &self.synchronous)
            .field("readers", &self.readers)
            .field("busy_timeout", &self.busy_timeout)
            .field("checkpoint_pages", &self.checkpoint_pages)
            .finish_non_exhaustive()
    }
}

/// The machine's clock; 0 if it stands before 1970.
pub(super) fn system_clock() -> Micros {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| Micros::try_from(since.as_micros()).ok())
        .unwrap_or_default()
}
