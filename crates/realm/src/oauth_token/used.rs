//! When an app last used what it was given: for people, and may be lost.

use uuid::Uuid;

use crate::caller::Authority;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Command, Context, Decision, RowWrite};
use crate::refusal::Refusal;
use crate::{Micros, State};

/// The family of rows that say when an authorization was last used, by its id.
pub const USED_ROWS: &str = "oauth_used";

/// How long such a row is kept: 400 days.
const KEPT: Micros = 400 * 24 * 3_600 * 1_000_000;

/// Reads a row: when it was last used.
pub fn read_use(value: &[u8]) -> Result<Micros, CodecError> {
    let mut r = Reader::new(value);
    let at = r.i64()?;
    r.finish()?;
    Ok(at)
}

/// Notes when authorizations were last used; of those that have ended nothing.
pub struct NoteUses {
    /// Which, and when.
    pub uses: Vec<(Uuid, Micros)>,
}

impl Command for NoteUses {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let stand = self.uses.iter().filter(|(id, _)| state.authorizations().get(*id).is_some());
        let row = |(id, at): &(Uuid, Micros)| {
            let mut w = Writer::new();
            w.i64(*at);
            let (kind, key, expires) = (USED_ROWS, id.as_bytes().to_vec(), at.saturating_add(KEPT));
            RowWrite::Put { kind, key, value: w.finish().0, expires }
        };
        let rows = stand.map(row).collect();
        Ok(Decision { rows, ..Decision::unchanged(()) })
    }
}
