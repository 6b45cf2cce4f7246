//! The compare-and-set append: one transaction, sent as a whole, of which the head's row is the lock.
//!
//! Every statement behind the one that sets the head asks for this append's stamp in that row. Where the head was another
//! one there is no such stamp, and all of it does nothing, without an error.

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::error::{store_error, too_slow, warned};
use super::flush::{Answer, Flush, Param};
use super::read::{head_and_epoch, signed, values_of};
use super::rows::write_rows;
use super::session::Session;
use super::unsettled::InFlight;
use super::{Client, PostgresStore};
use crate::entry::Micros;
use crate::plan::{Plan, Taking};
use crate::store::{Appended, Head, RowWrite, SealedSecret, SecretWrite, StoreError};

/// How often an append is sent again because somebody settled the ledger meanwhile; each time nothing was written.
const ATTEMPTS: usize = 8;

pub(super) async fn append(store: &PostgresStore, plan: &Plan) -> Appended {
    for _ in 0..ATTEMPTS {
        match attempt(store, plan).await {
            Attempt::Ended(appended) => return appended,
            Attempt::Again => {}
        }
    }
    Appended::Rejected(StoreError::Unavailable(
        "nodes go on giving up their connections to PostgreSQL; look at its log".to_owned(),
    ))
}

enum Attempt {
    Ended(Appended),
    /// Nothing was written, and nothing that we were told to compare is the reason.
    Again,
}

impl Attempt {
    fn rejected(error: StoreError) -> Self {
        Self::Ended(Appended::Rejected(error))
    }
}

async fn attempt(store: &PostgresStore, plan: &Plan) -> Attempt {
    let client = match store.client().await {
        Ok(client) => client,
        Err(error) => return Attempt::rejected(error),
    };
    let taken = Taken::of(plan);
    if !taken.may_be {
        return why_not(store, client, plan, &taken).await;
    }
    let in_flight = store.in_flight(&plan.realm);
    let sending = tokio::time::timeout(store.options.patience(), send(store, &client, plan, &taken));
    match sending.await {
        Ok(Outcome::Durable) => {
            in_flight.landed();
            Attempt::Ended(Appended::Durable(plan.head))
        }
        Ok(Outcome::Unmoved) => {
            in_flight.landed();
            why_not(store, client, plan, &taken).await
        }
        Ok(Outcome::Aborted(error)) => {
            in_flight.landed();
            // The connection may be in the middle of anything: it does not go back to the others, and the server rolls
            // back as it goes.
            client.break_off();
            let lost_a_race = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
            if error.code().is_some_and(|code| lost_a_race.contains(code)) {
                return match store.client().await {
                    Ok(client) => why_not(store, client, plan, &taken).await,
                    Err(error) => Attempt::rejected(error),
                };
            }
            Attempt::rejected(store_error(&error))
        }
        Ok(Outcome::Lost(error)) => lost(&client, in_flight, error),
        Err(_) => lost(&client, in_flight, too_slow()),
    }
}

fn lost(client: &Session, in_flight: InFlight<'_>, error: StoreError) -> Attempt {
    // Not landed: whoever opens the store anew settles it.
    drop(in_flight);
    client.break_off();
    Attempt::Ended(Appended::Unknown(error))
}

/// What became of a flush.
enum Outcome {
    Durable,
    /// The head was not taken, and so nothing was written.
    Unmoved,
    /// A statement failed, so that nothing was or will be committed.
    Aborted(Error),
    /// It may be committed, or be so yet.
    Lost(StoreError),
}

async fn send(store: &PostgresStore, session: &Session, plan: &Plan, taken: &Taken<'_>) -> Outcome {
    let before = session.warnings();
    let (flush, head) = match compose(store, session, plan, taken).await {
        Ok(composed) => composed,
        Err(error) => return Outcome::Aborted(error),
    };
    match flush.commit().await {
        Ok(answers) => judge(answers, head, || session.warnings() != before),
        Err(error) => Outcome::Aborted(error),
    }
}

