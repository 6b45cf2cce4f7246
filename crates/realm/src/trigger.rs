//! Triggers: who is told when a branch of a repository is pushed to.
//!
//! The record says where to and of what. What a push has changed is known only where the repository's files are: from there it is handed in
//! as [`TellPush`], which puts it into the queue that webhooks are sent from.

use std::sync::Arc;

use imbl::OrdMap;
use uuid::Uuid;

use crate::caller::{Actor, Authority};
use crate::change::{Change, Stamp, shared};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Command, Context, Decision};
use crate::personal::Personal;
use crate::refusal::{Noun, Refusal};
use crate::repository::Repository;
use crate::webhook::{Delivery, Event, MAX_URL, PushEvent, require_sender};
use crate::{Micros, State};

/// How many triggers a repository can have.
pub const MAX_TRIGGERS: usize = 20;

/// How many branches, and how many patterns of files, one can name.
pub const MAX_NAMED: usize = 50;

/// The most bytes of each.
pub const MAX_NAME: usize = 200;

/// A trigger as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerForm {
    /// Its id.
    pub id: Uuid,
    /// Counts up in the order of their making.
    pub number: u64,
    /// Of which repository.
    pub repository: Uuid,
    /// Pushes to these branches; empty: to any.
    pub branches: Vec<Arc<str>>,
    /// Pushes that change a file of which one of these is the pattern; empty: any.
    pub globs: Vec<Arc<str>>,
    /// Where to.
    pub endpoint: Personal,
    /// Who made it.
    pub by: Actor,
}

impl TriggerForm {
    pub(crate) fn write(&self, w: &mut Writer, personal: impl Fn(&mut Writer, &Personal)) {
        w.uuid(self.id);
        w.u64(self.number);
        w.uuid(self.repository);
        w.texts(&self.branches);
        w.texts(&self.globs);
        personal(w, &self.endpoint);
        self.by.write(w);
    }

    pub(crate) fn read<'a>(
        r: &mut Reader<'a>,
        personal: impl Fn(&mut Reader<'a>) -> Result<Personal, CodecError>,
    ) -> Result<Self, CodecError> {
        Ok(Self {
            id: r.uuid()?,
            number: r.u64()?,
            repository: r.uuid()?,
            branches: r.texts()?,
            globs: r.texts()?,
            endpoint: personal(r)?,
            by: Actor::read(r)?,
        })
    }
}

/// A trigger.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// What it says.
    pub form: TriggerForm,
    /// When it was made.
    pub created_at: Micros,
}

/// The triggers of a realm, by repository and in the order of their making.
#[derive(Clone, Default)]
pub struct Triggers {
    by_place: OrdMap<(Uuid, u64), Arc<Trigger>>,
    pub(crate) next_number: u64,
}

impl Triggers {
    /// All.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Trigger>> {
        self.by_place.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_place.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_place.is_empty()
    }

    /// Those of a repository, in the order of their making.
    pub fn of(&self, repository: Uuid) -> impl Iterator<Item = &Arc<Trigger>> {
        self.by_place.range((repository, 0)..=(repository, u64::MAX)).map(|(_, trigger)| trigger)
    }

    /// One of a repository's.
    pub fn get(&self, repository: Uuid, id: Uuid) -> Option<&Arc<Trigger>> {
        self.of(repository).find(|trigger| trigger.form.id == id)
    }

    pub(crate) fn create(&mut self, form: &TriggerForm, stamp: Stamp) -> Result<(), String> {
        let form = TriggerForm { endpoint: form.endpoint.stored(), ..form.clone() };
        self.insert(Trigger { form, created_at: stamp.time })
    }

    pub(crate) fn insert(&mut self, trigger: Trigger) -> Result<(), String> {
        let (place, id) = ((trigger.form.repository, trigger.form.number), trigger.form.id);
        self.next_number = self.next_number.max(trigger.form.number.saturating_add(1));
        if self.by_place.insert(place, Arc::new(trigger)).is_some() {
            return Err(format!("the number of trigger {id} exists already"));
        }
        Ok(())
    }

    pub(crate) fn delete(&mut self, repository: Uuid, id: Uuid) -> Result<(), String> {
        let number = self.get(repository, id).map(|trigger| trigger.form.number);
        let number = number.ok_or_else(|| format!("there is no trigger {id}"))?;
        self.by_place.remove(&(repository, number));
        Ok(())
    }

    /// With their repository they go as well.
    pub(crate) fn forget(&mut self, repository: Uuid) {
        let numbers: Vec<u64> = self.of(repository).map(|trigger| trigger.form.number).collect();
        for number in numbers {
            self.by_place.remove(&(repository, number));
        }
    }

    pub(crate) fn erase(&mut self, repository: Uuid) {
        let of_it: Vec<_> = self.of(repository).cloned().collect();
        for trigger in of_it {
            let form = TriggerForm { endpoint: trigger.form.endpoint.erased(), ..trigger.form.clone() };
            let erased = Trigger { form, created_at: trigger.created_at };
            self.by_place.insert((repository, trigger.form.number), Arc::new(erased));
        }
    }
}

