//! The git front: the repositories of the identities dialect over git's smart HTTP protocol.
//!
//! Each request is authorised by the engine on the newest state, and goes on only as long as it would be let in again. Packs are made and
//! read by git itself, `git http-backend`; here is who may call it, on what, and how much of it there is at a time.

mod access;
mod backend;
mod cgi;
mod credential;
mod errors;
mod place;
mod process;
mod pushed;
mod refs;
mod repositories;
mod routes;
mod serve;
mod sweep;
mod tell;
mod transfer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use uuid::Uuid;

use crate::app::SharedApp;
use crate::edge::layers::{LayerSettings, stack};
use crate::telemetry::{GitMetrics, Metrics};
use repositories::Repositories;

pub(crate) use refs::Refs;
pub(crate) use sweep::start;

/// How long a request waits for its turn.
const TURN: Duration = Duration::from_secs(10);

/// What can be chosen about the git front.
#[derive(Debug, Clone)]
pub struct GitSettings {
    /// Where the bare repositories are.
    pub directory: PathBuf,
    /// The program `git`.
    pub program: PathBuf,
    /// How many of its processes may be at work at a time, each with its helpers.
    pub processes: usize,
    /// How long nothing may move in a transfer.
    pub idle: Duration,
    /// The most bytes of one push; `None`: no limit.
    pub max_push: Option<u64>,
}

impl Default for GitSettings {
    fn default() -> Self {
        Self {
            directory: "git".into(),
            program: "git".into(),
            processes: 32,
            idle: Duration::from_secs(60),
            max_push: Some(2 << 30),
        }
    }
}

/// The repositories of this machine, and who is served from them at the moment.
pub(crate) struct GitFront {
    settings: GitSettings,
    repositories: Repositories,
    /// Turns for everybody, and how many of them strangers may have: so many that they leave some to those who are known.
    turns: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    metrics: GitMetrics,
}

/// The right to have git at work, until it is dropped.
pub(super) struct Turn {
    _everybody: OwnedSemaphorePermit,
    _stranger: Option<OwnedSemaphorePermit>,
}

impl GitFront {
    /// With nobody served yet.
    pub(crate) fn new(settings: GitSettings, metrics: &Metrics) -> Self {
        Self {
            repositories: Repositories::new(settings.directory.clone()),
            turns: Arc::new(Semaphore::new(settings.processes.max(1))),
            strangers: Arc::new(Semaphore::new(settings.processes.div_ceil(2).max(1))),
            metrics: metrics.git.clone(),
            settings,
        }
    }

    /// Waits for a turn, but not for long.
    async fn turn(&self, is_stranger: bool) -> Option<Turn> {
        let turn = async {
            let stranger = match is_stranger {
                true => Some(self.strangers.clone().acquire_owned().await.ok()?),
                false => None,
            };
            Some(Turn { _everybody: self.turns.clone().acquire_owned().await.ok()?, _stranger: stranger })
        };
        timeout(TURN, turn).await.ok()?
    }

    /// The branches and tags of a repository; waits for the disk.
    pub(crate) fn refs(&self, realm: &str, id: Uuid) -> Refs {
        Refs::read(&self.repositories.place(realm, id))
    }

    /// Takes away the files of a repository that was deleted. If that fails the sweep will do it.
    pub(crate) async fn forget(&self, realm: &str, id: Uuid) {
        let (repositories, realm) = (self.repositories.clone(), realm.to_owned());
        let removed = tokio::task::spawn_blocking(move || repositories.remove(&realm, id)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(repository = %id, %error, "the files of a deleted repository could not be removed yet");
        }
    }
}

/// The face. Its limits are its own: requests and answers are as long as a repository is.
pub(crate) fn face(idle: Duration, metrics: &Arc<Metrics>) -> Router<SharedApp> {
    let layers = LayerSettings::new("git").renderer(errors::render).streaming();
    let layers = LayerSettings { body_stall: idle, say_plain_errors_again: false, ..layers };
    stack(routes::routes(), layers, metrics.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn strangers_leave_half_of_the_turns() {
        let settings = GitSettings { processes: 4, ..GitSettings::default() };
        let front = GitFront::new(settings, &Metrics::new());
        let _strangers = [front.turn(true).await.unwrap(), front.turn(true).await.unwrap()];
        assert!(front.turn(true).now_or_never().is_none(), "a third one waits");
        let known = front.turn(false).await.unwrap();
        let _known = front.turn(false).await.unwrap();
        assert!(front.turn(false).now_or_never().is_none(), "all are at work");
        drop(known);
        assert!(front.turn(false).now_or_never().is_some());
    }
}