/// `head`: which answer is that of the statement that takes the head.
fn judge(mut answers: Vec<Answer>, head: usize, has_warned: impl Fn() -> bool) -> Outcome {
    let committed = answers.pop();
    if matches!(answers.get(head), Some(Ok(rows)) if rows.is_empty()) {
        return Outcome::Unmoved;
    }
    if let Some(error) = answers.into_iter().find_map(Answer::err) {
        // An error that the server answered ended the transaction. Without an answer COMMIT may have been heard.
        return if error.as_db_error().is_some() {
            Outcome::Aborted(error)
        } else {
            Outcome::Lost(store_error(&error))
        };
    }
    match committed {
        // The wait for the replica was broken off: it is committed, but perhaps only there.
        Some(Ok(_)) if has_warned() => Outcome::Lost(warned()),
        Some(Ok(_)) => Outcome::Durable,
        // Even an error that the server answers may come after the commit was written (a shutdown while it waits for a
        // replica), so none of them is taken for a no.
        Some(Err(error)) => Outcome::Lost(store_error(&error)),
        None => Outcome::Lost(StoreError::Unavailable("COMMIT was not answered".to_owned())),
    }
}

/// The whole transaction, and which of its answers is that of the statement that takes the head.
async fn compose<'a>(
    store: &PostgresStore,
    session: &'a Session,
    plan: &'a Plan,
    taken: &Taken<'a>,
) -> Result<(Flush<'a>, usize), Error> {
    let realm = plan.realm.as_str();
    let stamp = stamp();
    let mut flush = Flush::begin(session);
    let head = take_head(&mut flush, plan, taken, stamp, store.epoch(realm)).await?;
    write_entries(&mut flush, plan, stamp).await?;
    write_disclosures(&mut flush, plan, stamp).await?;
    write_rows(&mut flush, realm, stamp, &plan.rows).await?;
    for secret in &plan.secrets {
        write_secret(&mut flush, realm, stamp, secret).await?;
    }
    if !plan.erase.is_empty() {
        erase(&mut flush, plan, stamp).await?;
    }
    Ok((flush, head))
}

/// What nobody else writes into a ledger's row.
fn stamp() -> i64 {
    i64::from_ne_bytes(uuid::Uuid::new_v4().as_u64_pair().1.to_ne_bytes())
}

/// Sets the head if it is the expected one. A second appender waits here for the first to end, and then finds another.
async fn take_head<'a>(
    flush: &mut Flush<'a>,
    plan: &'a Plan,
    taken: &Taken<'a>,
    stamp: i64,
    epoch: i64,
) -> Result<usize, Error> {
    let mut params: Vec<Param<'a>> = vec![Box::new(plan.realm.as_str())];
    params.extend(head_params(&plan.expected));
    params.extend(head_params(&plan.head));
    params.push(Box::new(stamp));
    params.push(Box::new(epoch));
    if taken.keys.is_empty() {
        return flush.add(TAKE_HEAD, params).await;
    }
    // Rows are looked at under the head's lock, by a statement that begins after it is held: an append of rows alone leaves
    // the head as it is.
    flush
        .add("SELECT 1 FROM ledger WHERE realm = $1 FOR UPDATE", vec![Box::new(plan.realm.as_str())])
        .await?;
    params.push(Box::new(taken.kinds.clone()));
    params.push(Box::new(taken.keys.clone()));
    params.push(Box::new(taken.values.clone()));
    flush.add(TAKE_HEAD_AND_ROWS, params).await
}

const TAKE_HEAD: &str = "UPDATE ledger
    SET ledger_id = $6, revision = $7, hash = $8, time = $9, stamp = $10
    WHERE realm = $1 AND ledger_id = $2 AND revision = $3 AND hash = $4 AND time = $5 AND epoch = $11
    RETURNING 1";

const TAKE_HEAD_AND_ROWS: &str = "UPDATE ledger
    SET ledger_id = $6, revision = $7, hash = $8, time = $9, stamp = $10
    WHERE realm = $1 AND ledger_id = $2 AND revision = $3 AND hash = $4 AND time = $5 AND epoch = $11
      AND NOT EXISTS (
        SELECT 1 FROM unnest($12::text[], $13::bytea[], $14::bytea[]) AS taken (kind, key, value)
        WHERE NOT EXISTS (
            SELECT 1 FROM ephemeral_row r
            WHERE r.realm = $1 AND r.kind = taken.kind AND r.key = taken.key AND r.value = taken.value))
    RETURNING 1";