fn find(state: &State, repository: Uuid, id: Uuid) -> Result<&Arc<Trigger>, Refusal> {
    let repository = Repository::find(state, repository)?.id;
    state.triggers().get(repository, id).ok_or_else(|| Refusal::not_found(Noun::Trigger, id))
}

/// `None`: any.
fn check_names(field: &'static str, names: Option<&[String]>) -> Result<Vec<Arc<str>>, Refusal> {
    let Some(names) = names else { return Ok(Vec::new()) };
    let fits = |name: &String| {
        (1..=MAX_NAME).contains(&name.len()) && !name.chars().any(char::is_control) && !name.starts_with(':')
    };
    if !(1..=MAX_NAMED).contains(&names.len()) || !names.iter().all(fits) {
        return Err(Refusal::invalid(
            field,
            format!(
                "must be 1 to {MAX_NAMED} of 1 to {MAX_NAME} bytes each without control characters; leave it out for any"
            ),
        ));
    }
    Ok(names.iter().map(|name| shared(name)).collect())
}

/// Makes a trigger. Whether its address may be reached at all is for who sends to say.
#[derive(Debug, Clone)]
pub struct CreateTrigger {
    /// Of which repository.
    pub repository: Uuid,
    /// Pushes to these branches; `None`: to any.
    pub branches: Option<Vec<String>>,
    /// Pushes that change a file of which one of these is the pattern; `None`: any.
    pub globs: Option<Vec<String>>,
    /// Where to.
    pub endpoint: String,
}

impl Command for CreateTrigger {
    /// Its id.
    type Answer = Uuid;
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Uuid>, Refusal> {
        let repository = Repository::find(state, self.repository)?.id;
        let branches = check_names("branches", self.branches.as_deref())?;
        let globs = check_names("globs", self.globs.as_deref())?;
        if !(1..=MAX_URL).contains(&self.endpoint.len()) || self.endpoint.chars().any(char::is_control) {
            let problem = format!("must be 1 to {MAX_URL} bytes without control characters");
            return Err(Refusal::invalid("endpoint", problem));
        }
        if state.triggers().of(repository).count() >= MAX_TRIGGERS {
            return Err(Refusal::TooMany { what: "triggers", most: MAX_TRIGGERS as u64 });
        }
        let id = cx.entropy.uuid();
        let trigger = Box::new(TriggerForm {
            id,
            number: state.triggers().next_number,
            repository,
            branches,
            globs,
            endpoint: cx.personal(&self.endpoint),
            by: cx.caller.actor.recorded(),
        });
        Ok(Decision::one(Change::TriggerCreated { trigger }, id))
    }
}

/// Deletes a trigger; what waits for it is never sent.
#[derive(Debug, Clone)]
pub struct DeleteTrigger {
    /// Of which repository.
    pub repository: Uuid,
    /// Which.
    pub id: Uuid,
}

impl Command for DeleteTrigger {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let form = &find(state, self.repository, self.id)?.form;
        Ok(Decision::one(Change::TriggerDeleted { repository: form.repository, id: form.id }, ()))
    }
}

/// A branch that a push has moved, and who is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The trigger.
    pub trigger: Uuid,
    /// The branch.
    pub branch: String,
    /// The commit that it names now.
    pub commit: String,
}

/// Puts into the queue what a push is to be told of. Only grantd itself hands it in, and it is no entry of the ledger.
#[derive(Debug, Clone)]
pub struct TellPush {
    /// Of which repository.
    pub repository: Uuid,
    /// Whom of what.
    pub told: Vec<Told>,
}

impl Command for TellPush {
    /// How many messages there are to be sent.
    type Answer = u64;
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_sender(state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<u64>, Refusal> {
        let mut rows = Vec::new();
        for Told { trigger, branch, commit } in &self.told {
            // One that was deleted meanwhile is told nothing.
            let Some(trigger) = state.triggers().get(self.repository, *trigger) else { continue };
            let push =
                PushEvent { repository: self.repository, branch: shared(branch), commit: shared(commit) };
            let (id, event) = (cx.entropy.uuid(), Event::push(push, cx.now));
            rows.push(Delivery::new(trigger.form.id, id, event).put(cx.now));
        }
        let count = rows.len() as u64;
        Ok(Decision { rows, ..Decision::unchanged(count) })
    }
}
