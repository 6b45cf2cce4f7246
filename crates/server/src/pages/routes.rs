//! The route table of the pages.

use axum::Router;
use axum::routing::{get, post};

use super::{account, apps, assets, consent, inbox, sign_in, sign_in_oidc, sign_out};
use crate::app::SharedApp;

/// The routes whose forms are short.
pub(crate) fn routes() -> Router<SharedApp> {
    Router::new()
        .route("/", get(account::go_to_account))
        .route("/login", get(sign_in::show_sign_in).post(sign_in::sign_in))
        .route("/login/oidc", get(sign_in_oidc::go_to_provider))
        .route("/login/oidc/callback", get(sign_in_oidc::come_back))
        .route("/logout", post(sign_out::sign_out))
        .route("/account", get(account::show_account))
        .route("/account/password", post(account::change_password))
        .route("/account/sessions/{id}/end", post(sign_out::end_session))
        .route("/account/sessions/end", post(sign_out::sign_out_everywhere))
        .route("/apps", get(apps::show_apps))
        .route("/apps/{authorization}/withdraw", post(apps::withdraw))
        .route("/apps/{authorization}/disconnect", post(apps::disconnect))
        .route("/oauth2/authorize", get(consent::show_consent).post(consent::decide))
        .route("/assets/pages.css", get(assets::style))
        .route("/assets/inbox.js", get(assets::inbox_script))
        .route("/assets/icon.svg", get(assets::icon))
}

/// The inbox, whose forms hold the parameters of requests.
pub(crate) fn inbox_routes() -> Router<SharedApp> {
    Router::new()
        .route("/inbox", get(inbox::show_inbox))
        .route("/inbox/history", get(inbox::show_history))
        .route("/inbox/rules", get(inbox::show_rules))
        .route("/inbox/rules/{id}/delete", post(inbox::delete_rule))
        .route("/inbox/{id}", get(inbox::show_request))
        .route("/inbox/{id}/card", get(inbox::show_card))
        .route("/inbox/{id}/decide", post(inbox::decide))
        .route("/inbox/{id}/rule", post(inbox::make_rule))
}

/// What goes on for as long as somebody looks.
pub(crate) fn streaming_routes() -> Router<SharedApp> {
    Router::new().route("/inbox/events", get(inbox::follow_inbox))
}