fn head_params(head: &Head) -> [Param<'_>; 4] {
    let time: Micros = head.time;
    [
        Box::new(head.ledger_id.0.as_bytes().as_slice()),
        Box::new(signed(head.revision)),
        Box::new(head.hash.0.as_slice()),
        Box::new(time),
    ]
}

/// All entries in one statement.
async fn write_entries<'a>(flush: &mut Flush<'a>, plan: &'a Plan, stamp: i64) -> Result<(), Error> {
    if plan.entries.is_empty() {
        return Ok(());
    }
    let revisions: Vec<i64> = plan.entries.iter().map(|placed| signed(placed.entry.revision)).collect();
    let commands: Vec<&[u8]> =
        plan.entries.iter().map(|placed| placed.entry.command_id.0.as_slice()).collect();
    let hashes: Vec<&[u8]> = plan.entries.iter().map(|placed| placed.entry.hash.0.as_slice()).collect();
    let bytes: Vec<&[u8]> = plan.entries.iter().map(|placed| placed.bytes.as_slice()).collect();
    flush
        .add(
            "INSERT INTO entry (realm, revision, command_id, hash, bytes)
             SELECT $1, * FROM unnest($3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[])
             WHERE EXISTS (SELECT 1 FROM ledger WHERE realm = $1 AND stamp = $2)",
            vec![
                Box::new(plan.realm.as_str()),
                Box::new(stamp),
                Box::new(revisions),
                Box::new(commands),
                Box::new(hashes),
                Box::new(bytes),
            ],
        )
        .await?;
    Ok(())
}

async fn write_disclosures<'a>(flush: &mut Flush<'a>, plan: &'a Plan, stamp: i64) -> Result<(), Error> {
    let (mut revisions, mut slots) = (Vec::new(), Vec::new());
    let (mut salts, mut values) = (Vec::<&[u8]>::new(), Vec::<&[u8]>::new());
    for placed in &plan.entries {
        for disclosure in &placed.disclosures {
            revisions.push(signed(placed.entry.revision));
            slots.push(i64::from(disclosure.slot));
            salts.push(&disclosure.salt);
            values.push(&disclosure.value);
        }
    }
    if revisions.is_empty() {
        return Ok(());
    }
    flush
        .add(
            "INSERT INTO disclosure (realm, revision, slot, salt, value)
             SELECT $1, * FROM unnest($3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[])
             WHERE EXISTS (SELECT 1 FROM ledger WHERE realm = $1 AND stamp = $2)",
            vec![
                Box::new(plan.realm.as_str()),
                Box::new(stamp),
                Box::new(revisions),
                Box::new(slots),
                Box::new(salts),
                Box::new(values),
            ],
        )
        .await?;
    Ok(())
}

async fn write_secret<'a>(
    flush: &mut Flush<'a>,
    realm: &'a str,
    stamp: i64,
    secret: &'a SecretWrite,
) -> Result<(), Error> {
    match secret {
        SecretWrite::Put(SealedSecret { name, version, key_id, sealed }) => {
            flush
                .add(
                    "INSERT INTO secret (realm, name, version, key_id, sealed)
                     SELECT $1, $3, $4, $5, $6
                     WHERE EXISTS (SELECT 1 FROM ledger WHERE realm = $1 AND stamp = $2)
                     ON CONFLICT (realm, name) DO UPDATE
                     SET version = excluded.version, key_id = excluded.key_id, sealed = excluded.sealed",
                    vec![
                        Box::new(realm),
                        Box::new(stamp),
                        Box::new(name.as_str()),
                        Box::new(i64::from(*version)),
                        Box::new(key_id.as_slice()),
                        Box::new(sealed.as_slice()),
                    ],
                )
                .await?;
        }
        SecretWrite::Delete(name) => {
            flush
                .add(
                    "DELETE FROM secret WHERE realm = $1 AND name = $3
                     AND EXISTS (SELECT 1 FROM ledger WHERE realm = $1 AND stamp = $2)",
                    vec![Box::new(realm), Box::new(stamp), Box::new(name.as_str())],
                )
                .await?;
        }
    }
    Ok(())
}

