//! The kinds of change about scopes, organizations, apps and authorizations: 140 to 155.

use std::sync::Arc;

use uuid::Uuid;

use super::shared;
use crate::Micros;
use crate::app::{APP_TYPE, AppSettings};
use crate::authorization::{Authorization, Consent};
use crate::caller::Actor;
use crate::codec::{CodecError, Reader, Writer};
use crate::erasure::Owned;
use crate::organization::{ORGANIZATION_TYPE, OrganizationToken, Policy};
use crate::personal::Personal;
use crate::scope::{Scope, ScopeText};

/// One change. The doc of each kind gives its number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields carry the names of the records that they make")]
pub enum AppChange {
    /// 140: new, or read differently from now on.
    ScopeDefined { scope: Scope },
    /// 141
    ScopeDeleted { id: String },
    /// 142: who belongs to it is in relationships.
    OrganizationCreated { id: String, number: u64, name: Personal },
    /// 143
    OrganizationRenamed { id: String, name: Personal },
    /// 144: with its tokens and everything that it let apps do.
    OrganizationDeleted { id: String },
    /// 145
    PolicySet { organization: String, policy: Policy },
    /// 146: these scopes and no others, in place of those before.
    AppApproved { organization: String, app: String, scopes: Vec<Arc<str>>, by: Actor },
    /// 147
    ApprovalWithdrawn { organization: String, app: String },
    /// 148
    OrganizationTokenIssued { organization: String, token: OrganizationToken },
    /// 149
    OrganizationTokenRevoked { organization: String, id: Uuid },
    /// 150
    AppCreated {
        client_id: String,
        number: u64,
        name: Personal,
        settings: AppSettings,
        secret: Option<[u8; 32]>,
    },
    /// 151
    AppChanged { client_id: String, name: Option<Personal>, settings: AppSettings },
    /// 152: the one before counts no more.
    AppSecretSet { client_id: String, secret: [u8; 32] },
    /// 153: with everything that any organization let it do.
    AppDeleted { client_id: String },
    /// 154: which scopes, is in relationships. What was issued under another generation counts no more.
    Authorized {
        id: Uuid,
        app: String,
        organization: String,
        generation: u32,
        expires: Option<Micros>,
        consent: Option<Consent>,
    },
    /// 155: with everything that was issued under it.
    AuthorizationEnded { id: Uuid },
}

impl AppChange {
    pub(crate) fn authorized(record: &Authorization) -> Self {
        Self::Authorized {
            id: record.id,
            app: record.app.to_string(),
            organization: record.organization.to_string(),
            generation: record.generation,
            expires: record.expires,
            consent: record.consent.clone(),
        }
    }

    pub(super) fn kind(&self) -> u16 {
        match self {
            Self::ScopeDefined { .. } => 140,
            Self::ScopeDeleted { .. } => 141,
            Self::OrganizationCreated { .. } => 142,
            Self::OrganizationRenamed { .. } => 143,
            Self::OrganizationDeleted { .. } => 144,
            Self::PolicySet { .. } => 145,
            Self::AppApproved { .. } => 146,
            Self::ApprovalWithdrawn { .. } => 147,
            Self::OrganizationTokenIssued { .. } => 148,
            Self::OrganizationTokenRevoked { .. } => 149,
            Self::AppCreated { .. } => 150,
            Self::AppChanged { .. } => 151,
            Self::AppSecretSet { .. } => 152,
            Self::AppDeleted { .. } => 153,
            Self::Authorized { .. } => 154,
            Self::AuthorizationEnded { .. } => 155,
        }
    }

