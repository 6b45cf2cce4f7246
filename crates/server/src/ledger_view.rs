//! A change as JSON, for people and programs that read the ledger. No secret and no hash of one is in it.

mod apps;
mod ssh;

use grantd_node::realm::Change;
use grantd_node::realm::linked_account::AccountId;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::rule::Scope;
use grantd_node::realm::webhook::{EventKind, EventSet};
use serde_json::{Value, json};

use crate::time::rfc3339;

fn text(field: Option<&Personal>) -> Value {
    match field {
        None => Value::Null,
        Some(Personal { value: Some(value), .. }) => json!(value.as_ref()),
        Some(_) => json!({ "erased": true }),
    }
}

/// Those that were chosen; none: all.
fn events(events: EventSet) -> Vec<&'static str> {
    events.chosen().map(EventKind::name).collect()
}

/// The change with its `kind`; an erased text is `{"erased": true}`.
pub fn change_as_json(change: &Change) -> Value {
    match change {
        Change::RealmCreated { name, account } => {
            json!({ "kind": "realm_created", "name": name, "account": account })
        }
        Change::RealmListed { name } => json!({ "kind": "realm_listed", "name": name }),
        Change::RealmUnlisted { name } => json!({ "kind": "realm_unlisted", "name": name }),
        Change::RealmDeleted { name } => json!({ "kind": "realm_deleted", "name": name }),
        Change::FieldsErased { object } => json!({ "kind": "fields_erased", "object": object.to_string() }),
        Change::RelationshipWritten { relationship } => json!({
            "kind": "relationship_written",
            "relationship": relationship.key.to_string(),
            "until": relationship.until.map(rfc3339),
            "condition": relationship.condition.as_ref().map(|condition| &condition.name),
        }),
        Change::RelationshipDeleted { key } => {
            json!({ "kind": "relationship_deleted", "relationship": key.to_string() })
        }
        Change::UserCreated { uuid, number, login, name } => json!({
            "kind": "user_created", "login": login, "uuid": uuid, "number": number, "name": text(name.as_ref()),
        }),
        Change::UserRenamed { login, name } => {
            json!({ "kind": "user_renamed", "login": login, "name": text(name.as_ref()) })
        }
        Change::UserPasswordSet { login, version } => {
            json!({ "kind": "user_password_set", "login": login, "version": version })
        }
        Change::UserActivated { login, active } => {
            json!({ "kind": "user_activated", "login": login, "active": active })
        }
        Change::UserDeleted { login } => json!({ "kind": "user_deleted", "login": login }),
        Change::SessionsEnded { login } => json!({ "kind": "sessions_ended", "login": login }),
        Change::ApiKeyCreated { id, name, expires, .. } => json!({
            "kind": "api_key_created", "id": id, "name": text(name.as_ref()), "expires": expires.map(rfc3339),
        }),
        Change::ApiKeyRevoked { id } => json!({ "kind": "api_key_revoked", "id": id }),
        Change::IdentityCreated { id, number, managed } => {
            json!({ "kind": "identity_created", "id": id, "number": number, "managed": managed })
        }
        Change::IdentityDeleted { id } => json!({ "kind": "identity_deleted", "id": id }),
        Change::TokenCreated { identity, id, .. } => {
            json!({ "kind": "token_created", "identity": identity, "id": id })
        }
        Change::TokenRevoked { identity, id } => {
            json!({ "kind": "token_revoked", "identity": identity, "id": id })
        }
        Change::RepositoryCreated { id, number, name, default_branch } => json!({
            "kind": "repository_created", "id": id, "number": number, "name": text(name.as_ref()),
            "default_branch": default_branch,
        }),
        Change::RepositoryDeleted { id } => json!({ "kind": "repository_deleted", "id": id }),
        Change::DefaultBranchSet { id, default_branch } => {
            json!({ "kind": "default_branch_set", "id": id, "default_branch": default_branch })
        }
        Change::VmGranted { identity, vm, id, restricted } => json!({
            "kind": "vm_granted", "identity": identity, "vm": vm, "id": id, "restricted": restricted,
        }),
        Change::VmGrantChanged { identity, vm, restricted } => {
            json!({ "kind": "vm_grant_changed", "identity": identity, "vm": vm, "restricted": restricted })
        }
        Change::VmGrantRevoked { identity, vm } => {
            json!({ "kind": "vm_grant_revoked", "identity": identity, "vm": vm })
        }
        Change::EntityPut { object, properties } => json!({
            "kind": "entity_put", "object": object.to_string(),
            "properties": serde_json::from_str::<Value>(properties).unwrap_or_default(),
        }),
        Change::ApprovalSessionOpened { id, title, parent, by, .. } => json!({
            "kind": "approval_session_opened", "id": id, "title": text(title.as_ref()), "parent": parent,
            "by": by.to_string(),
        }),
        Change::ApprovalSessionClosed { id } => json!({ "kind": "approval_session_closed", "id": id }),
        Change::RequestCreated { asked } => json!({
            "kind": "request_created", "id": asked.id, "number": asked.number, "session": &*asked.session,
            "tool": &*asked.tool, "path": asked.path.as_deref(), "action": text(Some(&asked.action)),
            "description": text(Some(&asked.description)), "params": text(Some(&asked.params)),
            "parent_tool_call": asked.parent_tool_call.as_deref(), "requester": asked.requester.to_string(),
            "expires_at": rfc3339(asked.expires_at),
        }),
        Change::RequestSettled { settlement } => json!({
            "kind": "request_settled", "id": settlement.id, "session": &*settlement.session,
            "outcome": settlement.outcome.status().name(), "by": settlement.by.to_string(),
            "reason": text(settlement.reason.as_ref()), "edited_params": text(settlement.edited_params.as_ref()),
        }),
        Change::RuleCreated { rule } => json!({
            "kind": "rule_created", "id": rule.id, "number": rule.number, "effect": rule.effect.name(),
            "tool": &*rule.tool, "command": rule.command.as_deref(), "path": rule.path.as_deref(),
            "session": match &rule.scope { Scope::Realm => None, Scope::Session(id) => Some(&**id) },
            "expires": rule.expires.map(rfc3339), "by": rule.by.to_string(),
        }),
        Change::TriggerCreated { trigger } => json!({
            "kind": "trigger_created", "id": trigger.id, "number": trigger.number, "repository": trigger.repository,
            "branches": trigger.branches.iter().map(|name| &**name).collect::<Vec<_>>(),
            "globs": trigger.globs.iter().map(|name| &**name).collect::<Vec<_>>(),
            "endpoint": text(Some(&trigger.endpoint)), "by": trigger.by.to_string(),
        }),
        Change::TriggerDeleted { repository, id } => {
            json!({ "kind": "trigger_deleted", "repository": repository, "id": id })
        }
        Change::WebhookCreated { webhook } => json!({
            "kind": "webhook_created", "id": webhook.id, "number": webhook.number, "url": text(Some(&webhook.url)),
            "events": events(webhook.events), "description": text(webhook.description.as_ref()),
            "app": webhook.app.as_deref(), "by": webhook.by.to_string(),
        }),
        Change::WebhookChanged { update } => {
            let mut said = serde_json::Map::new();
            let mut say =
                |name: &str, value: Option<Value>| said.extend(value.map(|value| (name.to_owned(), value)));
            say("kind", Some(json!("webhook_changed")));
            say("id", Some(json!(update.id)));
            // What is not named stays as it was.
            say("url", update.url.as_ref().map(|url| text(Some(url))));
            say("events", update.events.map(|chosen| json!(events(chosen))));
            say("description", update.description.as_ref().map(|description| text(description.as_ref())));
            say("enabled", update.enabled.map(|enabled| json!(enabled)));
            Value::Object(said)
        }
        Change::WebhookDeleted { id } => json!({ "kind": "webhook_deleted", "id": id }),
        Change::WebhookSecretRotated { id, version, until } => json!({
            "kind": "webhook_secret_rotated", "id": id, "version": version, "previous_until": rfc3339(*until),
        }),
        Change::RuleDeleted { id } => json!({ "kind": "rule_deleted", "id": id }),
        Change::AccountLinked { login, issuer, account } => json!({
            "kind": "account_linked", "login": login, "issuer": issuer, "id": AccountId(*account).to_string(),
        }),
        Change::AccountUnlinked { account } => {
            json!({ "kind": "account_unlinked", "id": AccountId(*account).to_string() })
        }
        Change::ContentTypeCreated { number, app_label, model } => json!({
            "kind": "content_type_created", "number": number, "app_label": app_label, "model": model,
        }),
        Change::ContentTypeRenamed { number, app_label, model } => json!({
            "kind": "content_type_renamed", "number": number, "app_label": app_label, "model": model,
        }),
        Change::ContentTypeDeleted { number } => json!({ "kind": "content_type_deleted", "number": number }),
        Change::CataloguePermissionCreated { number, content_type, codename, name } => json!({
            "kind": "catalogue_permission_created", "number": number, "content_type": content_type,
            "codename": codename, "name": text(Some(name)),
        }),
        Change::CataloguePermissionChanged { number, content_type, codename, name } => json!({
            "kind": "catalogue_permission_changed", "number": number, "content_type": content_type,
            "codename": codename, "name": text(Some(name)),
        }),
        Change::CataloguePermissionDeleted { number } => {
            json!({ "kind": "catalogue_permission_deleted", "number": number })
        }
        Change::Apps(change) => apps::as_json(change),
        Change::Ssh(change) => ssh::as_json(change),
        Change::ClientCaMade { version, until, .. } => {
            json!({ "kind": "client_ca_made", "version": version, "until": rfc3339(*until) })
        }
        Change::RoleCreated { uuid, number, key, display_name, description } => json!({
            "kind": "role_created", "key": key, "uuid": uuid, "number": number,
            "display_name": text(display_name.as_ref()), "description": text(description.as_ref()),
        }),
        Change::RoleChanged { key, display_name, description } => json!({
            "kind": "role_changed", "key": key,
            "display_name": text(display_name.as_ref()), "description": text(description.as_ref()),
        }),
        Change::RoleDeleted { key } => json!({ "kind": "role_deleted", "key": key }),
        Change::ModelPut { text } => json!({ "kind": "model_put", "schema": text }),
        Change::EntityDeleted { object } => json!({ "kind": "entity_deleted", "object": object.to_string() }),
    }
}