/// Removes the values, and every state snapshot, whose bytes may hold them too. The fence keeps out a snapshot that
/// was folded before and arrives after.
async fn erase<'a>(flush: &mut Flush<'a>, plan: &'a Plan, stamp: i64) -> Result<(), Error> {
    let revisions: Vec<i64> = plan.erase.iter().map(|(revision, _)| signed(*revision)).collect();
    let slots: Vec<i64> = plan.erase.iter().map(|(_, slot)| i64::from(*slot)).collect();
    let whose = || -> Vec<Param<'a>> { vec![Box::new(plan.realm.as_str()), Box::new(stamp)] };
    let mut which = whose();
    which.push(Box::new(revisions));
    which.push(Box::new(slots));
    flush
        .add(
            "DELETE FROM disclosure WHERE realm = $1
             AND (revision, slot) IN (SELECT * FROM unnest($3::bigint[], $4::bigint[]))
             AND EXISTS (SELECT 1 FROM ledger WHERE realm = $1 AND stamp = $2)",
            which,
        )
        .await?;
    flush
        .add(
            "DELETE FROM snapshot WHERE realm = $1
             AND EXISTS (SELECT 1 FROM ledger WHERE realm = $1 AND stamp = $2)",
            whose(),
        )
        .await?;
    let mut fence = whose();
    fence.push(Box::new(signed(plan.expected.revision.saturating_add(1))));
    flush.add("UPDATE ledger SET fence = $3 WHERE realm = $1 AND stamp = $2", fence).await?;
    Ok(())
}

/// The rows that an append wants to take and that the store has to be asked for.
struct Taken<'a> {
    kinds: Vec<&'a str>,
    keys: Vec<&'a [u8]>,
    values: Vec<&'a [u8]>,
    /// False when the append's own rows already say that one cannot be taken.
    may_be: bool,
}

impl<'a> Taken<'a> {
    fn of(plan: &'a Plan) -> Self {
        let mut taking = Taking::default();
        let mut taken = Self { kinds: Vec::new(), keys: Vec::new(), values: Vec::new(), may_be: true };
        for (index, row) in plan.rows.iter().enumerate() {
            if let (Some((kind, key)), RowWrite::Take { value, .. }) = (taking.judge(index, row), row) {
                taken.kinds.push(kind);
                taken.keys.push(key);
                taken.values.push(value);
            }
        }
        taken.may_be = taking.untaken().is_empty();
        taken
    }

    /// Which rows of the plan cannot be taken, by the values that the store has for those asked.
    fn untaken(plan: &Plan, values: &[Option<Vec<u8>>]) -> Vec<usize> {
        let mut taking = Taking::default();
        let mut values = values.iter();
        for (index, row) in plan.rows.iter().enumerate() {
            if taking.judge(index, row).is_some() {
                taking.found(index, row, values.next().and_then(Option::as_deref));
            }
        }
        taking.untaken()
    }
}

/// Why nothing was written.
async fn why_not(store: &PostgresStore, client: Client, plan: &Plan, taken: &Taken<'_>) -> Attempt {
    let mut found = found_instead(store, &client, plan, taken).await;
    if found.is_err() {
        // Perhaps the connection alone is gone.
        client.break_off();
        found = match store.client().await {
            Ok(client) => found_instead(store, &client, plan, taken).await,
            Err(error) => Err(error),
        };
    }
    match found {
        Ok((_, None)) => Attempt::rejected(StoreError::NoLedger(plan.realm.clone())),
        Ok((_, Some((head, _)))) if head != plan.expected => Attempt::Ended(Appended::Conflict(head)),
        Ok((values, Some((_, epoch)))) => {
            let untaken = Taken::untaken(plan, &values);
            if untaken.is_empty() {
                store.learn_epoch(&plan.realm, epoch);
                Attempt::Again
            } else {
                Attempt::Ended(Appended::Untaken(untaken))
            }
        }
        Err(error) => Attempt::rejected(error),
    }
}

/// The values of the rows to be taken, and the head with its epoch. The head is read last: when it is still the expected
/// one, it was so while the rows were read.
async fn found_instead(
    store: &PostgresStore,
    client: &Session,
    plan: &Plan,
    taken: &Taken<'_>,
) -> Result<(Vec<Option<Vec<u8>>>, Option<(Head, i64)>), StoreError> {
    let work = async {
        let values = values_of(client, &plan.realm, &taken.kinds, &taken.keys).await?;
        Ok((values, head_and_epoch(client, &plan.realm).await?))
    };
    super::within(&store.options, work).await
}
