//! SYN-4: where a desktop keeps its keys, with a key store and without one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::{fs, sync::Arc};

use keyring_core::{CredentialStore, Error, mock};
use sentri_core::{
    api::ports::{SecureStore, SecureStoreError},
    desktop::{DesktopStore, FallbackFolders, Kept, WARNING},
};

const SERVICE: &str = "sentri-test";

fn folders() -> (tempfile::TempDir, FallbackFolders) {
    let folder = tempfile::tempdir().unwrap();
    let folders = FallbackFolders { sealed: folder.path().join("app"), key: folder.path().join("config") };
    (folder, folders)
}

fn no_key_store() -> Result<Arc<CredentialStore>, Error> {
    Err(Error::NoDefaultStore)
}

/// Keeps, replaces and removes, as the core asks it to.
fn works(store: &dyn SecureStore) {
    assert_eq!(store.get("account/key".into()), Ok(None));
    store.put("account/key".into(), vec![1, 2, 3]).unwrap();
    store.put("account/key".into(), vec![0, 255, 10, 13]).unwrap();
    assert_eq!(store.get("account/key".into()), Ok(Some(vec![0, 255, 10, 13])));
    store.put("other".into(), Vec::new()).unwrap();
    store.remove("account/key".into()).unwrap();
    store.remove("account/key".into()).unwrap();
    assert_eq!(store.get("account/key".into()), Ok(None));
}

#[test]
fn syn_4_a_key_store_that_runs_is_used() {
    let (_folder, folders) = folders();
    let store: Arc<CredentialStore> = mock::Store::new().unwrap();
    let store = DesktopStore::with(SERVICE, &folders, || Ok(store)).unwrap();
    assert_eq!(store.kept(), Kept::InKeyStore);
    works(&store);
    assert!(!folders.sealed.exists() && !folders.key.exists(), "no file is made");
}

/// What `open` finds on this machine is used, whatever it is, and says what it is.
#[test]
fn syn_4_the_machines_own_store_works() {
    let (_folder, folders) = folders();
    let service = format!("{SERVICE}-{}", std::process::id());
    let store = DesktopStore::open(&service, &folders).unwrap();
    works(&store);
    store.remove("other".into()).unwrap();
    assert_eq!(folders.key.exists(), store.kept() == Kept::InSealedFile);
}

#[test]
fn syn_4_without_one_a_sealed_file_is_used_and_outlives_the_program() {
    let (_folder, folders) = folders();
    let store = DesktopStore::with(SERVICE, &folders, no_key_store).unwrap();
    assert_eq!(store.kept(), Kept::InSealedFile);
    assert!(WARNING.contains("No key store runs"));
    works(&store);
    store.put("data key".into(), b"thirty-two bytes of a secret key".to_vec()).unwrap();
    drop(store);

    let sealed = fs::read(folders.sealed.join("secrets.sealed")).unwrap();
    for told in [&b"thirty-two bytes"[..], b"data key"] {
        assert!(
            !sealed.windows(told.len()).any(|window| window == told),
            "the app's folder alone reveals nothing"
        );
    }
    // A key store that came meanwhile does not make the file forgotten.
    let key_store: Arc<CredentialStore> = mock::Store::new().unwrap();
    let store = DesktopStore::with(SERVICE, &folders, || Ok(key_store)).unwrap();
    assert_eq!(store.kept(), Kept::InSealedFile);
    assert_eq!(store.get("data key".into()).unwrap().unwrap(), b"thirty-two bytes of a secret key");
}

#[cfg(unix)]
#[test]
fn syn_4_only_its_owner_reads_the_files() {
    use std::os::unix::fs::PermissionsExt;

    let (_folder, folders) = folders();
    let store = DesktopStore::with(SERVICE, &folders, no_key_store).unwrap();
    store.put("a".into(), vec![1]).unwrap();
    for file in [folders.sealed.join("secrets.sealed"), folders.key.join("sentri-secrets.key")] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn syn_4_a_damaged_file_or_a_lost_key_is_refused_and_left_alone() {
    let (_folder, folders) = folders();
    DesktopStore::with(SERVICE, &folders, no_key_store).unwrap().put("a".into(), vec![7; 40]).unwrap();
    let (file, key) = (folders.sealed.join("secrets.sealed"), folders.key.join("sentri-secrets.key"));
    let good = fs::read(&file).unwrap();
    for position in 0..good.len() {
        let mut bad = good.clone();
        bad[position] ^= 1;
        fs::write(&file, bad).unwrap();
        let refused = DesktopStore::with(SERVICE, &folders, no_key_store).err();
        assert_eq!(refused, Some(SecureStoreError::Failed), "byte {position}");
    }
    fs::write(&file, &good).unwrap();
    let kept_key = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(DesktopStore::with(SERVICE, &folders, no_key_store).is_err());
    assert_eq!(fs::read(&file).unwrap(), good, "not overwritten");
    fs::write(&key, kept_key).unwrap();
    let store = DesktopStore::with(SERVICE, &folders, no_key_store).unwrap();
    assert_eq!(store.get("a".into()), Ok(Some(vec![7; 40])));
}
