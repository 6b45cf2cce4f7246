//! The route table of grantd's own API.

use axum::Router;
use axum::routing::{delete, get, post, put};

use super::{
    approval_sessions, apps, authorizations, batch, catalogue, check, entities, export, import, keys, ledger,
    linked_accounts, organization_approvals, organization_members, organization_tokens, organizations,
    realms, relationships, requests, roles, rules, schema, scopes, search, session, ssh, ssh_keys,
    user_permissions, users, vm_certificates, vms, webhook_deliveries, webhooks,
};
use crate::app::SharedApp;

/// The routes with ordinary limits.
pub fn routes() -> Router<SharedApp> {
    Router::new()
        .route("/api/v1/check", post(check::check))
        .route("/api/v1/search/subjects", post(search::search_subjects))
        .route("/api/v1/search/resources", post(search::search_resources))
        .route("/api/v1/search/actions", post(search::search_actions))
        .route(
            "/api/v1/entities/{type}/{id}",
            get(entities::get_entity).put(entities::put_entity).delete(entities::delete_entity),
        )
        .route("/api/v1/users", post(users::create_user).get(users::list_users))
        .route(
            "/api/v1/users/{login}",
            get(users::get_user).patch(users::update_user).delete(users::delete_user),
        )
        .route("/api/v1/users/{login}/permissions", get(user_permissions::get_user_permissions))
        .route(
            "/api/v1/users/{login}/linked-accounts",
            get(linked_accounts::list_linked_accounts).post(linked_accounts::link_account),
        )
        .route("/api/v1/users/{login}/linked-accounts/{id}", delete(linked_accounts::unlink_account))
        .route("/api/v1/roles", post(roles::create_role).get(roles::list_roles))
        .route(
            "/api/v1/roles/{key}",
            get(roles::get_role).patch(roles::update_role).delete(roles::delete_role),
        )
        .route("/api/v1/roles/{key}/members", get(roles::list_members))
        .route("/api/v1/roles/{key}/members/{member}", put(roles::add_member).delete(roles::remove_member))
        .route("/api/v1/keys", post(keys::create_key).get(keys::list_keys))
        .route("/api/v1/keys/{id}", delete(keys::revoke_key))
        .route("/api/v1/requests", post(requests::create_request).get(requests::list_requests))
        .route("/api/v1/requests/{id}/decision", post(requests::decide_request))
        .route("/api/v1/requests/{id}/cancel", post(requests::cancel_request))
        .route(
            "/api/v1/approval-sessions",
            post(approval_sessions::open_session).get(approval_sessions::list_sessions),
        )
        .route("/api/v1/approval-sessions/{id}", delete(approval_sessions::close_session))
        .route("/api/v1/rules", post(rules::create_rule).get(rules::list_rules))
        .route("/api/v1/rules/test", post(rules::test_rule))
        .route("/api/v1/rules/{id}", delete(rules::delete_rule))
        .route("/api/v1/webhooks", post(webhooks::create_webhook).get(webhooks::list_webhooks))
        .route(
            "/api/v1/webhooks/{id}",
            get(webhooks::get_webhook).patch(webhooks::update_webhook).delete(webhooks::delete_webhook),
        )
        .route("/api/v1/webhooks/{id}/secret", post(webhooks::rotate_webhook_secret))
        .route("/api/v1/webhooks/{id}/test", post(webhook_deliveries::test_webhook))
        .route("/api/v1/webhooks/{id}/deliveries", get(webhook_deliveries::list_deliveries))
        .route("/api/v1/session", get(session::get_session))
        .merge(app_routes())
        .merge(ssh_routes())
        .route("/api/v1/realms", post(realms::create_realm).get(realms::list_realms))
        .route("/api/v1/realms/{name}", get(realms::get_realm).delete(realms::delete_realm))
}

