//! Sessions: people who are signed in, each known by an opaque secret in a cookie.
//!
//! A session is an ephemeral row beside the ledger: issuing and ending one are no entries. What ends all of somebody's
//! sessions is one change of their record, after which no row of before counts any more: another password, another
//! [generation](crate::user::User::sessions), no such user. So nothing has to be looked for and nothing can be missed.

use uuid::Uuid;

use crate::caller::{Actor, Authority, Caller};
use crate::change::Change;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision, RowWrite, SealedWrite, Secret};
use crate::refusal::Refusal;
use crate::user::{User, password_secret};
use crate::{Micros, State};

/// Prefix of a session's secret, by which secret scanners know it.
pub const SESSION_PREFIX: &str = "gds_";

/// The family of rows that sessions are.
pub const SESSION_ROWS: &str = "session";

/// The forms of a row's value: of a session of the pages, and of one of another entrance, which is named at the end.
const FORM: u8 = 1;
const FORM_WITH_ENTRANCE: u8 = 2;

/// The form of a row of who has no password, and so no version of one; it names its entrance, whichever it is.
const FORM_WITHOUT_PASSWORD: u8 = 3;

/// A use is noted if the last one that was is so long ago, or a tenth of the time that a session may be idle.
const NOTED_EVERY: Micros = 60 * 1_000_000;

/// The longest description of where a session came from, in bytes.
const MAX_AGENT: usize = 200;

/// How long a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// After its last noted use, in microseconds.
    pub idle: Micros,
    /// After it was issued, in microseconds.
    pub absolute: Micros,
}

impl Default for Limits {
    /// 12 hours, 7 days.
    fn default() -> Self {
        const HOUR: Micros = 3_600 * 1_000_000;
        Self { idle: 12 * HOUR, absolute: 7 * 24 * HOUR }
    }
}

/// Through what somebody signed in. Each has a cookie and limits of its own, and takes no session of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Entrance {
    /// 0: the pages.
    #[default]
    Pages,
    /// 1: the catalogue dialect.
    Catalogue,
}

impl Entrance {
    fn code(self) -> u8 {
        match self {
            Self::Pages => 0,
            Self::Catalogue => 1,
        }
    }

    fn of_code(code: u8) -> Result<Self, CodecError> {
        match code {
            0 => Ok(Self::Pages),
            1 => Ok(Self::Catalogue),
            other => Err(CodecError::Unknown { what: "an entrance", found: other.to_string() }),
        }
    }
}

/// Where somebody signed in, as far as it helps them to know a session of theirs from somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// What the client calls itself; longer than 200 bytes it is cut.
    pub agent: String,
    /// Its address.
    pub address: String,
}

/// A session, as its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose, by uuid: a login made again is another user.
    pub user: Uuid,
    /// Names it in lists; no secret.
    pub id: Uuid,
    /// Whose.
    pub login: String,
    /// When they signed in.
    pub issued_at: Micros,
    /// The last use that was noted; up to a minute behind.
    pub last_used: Micros,
    /// From where.
    pub device: Device,
    /// Through what.
    pub entrance: Entrance,
    hash: [u8; 32],
    /// The version of the user's password at the time; `None`: they had none.
    password: Option<u32>,
    generation: u64,
}

/// What a client shows as its session: whose it says to be, and the secret that only its holder knows.
#[derive(Clone, Copy)]
pub struct ShownSession<'a> {
    user: Uuid,
    secret: &'a str,
}

impl<'a> ShownSession<'a> {
    /// `gds_`, the user's uuid in 32 hexadecimal digits, 43 letters and digits; `None` if it is anything else.
    pub fn parse(secret: &'a str) -> Option<Self> {
        let rest = secret.strip_prefix(SESSION_PREFIX)?;
        let (user, random) = rest.split_at_checked(32)?;
        let fits = random.len() == 43 && random.bytes().all(|b| b.is_ascii_alphanumeric());
        if !fits || !user.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        Some(Self { user: Uuid::try_parse(user).ok()?, secret })
    }

    /// The key of its row.
    pub fn key(&self) -> Vec<u8> {
        row_key(self.user, self.id())
    }

    fn id(&self) -> Uuid {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] =
            blake3::derive_key("grantd session id 1", self.secret.as_bytes());
        uuid::Builder::from_random_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]).into_uuid()
    }

    fn hash(&self) -> [u8; 32] {
        blake3::derive_key("grantd session secret 1", self.secret.as_bytes())
    }

    /// Whether this is the session's secret.
    pub fn proves(&self, session: &Session) -> bool {
        // In constant time, as BLAKE3 compares its hashes.
        self.user == session.user && blake3::Hash::from(self.hash()) == blake3::Hash::from(session.hash)
    }
}

