//! What certificates call an authority and a user.

use grantd_node::realm::user::User;
use uuid::Uuid;

/// What every realm's authority calls itself. It is the same for all of them, so that the handshake, which does not know the realm
/// yet, can ask for certificates of no others: a browser then does not offer its user what is of no use here.
pub(super) const AUTHORITY: &str = "grantd users";

/// The same as a distinguished name (DER, RFC 5280 appendix A.1): `CN=grantd users`.
pub(crate) const AUTHORITY_NAME: &[u8] = b"\x30\x17\x31\x15\x30\x13\x06\x03\x55\x04\x03\x0c\x0cgrantd users";

/// Whether a distinguished name, without its outermost tag, is the authorities'.
pub(super) fn is_authoritys(name: &[u8]) -> bool {
    AUTHORITY_NAME.get(2..) == Some(name)
}

/// Begins the URI by which a certificate names its user.
const USER: &str = "urn:grantd:user:";

/// Whom a certificate is for, and what must not have changed since.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) login: String,
    uuid: Uuid,
    /// The version of their password; 0: none.
    password: u32,
    /// How often all of their sessions were ended.
    generation: u64,
}

impl Holder {
    pub(super) fn of(user: &User) -> Self {
        Self {
            login: user.login.to_string(),
            uuid: user.uuid,
            password: user.password.unwrap_or(0),
            generation: user.sessions,
        }
    }

    /// As the URI in a certificate.
    pub(super) fn uri(&self) -> String {
        let Self { login, uuid, password, generation } = self;
        format!("{USER}{login}:{uuid}:{password}:{generation}")
    }

    /// As the common name that upstream's clients show: `admin` says that it is a user's, whoever that is.
    pub(super) fn common_name(&self) -> String {
        format!("admin:{}:{}", self.login, self.uuid)
    }

    pub(super) fn parse(uri: &str) -> Option<Self> {
        // A login holds no colon.
        let mut parts = uri.strip_prefix(USER)?.split(':');
        let holder = Self {
            login: parts.next()?.to_owned(),
            uuid: parts.next()?.parse().ok()?,
            password: parts.next()?.parse().ok()?,
            generation: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(holder)
    }
}
