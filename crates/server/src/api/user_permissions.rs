//! `/api/v1/users/{login}/permissions`: all that a user holds of the catalogue, in one piece, for applications that keep it for as
//! long as one request of theirs lasts.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use grantd_node::realm::caller::{Actor, Authority};
use grantd_node::realm::catalogue::{Effective, effective};
use grantd_node::realm::refusal::{Noun, Refusal};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::Call;
use super::errors::Error;

/// In which form.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Form {
    /// `django` (as without it): JSON; `plain`: the permissions as plain text, one a line.
    #[serde(default)]
    format: Format,
}

#[derive(Deserialize, Clone, Copy, Default, PartialEq, Eq, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    #[default]
    Django,
    Plain,
}

/// What a user holds of the catalogue.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct UserPermissions {
    login: String,
    /// Whether they may sign in. Who may not holds nothing.
    active: bool,
    /// Whether they are a super user, who holds everything.
    superuser: bool,
    /// `app_label.codename` of each permission that they hold, themselves or by roles; in order.
    permissions: Vec<String>,
    /// The same as long as all of this is.
    version: String,
}

/// Reads what a user holds of the catalogue. `ETag` is strong; with it as `If-None-Match` the answer is 304 until something
/// changes. For callers who hold `checker`, and for the user.
#[utoipa::path(
    get, path = "/api/v1/users/{login}/permissions", tag = "users", params(("login" = String, Path), Form),
    responses(
        (status = 200, body = UserPermissions), (status = 304), (status = 400), (status = 401), (status = 403),
        (status = 404)
    )
)]
pub(super) async fn get_user_permissions(call: Call) -> Result<Response, Error> {
    let login = call.param("login");
    let is_own = call.caller.actor == Actor::User(login.to_owned());
    let published = if is_own { call.published() } else { call.published_for(&[Authority::Checker])? };
    let Form { format } = call.query()?;
    let held = effective(&published.state, login, call.now());
    let held = held.ok_or_else(|| Refusal::not_found(Noun::User, login))?;
    let tag = match format {
        Format::Django => format!("\"{}\"", held.version),
        Format::Plain => format!("\"{}.plain\"", held.version),
    };
    let is_known = call.header(header::IF_NONE_MATCH).is_some_and(|known| names(known, &tag));
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => said(login, held, format),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

fn said(login: &str, held: Effective, format: Format) -> Response {
    let permissions: Vec<String> = held.texts.into_iter().collect();
    match format {
        Format::Django => Json(UserPermissions {
            login: login.to_owned(),
            active: held.active,
            superuser: held.superuser,
            permissions,
            version: held.version,
        })
        .into_response(),
        Format::Plain => {
            let text: String = permissions.iter().map(|text| format!("{text}\n")).collect();
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
        }
    }
}

/// Whether a list of tags names this one (RFC 9110, section 13.1.2).
fn names(list: &str, tag: &str) -> bool {
    list.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_list_names_a_tag() {
        for list in ["\"a\"", "\"b\", \"a\"", "W/\"a\"", "*", " \"a\" "] {
            assert!(names(list, "\"a\""), "{list}");
        }
        for list in ["", "\"b\"", "a", "\"aa\"", "\"a"] {
            assert!(!names(list, "\"a\""), "{list}");
        }
    }
}