/// The keys of all sessions of a user begin with this.
pub fn rows_of(user: Uuid) -> Vec<u8> {
    user.as_bytes().to_vec()
}

/// A user's sessions lie side by side.
fn row_key(user: Uuid, id: Uuid) -> Vec<u8> {
    [user.as_bytes().as_slice(), id.as_bytes()].concat()
}

impl Session {
    /// Reads a row.
    pub fn read(key: &[u8], value: &[u8]) -> Result<Self, CodecError> {
        let mut k = Reader::new(key);
        let (user, id) = (k.uuid()?, k.uuid()?);
        k.finish()?;
        let mut r = Reader::new(value);
        let form = r.u8()?;
        if ![FORM, FORM_WITH_ENTRANCE, FORM_WITHOUT_PASSWORD].contains(&form) {
            return Err(CodecError::Unknown { what: "a session's form", found: form.to_string() });
        }
        let mut session = Self {
            user,
            id,
            hash: r.array()?,
            login: r.text()?.into(),
            password: if form == FORM_WITHOUT_PASSWORD { None } else { Some(r.u32()?) },
            generation: r.u64()?,
            issued_at: r.i64()?,
            last_used: r.i64()?,
            device: Device { agent: r.text()?.into(), address: r.text()?.into() },
            entrance: Entrance::Pages,
        };
        if form != FORM {
            session.entrance = Entrance::of_code(r.u8()?)?;
        }
        r.finish()?;
        Ok(session)
    }

    fn value(&self) -> Vec<u8> {
        let mut w = Writer::new();
        // A session of the pages is written as it always was, so that an older node reads it.
        let form = match (self.password, self.entrance) {
            (None, _) => FORM_WITHOUT_PASSWORD,
            (Some(_), Entrance::Pages) => FORM,
            (Some(_), _) => FORM_WITH_ENTRANCE,
        };
        w.u8(form);
        w.fixed(&self.hash);
        w.text(&self.login);
        if let Some(password) = self.password {
            w.u32(password);
        }
        w.u64(self.generation);
        w.i64(self.issued_at);
        w.i64(self.last_used);
        w.text(&self.device.agent);
        w.text(&self.device.address);
        if form != FORM {
            w.u8(self.entrance.code());
        }
        w.finish().0
    }

    /// When it ends if it is not used again.
    pub fn ends(&self, limits: Limits) -> Micros {
        self.last_used.saturating_add(limits.idle).min(self.issued_at.saturating_add(limits.absolute))
    }

    /// Whether it still stands for its user.
    pub fn is_live(&self, state: &State, now: Micros, limits: Limits) -> bool {
        let user = state.users().get(&self.login).filter(|user| user.active && user.uuid == self.user);
        let unchanged = |user: &User| user.password == self.password && user.sessions == self.generation;
        user.is_some_and(unchanged) && now < self.ends(limits)
    }

    /// Whether a use at this time is worth a write.
    pub fn is_to_be_noted(&self, now: Micros, limits: Limits) -> bool {
        now >= self.last_used.saturating_add(NOTED_EVERY.min(limits.idle / 10))
    }

    /// Makes a session for a user who has just proved who they are, with its secret.
    pub(crate) fn issue(
        user: &User,
        password: Option<u32>,
        (device, entrance): (&Device, Entrance),
        limits: Limits,
        cx: &mut Context<'_>,
    ) -> (RowWrite, Secret) {
        let secret = cx.entropy.secret(&format!("{SESSION_PREFIX}{}", user.uuid.simple()));
        let shown = ShownSession { user: user.uuid, secret: &secret };
        let session = Self {
            user: user.uuid,
            id: shown.id(),
            hash: shown.hash(),
            login: user.login.to_string(),
            password,
            generation: user.sessions,
            issued_at: cx.now,
            last_used: cx.now,
            device: Device { agent: cut(&device.agent), address: cut(&device.address) },
            entrance,
        };
        let put = RowWrite::Put {
            kind: SESSION_ROWS,
            key: shown.key(),
            value: session.value(),
            expires: session.ends(limits),
        };
        (put, Secret(secret))
    }
}

fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(MAX_AGENT)).unwrap_or_default().to_owned()
}

/// Only they themselves, and not by a key.
pub(crate) fn require_self(login: &str, cx: &Context<'_>) -> Result<(), Refusal> {
    match cx.caller {
        Caller { actor: Actor::User(caller), conferred: None } if caller == login => Ok(()),
        _ => Err(Refusal::NotAllowed(Authority::Admin)),
    }
}

/// What a sign-in came to.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The secret of the new session, this one time; `None`: what was verified does not hold any more, so verify again.
    pub secret: Option<Secret>,
}

impl Answer for SignedIn {
    fn encode(&self, _: &mut Writer) {}
    fn decode(_: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { secret: None })
    }
}

