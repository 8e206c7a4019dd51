//! Another Debian in a folder, for tools that this machine's release does not have. Nothing of it outlives a run
//! but the folder: mounts and processes are in namespaces of their own.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{process, steps::Missing, tools, workspace::Workspace};

/// Says that the folder is whole; a folder without it is made anew.
const READY: &str = ".sentri-ready";

/// A Debian release in a folder.
pub struct Chroot {
    home: PathBuf,
    /// Seen inside under the same path as outside.
    shared: PathBuf,
}

impl Chroot {
    /// The release with these packages, in `target/NAME`; made where it is not there yet.
    pub fn set_up(workspace: &Workspace, name: &str, release: &str, packages: &[&str]) -> Result<Self> {
        let chroot = Self { home: workspace.target.join(name), shared: workspace.root.clone() };
        if !chroot.home.join(READY).is_file() {
            chroot.make(release, packages)?;
        }
        Ok(chroot)
    }

    /// A program inside, with nothing of this machine's environment but what is given.
    pub fn command(
        &self,
        folder: &Path,
        variables: &[(&str, PathBuf)],
        program: impl AsRef<OsStr>,
    ) -> Command {
        let mut command = process::command("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", ENTER, "enter"]);
        command.arg(&self.home).arg(&self.shared).arg(folder).args(["env", "-i"]);
        command.args(["PATH=/usr/bin:/bin", "HOME=/root", "LANG=C.UTF-8"]);
        for (name, value) in variables {
            command.arg(format!("{name}={}", value.display()));
        }
        command.arg(program);
        command
    }

    fn make(&self, release: &str, packages: &[&str]) -> Result<()> {
        if !tools::is_root() {
            let what = packages.first().copied().unwrap_or_default();
            return Err(Missing(format!(
                "{what} is missing: install it; run as root, a Debian {release} with it is set up in a folder"
            ))
            .into());
        }
        tools::need("debootstrap", "debootstrap")?;
        tools::need("unshare", "util-linux")?;
        if self.home.exists() {
            fs::remove_dir_all(&self.home).with_context(|| format!("can't empty {}", self.home.display()))?;
        }
        fs::create_dir_all(&self.home).with_context(|| format!("can't make {}", self.home.display()))?;
        println!(
            "    a Debian {release} with {} is set up once; it takes a minute or two",
            packages.join(", ")
        );
        let mut bootstrap = process::command("debootstrap");
        bootstrap.args(["--variant=minbase", "--include=ca-certificates", release]).arg(&self.home);
        process::run(bootstrap.arg(mirror()?))?;
        let variables = [("DEBIAN_FRONTEND", PathBuf::from("noninteractive"))];
        let mut install = self.command(Path::new("/"), &variables, "apt-get");
        process::run(
            install.args(["--quiet", "install", "--yes", "--no-install-recommends"]).args(packages),
        )?;
        process::run(self.command(Path::new("/"), &[], "apt-get").arg("clean"))?;
        fs::write(self.home.join(READY), release).context("can't note that the toolchain is ready")
    }
}

/// Enters: `$1` the folder, `$2` what is shared, `$3` where to work, then what to run.
const ENTER: &str = r#"
    home=$1 shared=$2 folder=$3
    shift 3
    mount -t proc proc "$home/proc"
    mount --rbind /dev "$home/dev"
    mkdir -p "$home$shared"
    mount --bind "$shared" "$home$shared"
    exec chroot "$home" sh -euc 'cd "$1"; shift; exec "$@"' inside "$folder" "$@"
"#;

/// The mirror that this machine itself takes Debian from.
fn mirror() -> Result<String> {
    let sources = tools::files_under(Path::new("/etc/apt"))?;
    let mut texts = sources.iter().filter_map(|file| fs::read_to_string(file).ok());
    match texts.find_map(|text| mirror_in(&text)) {
        Some(mirror) => Ok(mirror),
        None => Err(Missing("this machine's apt sources name no mirror of Debian".into()).into()),
    }
}

/// The first address of a Debian archive in apt's sources, of either form.
fn mirror_in(sources: &str) -> Option<String> {
    let lines =
        sources.lines().map(str::trim).filter(|line| line.starts_with("URIs:") || line.starts_with("deb "));
    let words = lines.flat_map(str::split_whitespace);
    let is_debian = |word: &&str| word.starts_with("http") && word.trim_end_matches('/').ends_with("/debian");
    words.into_iter().find(is_debian).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_found_in_sources_of_either_form() {
        let new =
            "Types: deb\n# http://old.example/debian\nURIs: http://mirror.example/debian\nSuites: bookworm\n";
        let old = "deb [signed-by=/k.gpg] https://apt.example stable main\ndeb https://mirror.example/debian/ x main\n";
        assert_eq!(mirror_in(new).as_deref(), Some("http://mirror.example/debian"));
        assert_eq!(mirror_in(old).as_deref(), Some("https://mirror.example/debian/"));
        assert_eq!(mirror_in("# nothing\n"), None);
    }
}
