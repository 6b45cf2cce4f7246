//! `/api/v1/users/{login}/linked-accounts`: the accounts at the OpenID provider by which a user signs in.

use axum::Json;
use grantd_node::realm::linked_account::{AccountId, LinkAccount, LinkedAccount as Record, UnlinkAccount};
use grantd_node::realm::refusal::{Noun, Refusal};
use grantd_node::realm::user::User;
use serde::{Deserialize, Serialize};

use super::errors::Error;
use super::users::READERS;
use super::{Call, read};
use crate::face::CallError;
use crate::time::rfc3339;

/// An account to be linked.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewLinkedAccount {
    /// The account's `sub` at the provider.
    subject: String,
    /// The provider's issuer URL; the one by which people sign in here, if it is absent.
    issuer: Option<String>,
}

/// An account by which a user signs in.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct LinkedAccount {
    /// A hash of issuer and subject, 64 hexadecimal digits.
    id: String,
    issuer: String,
    linked_at: String,
}

impl From<&Record> for LinkedAccount {
    fn from(account: &Record) -> Self {
        Self {
            id: account.id.to_string(),
            issuer: account.issuer.to_string(),
            linked_at: rfc3339(account.linked_at),
        }
    }
}

/// All of a user's.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct LinkedAccounts {
    items: Vec<LinkedAccount>,
}

/// Lists the accounts by which a user signs in.
#[utoipa::path(
    get, path = "/api/v1/users/{login}/linked-accounts", tag = "users", params(("login" = String, Path)),
    responses((status = 200, body = LinkedAccounts), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn list_linked_accounts(call: Call) -> Result<Json<LinkedAccounts>, Error> {
    let published = call.published_for(&READERS)?;
    let user = User::find(&published.state, call.param("login"))?;
    let items = published.state.linked_accounts().of_user(&user.login).map(LinkedAccount::from).collect();
    Ok(Json(LinkedAccounts { items }))
}

/// Lets whoever proves to be an account sign in as a user: for those who are not found by their e-mail address, and for who runs
/// the realm, whom an address alone does not prove.
#[utoipa::path(
    post, path = "/api/v1/users/{login}/linked-accounts", tag = "users", request_body = NewLinkedAccount,
    params(("login" = String, Path)),
    responses(
        (status = 201, body = LinkedAccount), (status = 400), (status = 401), (status = 403), (status = 404),
        (status = 409)
    )
)]
pub(super) async fn link_account(call: Call) -> Result<(http::StatusCode, Json<LinkedAccount>), Error> {
    let NewLinkedAccount { subject, issuer } = read(&call)?;
    let known = || call.app.oidc.as_ref().map(|oidc| oidc.settings.issuer.clone());
    let no_issuer = || Refusal::invalid("issuer", "must be given: nobody signs in by a provider here");
    let issuer = issuer.or_else(known).ok_or_else(no_issuer)?;
    let login = call.param("login").to_owned();
    let done = call.submit(LinkAccount { login, issuer, subject }).await?;
    Ok((http::StatusCode::CREATED, Json(LinkedAccount::from(&done.answer))))
}

/// Takes an account away from a user, and ends all of the user's sessions.
#[utoipa::path(
    delete, path = "/api/v1/users/{login}/linked-accounts/{id}", tag = "users",
    params(("login" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn unlink_account(call: Call) -> Result<Json<serde_json::Value>, Error> {
    let unknown = || CallError::Refused(Refusal::not_found(Noun::LinkedAccount, call.param("id")));
    let account = AccountId::parse(call.param("id")).ok_or_else(unknown)?;
    call.submit(UnlinkAccount { login: call.param("login").to_owned(), account }).await?;
    Ok(Json(serde_json::json!({})))
}
