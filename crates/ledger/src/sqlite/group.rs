//! Group commit: appends of several realms in one transaction, with one sync for all.

use rusqlite::Connection;

use super::apply::{Verdict, apply};
use super::error::store_error;
use crate::plan::Plan;
use crate::store::{Appended, StoreError};

/// How a group ended.
pub(super) struct Outcome {
    /// One answer for each plan, in order.
    pub(super) answers: Vec<Appended>,
    /// What the connection is good for from now on.
    pub(super) health: Health,
}

/// What a connection is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Everything.
    Good,
    /// Nothing: it must be opened again. A write found no room, but no sync failed.
    OutOfRoom,
    /// Nothing: it must be opened again, and what is then read is not yet durable.
    Broken,
}

enum Attempt {
    Committed(Vec<Verdict>),
    /// Rolled back, or never begun, before any attempt to commit: certainly nothing was written.
    NotWritten(StoreError, Health),
    /// The commit failed; nobody knows.
    Unknown(StoreError, Health),
}

/// Writes the plans in one transaction. If one of them makes the transaction fail, each is tried in one of its own, so
/// that it harms only itself.
pub(super) fn commit_group(conn: &Connection, plans: &[Plan]) -> Outcome {
    match attempt(conn, plans) {
        Attempt::Committed(verdicts) => {
            Outcome { answers: verdicts.into_iter().map(answer).collect(), health: Health::Good }
        }
        Attempt::Unknown(error, health) => {
            Outcome { answers: plans.iter().map(|_| Appended::Unknown(error.clone())).collect(), health }
        }
        Attempt::NotWritten(_, Health::Good) if plans.len() > 1 => one_by_one(conn, plans),
        Attempt::NotWritten(error, health) => {
            Outcome { answers: plans.iter().map(|_| Appended::Rejected(error.clone())).collect(), health }
        }
    }
}

fn one_by_one(conn: &Connection, plans: &[Plan]) -> Outcome {
    let mut answers = Vec::with_capacity(plans.len());
    let mut health = Health::Good;
    for plan in plans {
        if health != Health::Good {
            answers.push(Appended::Rejected(StoreError::Unavailable(
                "a commit before this one failed; try again".to_owned(),
            )));
            continue;
        }
        let outcome = commit_group(conn, std::slice::from_ref(plan));
        health = outcome.health;
        answers.extend(outcome.answers);
    }
    Outcome { answers, health }
}

fn answer(verdict: Verdict) -> Appended {
    match verdict {
        Verdict::Applied(head) => Appended::Durable(head),
        Verdict::Conflict(head) => Appended::Conflict(head),
        Verdict::Untaken(rows) => Appended::Untaken(rows),
        Verdict::Refused(error) => Appended::Rejected(error),
    }
}

fn attempt(conn: &Connection, plans: &[Plan]) -> Attempt {
    if let Err(error) = execute(conn, "BEGIN IMMEDIATE") {
        return roll_back(conn, &error);
    }
    let mut verdicts = Vec::with_capacity(plans.len());
    for plan in plans {
        match apply(conn, plan) {
            Ok(verdict) => verdicts.push(verdict),
            Err(error) => return roll_back(conn, &error),
        }
    }
    if !verdicts.iter().any(|verdict| matches!(verdict, Verdict::Applied(_))) {
        return match execute(conn, "ROLLBACK") {
            Ok(()) => Attempt::Committed(verdicts),
            Err(error) => Attempt::NotWritten(store_error(&error), Health::Broken),
        };
    }
    match execute(conn, "COMMIT") {
        Ok(()) => Attempt::Committed(verdicts),
        Err(error) => {
            let error = store_error(&error);
            // A write that found no room is another error than a sync that failed.
            let health =
                if matches!(error, StoreError::Full(_)) { Health::OutOfRoom } else { Health::Broken };
            Attempt::Unknown(error, health)
        }
    }
}

/// SQLite may have rolled back by itself already; either way no commit was tried, so nothing was written. A connection
/// that cannot leave its transaction is of no further use.
fn roll_back(conn: &Connection, error: &rusqlite::Error) -> Attempt {
    let left = conn.is_autocommit() || execute(conn, "ROLLBACK").is_ok();
    let health = if left { Health::Good } else { Health::Broken };
    Attempt::NotWritten(store_error(error), health)
}

fn execute(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([]).map(|_| ())
}
