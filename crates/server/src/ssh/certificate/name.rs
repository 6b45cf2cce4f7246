//! What stands in a certificate: of whom, by which token, for which VM and which users of it.

use std::fmt;

use grantd_node::realm::State;
use grantd_node::realm::engine::segment;
use uuid::Uuid;

/// A certificate's key id, `identity=<id>[,token=<id>],vm=<vm>`: sshd writes it into its log, and asks by it. The VM is percent-encoded as
/// in relationships.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyId {
    /// Who.
    pub(crate) identity: Uuid,
    /// The token that it was asked for with, with which it ends.
    pub(crate) token: Option<Uuid>,
    /// Which VM it is for.
    pub(crate) vm: String,
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "identity={}", self.identity)?;
        if let Some(token) = self.token {
            write!(f, ",token={token}")?;
        }
        write!(f, ",vm={}", segment::encode(&self.vm))
    }
}

impl KeyId {
    /// Reads one that was made here; `None`: somebody else's.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (identity, rest) = text.strip_prefix("identity=")?.split_once(',')?;
        let (token, vm) = match rest.strip_prefix("token=") {
            Some(rest) => {
                let (token, rest) = rest.split_once(',')?;
                (Some(token.parse().ok()?), rest)
            }
            None => (None, rest),
        };
        let read =
            Self { identity: identity.parse().ok()?, token, vm: segment::decode(vm.strip_prefix("vm=")?) };
        // There is one way to write it.
        (read.to_string() == text).then_some(read)
    }

    /// Whether the token is still there.
    pub(crate) fn lasts(&self, state: &State) -> bool {
        let identity = state.identities().get(self.identity);
        identity.is_some_and(|identity| self.token.is_none_or(|token| identity.tokens.has(token)))
    }
}

/// How a certificate names a Linux user of a VM.
pub(crate) fn principal(user: &str, vm: &str) -> String {
    format!("{user}@{}", segment::encode(vm))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn a_key_id_is_read_as_it_was_written_and_no_other_way() {
        for (token, vm) in [(None, "build"), (Some(Uuid::from_u128(9)), "a/b,c=d \u{e5}"), (None, "..")] {
            let key_id = KeyId { identity: Uuid::from_u128(7), token, vm: vm.into() };
            assert_eq!(KeyId::parse(&key_id.to_string()), Some(key_id));
        }
        let id = Uuid::from_u128(7).to_string();
        for text in [
            String::new(),
            id.clone(),
            format!("identity={id}"),
            format!("identity={id},vm=a/b"),
            format!("identity={id},vm=build,more=1"),
            format!("identity={},vm=build", id.to_uppercase().replace('0', "A")),
            format!("identity={},vm=build", id.replace('-', "")),
            format!("identity={id},token=x,vm=build"),
        ] {
            assert_eq!(KeyId::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn no_two_vms_have_one_principal() {
        assert_eq!(principal("dev", "build"), "dev@build");
        assert_ne!(principal("dev", "a/b"), principal("dev", "a%2Fb"));
    }
}
