//! Scopes, organizations, apps and authorizations as bytes.

use std::sync::Arc;

use crate::State;
use crate::app::App;
use crate::authorization::{Authorization, Place};
use crate::caller::Actor;
use crate::change::{
    read_consent, read_policy, read_scope, read_settings, read_token, shared, unknown, write_consent,
    write_policy, write_scope, write_settings, write_token,
};
use crate::codec::{CodecError, Reader, Writer};
use crate::organization::{Approval, Organization};
use crate::token::Bearer;

use super::write_list;

impl State {
    /// Whether there ever was anything of it.
    pub(super) fn has_apps(&self) -> bool {
        !self.scopes.own.is_empty() || self.organizations.next_number > 0 || self.apps.next_number > 0
    }

    pub(super) fn write_apps(&self, w: &mut Writer) {
        let own = &self.scopes.own;
        write_list(w, own.len(), own.iter(), |w, (id, scope)| {
            w.text(id);
            w.option(scope.as_deref(), write_scope);
        });
        w.u64(self.organizations.next_number);
        let organizations = &self.organizations;
        write_list(w, organizations.len(), organizations.iter_after(0), |w, one| write_organization(w, one));
        w.u64(self.apps.next_number);
        write_list(w, self.apps.len(), self.apps.iter_after(0), |w, app| write_app(w, app));
        let authorizations = &self.authorizations;
        write_list(w, authorizations.count(), authorizations.iter_after(None), |w, one| {
            write_authorization(w, one);
        });
    }

    pub(super) fn read_apps(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        for _ in 0..r.u64()? {
            let id = shared(r.text()?);
            match r.option(read_scope)? {
                Some(scope) => self.scopes.define(&scope),
                None => self.scopes.bury(&id),
            }
        }
        let next_number = r.u64()?;
        for _ in 0..r.u64()? {
            let organization = read_organization(r)?;
            for token in organization.tokens.values() {
                let bearer = Bearer::Organization { organization: organization.number, token: token.id };
                self.bearers.add(token.hash, bearer);
            }
            self.organizations.insert(organization).map_err(unknown("an organization"))?;
        }
        self.organizations.next_number = next_number;
        let next_number = r.u64()?;
        for _ in 0..r.u64()? {
            self.apps.insert(read_app(r)?).map_err(unknown("an app"))?;
        }
        self.apps.next_number = next_number;
        for _ in 0..r.u64()? {
            let authorization = self.read_authorization(r)?;
            self.authorizations.put(authorization).map_err(unknown("an authorization"))?;
        }
        Ok(())
    }

    fn read_authorization(&self, r: &mut Reader<'_>) -> Result<Authorization, CodecError> {
        let id = r.uuid()?;
        let (app, organization) = (r.text()?, r.text()?);
        // The records' own texts are shared: there may be a million of these.
        let app = self.apps.get(app).ok_or_else(|| unknown("an app")(app))?;
        let organization = self.organizations.get(organization);
        let organization = organization.ok_or_else(|| unknown("an organization")("of no record"))?;
        Ok(Authorization {
            id,
            app: app.client_id.clone(),
            organization: organization.id.clone(),
            generation: r.u32()?,
            created_at: r.i64()?,
            changed_at: r.i64()?,
            expires: r.option(Reader::i64)?,
            consent: r.option(|r| read_consent(r, Reader::personal))?,
            place: Place { app: app.number, organization: organization.number },
        })
    }
}

fn write_authorization(w: &mut Writer, authorization: &Authorization) {
    w.uuid(authorization.id);
    w.text(&authorization.app);
    w.text(&authorization.organization);
    w.u32(authorization.generation);
    w.i64(authorization.created_at);
    w.i64(authorization.changed_at);
    w.option(authorization.expires, Writer::i64);
    w.option(authorization.consent.as_ref(), |w, consent| write_consent(w, consent, Writer::personal));
}

fn write_organization(w: &mut Writer, organization: &Organization) {
    w.text(&organization.id);
    w.u64(organization.number);
    w.personal(&organization.name);
    w.i64(organization.created_at);
    write_policy(w, organization.policy);
    let approvals = &organization.approvals;
    write_list(w, approvals.len(), approvals.iter(), |w, (app, approval)| {
        w.text(app);
        w.texts(&approval.scopes);
        approval.by.write(w);
        w.i64(approval.at);
    });
    let tokens = &organization.tokens;
    write_list(w, tokens.len(), tokens.values(), |w, token| write_token(w, token, Writer::personal));
}

fn read_organization(r: &mut Reader<'_>) -> Result<Organization, CodecError> {
    let mut organization = Organization {
        id: shared(r.text()?),
        number: r.u64()?,
        name: r.personal()?,
        created_at: r.i64()?,
        policy: read_policy(r)?,
        approvals: imbl::OrdMap::new(),
        tokens: imbl::OrdMap::new(),
    };
    for _ in 0..r.u64()? {
        let app: Arc<str> = shared(r.text()?);
        let approval = Approval { scopes: r.texts()?, by: Actor::read(r)?, at: r.i64()? };
        organization.approvals.insert(app, approval);
    }
    for _ in 0..r.u64()? {
        let token = read_token(r, Reader::personal)?;
        organization.tokens.insert(token.id, token);
    }
    Ok(organization)
}

fn write_app(w: &mut Writer, app: &App) {
    w.text(&app.client_id);
    w.u64(app.number);
    w.personal(&app.name);
    write_settings(w, &app.settings);
    w.i64(app.created_at);
    w.option(app.secret.as_ref(), |w, secret| w.fixed(secret));
}

fn read_app(r: &mut Reader<'_>) -> Result<App, CodecError> {
    Ok(App {
        client_id: shared(r.text()?),
        number: r.u64()?,
        name: r.personal()?,
        settings: read_settings(r)?,
        created_at: r.i64()?,
        secret: r.option(Reader::array)?,
    })
}
