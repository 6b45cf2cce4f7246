//! A realm to test with.

mod apps;
mod catalogue_step;
mod sample;
mod step;

pub(crate) use sample::samples;
pub(crate) use step::{Step, attempts_of, histories};

use grantd_realm::caller::{Actor, Authority, Caller};
use grantd_realm::change::{Change, Stamp};
use grantd_realm::command::{self, Command, Context, Decision, SealedWrite};
use grantd_realm::engine::{Circumstances, Key, Object, ObjectRef, Question, Relationship, Subject};
use grantd_realm::entropy::Entropy;
use grantd_realm::managed::SUPER_USERS;
use grantd_realm::realms::CreateRealm;
use grantd_realm::relationship::{RelationshipsWritten, WriteRelationships};
use grantd_realm::role::CreateRole;
use grantd_realm::user::CreateUser;
use grantd_realm::{Micros, Refusal, State, builtin};

/// 2026-01-01T00:00:00Z.
pub(crate) const NEW_YEAR: Micros = 1_767_225_600_000_000;

/// Stands for the ledger's commitment, of which the realm knows nothing.
pub(crate) fn commit(salt: &[u8; 32], value: &[u8]) -> [u8; 32] {
    *blake3::keyed_hash(salt, value).as_bytes()
}

/// What a command comes to, before it is applied.
pub(crate) type Decided<A> = Result<(Vec<Change>, Vec<SealedWrite>, A), Refusal>;

/// A realm, its clock and its history.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: Micros,
    /// What was applied, entry by entry.
    pub(crate) entries: Vec<(Stamp, Vec<Change>)>,
    seeds: u64,
}

impl World {
    /// A realm of which nothing but the schema is there.
    pub(crate) fn before_the_first_entry() -> Self {
        let state = State::empty(builtin::schema().expect("the built-in schema"));
        Self { state, now: NEW_YEAR, entries: Vec::new(), seeds: 0 }
    }

    /// A realm just made.
    pub(crate) fn new() -> Self {
        let mut world = Self::before_the_first_entry();
        world.does(CreateRealm { name: "default".into() });
        world
    }

    /// Decides as `caller`, applies what comes of it, and gives the answer.
    pub(crate) fn tries<C: Command>(&mut self, caller: &Caller, command: C) -> Result<C::Answer, Refusal> {
        let (changes, _, answer) = self.decides(caller, &command)?;
        self.applies(changes);
        Ok(answer)
    }

    /// As [`Self::tries`], as grantd itself, and it must not be refused.
    pub(crate) fn does<C: Command>(&mut self, command: C) -> C::Answer {
        self.tries(&root(), command).unwrap_or_else(|refusal| panic!("refused: {refusal}"))
    }

    /// Decides twice with one seed: both must say the same, and neither may change the state.
    pub(crate) fn decides<C: Command>(&mut self, caller: &Caller, command: &C) -> Decided<C::Answer> {
        self.seeds += 1;
        let seed = *blake3::hash(&self.seeds.to_le_bytes()).as_bytes();
        let before = self.state.hash();
        let once = || {
            let entropy = Entropy::new(&seed);
            let mut cx = Context { caller, now: self.now, entropy, commit };
            command::decide(command, &self.state, &mut cx)
        };
        let (first, second) = (once(), once());
        let told = |decision: &Result<Decision<C::Answer>, Refusal>| {
            decision.as_ref().map(|d| (d.changes.clone(), d.sealed.clone())).map_err(Clone::clone)
        };
        assert_eq!(told(&first), told(&second), "the same seed gives the same decision");
        assert_eq!(self.state.hash(), before, "a decision changes nothing");
        first.map(|d| (d.changes, d.sealed, d.answer))
    }

    /// Applies changes as the next entry; none make no entry.
    pub(crate) fn applies(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let stamp = Stamp { revision: self.entries.len() as u64 + 1, time: self.now };
        for change in &changes {
            self.state.apply(change, stamp).unwrap_or_else(|misfit| panic!("{misfit}"));
        }
        self.entries.push((stamp, changes));
    }

    /// A user without roles.
    pub(crate) fn user(&mut self, login: &str) -> Caller {
        self.does(CreateUser { login: login.into(), ..CreateUser::default() });
        Caller::local(Actor::User(login.into()))
    }

    /// A role without members.
    pub(crate) fn role(&mut self, key: &str) {
        self.does(CreateRole { key: key.into(), ..CreateRole::default() });
    }

    /// A user who holds these authorities.
    pub(crate) fn user_with(&mut self, login: &str, authorities: &[Authority]) -> Caller {
        let caller = self.user(login);
        for authority in authorities {
            self.force(&format!("grantd:default#{}@user:{login}", authority.name()));
        }
        caller
    }

    /// A super user.
    pub(crate) fn super_user(&mut self, login: &str) -> Caller {
        self.does(CreateUser {
            login: login.into(),
            roles: vec![SUPER_USERS.into()],
            ..CreateUser::default()
        });
        Caller::local(Actor::User(login.into()))
    }

    /// Puts a relationship there past every rule, as an older entry could have.
    pub(crate) fn force(&mut self, key: &str) {
        let relationship = Relationship::lasting(key_of(key));
        self.applies(vec![Change::RelationshipWritten { relationship }]);
    }

    /// Whether the engine says yes.
    pub(crate) fn allows(&self, subject: &str, action: &str, resource: &str) -> bool {
        let subject: Subject = subject.parse().expect("a subject");
        let resource: Object = resource.parse().expect("an object");
        let question = Question { subject: subject.as_ref(), action, resource: resource.as_ref() };
        self.state
            .graph()
            .check(&question, &Circumstances::at(self.now))
            .expect("within the limits")
            .is_allowed()
    }

    /// The relationships that name an object as subject or resource.
    pub(crate) fn naming(&self, kind: &str, id: &str) -> Vec<Key> {
        let wanted = ObjectRef { kind, id };
        let mut found = Vec::new();
        self.state.graph().for_each(|relationship| {
            let key = relationship.key;
            if key.resource.as_ref() == wanted || key.subject.object().map(Object::as_ref) == Some(wanted) {
                found.push(key);
            }
        });
        found
    }
}

/// grantd itself.
pub(crate) fn root() -> Caller {
    Caller::system("test")
}

/// A caller of another realm's making, with these authorities.
pub(crate) fn with(authorities: &[Authority]) -> Caller {
    Caller {
        actor: Actor::SystemKey(uuid::Uuid::from_u128(7)),
        conferred: Some(authorities.iter().copied().collect()),
    }
}

/// A key from its text form.
pub(crate) fn key_of(text: &str) -> Key {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A lasting relationship from its text form.
pub(crate) fn lasting(text: &str) -> Relationship {
    Relationship::lasting(key_of(text))
}

/// A write of one relationship.
pub(crate) fn writing(text: &str) -> WriteRelationships {
    WriteRelationships { write: vec![lasting(text)], delete: Vec::new(), require: Vec::new() }
}

/// A deletion of one relationship.
pub(crate) fn deleting(text: &str) -> WriteRelationships {
    WriteRelationships { write: Vec::new(), delete: vec![key_of(text)], require: Vec::new() }
}

/// What a write that changed so much says.
pub(crate) fn came_to(written: u64, deleted: u64) -> RelationshipsWritten {
    RelationshipsWritten { written, deleted }
}

/// The field that a refusal calls invalid.
pub(crate) fn invalid_field<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> &'static str {
    match outcome {
        Err(Refusal::Invalid { field, .. }) => field,
        other => panic!("not refused as invalid: {other:?}"),
    }
}
