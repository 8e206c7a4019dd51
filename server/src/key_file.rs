//! The master key file, as its operator changes it: one more key, the next one takes over, old ones go. [OPS-3]

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{
    ports::Randomness,
    vault::{NEXT, VaultError},
};

/// The lines of a master key file. Nothing is written before [`Self::save`].
pub struct KeyFile {
    path: PathBuf,
    lines: Vec<Zeroizing<String>>,
}

impl KeyFile {
    /// Reads it.
    pub fn read(path: &Path) -> Result<Self, VaultError> {
        let text = Zeroizing::new(std::fs::read_to_string(path)?);
        let lines = text.lines().map(|line| Zeroizing::new(line.trim().to_owned())).collect();
        Ok(Self { path: path.to_owned(), lines })
    }

    /// Adds a fresh key that opens, and does not seal yet. False where there is such a one already.
    pub fn add_next(&mut self, randomness: &dyn Randomness) -> bool {
        if self.lines.iter().any(|line| line.starts_with(NEXT)) {
            return false;
        }
        let mut key = Zeroizing::new([0u8; 32]);
        randomness.fill(key.as_mut());
        let hex = Zeroizing::new(hex::encode(key.as_ref()));
        self.lines.push(Zeroizing::new(format!("{NEXT}{}", hex.as_str())));
        true
    }

    /// Lets the next key seal from now on. False where there is none.
    pub fn promote(&mut self) -> bool {
        let next = self.lines.iter_mut().find(|line| line.starts_with(NEXT));
        let Some(line) = next else { return false };
        let key = line.trim_start_matches(NEXT).trim().to_owned();
        *line = Zeroizing::new(key);
        true
    }

    /// Drops all keys before the current one; says how many. A key that waits to be the next stays.
    pub fn drop_old(&mut self) -> usize {
        let is_key = |line: &str| !line.is_empty() && !line.starts_with('#') && !line.starts_with(NEXT);
        let Some(current) = self.lines.iter().rposition(|line| is_key(line)) else { return 0 };
        let before = self.lines.len();
        let mut place = 0;
        self.lines.retain(|line| {
            place += 1;
            place > current || !is_key(line)
        });
        before - self.lines.len()
    }

    /// Writes it beside itself and puts it in its own place, so that a crash leaves the old file or the new one.
    pub fn save(&self) -> Result<(), VaultError> {
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let mut text = Zeroizing::new(String::new());
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        let mut file = private(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        drop(file);
        Ok(std::fs::rename(&beside, &self.path)?)
    }
}

/// A new file that only its owner reads, in place of one that a crash left.
fn private(path: &Path) -> std::io::Result<std::fs::File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
