//! What the apps of one's organizations may do, and taking it back.

mod change;
mod list;

pub(super) use change::{disconnect, withdraw};
pub(super) use list::show_apps;
