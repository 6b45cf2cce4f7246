//! The inbox: what agents ask for, and the people who decide it.
//!
//! Every page works as plain forms. `assets/inbox.js` makes it live and puts it under the keyboard: it shows pieces of page that
//! are written here and sends the same forms. All text of a request passes [`text`], which shows what is there and nothing
//! else.

mod card;
mod decide;
mod events;
mod history;
mod listing;
mod params;
mod request_page;
mod rule_form;
mod rules;
mod sight;
mod text;

use axum::response::Response;
use http::{HeaderValue, header};

pub(super) use decide::{decide, make_rule};
pub(super) use events::follow_inbox;
pub(super) use history::show_history;
pub(super) use listing::show_inbox;
pub(super) use request_page::{show_card, show_request};
pub(super) use rules::{delete_rule, show_rules};
pub(super) use text::in_field;

/// As every page's, and our own script may run and ask this server.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// A page on which the inbox's script runs.
fn scripted(mut page: Response) -> Response {
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    page
}
