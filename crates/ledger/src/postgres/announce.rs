//! Word of appends from node to node, by NOTIFY, so that a follower need not wait for its next poll.
//!
//! Only a hint. It is not sent in the append's own transaction, because the server lets only one transaction that notifies
//! commit at a time; it goes out afterwards, on a session of its own that also listens, for all realms that gathered.

use std::collections::BTreeSet;
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast};
use tokio::task::JoinHandle;
use tokio_postgres::Error;

use super::connect::Hosts;
use super::error::store_error;
use super::session::Session;

/// How many hints a slow listener may be behind before it loses some.
const KEPT: usize = 1024;
/// A notification's text must be shorter than 8000 bytes.
const LONGEST: usize = 7_900;
/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(500);

/// Tells and hears of appends.
pub(super) struct Announcer {
    post: Arc<Post>,
    heard: broadcast::Sender<Arc<str>>,
    task: JoinHandle<()>,
}

/// Realms to be told of, each once.
#[derive(Default)]
struct Post {
    realms: Mutex<BTreeSet<String>>,
    more: Notify,
}

impl Announcer {
    pub(super) fn start(hosts: Arc<Hosts>) -> Self {
        let (heard, _) = broadcast::channel(KEPT);
        let post = Arc::new(Post::default());
        let task = tokio::spawn(run(hosts, Arc::clone(&post), heard.clone()));
        Self { post, heard, task }
    }

    /// Has others told that the realm was appended to; returns at once.
    pub(super) fn say(&self, realm: &str) {
        let new = self.post.lock().insert(realm.to_owned());
        if new {
            self.post.more.notify_one();
        }
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Arc<str>> {
        self.heard.subscribe()
    }

    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Post {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.realms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn run(hosts: Arc<Hosts>, post: Arc<Post>, heard: broadcast::Sender<Arc<str>>) {
    let us = uuid::Uuid::new_v4().simple().to_string();
    loop {
        let hears = Hears { us: us.clone(), heard: heard.clone() };
        // Whether the store can be reached is said by those who need it.
        if let Ok(session) = hosts.connect(Some(hears)).await {
            match serve(session, &post, &us).await {
                Ok(()) => {}
                Err(error) if is_refusal(&error) => {
                    tracing::warn!(
                        error = %store_error(&error),
                        "this database has no LISTEN and NOTIFY: nodes learn of each other's appends by polling alone"
                    );
                    return;
                }
                Err(error) => tracing::info!(error = %store_error(&error), "announcements are interrupted"),
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Tells what gathers until the session ends.
async fn serve(mut session: Session, post: &Post, us: &str) -> Result<(), Error> {
    // Nobody needs an announcement to be on the disk.
    session
        .batch_execute("SET synchronous_commit = off; SET statement_timeout = '5s'; LISTEN grantd")
        .await?;
    let notify = session.prepare("SELECT pg_notify('grantd', $1)").await?;
    loop {
        tokio::select! {
            () = session.ended() => return Ok(()),
            () = post.more.notified() => {}
        }
        let gathered = take(&mut *post.lock());
        for letter in letters(us, &gathered) {
            let sent = session.query(&notify, &[&letter]).await;
            if let Err(error) = sent {
                // Said again by the next session; twice does no harm.
                post.lock().extend(gathered);
                post.more.notify_one();
                return Err(error);
            }
        }
    }
}

/// A database that does not know the statement, rather than one that is in trouble.
fn is_refusal(error: &Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("0A") || code.code().starts_with("42"))
}

/// The realms as texts that are short enough: who says it, and then a realm in each line. A realm's name has no control
/// characters.
fn letters(us: &str, realms: &BTreeSet<String>) -> Vec<String> {
    let mut letters: Vec<String> = Vec::new();
    for realm in realms {
        match letters.last_mut() {
            Some(letter) if letter.len() + 1 + realm.len() <= LONGEST => {
                letter.push('\n');
                letter.push_str(realm);
            }
            _ => letters.push(format!("{us}\n{realm}")),
        }
    }
    letters
}

/// Where what a session hears goes.
pub(super) struct Hears {
    us: String,
    heard: broadcast::Sender<Arc<str>>,
}

impl Hears {
    /// Passes on the realms that others tell of.
    pub(super) fn letter(&self, text: &str) {
        let mut lines = text.split('\n');
        if lines.next() != Some(self.us.as_str()) {
            for realm in lines {
                // Nobody listens yet, perhaps.
                let _ = self.heard.send(realm.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_hold_all_and_are_short() {
        let realms: BTreeSet<String> = (0..100).map(|number| format!("{number:0250}")).collect();
        let letters = letters("us", &realms);
        assert!(letters.len() > 3 && letters.iter().all(|letter| letter.len() <= LONGEST));
        let (heard, mut listener) = broadcast::channel(1000);
        let ours = Hears { us: "us".to_owned(), heard: heard.clone() };
        let others = Hears { us: "them".to_owned(), heard };
        letters.iter().for_each(|letter| ours.letter(letter));
        assert!(listener.try_recv().is_err(), "our own is not heard again");
        letters.iter().for_each(|letter| others.letter(letter));
        let mut found = BTreeSet::new();
        while let Ok(realm) = listener.try_recv() {
            assert!(found.insert(realm.to_string()), "twice");
        }
        assert_eq!(found, realms);
        assert!(super::letters("us", &BTreeSet::new()).is_empty());
    }
}