/// Which password of whom was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The user.
    pub user: Uuid,
    /// The version of their password.
    pub password: u32,
}

impl Verified {
    /// The user, if nothing has changed since.
    fn holds<'a>(&self, state: &'a State, login: &str) -> Option<&'a User> {
        let user = state.users().get(login).filter(|user| user.active)?;
        (user.uuid == self.user && user.password == Some(self.password)).then_some(user)
    }
}

/// Signs a user in whose password was verified: a new session under a new secret, whatever the client had before.
pub struct SignIn {
    /// Who.
    pub login: String,
    /// By which password.
    pub verified: Verified,
    /// The key of the row of the session that the client had before: it ends.
    pub instead_of: Option<Vec<u8>>,
    /// From where.
    pub device: Device,
    /// Through what.
    pub entrance: Entrance,
    /// How long the session lives.
    pub limits: Limits,
}

impl Command for SignIn {
    type Answer = SignedIn;
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, _: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_self(&self.login, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<SignedIn>, Refusal> {
        let Some(user) = self.verified.holds(state, &self.login) else {
            return Ok(Decision::unchanged(SignedIn { secret: None }));
        };
        let (put, secret) =
            Session::issue(user, user.password, (&self.device, self.entrance), self.limits, cx);
        let mut rows: Vec<_> = self.instead_of.clone().map(end).into_iter().collect();
        rows.push(put);
        Ok(Decision { rows, ..Decision::unchanged(SignedIn { secret: Some(secret) }) })
    }
}

pub(crate) fn end(key: Vec<u8>) -> RowWrite {
    RowWrite::Delete { kind: SESSION_ROWS, key }
}

/// Notes that a session was used.
pub struct NoteUse {
    /// Which, as it was found.
    pub session: Session,
    /// How long it lives.
    pub limits: Limits,
}

impl Command for NoteUse {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, _: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_self(&self.session.login, cx)
    }

    fn decide(&self, _: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let session = Session { last_used: cx.now, ..self.session.clone() };
        // It may have been ended meanwhile, and must not come back.
        let renew = RowWrite::Renew {
            kind: SESSION_ROWS,
            key: row_key(session.user, session.id),
            value: session.value(),
            expires: session.ends(self.limits),
        };
        Ok(Decision { rows: vec![renew], ..Decision::unchanged(()) })
    }
}

/// Ends one session of the caller's own. One that is over already is no error.
pub struct SignOut {
    /// Whose.
    pub login: String,
    /// Whose, by uuid.
    pub user: Uuid,
    /// Which.
    pub id: Uuid,
}

impl Command for SignOut {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_self(&self.login, cx)?;
        match state.users().get(&self.login).filter(|user| user.uuid == self.user) {
            Some(_) => Ok(()),
            None => Err(Refusal::NotAllowed(Authority::Admin)),
        }
    }

    fn decide(&self, _: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let rows = vec![end(row_key(self.user, self.id))];
        Ok(Decision { rows, ..Decision::unchanged(()) })
    }
}

/// Ends every session of the caller's own, wherever it is: one change.
pub struct SignOutEverywhere {
    /// Whose.
    pub login: String,
}

impl Command for SignOutEverywhere {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, _: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_self(&self.login, cx)
    }

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let user = User::find(state, &self.login)?;
        Ok(Decision::one(Change::SessionsEnded { login: user.login.to_string() }, ()))
    }
}

/// Changes the caller's own password, which was verified just before. Every session ends, and the client that asked gets a
/// new one.
pub struct ChangePassword {
    /// Whose.
    pub login: String,
    /// The password so far.
    pub verified: Verified,
    /// The argon2id hash of the new one.
    pub password: Secret,
    /// The key of the row of the session that asks.
    pub instead_of: Option<Vec<u8>>,
    /// From where.
    pub device: Device,
    /// How long the session lives.
    pub limits: Limits,
}

impl Command for ChangePassword {
    type Answer = SignedIn;
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, _: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_self(&self.login, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<SignedIn>, Refusal> {
        let Some(user) = self.verified.holds(state, &self.login) else {
            return Ok(Decision::unchanged(SignedIn { secret: None }));
        };
        let version = self.verified.password + 1;
        let (put, secret) =
            Session::issue(user, Some(version), (&self.device, Entrance::Pages), self.limits, cx);
        let mut rows: Vec<_> = self.instead_of.clone().map(end).into_iter().collect();
        rows.push(put);
        let changes = vec![Change::UserPasswordSet { login: self.login.clone(), version }];
        let value = self.password.clone();
        let sealed = vec![SealedWrite::Put { name: password_secret(user.uuid), version, value }];
        Ok(Decision { changes, sealed, rows, answer: SignedIn { secret: Some(secret) } })
    }
}
