//! Changes about scopes, organizations, apps and authorizations.

use grantd_node::realm::app::AppSettings;
use grantd_node::realm::change::AppChange;
use grantd_node::realm::scope::Scope;
use serde_json::{Value, json};

use super::text;
use crate::time::rfc3339;

pub(super) fn as_json(change: &AppChange) -> Value {
    match change {
        AppChange::ScopeDefined { scope } => scope_defined(scope),
        AppChange::ScopeDeleted { id } => json!({ "kind": "scope_deleted", "id": id }),
        AppChange::OrganizationCreated { id, number, name } => {
            json!({ "kind": "organization_created", "id": id, "number": number, "name": text(Some(name)) })
        }
        AppChange::OrganizationRenamed { id, name } => {
            json!({ "kind": "organization_renamed", "id": id, "name": text(Some(name)) })
        }
        AppChange::OrganizationDeleted { id } => json!({ "kind": "organization_deleted", "id": id }),
        AppChange::PolicySet { organization, policy } => json!({
            "kind": "authorization_policy_set", "organization": organization, "approval": policy.approval,
            "longest_life_seconds": policy.longest_life.map(|life| life / 1_000_000),
        }),
        AppChange::AppApproved { organization, app, scopes, by } => json!({
            "kind": "app_approved", "organization": organization, "app": app, "scopes": scopes.as_slice(),
            "by": by.to_string(),
        }),
        AppChange::ApprovalWithdrawn { organization, app } => {
            json!({ "kind": "approval_withdrawn", "organization": organization, "app": app })
        }
        AppChange::OrganizationTokenIssued { organization, token } => json!({
            "kind": "organization_token_issued", "organization": organization, "id": token.id,
            "name": text(Some(&token.name)), "scopes": token.scopes.as_slice(), "by": token.by.to_string(),
        }),
        AppChange::OrganizationTokenRevoked { organization, id } => {
            json!({ "kind": "organization_token_revoked", "organization": organization, "id": id })
        }
        AppChange::AppCreated { client_id, number, name, settings, .. } => {
            let name = text(Some(name));
            app_as_json("app_created", client_id, &json!({ "number": number, "name": name }), settings)
        }
        AppChange::AppChanged { client_id, name, settings } => {
            let named = name.as_ref().map_or(json!({}), |name| json!({ "name": text(Some(name)) }));
            app_as_json("app_changed", client_id, &named, settings)
        }
        AppChange::AppSecretSet { client_id, .. } => {
            json!({ "kind": "app_secret_set", "client_id": client_id })
        }
        AppChange::AppDeleted { client_id } => json!({ "kind": "app_deleted", "client_id": client_id }),
        AppChange::Authorized { id, app, organization, generation, expires, consent } => json!({
            "kind": "authorized", "id": id, "app": app, "organization": organization,
            "generation": generation, "expires": expires.map(rfc3339),
            "consent": consent.as_ref().map(|consent| json!({
                "user": &*consent.user, "text_version": consent.text_version, "locale": &*consent.locale,
                "address": text(Some(&consent.address)), "at": rfc3339(consent.at),
            })),
        }),
        AppChange::AuthorizationEnded { id } => json!({ "kind": "authorization_ended", "id": id }),
    }
}

fn scope_defined(scope: &Scope) -> Value {
    let texts = scope.texts.iter().map(|text| {
        let said = json!({ "description": &*text.description, "warning": text.warning.as_deref() });
        (text.language.to_string(), said)
    });
    json!({
        "kind": "scope_defined", "id": &*scope.id, "texts": texts.collect::<serde_json::Map<_, _>>(),
        "in_v1": scope.in_v1, "in_v2": scope.in_v2, "deprecated": scope.deprecated,
    })
}

fn app_as_json(kind: &str, client_id: &str, more: &Value, settings: &AppSettings) -> Value {
    let mut change = json!({
        "kind": kind, "client_id": client_id, "redirect_uris": settings.redirect_uris,
        "public": settings.public, "optional_scopes": settings.optional_scopes,
        "pkce_required": settings.pkce_required, "website": settings.website,
    });
    if let (Some(change), Some(more)) = (change.as_object_mut(), more.as_object()) {
        change.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    change
}
