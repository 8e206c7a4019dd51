//! The folder of a town's data: kept where the user said, or temporary.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// Why the folder can't be used.
#[derive(Debug, thiserror::Error)]
#[error("The folder {} can't be used: {source}. Name another with --data.", path.display())]
pub struct FolderTrouble {
    path: PathBuf,
    source: io::Error,
}

pub(super) struct Folder {
    path: PathBuf,
    /// Removes the folder with the town, where it is temporary.
    temporary: Option<TempDir>,
    /// Held as long as the town lives: two in one folder would write over each other's flash.
    _lock: Option<File>,
}

impl Folder {
    pub(super) fn open(data: Option<&Path>) -> Result<Self, FolderTrouble> {
        let Some(path) = data else { return Self::temporary() };
        let trouble = |source| FolderTrouble { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(trouble)?;
        // Found out now, in words, and not by the first thing that wants to write.
        tempfile::tempfile_in(path).map_err(trouble)?;
        let path = fs::canonicalize(path).map_err(trouble)?;
        let lock = File::create(path.join("in-use")).map_err(trouble)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => trouble(io::Error::other("another sandbox uses it")),
            TryLockError::Error(error) => trouble(error),
        })?;
        Ok(Self { path, temporary: None, _lock: Some(lock) })
    }

    fn temporary() -> Result<Self, FolderTrouble> {
        let trouble = |source| FolderTrouble { path: std::env::temp_dir(), source };
        let temporary = tempfile::Builder::new().prefix("sentri-sandbox-").tempdir().map_err(trouble)?;
        Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary), _lock: None })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_kept(&self) -> bool {
        self.temporary.is_none()
    }

    /// The flash of a lockbox, as a former run left it.
    pub(super) fn flash(&self, serial: &str) -> Result<Option<Vec<u8>>, FolderTrouble> {
        let path = self.flash_file(serial);
        match fs::read(&path) {
            Ok(image) => Ok(Some(image)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(FolderTrouble { path, source }),
        }
    }

    pub(super) fn flash_file(&self, serial: &str) -> PathBuf {
        self.path.join(format!("lockbox-{serial}.flash"))
    }

    /// The folder of a phone's app. Names differ only in what a folder's name can show.
    pub(super) fn phone(&self, name: &str) -> PathBuf {
        let plain =
            |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
        self.path.join("phones").join(name.chars().map(plain).collect::<String>())
    }
}