/// Apps, organizations, and what these let those do.
fn app_routes() -> Router<SharedApp> {
    Router::new()
        .route("/api/v1/scopes", get(scopes::list_scopes))
        .route(
            "/api/v1/scopes/{id}",
            get(scopes::get_scope).put(scopes::define_scope).delete(scopes::delete_scope),
        )
        .route(
            "/api/v1/organizations",
            post(organizations::create_organization).get(organizations::list_organizations),
        )
        .route(
            "/api/v1/organizations/{id}",
            get(organizations::get_organization)
                .patch(organizations::update_organization)
                .delete(organizations::delete_organization),
        )
        .route("/api/v1/organizations/{id}/members", get(organization_members::list_seats))
        .route(
            "/api/v1/organizations/{id}/members/{member}",
            put(organization_members::seat_member).delete(organization_members::unseat_member),
        )
        .route(
            "/api/v1/organizations/{id}/tokens",
            post(organization_tokens::issue_token).get(organization_tokens::list_tokens),
        )
        .route("/api/v1/organizations/{id}/tokens/{token}", delete(organization_tokens::revoke_token))
        .route("/api/v1/organizations/{id}/approvals", get(organization_approvals::list_approvals))
        .route(
            "/api/v1/organizations/{id}/approvals/{app}",
            put(organization_approvals::approve_app).delete(organization_approvals::withdraw_approval),
        )
        .route("/api/v1/apps", post(apps::create_app).get(apps::list_apps))
        .route(
            "/api/v1/apps/{client_id}",
            get(apps::get_app).patch(apps::update_app).delete(apps::delete_app),
        )
        .route("/api/v1/apps/{client_id}/secret", post(apps::rotate_secret))
        .route(
            "/api/v1/authorizations",
            post(authorizations::create_authorization).get(authorizations::list_authorizations),
        )
        .route(
            "/api/v1/authorizations/{id}",
            get(authorizations::get_authorization).delete(authorizations::end_authorization),
        )
        .route("/api/v1/authorizations/{id}/scopes/{scope}", delete(authorizations::withdraw_scope))
}

/// VMs, and how identities get into them.
fn ssh_routes() -> Router<SharedApp> {
    Router::new()
        .route("/api/v1/vms", get(vms::list_vms))
        .route("/api/v1/vms/{id}", get(vms::get_vm).put(vms::put_vm).delete(vms::remove_vm))
        .route("/api/v1/vms/{id}/gateway-key", post(vms::rotate_vm_key))
        .route("/api/v1/vms/{id}/certificates", post(vm_certificates::issue_certificate))
        .route("/api/v1/ssh-keys", post(ssh_keys::add_ssh_key).get(ssh_keys::list_ssh_keys))
        .route("/api/v1/ssh-keys/{id}", delete(ssh_keys::remove_ssh_key))
        .route("/api/v1/ssh/authorize", post(ssh::authorize))
        .route("/api/v1/ssh/ca", get(ssh::get_ca).post(ssh::replace_ca))
}

/// The routes that take long bodies.
pub fn bulk_routes() -> Router<SharedApp> {
    let write = post(relationships::write_relationships)
        .get(relationships::read_relationships)
        .delete(relationships::delete_relationships);
    Router::new()
        .route("/api/v1/check/batch", post(batch::check_batch))
        .route("/api/v1/relationships", write)
        .route("/api/v1/catalogue", put(catalogue::sync_catalogue).get(catalogue::get_catalogue))
        .route("/api/v1/schema", put(schema::put_schema).get(schema::get_schema))
}

/// The routes whose bodies are streams of any length.
pub fn streaming_routes() -> Router<SharedApp> {
    Router::new()
        .route("/api/v1/relationships/import", post(import::import_relationships))
        .route("/api/v1/relationships/export", get(export::export_relationships))
}

/// The routes that may wait.
pub fn waiting_routes() -> Router<SharedApp> {
    Router::new()
        .route("/api/v1/ledger", get(ledger::read_ledger))
        .route("/api/v1/requests/{id}", get(requests::get_request))
}
