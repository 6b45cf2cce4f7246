//! Who calls, and what they may do to grantd itself.

use std::borrow::Cow;
use std::fmt;

use grantd_engine::{Circumstances, Decision, ObjectRef, Question, SubjectRef};
use uuid::Uuid;

use crate::codec::{CodecError, Reader, Writer};
use crate::{Micros, State};

/// Who did it, as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A person of this realm, by login.
    User(String),
    /// An API key of this realm.
    ApiKey(Uuid),
    /// An API key of the realm `system`, acting on this one.
    SystemKey(Uuid),
    /// A machine identity of this realm.
    Identity(Uuid),
    /// grantd itself or its operator at the command line: `bootstrap`, `cli`.
    System(&'static str),
    /// An app, by client id. It holds nothing on grantd.
    App(String),
}

/// The names that grantd itself goes by in records. New ones come at the end.
const SYSTEM: [&str; 8] =
    ["system", "bootstrap", "cli", "expiry", "client-ca", "mix", "mix-approver", "webhooks"];

impl Actor {
    /// The actor as records keep it: grantd itself under one of the names that can be read again.
    pub(crate) fn recorded(&self) -> Self {
        match self {
            Self::System(what) => {
                Self::System(SYSTEM.into_iter().find(|known| known == what).unwrap_or("system"))
            }
            other => other.clone(),
        }
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        match self {
            Self::User(login) => {
                w.u8(0);
                w.text(login);
            }
            Self::ApiKey(id) => {
                w.u8(1);
                w.uuid(*id);
            }
            Self::SystemKey(id) => {
                w.u8(2);
                w.uuid(*id);
            }
            Self::Identity(id) => {
                w.u8(3);
                w.uuid(*id);
            }
            Self::System(what) => {
                w.u8(4);
                w.text(what);
            }
            Self::App(client_id) => {
                w.u8(5);
                w.text(client_id);
            }
        }
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let unknown = |found: &str| CodecError::Unknown { what: "an actor", found: found.to_owned() };
        Ok(match r.u8()? {
            0 => Self::User(r.text()?.into()),
            1 => Self::ApiKey(r.uuid()?),
            2 => Self::SystemKey(r.uuid()?),
            3 => Self::Identity(r.uuid()?),
            4 => {
                let what = r.text()?;
                Self::System(SYSTEM.into_iter().find(|known| *known == what).ok_or_else(|| unknown(what))?)
            }
            5 => Self::App(r.text()?.into()),
            other => return Err(unknown(&other.to_string())),
        })
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(login) => write!(f, "user:{login}"),
            Self::ApiKey(id) => write!(f, "api_key:{id}"),
            Self::SystemKey(id) => write!(f, "system/api_key:{id}"),
            Self::Identity(id) => write!(f, "identity:{id}"),
            Self::System(what) => write!(f, "system:{what}"),
            Self::App(client_id) => write!(f, "app:{client_id}"),
        }
    }
}

/// What somebody may do to grantd itself: a relation of the type `grantd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Authority {
    /// Everything.
    Admin,
    /// Runs the realm: users, keys, settings.
    Operator,
    /// Reads everything, the ledger included.
    Auditor,
    /// Decides other people's requests.
    Approver,
    /// Writes relationships, entities and the dialects' records.
    Writer,
    /// Asks who may do what.
    Checker,
    /// Makes permission requests.
    Requester,
}

impl Authority {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Admin,
        Self::Operator,
        Self::Auditor,
        Self::Approver,
        Self::Writer,
        Self::Checker,
        Self::Requester,
    ];

    /// The relation's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::Approver => "approver",
            Self::Writer => "writer",
            Self::Checker => "checker",
            Self::Requester => "requester",
        }
    }

    /// The authority of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|authority| authority.name() == name)
    }
}

/// A set of authorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Authorities(u8);

impl Authorities {
    /// Everything there is.
    pub fn all() -> Self {
        Authority::ALL.into_iter().collect()
    }

