//! Who is told of pushes to a repository.

use axum::Json;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::repository::Repository;
use grantd_node::realm::trigger::{CreateTrigger, DeleteTrigger, Trigger};

use super::errors::Error;
use super::wire::{self, Empty, TriggerAction, TriggerCreated, TriggerEvent, TriggerFilter, Triggers, time};
use super::{Call, READERS, id, read};
use crate::face::CallError;

/// This part of the dialect has its own words for some errors.
fn said_here(error: impl Into<Error>) -> Error {
    error.into().in_repository_api()
}

pub(super) async fn create_trigger(call: Call) -> Result<Json<TriggerCreated>, Error> {
    let repository = id(&call, "repo").map_err(said_here)?;
    let wire::CreateTrigger { trigger, action } = read(&call).map_err(said_here)?;
    let TriggerAction::Webhook { endpoint } = action;
    // Who sends has to say whether an address may be reached.
    if let Err(bad) = call.app.webhooks.targets().check(&endpoint) {
        return Err(said_here(Error::invalid(format!("`endpoint` {bad}"))));
    }
    let TriggerFilter { event: TriggerEvent::Push, branches, globs } = trigger;
    let command = CreateTrigger { repository, branches, globs, endpoint };
    let trigger_id = call.submit(command).await.map_err(said_here)?.answer;
    Ok(Json(TriggerCreated { trigger_id }))
}

pub(super) async fn list_triggers(call: Call) -> Result<Json<Triggers>, Error> {
    let published = call.published_for(&READERS).map_err(said_here)?;
    let repository = id(&call, "repo").map_err(said_here)?;
    let repository = Repository::find(&published.state, repository).map_err(said_here)?.id;
    let triggers = published.state.triggers().of(repository).map(|trigger| shown(trigger)).collect();
    Ok(Json(Triggers { triggers }))
}

fn shown(trigger: &Trigger) -> wire::Trigger {
    let Trigger { form, created_at } = trigger;
    let names = |names: &[std::sync::Arc<str>]| {
        (!names.is_empty()).then(|| names.iter().map(|name| name.as_ref().to_owned()).collect())
    };
    wire::Trigger {
        id: form.id,
        repository_id: form.repository,
        trigger: TriggerFilter {
            event: TriggerEvent::Push,
            branches: names(&form.branches),
            globs: names(&form.globs),
        },
        // Empty once it was erased.
        action: TriggerAction::Webhook {
            endpoint: Personal::text(&form.endpoint).unwrap_or_default().to_owned(),
        },
        managed: false,
        created_at: time(*created_at),
    }
}

pub(super) async fn delete_trigger(call: Call) -> Result<Json<Empty>, Error> {
    let repository = id(&call, "repo").map_err(said_here)?;
    let id = id(&call, "trigger").map_err(said_here)?;
    call.submit(DeleteTrigger { repository, id }).await.map_err(|error: CallError| said_here(error))?;
    Ok(Json(Empty {}))
}
