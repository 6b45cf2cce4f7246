//! Signing in: a client certificate for the caller.

use grantd_node::realm::caller::Actor;
use grantd_node::realm::user::User;

use super::call::{Call, Read};
use super::errors::Error;
use super::wire::{Answer, Certificate};
use crate::client_certificate::{Issued, issue};

pub(super) async fn login(call: Call<Read>) -> Result<Answer<Certificate>, Error> {
    let Actor::User(login) = &call.caller.actor else {
        return Err(Error::rule("a certificate is made for a user: call with a login and its password"));
    };
    let published = call.published();
    let user = User::find(&published.state, login)?;
    let Issued { key, certificate } = issue(&call.realm, user, call.now()).await?;
    Ok(Answer(Certificate { key: key.0, certificate }))
}
