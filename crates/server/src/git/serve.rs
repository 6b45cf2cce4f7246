//! One request of a git client.

use std::io;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderName, HeaderValue, header};

use super::access::Access;
use super::backend::Backend;
use super::credential::Shown;
use super::errors::Error;
use super::place::{Place, Service};
use super::process::Process;
use super::pushed::Pushed;
use super::tell::tell;
use super::transfer::{Begun, End, Terms, carry};
use super::{GitFront, Turn};
use crate::app::SharedApp;
use crate::call::RealmName;
use crate::edge::{Cutter, EdgeError, Source, sender_address};

/// What is passed on of the headers of git's answer.
const PASSED: [HeaderName; 5] =
    [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CACHE_CONTROL, header::EXPIRES, header::PRAGMA];

pub(super) async fn serve(State(app): State<SharedApp>, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let place = Place::of(&parts.method, parts.uri.path(), parts.uri.query()).ok_or(EdgeError::NotFound)?;
    let source = Source::of(sender_address(&parts, app.trusted_hops));
    let realm = parts.extensions.get::<RealmName>().map(|realm| realm.0.as_str());
    let access = Access::find(&app, realm, place, Shown::of(&parts.headers), source).await?;
    let turn = app.git.turn(access.is_anonymous()).await.ok_or_else(Error::busy)?;
    let (process, pushed) = start(&app.git, &access, place, &parts, turn).await?;
    let counted = app.git.metrics.begin(place.service.name());
    let idle = app.git.settings.idle;
    let cutter = parts.extensions.get::<Cutter>().cloned();
    let (realm, repository) = (access.realm().clone(), access.repository);
    let then = {
        let app = app.clone();
        move |end: End| {
            counted.end(end.into());
            // However it ended: the branches may have been moved before.
            if let Some(pushed) = pushed {
                tokio::spawn(async move { tell(&app, &realm, repository, pushed.file).await });
            }
        }
    };
    let ended = async move { access.ended(&app).await };
    match carry(process, body, Terms { ended, idle, cutter }, then).await {
        Ok(begun) => answer(begun),
        Err(End::Ended) => Err(Error::ended()),
        Err(End::Idle | End::Gone) => Err(Error::stalled()),
        Err(End::Done | End::Failed) => Err(Error::git_failed()),
    }
}

/// Starts git on the repository, which is made if need be.
async fn start(
    git: &GitFront,
    access: &Access,
    place: Place,
    parts: &Parts,
    turn: Turn,
) -> Result<(Process, Option<Pushed>), Error> {
    // Only what is called changes anything, and only what has triggers is looked at.
    let pushes = place.service == Service::ReceivePack && !place.advertises;
    let published = access.realm().published();
    let is_told = pushes && published.state.triggers().of(access.repository).next().is_some();
    let (repositories, realm) = (git.repositories.clone(), access.realm().name().to_owned());
    let (id, ledger_id, branch) = (access.repository, access.ledger_id, access.default_branch.clone());
    let prepared = tokio::task::spawn_blocking(move || {
        let directory = repositories.prepare(&realm, id, ledger_id, &branch)?;
        let pushed =
            if is_told { Some(Pushed::prepare(&repositories.absolute()?, &realm, id)?) } else { None };
        Ok::<_, io::Error>((directory, pushed))
    });
    let (directory, pushed) =
        prepared.await.unwrap_or_else(|_| Err(io::ErrorKind::Other.into())).map_err(|error| {
            tracing::error!(repository = %id, %error, "the files of a repository cannot be made or read");
            Error::git_failed()
        })?;
    let backend = Backend {
        settings: &git.settings,
        directory: &directory,
        place,
        // Git takes a push from whoever has a name.
        user: access.user.as_deref().filter(|_| place.service == Service::ReceivePack),
        headers: &parts.headers,
        pushed: pushed.as_ref(),
    };
    let mut process = backend.start().map_err(|error| {
        tracing::error!(program = %git.settings.program.display(), %error, "git cannot be started");
        if error.kind() == io::ErrorKind::NotFound { Error::no_git() } else { Error::git_failed() }
    })?;
    process.hold(turn);
    Ok((process, pushed))
}

/// The keys by which triggers' messages are verified.
pub(super) async fn keys(State(app): State<SharedApp>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(app.webhooks.push_keys()))
}

/// Tells nginx not to take more of an answer than its client does: it would have all of it before the right to it ended.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// Git's answer, with nothing but what belongs to it.
fn answer(begun: Begun) -> Result<Response, Error> {
    let Begun { head, body } = begun;
    if head.status.is_server_error() {
        return Err(Error::git_failed());
    }
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    response.headers_mut().extend([UNBUFFERED]);
    for name in PASSED {
        if let Some(value) = head.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    Ok(response)
}
