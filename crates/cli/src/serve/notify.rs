//! Telling a service manager how far we are: systemd's `Type=notify` (`sd_notify(3)`). Without one nobody is told.

use sd_notify::NotifyState;

/// Requests are answered from now on.
pub(super) fn ready() {
    tell(&NotifyState::Ready);
}

/// We are ending, and that is no failure.
pub(super) fn stopping() {
    tell(&NotifyState::Stopping);
}

/// That nobody could be told is no reason not to serve.
fn tell(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}
