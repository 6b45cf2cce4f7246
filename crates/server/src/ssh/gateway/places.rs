//! How many connections there may be, in all and from one source.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::edge::Source;

/// See the module.
pub(super) struct Places {
    all: Arc<Semaphore>,
    per_source: usize,
    taken: Mutex<HashMap<Source, usize>>,
}

/// A connection's place, until it is dropped.
pub(super) struct Place {
    of: Arc<Places>,
    source: Source,
    _among_all: OwnedSemaphorePermit,
}

impl Places {
    pub(super) fn new(all: usize, per_source: usize) -> Arc<Self> {
        let all = Arc::new(Semaphore::new(all.min(Semaphore::MAX_PERMITS)));
        Arc::new(Self { all, per_source, taken: Mutex::default() })
    }

    /// A place for one more from there, if there is one.
    pub(super) fn take(self: &Arc<Self>, source: Source) -> Option<Place> {
        let among_all = self.all.clone().try_acquire_owned().ok()?;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(source).or_insert(0);
        if *count >= self.per_source {
            return None;
        }
        *count += 1;
        Some(Place { of: self.clone(), source, _among_all: among_all })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.of.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(last: u8) -> Source {
        Source::of([192, 0, 2, last].into())
    }

    #[test]
    fn in_all_and_from_one_source() {
        let places = Places::new(3, 2);
        let (one, two) = (places.take(source(1)), places.take(source(1)));
        assert!(one.is_some() && two.is_some());
        assert!(places.take(source(1)).is_none(), "two from there");
        let three = places.take(source(2));
        assert!(three.is_some());
        assert!(places.take(source(3)).is_none(), "three in all");
        drop(one);
        assert!(places.take(source(3)).is_some());
        drop((two, three));
        assert!(places.taken.lock().is_ok_and(|taken| taken.is_empty()), "who left is forgotten");
    }
}
