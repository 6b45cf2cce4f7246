//! The word that the server is going down, for whoever must hear it.

use tokio::sync::watch;

/// Tells long-lived answers (event streams, waits) to end; get it from [`super::Server::drain`].
///
/// A stream that does not listen to it holds its connection until the drain's deadline.
#[derive(Clone, Debug)]
pub struct Drain {
    begun: watch::Receiver<bool>,
}

impl Drain {
    pub(super) fn new() -> (watch::Sender<bool>, Self) {
        let (sender, begun) = watch::channel(false);
        (sender, Self { begun })
    }

    /// Whether the drain has begun.
    #[must_use]
    pub fn begun(&self) -> bool {
        *self.begun.borrow()
    }

    /// Returns once the drain has begun, or the server is gone.
    pub async fn wait(&self) {
        // An error means that the sender was dropped: the server is gone, which is the same news.
        let mut begun = self.begun.clone();
        let _gone = begun.wait_for(|begun| *begun).await.is_err();
    }
}
