//! Sealed secrets and the master key's file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test says what is wrong by panicking"
)]

use std::os::unix::fs::PermissionsExt;

use grantd_ledger::seal::{MasterKey, SealError};
use grantd_ledger::secret::Secret;
use grantd_ledger::store::SealedSecret;

const PLAIN: &[u8] = b"the signing key of the realm";

#[test]
fn opens_what_it_sealed_and_nothing_else() {
    let key = MasterKey::from_bytes([1; 32]);
    let sealed = key.seal("realm", "name", 3, PLAIN).unwrap();
    assert_eq!(key.open("realm", &sealed).unwrap().expose(), PLAIN);
    assert!(!sealed.sealed.windows(7).any(|window| PLAIN.windows(7).any(|part| part == window)));
    assert_ne!(sealed.sealed, key.seal("realm", "name", 3, PLAIN).unwrap().sealed, "a fresh nonce each time");
    assert_eq!(key.open("realm", &key.seal("realm", "empty", 1, b"").unwrap()).unwrap().expose(), b"");

    let damaged = |realm: &str, sealed: &SealedSecret| {
        assert_eq!(key.open(realm, sealed), Err(SealError::Damaged(sealed.name.clone())));
    };
    damaged("other", &sealed);
    damaged("realm", &SealedSecret { name: "other".to_owned(), ..sealed.clone() });
    damaged("realmn", &SealedSecret { name: "ame".to_owned(), ..sealed.clone() });
    damaged("realm", &SealedSecret { version: 2, ..sealed.clone() });
    for at in 0..sealed.sealed.len() {
        let mut changed = sealed.clone();
        changed.sealed[at] ^= 1;
        damaged("realm", &changed);
        changed.sealed.truncate(at);
        damaged("realm", &changed);
    }
}

#[test]
fn another_key_is_named_as_such() {
    let sealed = MasterKey::from_bytes([1; 32]).seal("realm", "name", 1, PLAIN).unwrap();
    let other = MasterKey::from_bytes([2; 32]);
    assert!(matches!(other.open("realm", &sealed), Err(SealError::OtherKey { .. })));
    // Not even a forged id helps.
    let forged = SealedSecret { key_id: other.id(), ..sealed };
    assert!(matches!(other.open("realm", &forged), Err(SealError::Damaged(_))));
}

/// A file with these keys, which are 32 times the same byte.
fn file_of(keys: &[u8]) -> Result<MasterKey, SealError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master.key");
    let bytes: Vec<u8> = keys.iter().flat_map(|key| [*key; 32]).collect();
    std::fs::write(&path, bytes).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    MasterKey::load(&path)
}

#[test]
fn of_several_keys_the_first_seals_and_each_opens() {
    let (old, new) = (MasterKey::from_bytes([1; 32]), MasterKey::from_bytes([2; 32]));
    let before = old.seal("realm", "name", 3, PLAIN).unwrap();
    let both = file_of(&[2, 1]).unwrap();
    assert_eq!(both.id(), new.id());
    assert_eq!(both.derive("a"), new.derive("a"));
    assert!(both.derive_each("a").eq([new.derive("a"), old.derive("a")]));
    assert_eq!(both.open("realm", &before).unwrap().expose(), PLAIN);
    let after = both.reseal("realm", &before).unwrap();
    assert_eq!((after.version, after.key_id), (3, new.id()));
    assert_eq!(new.open("realm", &after).unwrap().expose(), PLAIN);
    assert!(matches!(old.open("realm", &after), Err(SealError::OtherKey { .. })));
    let third = MasterKey::from_bytes([3; 32]);
    assert!(matches!(third.reseal("realm", &after), Err(SealError::OtherKey { .. })));
    assert_eq!(file_of(&[1; 8]).unwrap().id(), old.id());
    assert_eq!(file_of(&[1; 9]).err(), Some(SealError::Length(288)));
}

#[test]
fn keys_derived_for_two_purposes_differ() {
    let key = MasterKey::from_bytes([1; 32]);
    assert_eq!(key.derive("a"), key.derive("a"));
    assert_ne!(key.derive("a"), key.derive("b"));
    assert_ne!(key.derive("a"), [1; 32]);
}

#[test]
fn the_key_file_is_made_once_for_its_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master.key");
    assert!(matches!(MasterKey::load(&path), Err(SealError::File { .. })));
    let made = MasterKey::load_or_make(&path).unwrap();
    let about = std::fs::metadata(&path).unwrap();
    assert_eq!((about.len(), about.permissions().mode() & 0o777), (32, 0o600));
    assert_eq!(MasterKey::load_or_make(&path).unwrap().id(), made.id());
    assert_eq!(MasterKey::load(&path).unwrap().id(), made.id());
    assert_ne!(MasterKey::load_or_make(&dir.path().join("other")).unwrap().id(), made.id());
}

#[test]
fn a_bad_key_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master.key");
    let write = |bytes: &[u8], mode| {
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        MasterKey::load_or_make(&path).err()
    };
    assert_eq!(write(&[1; 31], 0o600), Some(SealError::Length(31)));
    assert_eq!(write(&[1; 33], 0o600), Some(SealError::Length(33)));
    assert_eq!(write(&[], 0o600), Some(SealError::Length(0)));
    assert_eq!(write(&[1; 32], 0o640), Some(SealError::Mode(0o640)));
    assert_eq!(write(&[1; 32], 0o604), Some(SealError::Mode(0o604)));
    assert_eq!(write(&[1; 32], 0o400), None);
}

#[test]
fn nothing_prints_a_secret() {
    let key = MasterKey::from_bytes([0xab; 32]);
    assert_eq!(format!("{:?}", Secret::new(*b"hush")), "***");
    assert!(!format!("{key:?}").contains("abab"));
}
