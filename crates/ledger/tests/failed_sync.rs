//! What happens when the disk refuses: the store runs under `strace`, which makes chosen system calls fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test says what is wrong by panicking"
)]

use std::process::Command;
use std::time::Duration;

use grantd_ledger::chain::ChainVerifier;
use grantd_ledger::entry::{ChangeBytes, CommandId, Draft, LedgerId};
use grantd_ledger::source::Source;
use grantd_ledger::sqlite::{SqliteOptions, SqliteStore};
use grantd_ledger::store::{Append, Appended, Store};
use uuid::Uuid;

const REALM: &str = "default";

/// Set for the process under `strace`: how many appends must be answered `Unknown` at least.
const FAULTS: &str = "GRANTD_EXPECTED_FAULTS";

fn under_strace(inject: &str, faults: u32) {
    let output = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync,pwrite64", "-e"])
        .arg(format!("inject={inject}"))
        .arg(std::env::current_exe().unwrap())
        .args(["--include-ignored", "--exact", "appends_survive_faults", "--nocapture"])
        .env(FAULTS, faults.to_string())
        .output()
        .expect("strace can be run");
    assert!(
        output.status.success(),
        "{inject}:\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The calls are counted in each thread; by the twentieth the store is open and the writer appends.
#[test]
#[ignore = "needs strace; add --include-ignored"]
fn one_failed_sync() {
    under_strace("fsync,fdatasync:error=EIO:when=20", 1);
}

#[test]
#[ignore = "needs strace; add --include-ignored"]
fn syncs_that_fail_while_it_recovers_too() {
    under_strace("fsync,fdatasync:error=EIO:when=20..24", 1);
}

#[test]
#[ignore = "needs strace; add --include-ignored"]
fn one_write_without_room() {
    under_strace("pwrite64:error=ENOSPC:when=150", 1);
}

/// What a caller does after `Unknown`: open again, read the head, look for the command. Everything that was answered as
/// durable is there in the end, and nothing twice.
#[tokio::test]
async fn appends_survive_faults() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), SqliteOptions::default()).await.unwrap();
    let mut head = store.create(REALM, LedgerId(Uuid::from_u128(1))).await.unwrap();
    let mut unknown = 0;
    for number in 0..60_u8 {
        let command_id = CommandId([number; 16]);
        loop {
            let draft = Draft {
                time: i64::from(number),
                actor: "user:alice".to_owned(),
                via: "api".to_owned(),
                command_id,
                reason: None,
                changes: vec![ChangeBytes { kind: 7, version: 1, body: vec![number; 50] }],
                disclosures: Vec::new(),
            };
            match store.append(Append { drafts: vec![draft], ..Append::on(REALM, head) }).await {
                Appended::Durable(now) => {
                    head = now;
                    break;
                }
                Appended::Conflict(now) => panic!("a conflict without another writer: {now:?}"),
                Appended::Untaken(rows) => panic!("nothing is taken here: {rows:?}"),
                Appended::Rejected(_) => {}
                Appended::Unknown(_) => unknown += 1,
            }
            while store.reopen().await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let now = store.head(REALM).await.unwrap();
            let found = store.find_commands(REALM, &[command_id]).await.unwrap();
            assert_eq!(found.len(), usize::from(now.revision == head.revision + 1));
            assert!(found.len() == 1 || now == head, "{now:?} after {head:?}");
            head = now;
            if found.len() == 1 {
                break;
            }
        }
    }
    let expected: u32 = std::env::var(FAULTS).map_or(0, |faults| faults.parse().unwrap());
    assert!(unknown >= expected, "{unknown} appends were `Unknown`");
    store.close().await.unwrap();

    let store = SqliteStore::open(dir.path(), SqliteOptions::default()).await.unwrap();
    let mut verifier = ChainVerifier::new();
    for one in store.entries(REALM, 0, 1_000).await.unwrap() {
        verifier.push(&one).unwrap();
    }
    verifier.check_head(&head).unwrap();
    assert_eq!(verifier.finish().entries, 60);
}
