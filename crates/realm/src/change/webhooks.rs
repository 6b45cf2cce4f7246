//! Webhooks as bytes.

use super::shared;
use crate::caller::Actor;
use crate::codec::{CodecError, Reader, Writer};
use crate::webhook::{EventSet, WebhookForm, WebhookUpdate};

pub(super) fn write_webhook(w: &mut Writer, webhook: &WebhookForm) {
    w.uuid(webhook.id);
    w.u64(webhook.number);
    w.slot(&webhook.url);
    webhook.events.write(w);
    w.option(webhook.description.as_ref(), Writer::slot);
    w.option(webhook.app.as_deref(), Writer::text);
    webhook.by.write(w);
}

pub(super) fn read_webhook(r: &mut Reader<'_>) -> Result<WebhookForm, CodecError> {
    Ok(WebhookForm {
        id: r.uuid()?,
        number: r.u64()?,
        url: r.slot()?,
        events: EventSet::read(r)?,
        description: r.option(Reader::slot)?,
        app: r.option(|r| r.text().map(shared))?,
        by: Actor::read(r)?,
    })
}

pub(super) fn write_webhook_update(w: &mut Writer, update: &WebhookUpdate) {
    w.uuid(update.id);
    w.option(update.url.as_ref(), Writer::slot);
    w.option(update.events, |w, events| events.write(w));
    w.option(update.description.as_ref(), |w, text| w.option(text.as_ref(), Writer::slot));
    w.option(update.enabled, Writer::bool);
}

pub(super) fn read_webhook_update(r: &mut Reader<'_>) -> Result<WebhookUpdate, CodecError> {
    Ok(WebhookUpdate {
        id: r.uuid()?,
        url: r.option(Reader::slot)?,
        events: r.option(EventSet::read)?,
        description: r.option(|r| r.option(Reader::slot))?,
        enabled: r.option(Reader::bool)?,
    })
}
