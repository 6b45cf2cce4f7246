//! Writes of ephemeral rows, many in one statement.

use std::collections::HashMap;

use tokio_postgres::Error;

use super::flush::{Flush, Param};
use crate::store::RowWrite;

/// Rows of one kind of write, of which no two have a key in common.
#[derive(Default)]
struct Columns<'a> {
    kinds: Vec<&'a str>,
    keys: Vec<&'a [u8]>,
    to: Vec<&'a [u8]>,
    values: Vec<&'a [u8]>,
    expires: Vec<i64>,
}

/// Writes that can be done in any order, because none touches a key of another.
#[derive(Default)]
struct Round<'a> {
    puts: Columns<'a>,
    renewals: Columns<'a>,
    moves: Columns<'a>,
    removals: Columns<'a>,
}

/// Adds the writes to a flush. `stamp` is the append's mark, without which they do nothing.
pub(super) async fn write_rows<'a>(
    flush: &mut Flush<'a>,
    realm: &'a str,
    stamp: i64,
    rows: &'a [RowWrite],
) -> Result<(), Error> {
    for round in rounds(rows) {
        let Round { puts, renewals, moves, removals } = round;
        let whose = || -> Vec<Param<'a>> { vec![Box::new(realm), Box::new(stamp)] };
        if let Some(rows) = puts.some() {
            let mut params = whose();
            params.extend([b(rows.kinds), b(rows.keys), b(rows.values), b(rows.expires)]);
            flush.add(PUT, params).await?;
        }
        if let Some(rows) = renewals.some() {
            let mut params = whose();
            params.extend([b(rows.kinds), b(rows.keys), b(rows.values), b(rows.expires)]);
            flush.add(RENEW, params).await?;
        }
        if let Some(rows) = moves.some() {
            let mut params = whose();
            params.extend([b(rows.kinds), b(rows.keys), b(rows.to), b(rows.values), b(rows.expires)]);
            flush.add(MOVE, params).await?;
        }
        if let Some(rows) = removals.some() {
            let mut params = whose();
            params.extend([b(rows.kinds), b(rows.keys)]);
            flush.add(REMOVE, params).await?;
        }
    }
    Ok(())
}

const PUT: &str = "INSERT INTO ephemeral_row (realm, kind, key, value, expires)
    SELECT $1, * FROM unnest($3::text[], $4::bytea[], $5::bytea[], $6::bigint[])
    WHERE EXISTS (SELECT 1 FROM ledger WHERE realm = $1 AND stamp = $2)
    ON CONFLICT (realm, kind, key) DO UPDATE SET value = excluded.value, expires = excluded.expires";

const RENEW: &str = "UPDATE ephemeral_row r SET value = w.value, expires = w.expires
    FROM unnest($3::text[], $4::bytea[], $5::bytea[], $6::bigint[]) AS w (kind, key, value, expires)
    WHERE r.realm = $1 AND r.kind = w.kind AND r.key = w.key
      AND EXISTS (SELECT 1 FROM ledger WHERE realm = $1 AND stamp = $2)";

const MOVE: &str = "UPDATE ephemeral_row r SET key = w.new_key, value = w.value, expires = w.expires
    FROM unnest($3::text[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bigint[])
      AS w (kind, key, new_key, value, expires)
    WHERE r.realm = $1 AND r.kind = w.kind AND r.key = w.key
      AND EXISTS (SELECT 1 FROM ledger WHERE realm = $1 AND stamp = $2)";

const REMOVE: &str = "DELETE FROM ephemeral_row r
    USING unnest($3::text[], $4::bytea[]) AS w (kind, key)
    WHERE r.realm = $1 AND r.kind = w.kind AND r.key = w.key
      AND EXISTS (SELECT 1 FROM ledger WHERE realm = $1 AND stamp = $2)";

fn b<'a, T: tokio_postgres::types::ToSql + Sync + Send + 'a>(value: T) -> Param<'a> {
    Box::new(value)
}

/// Each write comes in the first round after all that touched its keys before, and so finds the rows that it would have
/// found one after the other.
fn rounds(rows: &[RowWrite]) -> Vec<Round<'_>> {
    let mut rounds: Vec<Round<'_>> = Vec::new();
    let mut free: HashMap<(&str, &[u8]), usize> = HashMap::new();
    for row in rows {
        let (kind, key, to) = touches(row);
        let first_free = |key| free.get(&(kind, key)).copied().unwrap_or_default();
        let number = first_free(key).max(to.map(first_free).unwrap_or_default());
        free.insert((kind, key), number + 1);
        if let Some(to) = to {
            free.insert((kind, to), number + 1);
        }
        if rounds.len() == number {
            rounds.push(Round::default());
        }
        if let Some(round) = rounds.get_mut(number) {
            round.add(row);
        }
    }
    rounds
}

fn touches(row: &RowWrite) -> (&str, &[u8], Option<&[u8]>) {
    match row {
        RowWrite::Put { kind, key, .. }
        | RowWrite::Renew { kind, key, .. }
        | RowWrite::Delete { kind, key }
        | RowWrite::Take { kind, key, .. } => (kind, key, None),
        RowWrite::Move { kind, key, to, .. } => (kind, key, Some(to)),
    }
}