    pub(super) fn write(&self, w: &mut Writer) {
        match self {
            Self::ScopeDefined { scope } => write_scope(w, scope),
            Self::ScopeDeleted { id }
            | Self::OrganizationDeleted { id }
            | Self::AppDeleted { client_id: id } => w.text(id),
            Self::OrganizationCreated { id, number, name } => {
                w.text(id);
                w.u64(*number);
                w.slot(name);
            }
            Self::OrganizationRenamed { id, name } => {
                w.text(id);
                w.slot(name);
            }
            Self::PolicySet { organization, policy } => {
                w.text(organization);
                write_policy(w, *policy);
            }
            Self::AppApproved { organization, app, scopes, by } => {
                w.text(organization);
                w.text(app);
                w.texts(scopes);
                by.write(w);
            }
            Self::ApprovalWithdrawn { organization, app } => {
                w.text(organization);
                w.text(app);
            }
            Self::OrganizationTokenIssued { organization, token } => {
                w.text(organization);
                write_token(w, token, Writer::slot);
            }
            Self::OrganizationTokenRevoked { organization, id } => {
                w.text(organization);
                w.uuid(*id);
            }
            Self::AppCreated { client_id, number, name, settings, secret } => {
                w.text(client_id);
                w.u64(*number);
                w.slot(name);
                write_settings(w, settings);
                w.option(secret.as_ref(), |w, secret| w.fixed(secret));
            }
            Self::AppChanged { client_id, name, settings } => {
                w.text(client_id);
                w.option(name.as_ref(), Writer::slot);
                write_settings(w, settings);
            }
            Self::AppSecretSet { client_id, secret } => {
                w.text(client_id);
                w.fixed(secret);
            }
            Self::Authorized { id, app, organization, generation, expires, consent } => {
                w.uuid(*id);
                w.text(app);
                w.text(organization);
                w.u32(*generation);
                w.option(*expires, Writer::i64);
                w.option(consent.as_ref(), |w, consent| write_consent(w, consent, Writer::slot));
            }
            Self::AuthorizationEnded { id } => w.uuid(*id),
        }
    }

    /// `None`: no kind of these.
    pub(super) fn decode(kind: u16, r: &mut Reader<'_>) -> Option<Result<Self, CodecError>> {
        (140..=155).contains(&kind).then(|| Self::read(kind, r))
    }

    fn read(kind: u16, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(match kind {
            140 => Self::ScopeDefined { scope: read_scope(r)? },
            141 => Self::ScopeDeleted { id: r.text()?.into() },
            142 => Self::OrganizationCreated { id: r.text()?.into(), number: r.u64()?, name: r.slot()? },
            143 => Self::OrganizationRenamed { id: r.text()?.into(), name: r.slot()? },
            144 => Self::OrganizationDeleted { id: r.text()?.into() },
            145 => Self::PolicySet { organization: r.text()?.into(), policy: read_policy(r)? },
            146 => Self::AppApproved {
                organization: r.text()?.into(),
                app: r.text()?.into(),
                scopes: r.texts()?,
                by: Actor::read(r)?,
            },
            147 => Self::ApprovalWithdrawn { organization: r.text()?.into(), app: r.text()?.into() },
            148 => Self::OrganizationTokenIssued {
                organization: r.text()?.into(),
                token: read_token(r, Reader::slot)?,
            },
            149 => Self::OrganizationTokenRevoked { organization: r.text()?.into(), id: r.uuid()? },
            150 => Self::AppCreated {
                client_id: r.text()?.into(),
                number: r.u64()?,
                name: r.slot()?,
                settings: read_settings(r)?,
                secret: r.option(Reader::array)?,
            },
            151 => Self::AppChanged {
                client_id: r.text()?.into(),
                name: r.option(Reader::slot)?,
                settings: read_settings(r)?,
            },
            152 => Self::AppSecretSet { client_id: r.text()?.into(), secret: r.array()? },
            153 => Self::AppDeleted { client_id: r.text()?.into() },
            154 => Self::Authorized {
                id: r.uuid()?,
                app: r.text()?.into(),
                organization: r.text()?.into(),
                generation: r.u32()?,
                expires: r.option(Reader::i64)?,
                consent: r.option(|r| read_consent(r, Reader::slot))?,
            },
            _ => Self::AuthorizationEnded { id: r.uuid()? },
        })
    }

    /// Its personal field, if it has one, with whose it is: `app:<client id>`, `mollie_organization:<id>`, `user:<login>`.
    pub(crate) fn personal_field(&self) -> Option<Owned<'_>> {
        let (kind, id, field) = match self {
            Self::OrganizationCreated { id, name, .. } | Self::OrganizationRenamed { id, name } => {
                (ORGANIZATION_TYPE, &**id, name)
            }
            Self::OrganizationTokenIssued { organization, token } => {
                (ORGANIZATION_TYPE, &**organization, &token.name)
            }
            Self::AppCreated { client_id, name, .. }
            | Self::AppChanged { client_id, name: Some(name), .. } => (APP_TYPE, &**client_id, name),
            Self::Authorized { consent: Some(consent), .. } => ("user", &*consent.user, &consent.address),
            _ => return None,
        };
        Some(Owned { kind, id: id.into(), field })
    }
}

