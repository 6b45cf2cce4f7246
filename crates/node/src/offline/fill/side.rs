//! What lies beside a realm's ledger: rows, sealed secrets, checkpoints.

use grantd_ledger::source::Source;
use grantd_ledger::store::{Append, SealedSecret, SecretWrite, Store};
use grantd_realm::State;
use grantd_realm::sealed::sealed_secrets;

use super::{FillError, Filled, append};

/// How many rows are carried at a time.
const PAGE: usize = 1_000;

/// Carries it over, from the beginning: rows change without an entry that would tell. `cut`: the state at which the ledger was
/// cut. Then nothing comes along that could be newer than it: no row (a session that was ended later would live again), and
/// only those secrets that were in force at that revision.
pub(super) async fn carry<S: Source + ?Sized>(
    source: &S,
    target: &dyn Store,
    filled: &mut Filled,
    secrets: &[(String, SealedSecret)],
    cut: Option<&State>,
) -> Result<(), FillError> {
    let realm = filled.realm.clone();
    target.clear_side_data(&realm).await?;
    let mut after: Option<(String, Vec<u8>)> = None;
    loop {
        let place = after.as_ref().map(|(kind, key)| (kind.as_str(), key.as_slice()));
        let page = source.all_rows(&realm, place, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.kind.clone(), last.key.clone()));
        if cut.is_some() {
            filled.left_behind += page.len();
        } else {
            filled.rows += page.len();
            target.adopt_rows(&realm, page).await?;
        }
    }
    if cut.is_none() {
        compare_rows(source, target, &realm).await?;
    }
    let in_force = cut.map(sealed_secrets);
    let of_realm = secrets.iter().filter(|(of, _)| *of == realm).map(|(_, secret)| secret);
    let (kept, newer): (Vec<_>, Vec<_>) = of_realm.partition(|secret| {
        in_force.as_ref().is_none_or(|known| known.contains(&(secret.name.clone(), secret.version)))
    });
    filled.secrets = kept.len();
    filled.left_behind += newer.len();
    let head = target.head(&realm).await?;
    for some in kept.chunks(PAGE) {
        let secrets = some.iter().map(|secret| SecretWrite::Put((*secret).clone())).collect();
        append(target, &Append { secrets, ..Append::on(&realm, head) }, |_| false).await?;
    }
    for checkpoint in source.checkpoints(&realm).await? {
        if checkpoint.revision <= filled.end.revision {
            target.put_checkpoint(&realm, &checkpoint).await?;
        }
    }
    Ok(())
}

/// Reads back what was written.
async fn compare_rows<S: Source + ?Sized>(
    source: &S,
    target: &dyn Store,
    realm: &str,
) -> Result<(), FillError> {
    let mut after: Option<(String, Vec<u8>)> = None;
    loop {
        let place = after.as_ref().map(|(kind, key)| (kind.as_str(), key.as_slice()));
        let (original, copy) =
            (source.all_rows(realm, place, PAGE).await?, target.all_rows(realm, place, PAGE).await?);
        if original != copy {
            let what =
                "rows beside the ledger are others; let one command fill the target at a time".to_owned();
            return Err(FillError::Differs { realm: realm.to_owned(), what });
        }
        let Some(last) = original.last() else { return Ok(()) };
        after = Some((last.kind.clone(), last.key.clone()));
    }
}