impl<'a> Round<'a> {
    fn add(&mut self, row: &'a RowWrite) {
        match row {
            RowWrite::Put { kind, key, value, expires } => self.puts.add(kind, key, value, *expires),
            RowWrite::Renew { kind, key, value, expires } => self.renewals.add(kind, key, value, *expires),
            RowWrite::Move { kind, key, to, value, expires } => {
                self.moves.add(kind, key, value, *expires);
                self.moves.to.push(to);
            }
            RowWrite::Delete { kind, key } | RowWrite::Take { kind, key, .. } => {
                self.removals.kinds.push(kind);
                self.removals.keys.push(key);
            }
        }
    }
}

impl<'a> Columns<'a> {
    fn add(&mut self, kind: &'a str, key: &'a [u8], value: &'a [u8], expires: i64) {
        self.kinds.push(kind);
        self.keys.push(key);
        self.values.push(value);
        self.expires.push(expires);
    }

    fn some(self) -> Option<Self> {
        if self.keys.is_empty() { None } else { Some(self) }
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a failed test panics")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(rows: &[RowWrite]) -> Vec<[usize; 4]> {
        let sizes = |round: &Round<'_>| {
            [&round.puts, &round.renewals, &round.moves, &round.removals].map(|columns| columns.keys.len())
        };
        rounds(rows).iter().map(sizes).collect()
    }

    fn put(key: &[u8]) -> RowWrite {
        RowWrite::Put { kind: "session", key: key.to_vec(), value: Vec::new(), expires: 1 }
    }

    fn delete(key: &[u8]) -> RowWrite {
        RowWrite::Delete { kind: "session", key: key.to_vec() }
    }

    fn moved(key: &[u8], to: &[u8]) -> RowWrite {
        RowWrite::Move { kind: "session", key: key.to_vec(), to: to.to_vec(), value: Vec::new(), expires: 1 }
    }

    #[test]
    fn different_keys_make_one_round() {
        assert_eq!(shape(&[put(b"a"), delete(b"b"), put(b"c"), moved(b"d", b"e")]), [[2, 0, 1, 1]]);
        assert!(shape(&[]).is_empty());
    }

    #[test]
    fn a_key_that_comes_again_waits_for_the_next_round() {
        assert_eq!(
            shape(&[put(b"a"), delete(b"a"), put(b"b"), put(b"a")]),
            [[2, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]]
        );
        assert_eq!(shape(&[moved(b"a", b"b"), put(b"b"), delete(b"c")]), [[0, 0, 1, 1], [1, 0, 0, 0]]);
        assert_eq!(
            shape(&[put(b"b"), moved(b"a", b"b"), put(b"a")]),
            [[1, 0, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]]
        );
    }

    type Model = HashMap<Vec<u8>, (Vec<u8>, i64)>;

    fn apply(model: &mut Model, row: &RowWrite) {
        match row.clone() {
            RowWrite::Put { key, value, expires, .. } => {
                model.insert(key, (value, expires));
            }
            RowWrite::Renew { key, value, expires, .. } => {
                if let Some(held) = model.get_mut(&key) {
                    *held = (value, expires);
                }
            }
            RowWrite::Move { key, to, value, expires, .. } => {
                if model.remove(&key).is_some() {
                    model.insert(to, (value, expires));
                }
            }
            RowWrite::Delete { key, .. } | RowWrite::Take { key, .. } => {
                model.remove(&key);
            }
        }
    }

    /// What the statements of a round do, in whatever order they come.
    fn apply_round(model: &mut Model, round: &Round<'_>) {
        let owned = |bytes: &&[u8]| bytes.to_vec();
        let Round { puts, renewals, moves, removals } = round;
        let kind = "session";
        for key in &removals.keys {
            apply(model, &RowWrite::Delete { kind, key: owned(key) });
        }
        for (at, key) in moves.keys.iter().enumerate() {
            let (to, value, expires) = (owned(&moves.to[at]), owned(&moves.values[at]), moves.expires[at]);
            apply(model, &RowWrite::Move { kind, key: owned(key), to, value, expires });
        }
        for (at, key) in renewals.keys.iter().enumerate() {
            let (value, expires) = (owned(&renewals.values[at]), renewals.expires[at]);
            apply(model, &RowWrite::Renew { kind, key: owned(key), value, expires });
        }
        for (at, key) in puts.keys.iter().enumerate() {
            let (value, expires) = (owned(&puts.values[at]), puts.expires[at]);
            apply(model, &RowWrite::Put { kind, key: owned(key), value, expires });
        }
    }

    fn any_write() -> impl Strategy<Value = RowWrite> {
        (0..4_u8, 0..5_u8, 0..5_u8, any::<u8>()).prop_map(|(what, key, to, value)| {
            let (kind, key, to, value, expires) = ("session", vec![key], vec![to], vec![value], 1);
            match what {
                0 => RowWrite::Put { kind, key, value, expires },
                1 => RowWrite::Renew { kind, key, value, expires },
                2 => RowWrite::Move { kind, key, to, value, expires },
                _ => RowWrite::Delete { kind, key },
            }
        })
    }

    proptest! {
        #[test]
        fn rounds_do_what_the_writes_do_one_by_one(rows in prop::collection::vec(any_write(), 0..24)) {
            let (mut one_by_one, mut in_rounds) = (Model::new(), Model::new());
            rows.iter().for_each(|row| apply(&mut one_by_one, row));
            rounds(&rows).iter().for_each(|round| apply_round(&mut in_rounds, round));
            prop_assert_eq!(one_by_one, in_rounds);
        }
    }
}
