//! The API's OpenAPI document, made from the handlers. A test compares it with the stored one.

use utoipa::OpenApi;

use super::{
    approval_sessions, apps, authorizations, batch, catalogue, check, entities, export, import, keys, ledger,
    linked_accounts, organization_approvals, organization_members, organization_tokens, organizations,
    realms, relationships, requests, roles, rules, schema, scopes, search, session, ssh, ssh_keys,
    user_permissions, users, vm_certificates, vms, webhook_deliveries, webhooks,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "grantd",
        description = "One permission server for people, machines, apps and AI agents. Every answer names its revision \
                       in `Grantd-Revision`; every write takes an `Idempotency-Key` and a `Grantd-Reason`.",
        license(name = "Apache-2.0")
    ),
    paths(
        check::check,
        batch::check_batch,
        search::search_subjects,
        search::search_resources,
        search::search_actions,
        relationships::write_relationships,
        relationships::read_relationships,
        relationships::delete_relationships,
        import::import_relationships,
        export::export_relationships,
        entities::get_entity,
        entities::put_entity,
        entities::delete_entity,
        schema::put_schema,
        catalogue::sync_catalogue,
        catalogue::get_catalogue,
        schema::get_schema,
        users::create_user,
        users::list_users,
        users::get_user,
        users::update_user,
        users::delete_user,
        user_permissions::get_user_permissions,
        linked_accounts::list_linked_accounts,
        linked_accounts::link_account,
        linked_accounts::unlink_account,
        roles::create_role,
        roles::list_roles,
        roles::get_role,
        roles::update_role,
        roles::delete_role,
        roles::list_members,
        roles::add_member,
        roles::remove_member,
        keys::create_key,
        keys::list_keys,
        keys::revoke_key,
        realms::create_realm,
        realms::list_realms,
        realms::get_realm,
        realms::delete_realm,
        requests::create_request,
        requests::list_requests,
        requests::get_request,
        requests::decide_request,
        requests::cancel_request,
        approval_sessions::open_session,
        approval_sessions::list_sessions,
        approval_sessions::close_session,
        rules::create_rule,
        rules::list_rules,
        rules::test_rule,
        rules::delete_rule,
        webhooks::create_webhook,
        webhooks::list_webhooks,
        webhooks::get_webhook,
        webhooks::update_webhook,
        webhooks::delete_webhook,
        webhooks::rotate_webhook_secret,
        webhook_deliveries::test_webhook,
        webhook_deliveries::list_deliveries,
        scopes::list_scopes,
        scopes::get_scope,
        scopes::define_scope,
        scopes::delete_scope,
        organizations::create_organization,
        organizations::list_organizations,
        organizations::get_organization,
        organizations::update_organization,
        organizations::delete_organization,
        organization_members::list_seats,
        organization_members::seat_member,
        organization_members::unseat_member,
        organization_tokens::issue_token,
        organization_tokens::list_tokens,
        organization_tokens::revoke_token,
        organization_approvals::list_approvals,
        organization_approvals::approve_app,
        organization_approvals::withdraw_approval,
        apps::create_app,
        apps::list_apps,
        apps::get_app,
        apps::update_app,
        apps::rotate_secret,
        apps::delete_app,
        authorizations::create_authorization,
        authorizations::list_authorizations,
        authorizations::get_authorization,
        authorizations::end_authorization,
        authorizations::withdraw_scope,
        vms::list_vms,
        vms::get_vm,
        vms::put_vm,
        vms::rotate_vm_key,
        vms::remove_vm,
        vm_certificates::issue_certificate,
        ssh_keys::add_ssh_key,
        ssh_keys::list_ssh_keys,
        ssh_keys::remove_ssh_key,
        ssh::authorize,
        ssh::get_ca,
        ssh::replace_ca,
        session::get_session,
        ledger::read_ledger,
    ),
    modifiers(&BearerAuth)
)]
struct Document;

struct BearerAuth;

impl utoipa::Modify for BearerAuth {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("gdk_...").build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
        document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("api_key", [])]);
    }
}

/// The document as JSON.
pub fn document() -> String {
    Document::openapi().to_pretty_json().unwrap_or_default()
}
