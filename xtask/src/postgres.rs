//! A PostgreSQL of our own: on a free port of loopback, in a temporary folder, gone with the value that holds it.

use std::{
    env,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{process, tools};

/// The version that operators are told to run.
const DEBIAN_PACKAGE: &str = "postgresql-15";
/// Where Debian's package keeps what it does not put on the `PATH`.
const DEBIAN_BINARIES: &str = "/usr/lib/postgresql/15/bin";
/// `initdb` and `postgres` refuse to run as root: then they run as this one.
const NOBODY: (&str, &str) = ("nobody", "nogroup");
/// The database role of the tests.
const ROLE: &str = "sentri";

/// A database for each test is room enough: what would be replayed after a crash is kept short.
const LITTLE_WAL: &str =
    " -c wal_level=minimal -c max_wal_senders=0 -c min_wal_size=32MB -c max_wal_size=128MB";

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As in production, for measurements.
    Full,
    /// It does not: the data go with the test anyway.
    None,
}

/// A running server. Dropped, it is stopped, and its data are deleted.
pub struct Postgres {
    binaries: PathBuf,
    folder: TempDir,
    port: u16,
    as_nobody: bool,
}

impl Postgres {
    /// Makes and starts one, installing Debian's package where there is none.
    pub fn start(durability: Durability) -> Result<Self> {
        let binaries = find_or_install()?;
        let as_nobody = tools::is_root();
        // Not below `target`: whoever the server runs as must reach the folder, and may not reach the repository.
        let folder = tempfile::Builder::new().prefix("sentri-postgres-").tempdir()?;
        if as_nobody {
            let owner = format!("{}:{}", NOBODY.0, NOBODY.1);
            process::run(process::command("chown").arg(owner).arg(folder.path()))?;
        }
        let server = Self { binaries, folder, port: free_port()?, as_nobody };
        server.initialise()?;
        server.control(&server.start_options(durability))?;
        Ok(server)
    }

    /// `postgres://role@host:port`, to which a database's name is added.
    pub fn url(&self) -> String {
        format!("postgres://{ROLE}@{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    fn initialise(&self) -> Result<()> {
        let mut initdb = self.command("initdb");
        initdb
            .args([
                "--username",
                ROLE,
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--pgdata",
            ])
            .arg(self.data());
        process::capture(&mut initdb).map(drop)
    }

    fn start_options(&self, durability: Durability) -> Vec<String> {
        let fsync = if durability == Durability::Full { "on" } else { "off" };
        let mut server = format!(
            "-p {} -c listen_addresses={} -c unix_socket_directories= -c max_connections=400 -c fsync={fsync}",
            self.port,
            Ipv4Addr::LOCALHOST
        );
        if durability == Durability::None {
            server.push_str(LITTLE_WAL);
        }
        ["start", "--wait", "--silent", "--options", &server].map(str::to_owned).into()
    }

    /// `pg_ctl`, with its log in the folder.
    fn control(&self, arguments: &[String]) -> Result<()> {
        let mut control = self.command("pg_ctl");
        control.args(arguments).arg("--pgdata").arg(self.data()).arg("--log").arg(self.log());
        process::run(&mut control).with_context(|| {
            let log = std::fs::read_to_string(self.log()).unwrap_or_default();
            format!(
                "PostgreSQL does not obey; its log ends: {}",
                log.lines().next_back().unwrap_or("(empty)")
            )
        })
    }

    fn command(&self, program: &str) -> Command {
        let program = self.binaries.join(program);
        let mut command = if self.as_nobody {
            let mut setpriv = process::command("setpriv");
            setpriv.args([&format!("--reuid={}", NOBODY.0), &format!("--regid={}", NOBODY.1)]);
            setpriv.arg("--clear-groups").arg(program);
            setpriv
        } else {
            process::command(program)
        };
        command.current_dir(self.folder.path());
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stop = ["stop", "--wait", "--silent", "--mode", "immediate"].map(str::to_owned);
        if let Err(error) = self.control(&stop) {
            eprintln!("!!! PostgreSQL on port {} may still run: {error:#}", self.port);
        }
    }
}

fn find_or_install() -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    tools::install_debian(DEBIAN_PACKAGE)?;
    match find() {
        Some(found) => Ok(found),
        None => bail!("{DEBIAN_PACKAGE} is installed, and {DEBIAN_BINARIES} holds no initdb"),
    }
}

/// Debian's folder, or the one on the `PATH`.
fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = env::split_paths(&path).collect();
    let has_all =
        |folder: &&Path| ["initdb", "pg_ctl", "postgres"].iter().all(|it| folder.join(it).is_file());
    let debian = Path::new(DEBIAN_BINARIES);
    std::iter::once(debian).chain(on_path.iter().map(PathBuf::as_path)).find(has_all).map(Path::to_owned)
}

/// A port that nobody listens on just now.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}
