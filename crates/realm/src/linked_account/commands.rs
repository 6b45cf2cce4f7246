//! Linking an account to a user, and unlinking it, by who may act for that user.

use super::{AccountId, LinkedAccount, MAX_ISSUER, MAX_SUBJECT};
use crate::State;
use crate::caller::Authority;
use crate::change::{Change, shared};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision};
use crate::refusal::{Noun, Refusal};
use crate::user::{User, require_power_over};

impl Answer for LinkedAccount {
    fn encode(&self, w: &mut Writer) {
        w.fixed(&self.id.0);
        w.text(&self.issuer);
        w.text(&self.login);
        w.i64(self.linked_at);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (id, issuer) = (AccountId(r.array()?), shared(r.text()?));
        Ok(Self { id, issuer, login: shared(r.text()?), linked_at: r.i64()? })
    }
}

/// Lets whoever proves to be an account sign in as a user. Whoever links it could act as them, so they must hold everything
/// that the user holds.
pub struct LinkAccount {
    /// The user.
    pub login: String,
    /// The provider's issuer URL, byte for byte as its tokens have it.
    pub issuer: String,
    /// The account's `sub` there.
    pub subject: String,
}

impl Command for LinkAccount {
    type Answer = LinkedAccount;
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<LinkedAccount>, Refusal> {
        let user = User::find(state, &self.login)?;
        check("issuer", &self.issuer, MAX_ISSUER)?;
        check("subject", &self.subject, MAX_SUBJECT)?;
        require_power_over(state, &self.login, cx)?;
        let id = AccountId::of(&self.issuer, &self.subject);
        match state.linked_accounts().get(id) {
            Some(account) if *account.login == *user.login => Ok(Decision::unchanged(account.clone())),
            Some(_) => Err(Refusal::exists(Noun::LinkedAccount, id)),
            None => {
                let issuer = shared(&self.issuer);
                let answer = LinkedAccount { id, issuer, login: user.login.clone(), linked_at: cx.now };
                Ok(Decision::one(linked(&self.login, &self.issuer, id), answer))
            }
        }
    }
}

pub(super) fn linked(login: &str, issuer: &str, id: AccountId) -> Change {
    Change::AccountLinked { login: login.to_owned(), issuer: issuer.to_owned(), account: id.0 }
}

fn check(field: &'static str, text: &str, max: usize) -> Result<(), Refusal> {
    if text.is_empty() || text.len() > max || text.chars().any(char::is_control) {
        return Err(Refusal::invalid(field, format!("must be 1 to {max} bytes without control characters")));
    }
    Ok(())
}

/// Takes an account away from a user. All of the user's sessions end: some may be by this account.
pub struct UnlinkAccount {
    /// The user.
    pub login: String,
    /// Which.
    pub account: AccountId,
}

impl Command for UnlinkAccount {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let user = User::find(state, &self.login)?;
        require_power_over(state, &self.login, cx)?;
        let account = state.linked_accounts().get(self.account);
        if account.is_none_or(|account| *account.login != *user.login) {
            return Err(Refusal::not_found(Noun::LinkedAccount, self.account));
        }
        let changes = vec![
            Change::AccountUnlinked { account: self.account.0 },
            Change::SessionsEnded { login: self.login.clone() },
        ];
        Ok(Decision::all(changes, ()))
    }
}
