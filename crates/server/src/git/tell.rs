//! Whom a push is told: the triggers of the repository, by the branches and the files that it has changed.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use grantd_node::realm::Caller;
use grantd_node::realm::trigger::{TellPush, Told, Trigger};
use grantd_node::{Realm, Request};
use tokio::time::timeout;
use uuid::Uuid;

use super::backend;
use super::pushed::{self, Moved, Pushed};
use crate::app::App;

/// Who grantd is when it tells.
const ACTOR: &str = "webhooks";

/// A new branch has changed every file in it: it is compared with the empty tree, which git knows without being given it.
const NOTHING: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// How long the files of two commits may take to compare.
const PATIENCE: Duration = Duration::from_secs(20);

/// Puts into the queue what the hook has written, and takes its file away. If the store fails it stays, and is tried again.
pub(super) async fn tell(app: &App, realm: &Arc<Realm>, repository: Uuid, file: PathBuf) {
    let written = tokio::task::spawn_blocking({
        let file = file.clone();
        move || pushed::read(&file)
    });
    let Ok(Ok(moved)) = written.await else { return };
    let told = wanted(app, realm, repository, moved).await;
    let triggers: Vec<Uuid> = told.iter().map(|told| told.trigger).collect();
    if !told.is_empty() {
        let command = TellPush { repository, told };
        let caller = Caller::system(ACTOR);
        let request = Request { command, caller, via: "git", reason: None, idempotency: None };
        if let Err(error) = realm.submit(request).await {
            tracing::warn!(repository = %repository, %error, "what a push has changed could not be queued yet");
            return;
        }
    }
    let _left_to_the_sweep = tokio::fs::remove_file(file).await;
    app.webhooks.wake_for(realm.name(), &triggers);
}

/// Looks for what a server that ended left untold.
pub(super) async fn tell_left(app: &App) {
    let Ok(directory) = app.git.repositories.absolute() else { return };
    for name in Pushed::realms(&directory) {
        let left = Pushed::left(&directory, &name).unwrap_or_default();
        if left.is_empty() {
            continue;
        }
        let Ok(realm) = app.node.realm(&name).await else { continue };
        for (repository, file) in left {
            tell(app, &realm, repository, file).await;
        }
    }
}

/// Which triggers want to be told, and of what.
async fn wanted(app: &App, realm: &Realm, repository: Uuid, moved: Vec<Moved>) -> Vec<Told> {
    let published = realm.published();
    let triggers: Vec<Arc<Trigger>> = published.state.triggers().of(repository).cloned().collect();
    let mut told = Vec::new();
    for moved in moved {
        for trigger in &triggers {
            let form = &trigger.form;
            let of_branch =
                form.branches.is_empty() || form.branches.iter().any(|name| **name == *moved.branch);
            if of_branch && (form.globs.is_empty() || touches(app, realm, repository, &moved, trigger).await)
            {
                let (branch, commit) = (moved.branch.clone(), moved.to.clone());
                told.push(Told { trigger: form.id, branch, commit });
            }
        }
    }
    told
}

/// Whether a file was changed of which the trigger has a pattern. If git cannot tell, it counts as one.
async fn touches(app: &App, realm: &Realm, repository: Uuid, moved: &Moved, trigger: &Trigger) -> bool {
    let place = app.git.repositories.place(realm.name(), repository);
    let mut command = backend::clean(&app.git.settings, &place);
    command.args(["diff-tree", "-r", "--quiet", "--no-renames"]);
    command.args([moved.from.as_deref().unwrap_or(NOTHING), moved.to.as_str(), "--"]);
    command.args(trigger.form.globs.iter().map(|glob| pathspec(glob)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    match timeout(PATIENCE, command.status()).await {
        Ok(Ok(status)) => status.code() != Some(0),
        _ => true,
    }
}

/// A pattern in git's own words: without a slash it fits the name of a file wherever that is.
fn pathspec(glob: &str) -> String {
    match glob.strip_prefix('/') {
        Some(from_the_top) => format!(":(glob){from_the_top}"),
        None if glob.contains('/') => format!(":(glob){glob}"),
        None => format!(":(glob)**/{glob}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert_eq!(pathspec("*.js"), ":(glob)**/*.js");
        assert_eq!(pathspec("src/*.js"), ":(glob)src/*.js");
        assert_eq!(pathspec("/README"), ":(glob)README");
        assert_eq!(pathspec("**/x/*"), ":(glob)**/x/*");
    }
}