pub(crate) fn write_scope(w: &mut Writer, scope: &Scope) {
    w.text(&scope.id);
    w.u32(u32::try_from(scope.texts.len()).unwrap_or(u32::MAX));
    for text in &scope.texts {
        w.text(&text.language);
        w.text(&text.description);
        w.option(text.warning.as_deref(), Writer::text);
    }
    w.bool(scope.in_v1);
    w.bool(scope.in_v2);
    w.bool(scope.deprecated);
}

pub(crate) fn read_scope(r: &mut Reader<'_>) -> Result<Scope, CodecError> {
    let id = shared(r.text()?);
    let read_text = |r: &mut Reader<'_>| {
        Ok(ScopeText {
            language: shared(r.text()?),
            description: shared(r.text()?),
            warning: r.option(|r| r.text().map(shared))?,
        })
    };
    let texts = (0..r.u32()?).map(|_| read_text(r)).collect::<Result<_, CodecError>>()?;
    Ok(Scope { id, texts, in_v1: r.bool()?, in_v2: r.bool()?, deprecated: r.bool()? })
}

pub(crate) fn write_policy(w: &mut Writer, policy: Policy) {
    w.option(policy.longest_life, Writer::i64);
    w.bool(policy.approval);
}

pub(crate) fn read_policy(r: &mut Reader<'_>) -> Result<Policy, CodecError> {
    Ok(Policy { longest_life: r.option(Reader::i64)?, approval: r.bool()? })
}

pub(crate) fn write_settings(w: &mut Writer, settings: &AppSettings) {
    w.texts(&settings.redirect_uris);
    w.bool(settings.public);
    w.texts(&settings.optional_scopes);
    w.bool(settings.pkce_required);
    w.option(settings.website.as_deref(), Writer::text);
}

pub(crate) fn read_settings(r: &mut Reader<'_>) -> Result<AppSettings, CodecError> {
    Ok(AppSettings {
        redirect_uris: r.texts()?,
        public: r.bool()?,
        optional_scopes: r.texts()?,
        pkce_required: r.bool()?,
        website: r.option(|r| r.text().map(Into::into))?,
    })
}

/// How a personal field is written: a change's by slot, a state's by commitment.
type WritePersonal = fn(&mut Writer, &Personal);

/// How it is read.
type ReadPersonal<'a> = fn(&mut Reader<'a>) -> Result<Personal, CodecError>;

pub(crate) fn write_token(w: &mut Writer, token: &OrganizationToken, personal: WritePersonal) {
    w.uuid(token.id);
    personal(w, &token.name);
    w.texts(&token.scopes);
    token.by.write(w);
    w.i64(token.created_at);
    w.fixed(&token.hash);
}

pub(crate) fn read_token<'a>(
    r: &mut Reader<'a>,
    personal: ReadPersonal<'a>,
) -> Result<OrganizationToken, CodecError> {
    Ok(OrganizationToken {
        id: r.uuid()?,
        name: personal(r)?,
        scopes: r.texts()?,
        by: Actor::read(r)?,
        created_at: r.i64()?,
        hash: r.array()?,
    })
}

pub(crate) fn write_consent(w: &mut Writer, consent: &Consent, personal: WritePersonal) {
    w.text(&consent.user);
    w.u32(consent.text_version);
    w.text(&consent.locale);
    personal(w, &consent.address);
    w.i64(consent.at);
}

pub(crate) fn read_consent<'a>(
    r: &mut Reader<'a>,
    personal: ReadPersonal<'a>,
) -> Result<Consent, CodecError> {
    Ok(Consent {
        user: shared(r.text()?),
        text_version: r.u32()?,
        locale: shared(r.text()?),
        address: personal(r)?,
        at: r.i64()?,
    })
}
