//! The route table of the pages.

use axum::Router;
use axum::routing::{get, post};

use super::{account, assets, sign_in, sign_out};
use crate::app::SharedApp;

/// Every route.
pub(crate) fn routes() -> Router<SharedApp> {
    Router::new()
        .route("/", get(account::go_to_account))
        .route("/login", get(sign_in::show_sign_in).post(sign_in::sign_in))
        .route("/logout", post(sign_out::sign_out))
        .route("/account", get(account::show_account))
        .route("/account/password", post(account::change_password))
        .route("/account/sessions/{id}/end", post(sign_out::end_session))
        .route("/account/sessions/end", post(sign_out::sign_out_everywhere))
        .route("/assets/pages.css", get(assets::style))
        .route("/assets/icon.svg", get(assets::icon))
}
