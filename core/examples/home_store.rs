//! `home_store FOLDER`: makes a phone's folder with 20 accesses in it, and its key store beside it in `keys`, one file
//! for each item under its name in hex. For `cargo xtask bench home`, whose programs open it from Kotlin and Swift.

mod filled;

use std::{fmt::Write as _, fs, path::PathBuf, sync::Arc};

use filled::Trouble;
use sentri_core::api::ports::{SecureStore, SecureStoreError};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Trouble> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("home_store FOLDER")?);
    let keys = folder.join("keys");
    fs::create_dir_all(folder.join("accounts"))?;
    fs::create_dir_all(&keys)?;
    filled::fill(&folder, Arc::new(Files(keys)), 20, 0).await?;
    Ok(())
}

/// A key store in files. No phone keeps its keys so.
struct Files(PathBuf);

impl Files {
    fn file(&self, key: &str) -> PathBuf {
        let name = key.bytes().fold(String::new(), |mut name, byte| {
            // Writing to a String can't fail.
            let _ = write!(name, "{byte:02x}");
            name
        });
        self.0.join(name)
    }
}

impl SecureStore for Files {
    fn get(&self, key: String) -> Result<Option<Vec<u8>>, SecureStoreError> {
        Ok(fs::read(self.file(&key)).ok())
    }

    fn put(&self, key: String, value: Vec<u8>) -> Result<(), SecureStoreError> {
        fs::write(self.file(&key), value).map_err(|_| SecureStoreError::Failed)
    }

    fn remove(&self, key: String) -> Result<(), SecureStoreError> {
        fs::remove_file(self.file(&key)).map_err(|_| SecureStoreError::Failed)
    }
}
