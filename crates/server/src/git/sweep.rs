//! What is looked after while nobody asks: files of repositories that were deleted while nobody could take them away, and pushes of which a
//! server that ended has told nobody.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::backend;
use super::repositories::Stray;
use super::tell::tell_left;
use crate::app::SharedApp;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(3_600);

/// How often it is looked for pushes that nobody was told of.
const UNTOLD: Duration = Duration::from_secs(30);

/// Says whether git is there, and looks after the files from then on until the server goes down.
pub(crate) fn start(app: SharedApp) {
    tokio::spawn(async move {
        match backend::find(&app.git.settings).await {
            Ok(program) => tracing::info!(program = %program.display(), "repositories are served by git"),
            Err(problem) => {
                tracing::info!(%problem, "repositories can be made, but not be cloned: install git, or name it by `--git-program`");
            }
        }
        let (mut hour, mut minute) = (interval(EVERY), interval(UNTOLD));
        hour.set_missed_tick_behavior(MissedTickBehavior::Delay);
        minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = HashSet::new();
        loop {
            tokio::select! {
                () = app.drain.wait() => return,
                _ = minute.tick() => {
                    tell_left(&app).await;
                    continue;
                }
                _ = hour.tick() => {}
            }
            let repositories = app.git.repositories.clone();
            let realms = tokio::task::spawn_blocking(move || repositories.realms()).await;
            for realm in realms.ok().and_then(Result::ok).unwrap_or_default() {
                if let Some(left) = sweep(&app, &realm).await.filter(|_| told.insert(realm.clone())) {
                    tracing::warn!(
                        realm,
                        repositories = left,
                        "files of repositories that the ledger does not know, which may be older or newer than they are: they are left alone"
                    );
                }
            }
        }
    });
}

/// One realm; how many were left alone, if any were.
async fn sweep(app: &SharedApp, realm: &str) -> Option<usize> {
    let (repositories, name) = (app.git.repositories.clone(), realm.to_owned());
    // First what lies there, then what the ledger says: what is made meanwhile is not taken for a stray.
    let there = tokio::task::spawn_blocking(move || repositories.there(&name)).await.ok()?.ok()?;
    if there.is_empty() {
        return None;
    }
    let realm = app.node.realm(realm).await.ok()?;
    realm.catch_up().await.ok()?;
    let published = realm.published();
    let ledger_id = published.head.ledger_id.0;
    let unknown: Vec<_> =
        there.into_iter().filter(|(id, _)| published.state.repositories().get(*id).is_none()).collect();
    let (repositories, name) = (app.git.repositories.clone(), realm.name().to_owned());
    let looked_after = tokio::task::spawn_blocking(move || {
        let stray = |(id, made_in)| repositories.stray(&name, id, made_in, ledger_id).unwrap_or(Stray::Left);
        unknown.into_iter().map(stray).filter(|stray| *stray == Stray::Left).count()
    });
    looked_after.await.ok().filter(|left| *left > 0)
}
