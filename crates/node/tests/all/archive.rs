//! Ledgers whose first entries are in archives: served, verified, erased from, put back.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use grantd_ledger::entry::Disclosed;
use grantd_ledger::seal::MasterKey;
use grantd_ledger::source::Source;
use grantd_ledger::store::StoreError;
use grantd_node::offline::{
    Archival, ArchiveFailed, Archived, Erasure, Evidence, InArchives, UnarchiveError, Unarchived, Verified,
    VerifyError, archive, checkpoint, erase, signing_key, unarchive, verify, verify_with,
};
use grantd_node::realm::builtin;
use grantd_node::realm::engine::Object;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::user::UpdateUser;
use grantd_testkit::faulty_store::Fault;
use tempfile::TempDir;

use crate::support::{Rig, code, does, keyed, request, user};

fn key() -> MasterKey {
    MasterKey::from_bytes([7; 32])
}

/// A realm with users alice, bob, carol, dave and erin, of which alice was renamed: seven entries.
struct World {
    rig: Rig,
    files: TempDir,
}

impl World {
    async fn new() -> Self {
        Self::of(Rig::new().await).await
    }

    async fn of(rig: Rig) -> Self {
        let realm = rig.realm().await;
        for login in ["alice", "bob", "carol"] {
            does(&realm, user(login)).await;
        }
        let name = Some(Some("another name of alice".into()));
        does(&realm, UpdateUser { login: "alice".into(), name, ..UpdateUser::default() }).await;
        for login in ["dave", "erin"] {
            does(&realm, user(login)).await;
        }
        Self { rig, files: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    async fn archive(&self, before: u64, name: &str) -> Result<Archived, ArchiveFailed> {
        let schema = builtin::schema().unwrap();
        let archival = Archival { before, to: &self.file(name), signers: &[] };
        archive(&*self.rig.store, DEFAULT, schema, &key(), archival).await
    }

    async fn archived(&self, before: u64, name: &str) -> Archived {
        let archived = self.archive(before, name).await.unwrap();
        assert!(!archived.already);
        archived
    }

    async fn unarchive(&self, name: &str) -> Result<Unarchived, UnarchiveError> {
        unarchive(&*self.rig.store, DEFAULT, builtin::schema().unwrap(), &self.file(name)).await
    }

    async fn verify(&self, archives: &[&str]) -> Result<Verified, VerifyError> {
        let archives: Vec<_> = archives.iter().map(|name| self.file(name)).collect();
        let signers = [signing_key(&key()).unwrap()];
        let evidence = Evidence { archives: &archives, signers: &signers, ..Evidence::default() };
        verify_with(&*self.rig.store, DEFAULT, builtin::schema().unwrap(), &evidence).await
    }

    async fn problem(&self, archives: &[&str]) -> String {
        self.verify(archives).await.unwrap().problem.expect("something is wrong").what
    }

    async fn erase(&self, login: &str) -> usize {
        let erasure = Erasure { object: Object::new("user", login).unwrap(), reasons: true };
        erase(&*self.rig.store, DEFAULT, builtin::schema().unwrap(), &erasure).await.unwrap().values
    }

    /// The state as a node loads it now, personal values included.
    async fn loaded(&self) -> Vec<u8> {
        self.rig.realm().await.published().state.to_snapshot()
    }

    async fn name_of(&self, login: &str) -> Option<String> {
        let published = self.rig.realm().await.published();
        let name = published.state.users().get(login).unwrap().name.as_ref().unwrap().text();
        name.map(str::to_owned)
    }

    fn tamper(&self, sql: &str) {
        self.rig.tamper(sql);
    }
}

async fn entries(world: &World, after: u64) -> Result<Vec<Disclosed>, StoreError> {
    world.rig.store.entries(DEFAULT, after, 100).await
}

#[tokio::test]
async fn a_ledger_with_an_archive_is_what_it_was() {
    let world = World::new().await;
    let all = world.rig.ledger().await;
    let (before, verified) = (world.loaded().await, world.verify(&[]).await.unwrap());
    assert_eq!(verified.archived, None);
    let archived = world.archived(6, "first").await;
    assert_eq!((archived.first, archived.last), (1, 5));
    assert_eq!(archived.checkpoint.head_hash, all[4].entry.hash);
    assert!(archived.checkpoint.verify_by(&signing_key(&key()).unwrap()).is_ok());

    assert_eq!(entries(&world, 5).await.unwrap(), all[5..]);
    assert!(matches!(entries(&world, 0).await, Err(StoreError::Archived { first: 6 })));
    assert!(world.loaded().await == before, "values included");
    let found = world.verify(&[]).await.unwrap();
    let public_key = archived.checkpoint.public_key;
    assert_eq!(found.archived, Some(InArchives { entries: 5, looked_at: 0, public_key }));
    assert_eq!((found.problem, found.head, found.state_hash), (None, verified.head, verified.state_hash));
    let whole = world.verify(&["first"]).await.unwrap();
    assert_eq!(whole.archived, Some(InArchives { entries: 5, looked_at: 5, public_key }));
    assert_eq!((whole.problem, whole.state_hash), (None, verified.state_hash));

    // It goes on, and so does what is made of it.
    does(&*world.rig.realm().await, user("frank")).await;
    assert_eq!(world.verify(&["first"]).await.unwrap().head.revision, 8);
    world.archived(9, "second").await;
    assert!(world.loaded().await != before);
    assert_eq!(world.name_of("alice").await.as_deref(), Some("another name of alice"));
    let verified = world.verify(&["first", "second"]).await.unwrap();
    assert_eq!((verified.problem, verified.archived.unwrap().looked_at), (None, 8));
    let later = world.verify(&["second"]).await.unwrap();
    assert_eq!((later.problem, later.archived.unwrap().looked_at), (None, 3), "begins behind the first");
}

#[tokio::test]
async fn what_cannot_be_archived() {
    let world = World::new().await;
    for before in [0, 1] {
        let refused = world.archive(before, "a").await;
        assert!(matches!(refused, Err(ArchiveFailed::NothingBefore { first: 1, .. })), "{refused:?}");
    }
    assert!(matches!(world.archive(9, "a").await, Err(ArchiveFailed::Beyond { last: 7 })));
    fs::write(world.file("a"), "something else").unwrap();
    assert!(matches!(world.archive(4, "a").await, Err(ArchiveFailed::Exists(_))));
    assert_eq!(fs::read(world.file("a")).unwrap(), b"something else");
    world.archived(4, "b").await;
    assert!(matches!(world.archive(3, "c").await, Err(ArchiveFailed::NothingBefore { first: 4, .. })));
    assert!(matches!(world.archive(6, "b").await, Err(ArchiveFailed::Exists(_))), "that is the one before");
    assert!(!world.file("c").exists());
    let bad = World::new().await;
    bad.tamper("UPDATE entry SET hash = command_id WHERE revision = 6");
    assert!(matches!(bad.archive(3, "a").await, Err(ArchiveFailed::Broken(_))));
    assert!(!bad.file("a").exists());
}

/// The command ended before the store let go of the entries, or after it and before it said so.
#[tokio::test]
async fn it_can_be_run_again() {
    let world = World::new().await;
    let all = world.rig.ledger().await;
    // Ended while it wrote.
    fs::write(world.file("first.part"), "half of it").unwrap();
    world.archived(4, "first").await;
    assert!(!world.file("first.part").exists());
    // Ended after the file was whole.
    world.unarchive("first").await.unwrap();
    let file = fs::read(world.file("first")).unwrap();
    assert_eq!(world.rig.ledger().await, all);
    world.archived(4, "first").await;
    assert_eq!(fs::read(world.file("first")).unwrap(), file, "it is taken as it is");
    assert_eq!(world.verify(&["first"]).await.unwrap().problem, None);
    // Ended after all of it was done.
    let again = world.archive(4, "first").await.unwrap();
    assert!(again.already);
    assert_eq!((again.first, again.last), (1, 3));
    // A whole file of another ledger with the same revisions is not it.
    let other = World::new().await;
    fs::copy(world.file("first"), other.file("first")).unwrap();
    assert!(matches!(other.archive(4, "first").await, Err(ArchiveFailed::Exists(_))));
}

#[tokio::test]
async fn entries_come_back() {
    let world = World::new().await;
    let (all, state) = (world.rig.ledger().await, world.loaded().await);
    world.archived(3, "first").await;
    world.archived(6, "second").await;
    assert!(matches!(world.unarchive("first").await, Err(UnarchiveError::NotTheLast { end: 2, base: 5 })));
    assert_eq!(world.unarchive("second").await.unwrap(), Unarchived { first: 3, last: 5 });
    assert_eq!(entries(&world, 2).await.unwrap(), all[2..]);
    assert!(world.loaded().await == state);
    assert_eq!(world.verify(&["first"]).await.unwrap().problem, None);
    assert!(matches!(world.verify(&["first", "second"]).await, Err(VerifyError::Misplaced { .. })));
    assert_eq!(world.unarchive("first").await.unwrap(), Unarchived { first: 1, last: 2 });
    assert_eq!(world.rig.ledger().await, all);
    assert!(matches!(world.unarchive("first").await, Err(UnarchiveError::NoArchive)));
    let other = World::new().await;
    other.archived(3, "other").await;
    fs::copy(other.file("other"), world.file("other")).unwrap();
    world.archived(3, "again").await;
    assert!(matches!(world.unarchive("other").await, Err(UnarchiveError::OtherLedger)));
}

#[tokio::test]
async fn what_is_erased_before_stays_erased() {
    let world = World::new().await;
    assert_eq!(world.erase("alice").await, 2);
    let state = world.loaded().await;
    world.archived(8, "first").await;
    assert!(world.loaded().await == state);
    assert_eq!(world.name_of("alice").await, None);
    assert_eq!(world.verify(&["first"]).await.unwrap().erased, 2);
}

#[tokio::test]
async fn archived_values_are_erased() {
    for first in [3, 6, 8] {
        let world = World::new().await;
        world.archived(first, "first").await;
        let before = world.verify(&["first"]).await.unwrap();
        assert_eq!(world.erase("alice").await, 2, "before {first}");
        assert_eq!(world.erase("alice").await, 0);
        assert_eq!(world.name_of("alice").await, None);
        assert_eq!(world.name_of("bob").await.as_deref(), Some("the name of bob"));
        let left = world.rig.store.disclosures(DEFAULT, 0, 100).await.unwrap();
        assert!(
            left.iter().all(|(_, value)| !String::from_utf8_lossy(&value.value).contains("alice")),
            "{left:?}"
        );
        assert_eq!(world.verify(&[]).await.unwrap().problem, None);
        let verified = world.verify(&["first"]).await.unwrap();
        assert_eq!((verified.problem, verified.erased), (None, 2));
        assert_eq!(verified.head.revision, before.head.revision + 1);
        // No file holds them, so that they do not come back either.
        let file = fs::read(world.file("first")).unwrap();
        assert!(!file.windows(12).any(|window| window == b"name of alic"));
        world.unarchive("first").await.unwrap();
        assert_eq!(world.name_of("alice").await, None);
        assert_eq!(world.verify(&[]).await.unwrap().erased, 2);
    }
}

#[tokio::test]
async fn a_reason_in_an_archive_is_erased_too() {
    let world = World::new().await;
    let mut reasoned = request(user("gus"));
    reasoned.reason = Some("because of gus".into());
    world.rig.realm().await.submit(reasoned).await.unwrap();
    world.archived(9, "first").await;
    let of_caller = world.rig.store.archived_values(DEFAULT, Some("system:test")).await.unwrap();
    assert_eq!(
        of_caller.iter().map(|value| (value.revision, value.is_reason)).collect::<Vec<_>>(),
        [(8, true)]
    );
    assert_eq!(world.verify(&["first"]).await.unwrap().erased, 0);
}

#[tokio::test]
async fn whatever_was_changed_is_found() {
    for (sql, archives, expected) in [
        ("UPDATE base SET hash = state_hash", vec![], "signature"),
        ("UPDATE base SET state_hash = hash", vec![], "signature"),
        ("UPDATE base SET revision = revision - 1", vec![], "signature"),
        ("UPDATE base SET revision = 100", vec![], "does not know"),
        ("UPDATE base SET ledger_id = randomblob(16)", vec![], "signature"),
        ("UPDATE base SET signed = signed + 1", vec![], "signature"),
        ("UPDATE base SET time = time + 100000000000", vec![], "earlier"),
        ("UPDATE base SET signature = randomblob(64)", vec![], "signature"),
        ("UPDATE base SET public_key = randomblob(32)", vec![], "signature"),
        ("UPDATE base_chunk SET bytes = checksum", vec![], "the state at the base"),
        ("DELETE FROM base_chunk", vec![], "the state at the base"),
        ("DELETE FROM base", vec![], "entry 1 is missing"),
        ("DELETE FROM entry WHERE revision = 6", vec![], "revision 6"),
        (
            "UPDATE entry SET bytes = (SELECT bytes FROM entry WHERE revision = 7) WHERE revision = 6",
            vec![],
            "revision 6",
        ),
        ("UPDATE disclosure SET value = x'6162' WHERE revision = 2", vec!["first"], "slot 0"),
        ("UPDATE base SET time = time - 1", vec!["first"], "do not lead to the base"),
        ("DELETE FROM archived_value WHERE revision = 3", vec!["first"], "whose the values"),
        (
            "UPDATE archived_value SET owner = 'user:bob' WHERE owner = 'user:alice'",
            vec!["first"],
            "whose the values",
        ),
    ] {
        let world = World::new().await;
        world.archived(6, "first").await;
        world.tamper(sql);
        let problem = world.problem(&archives).await;
        assert!(problem.contains(expected), "{sql}: {problem}");
    }
}

#[tokio::test]
async fn a_base_that_somebody_else_signed_is_found() {
    let world = World::new().await;
    let (schema, other) = (builtin::schema().unwrap(), MasterKey::from_bytes([8; 32]));
    let archival = Archival { before: 4, to: &world.file("first"), signers: &[] };
    archive(&*world.rig.store, DEFAULT, schema.clone(), &other, archival).await.unwrap();
    assert!(world.problem(&[]).await.contains("another key"));
    // Who does not know the key is told which one it is.
    let verified = verify(&*world.rig.store, DEFAULT, schema, &[]).await.unwrap();
    assert_eq!(verified.problem, None);
    let signed_by = signing_key(&other).unwrap();
    assert_eq!(verified.archived.unwrap().public_key, signed_by);
    // Nothing is signed on top of it, unless somebody says that this key was the store's.
    assert!(matches!(world.archive(6, "second").await, Err(ArchiveFailed::Broken(_))));
    let archival = Archival { before: 6, to: &world.file("second"), signers: &[signed_by] };
    archive(&*world.rig.store, DEFAULT, builtin::schema().unwrap(), &key(), archival).await.unwrap();
    assert_eq!(world.verify(&[]).await.unwrap().problem, None);
}

#[tokio::test]
async fn a_changed_archive_is_found() {
    let world = World::new().await;
    world.archived(6, "first").await;
    let file = fs::read(world.file("first")).unwrap();
    // Behind what it begins with: what kind of file it is, and of which realm. Whatever the change makes of an entry, one of a
    // kind that nobody knows included, the file is damaged.
    let head = 17 + 4 + DEFAULT.len();
    for at in (head..file.len()).step_by(3) {
        let mut changed = file.clone();
        changed[at] ^= 1;
        fs::write(world.file("changed"), changed).unwrap();
        let verified = world.verify(&["changed"]).await;
        assert!(matches!(&verified, Ok(Verified { problem: Some(_), .. })), "at {at}: {verified:?}");
        assert!(world.unarchive("changed").await.is_err(), "at {at}");
    }
    assert!(matches!(entries(&world, 0).await, Err(StoreError::Archived { first: 6 })));
    // One of another ledger, of the same people.
    let other = World::new().await;
    other.archived(6, "other").await;
    fs::copy(other.file("other"), world.file("other")).unwrap();
    world.problem(&["other"]).await;
}

#[tokio::test]
async fn archives_are_named_in_order() {
    let world = World::new().await;
    for (before, name) in [(3, "one"), (5, "two"), (7, "three")] {
        world.archived(before, name).await;
    }
    assert_eq!(world.verify(&["one", "two", "three"]).await.unwrap().archived.unwrap().looked_at, 6);
    assert_eq!(world.verify(&["two", "three"]).await.unwrap().archived.unwrap().looked_at, 4);
    for wrong in [vec!["one", "three"], vec!["two", "one"], vec!["one", "two"], vec!["one", "one"]] {
        let verified = world.verify(&wrong).await;
        assert!(matches!(verified, Err(VerifyError::Misplaced { .. })), "{wrong:?}: {verified:?}");
    }
    assert!(matches!(world.verify(&["nowhere"]).await, Err(VerifyError::Archive(_))));
}

#[tokio::test]
async fn a_checkpoint_of_an_archived_entry_needs_the_archive() {
    let world = World::new().await;
    let schema = builtin::schema().unwrap();
    let kept = checkpoint(&*world.rig.store, DEFAULT, schema.clone(), &key(), true).await.unwrap().checkpoint;
    does(&*world.rig.realm().await, user("frank")).await;
    world.archived(9, "first").await;
    let kept = [kept];
    let alone = verify(&*world.rig.store, DEFAULT, schema.clone(), &kept).await;
    assert!(matches!(alone, Err(VerifyError::InArchive(7))), "{alone:?}");
    let archives = [world.file("first")];
    let evidence = Evidence { checkpoints: &kept, archives: &archives, signers: &[] };
    let verified = verify_with(&*world.rig.store, DEFAULT, schema, &evidence).await.unwrap();
    assert_eq!((verified.problem, verified.checkpoints), (None, 2));
    assert_eq!(world.verify(&[]).await.unwrap().checkpoints, 0, "the store's own is passed over");
}

/// Nothing else can take the place of the state at the base: the realm is not served, and the error says what to do.
#[tokio::test]
async fn a_damaged_base_can_be_mended() {
    let world = World::new().await;
    let state = world.loaded().await;
    world.archived(6, "first").await;
    world.tamper("UPDATE base_chunk SET bytes = checksum");
    let refused = world.rig.node().realm(DEFAULT).await.err().unwrap().to_string();
    assert!(refused.contains("grantd ledger unarchive"), "{refused}");
    world.unarchive("first").await.unwrap();
    assert!(world.loaded().await == state);
    world.archived(6, "first").await;
    assert!(world.loaded().await == state);
}

/// Another node archived what this one has not read yet.
#[tokio::test]
async fn a_node_that_is_behind_goes_on_from_the_base() {
    let world = World::of(Rig::shared().await).await;
    let (behind, other) = (world.rig.realm().await, world.rig.realm().await);
    for login in ["frank", "gus", "hal"] {
        does(&other, user(login)).await;
    }
    assert_eq!(behind.published().head.revision, 7);
    world.archived(10, "first").await;
    behind.catch_up().await.unwrap();
    assert_eq!(behind.published().head, other.published().head);
    assert!(behind.published().state.to_snapshot() == other.published().state.to_snapshot());
    does(&behind, user("ivy")).await;
    other.catch_up().await.unwrap();
    assert!(other.published().state.users().get("ivy").is_some());
    world.archived(12, "second").await;
    assert_eq!(world.verify(&["first", "second"]).await.unwrap().problem, None);
}

/// Its entry is in an archive before anybody could look for it: then nobody says that it is not there.
#[tokio::test]
async fn an_archived_command_is_not_taken_for_lost() {
    let world = World::of(Rig::shared().await).await;
    let realm = world.rig.realm().await;
    world.rig.store.on_next_append(Fault::UnknownWritten);
    world.rig.store.fail_reopens(4);
    let (store, file) = (Arc::clone(&world.rig.store), world.file("first"));
    let archived = tokio::spawn(async move {
        // While the writer waits to open the store anew.
        while store.reopens() == 0 {
            tokio::task::yield_now().await;
        }
        let schema = builtin::schema().unwrap();
        let archival = Archival { before: 9, to: &file, signers: &[] };
        archive(&*store, DEFAULT, schema, &key(), archival).await.unwrap()
    });
    let told = code(realm.submit(request(user("frank"))).await);
    assert_eq!(archived.await.unwrap().last, 8, "with its entry");
    // A slow machine may have found it before.
    assert!(told == "outcome unknown" || told == "done", "{told}");
    realm.refresh().await.unwrap();
    assert_eq!(realm.published().head.revision, 8);
    assert_ne!(code(realm.submit(request(user("frank"))).await), "done");
    assert_eq!(world.rig.store.head(DEFAULT).await.unwrap().revision, 8, "once");
}

#[tokio::test]
async fn a_repeated_request_is_answered_from_before() {
    let world = World::new().await;
    let realm = world.rig.realm().await;
    realm.submit(keyed(user("frank"), "a key", "a body")).await.unwrap();
    world.archived(9, "first").await;
    let again = world.rig.realm().await.submit(keyed(user("frank"), "a key", "a body")).await.unwrap();
    assert_eq!((again.revision, again.replayed), (8, true));
}

fn assert_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn the_file_is_its_owners() {
    let world = World::new().await;
    world.archived(3, "first").await;
    assert_private(&world.file("first"));
}