    /// Whether this one is in the set.
    pub fn contains(self, authority: Authority) -> bool {
        self.0 & (1 << authority as u8) != 0
    }

    /// Those of the set that the other lacks.
    pub fn missing_from(self, other: Self) -> impl Iterator<Item = Authority> {
        Authority::ALL.into_iter().filter(move |a| self.contains(*a) && !other.contains(*a))
    }
}

impl FromIterator<Authority> for Authorities {
    fn from_iter<I: IntoIterator<Item = Authority>>(iter: I) -> Self {
        Self(iter.into_iter().fold(0, |set, authority| set | 1 << authority as u8))
    }
}

/// The one type that says who calls. There is no way to change a state without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who it is.
    pub actor: Actor,
    /// What they hold by something outside the realm they act on: a system key's authorities. `None` for a
    /// caller of the realm's own, whose authorities are asked of the realm at the moment of the decision.
    pub conferred: Option<Authorities>,
}

impl Caller {
    /// A caller who belongs to the realm.
    pub fn local(actor: Actor) -> Self {
        Self { actor, conferred: None }
    }

    /// grantd itself, which may do everything.
    pub fn system(what: &'static str) -> Self {
        Self { actor: Actor::System(what), conferred: Some(Authorities::all()) }
    }

    /// Who shows nothing of themselves. What everybody may do, they may.
    pub fn visitor() -> Self {
        Self::local(Actor::System("visitor"))
    }

    /// Whether the caller may do whatever grants allow without having one, now: who may write the realm's relationships could
    /// give themselves any.
    pub fn needs_no_grant(&self, state: &State, now: Micros) -> bool {
        self.holds(Authority::Writer, state, now)
    }

    /// Whether the caller holds an authority on this realm, now.
    pub fn holds(&self, authority: Authority, state: &State, now: Micros) -> bool {
        match (self.conferred, &self.actor) {
            (Some(conferred), _) => conferred.contains(authority),
            (None, Actor::User(login)) => state.holds(ObjectRef { kind: "user", id: login }, authority, now),
            (None, Actor::ApiKey(id)) => {
                state.holds(ObjectRef { kind: "api_key", id: &id.to_string() }, authority, now)
            }
            (None, Actor::Identity(_) | Actor::SystemKey(_) | Actor::System(_) | Actor::App(_)) => false,
        }
    }

    /// As what the realm's relationships know the caller: kind and id of an object. `None` for who comes from outside the realm, and for
    /// grantd itself.
    pub fn object(&self) -> Option<(&'static str, Cow<'_, str>)> {
        if self.conferred.is_some() {
            return None;
        }
        match &self.actor {
            Actor::User(login) => Some(("user", Cow::Borrowed(login))),
            Actor::ApiKey(id) => Some(("api_key", Cow::Owned(id.to_string()))),
            Actor::Identity(id) => Some(("identity", Cow::Owned(id.to_string()))),
            Actor::App(client_id) => Some(("app", Cow::Borrowed(client_id))),
            Actor::SystemKey(_) | Actor::System(_) => None,
        }
    }

    /// Everything the caller holds on this realm, now.
    pub fn authorities(&self, state: &State, now: Micros) -> Authorities {
        Authority::ALL.into_iter().filter(|authority| self.holds(*authority, state, now)).collect()
    }
}

impl State {
    /// Whether a subject holds an authority on this realm. A question that breaks a limit is a no.
    pub fn holds(&self, subject: ObjectRef<'_>, authority: Authority, now: Micros) -> bool {
        self.subject_holds(SubjectRef::Object(subject), authority, now)
    }

    pub(crate) fn subject_holds(&self, subject: SubjectRef<'_>, authority: Authority, now: Micros) -> bool {
        let question = Question {
            subject,
            action: authority.name(),
            resource: ObjectRef { kind: "grantd", id: self.name() },
        };
        matches!(self.graph().check(&question, &Circumstances::at(now)), Ok(Decision::Allowed))
    }
}
