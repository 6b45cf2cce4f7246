//! Consent: an app asks for permissions of an organization, and somebody of that organization says yes or no.
//!
//! This is `/oauth2/authorize`. `oauth` checks what the app sent and carries out what is decided here; these pages say it in
//! words. What an app asks for travels from page to form as its own query and is checked again when the answer comes.

mod ask;
mod choose;
mod decide;
mod leave;
mod texts;

pub(in crate::pages) use ask::{Permission, show_consent};
pub(in crate::pages) use decide::decide;
pub(in crate::pages) use texts::Texts;
