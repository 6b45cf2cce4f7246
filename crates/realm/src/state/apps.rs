//! What changes about scopes, organizations, apps and authorizations do to a state.

use grantd_engine::ObjectRef;

use super::State;
use crate::app::APP_TYPE;
use crate::authorization::{Authorization, Place, SCOPE_TYPE, scope_path};
use crate::change::{AppChange, Stamp, shared};
use crate::organization::{Approval, ORGANIZATION_TYPE};
use crate::token::Bearer;

impl State {
    pub(super) fn fold_apps(&mut self, change: &AppChange, stamp: Stamp) -> Result<(), String> {
        match change {
            AppChange::ScopeDefined { scope } => self.scopes.define(scope),
            AppChange::ScopeDeleted { id } => self.scopes.delete(id)?,
            AppChange::OrganizationCreated { id, number, name } => {
                self.organizations.create(id, *number, name, stamp)?;
            }
            AppChange::OrganizationRenamed { id, name } => {
                self.organizations.get_mut(id)?.name = name.stored();
            }
            AppChange::OrganizationDeleted { id } => self.delete_organization(id)?,
            AppChange::PolicySet { organization, policy } => {
                self.organizations.get_mut(organization)?.policy = *policy;
            }
            AppChange::AppApproved { organization, app, scopes, by } => {
                let approval = Approval { scopes: scopes.clone(), by: by.clone(), at: stamp.time };
                self.organizations.get_mut(organization)?.approvals.insert(shared(app), approval);
            }
            AppChange::ApprovalWithdrawn { organization, app } => {
                let gone = self.organizations.get_mut(organization)?.approvals.remove(&**app);
                gone.ok_or_else(|| format!("there is no approval of `{app}`"))?;
            }
            AppChange::OrganizationTokenIssued { organization, token } => {
                let of = self.organizations.get_mut(organization)?;
                let mut stored = token.clone();
                stored.name = token.name.stored();
                of.tokens.insert(token.id, stored);
                self.bearers
                    .add(token.hash, Bearer::Organization { organization: of.number, token: token.id });
            }
            AppChange::OrganizationTokenRevoked { organization, id } => {
                let gone = self.organizations.get_mut(organization)?.tokens.remove(id);
                self.bearers.remove(&gone.ok_or_else(|| format!("there is no token {id}"))?.hash);
            }
            AppChange::AppCreated { client_id, number, name, settings, secret } => {
                self.apps.create(client_id, *number, name, settings, *secret, stamp)?;
            }
            AppChange::AppChanged { client_id, name, settings } => {
                self.apps.change(client_id, name.as_ref(), settings)?;
            }
            AppChange::AppSecretSet { client_id, secret } => self.apps.set_secret(client_id, *secret)?,
            AppChange::AppDeleted { client_id } => {
                let app = self.apps.delete(client_id)?;
                self.authorizations.forget_app(app.number);
                self.forget(ObjectRef { kind: APP_TYPE, id: client_id });
            }
            AppChange::Authorized { id, app, organization, generation, expires, consent } => {
                let unknown = |what: &str| format!("there is no `{what}`");
                let app = self.apps.get(app).ok_or_else(|| unknown(app))?;
                let organization =
                    self.organizations.get(organization).ok_or_else(|| unknown(organization))?;
                let place = Place { app: app.number, organization: organization.number };
                let before = self.authorizations.get(*id);
                let mut consent = consent.clone();
                if let Some(consent) = &mut consent {
                    consent.address = consent.address.stored();
                }
                self.authorizations.put(Authorization {
                    id: *id,
                    app: app.client_id.clone(),
                    organization: organization.id.clone(),
                    generation: *generation,
                    created_at: before.map_or(stamp.time, |before| before.created_at),
                    changed_at: stamp.time,
                    expires: *expires,
                    consent,
                    place,
                })?;
            }
            AppChange::AuthorizationEnded { id } => self.authorizations.end(*id)?,
        }
        Ok(())
    }

    /// What was granted there stands on one object for each scope.
    fn delete_organization(&mut self, id: &str) -> Result<(), String> {
        let organization = self.organizations.delete(id)?;
        for token in organization.tokens.values() {
            self.bearers.remove(&token.hash);
        }
        self.authorizations.forget_organization(organization.number);
        let paths: Vec<String> = self.scopes.every_id().map(|scope| scope_path(id, scope)).collect();
        for path in &paths {
            self.forget(ObjectRef { kind: SCOPE_TYPE, id: path });
        }
        self.forget(ObjectRef { kind: ORGANIZATION_TYPE, id });
        Ok(())
    }

    pub(crate) fn erase_app_fields(&mut self, object: ObjectRef<'_>) {
        match object.kind {
            APP_TYPE => self.apps.erase_name(object.id),
            ORGANIZATION_TYPE => self.organizations.erase_names(object.id),
            "user" => self.authorizations.erase_addresses(object.id),
            _ => {}
        }
    }
}
