//! The data of a town that was stopped, to be copied: each copy is a town of its own, with its own server and locks.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use sentri_sandbox::{
    clock::Clock,
    town::{Plan, Town},
};
use sentri_wire::agent::LockboxGeneration;

use crate::{Trouble, database};

/// Where a town's data are, or were when it was stopped.
pub struct Kept {
    folder: tempfile::TempDir,
    /// On a server; absent where it is a file in the folder.
    database: Option<String>,
}

/// A copy of a town, on the air with its locks.
pub struct TownCopy {
    /// The town.
    pub town: Arc<Town>,
    /// Removed with the copy.
    _folder: tempfile::TempDir,
    /// Likewise.
    _database: Option<database::Copy>,
}

impl Kept {
    /// For a town that is yet to be founded.
    pub async fn new() -> Result<Self, Trouble> {
        Ok(Self { folder: scratch()?, database: database::fresh().await? })
    }

    /// Its folder.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// The URL of its database, where that is no file in the folder.
    pub fn database(&self) -> Option<String> {
        self.database.clone()
    }

    /// Copies a town that was stopped at that time, and hangs these locks there again. All chance in the copy follows
    /// from `seed`.
    pub async fn copy(
        &self,
        seed: u64,
        now: i64,
        locks: &[(&str, LockboxGeneration)],
    ) -> Result<TownCopy, Trouble> {
        let folder = scratch()?;
        copy_all(self.folder.path(), folder.path())?;
        let database = match &self.database {
            Some(original) => Some(database::Copy::of(original).await?),
            None => None,
        };
        let plan = Plan {
            clock: Clock::simulated(now),
            data: Some(folder.path().to_owned()),
            port: 0,
            database: database.as_ref().map(|copy| copy.url().to_owned()),
            // No number of the original's may be drawn again: ids and tokens would meet.
            seed: Some(seed.wrapping_add(1) << 20),
        };
        let town = Arc::new(Town::found(plan).await?);
        for (serial, generation) in locks {
            town.bring_back(serial, *generation)?.ok_or(Trouble::Unexpected("a lock without flash"))?;
        }
        Ok(TownCopy { town, _folder: folder, _database: database })
    }
}

/// A folder in memory, where the system has a place for that: an app or a server dies here, never the machine, so that
/// nothing needs a disk.
fn scratch() -> io::Result<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
