//! Logins that sshd asks about: it asks twice for each, once whether the key would do and once when it has been proved.
//!
//! Both come from one connection. The first yes is written into the decision log; that it still holds is not, within the time that a
//! login may take.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use grantd_node::realm::Micros;

/// How long a login may take: twice sshd's own `LoginGraceTime`.
const LOGIN: Micros = 240 * 1_000_000;

/// How many are kept in mind; beyond that, a login is written down twice.
const MOST: usize = 10_000;

/// A login, by the hash of all that tells it from others.
pub(crate) type LoginId = [u8; 32];

/// Logins to which the answer was yes, each until when it is remembered.
#[derive(Default)]
pub(crate) struct SshLogins {
    allowed: Mutex<HashMap<LoginId, Micros>>,
}

impl SshLogins {
    /// Whether the answer to this one was yes a moment ago.
    pub(crate) fn was_allowed(&self, login: &LoginId, now: Micros) -> bool {
        let allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        allowed.get(login).is_some_and(|until| now < *until)
    }

    /// The answer was yes.
    pub(crate) fn allow(&self, login: LoginId, now: Micros) {
        let mut allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        if allowed.len() >= MOST {
            allowed.retain(|_, until| now < *until);
        }
        if allowed.len() < MOST {
            allowed.insert(login, now.saturating_add(LOGIN));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_remembered_for_as_long_as_one_may_take() {
        let logins = SshLogins::default();
        assert!(!logins.was_allowed(&[1; 32], 0));
        logins.allow([1; 32], 0);
        assert!(logins.was_allowed(&[1; 32], LOGIN - 1) && !logins.was_allowed(&[2; 32], 0));
        assert!(!logins.was_allowed(&[1; 32], LOGIN));
    }

    #[test]
    fn what_is_kept_is_bounded_and_makes_room_for_new_ones() {
        let logins = SshLogins::default();
        let id = |n: usize| {
            let mut id = [0; 32];
            id.iter_mut().zip(n.to_le_bytes()).for_each(|(to, byte)| *to = byte);
            id
        };
        for n in 0..=MOST {
            logins.allow(id(n), 0);
        }
        assert!(!logins.was_allowed(&id(MOST), 0));
        logins.allow(id(MOST), LOGIN);
        assert!(logins.was_allowed(&id(MOST), LOGIN));
    }
}
