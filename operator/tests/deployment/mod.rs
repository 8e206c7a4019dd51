//! A deployment as an operator has it: a folder with configuration and master key, and the binary that runs on it.
#![allow(dead_code, reason = "each test binary takes what it needs")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, mpsc},
};

use serde_json::Value;
use tempfile::TempDir;

pub const PASSWORD: &str = "Abcdef1";
pub const PIN: &str = "2580";

pub struct Deployment {
    folder: TempDir,
    pub database: String,
}

impl Deployment {
    /// With a database of its own and this more in its configuration, and a fresh master key.
    pub async fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = match std::env::var("SENTRI_TEST_DATABASE") {
            Ok(url) => sentri_server::bench::add_database(&url).await.unwrap(),
            Err(_) => format!("sqlite://{}/sentri.db", folder.path().display()),
        };
        let deployment = Self { folder, database };
        deployment.configure(more);
        deployment.json(&["key", "create"]);
        deployment
    }

    /// Writes the configuration anew.
    pub fn configure(&self, more: &str) {
        let key = self.path("master.key");
        let text = format!(
            "bind = \"127.0.0.1:0\"\noperations_bind = \"127.0.0.1:0\"\ndatabase = \"{}\"\nmaster_key_file = \"{}\"\n{more}",
            self.database,
            key.display()
        );
        std::fs::write(self.config(), text).unwrap();
    }

    pub fn config(&self) -> PathBuf {
        self.path("sentri.toml")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command with this on its standard input.
    pub fn run(&self, input: &str, arguments: &[&str]) -> Output {
        let mut child = self.command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // A command that reads nothing may be gone before it is written to.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// The JSON that a command prints.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.json_with("", arguments)
    }

    /// The same, with this on its standard input.
    #[track_caller]
    pub fn json_with(&self, input: &str, arguments: &[&str]) -> Value {
        let output = self.run(input, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What a command says that fails.
    #[track_caller]
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run("", arguments);
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// A command line, split at spaces; values with spaces follow as they are.
    #[track_caller]
    pub fn line(&self, line: &str, rest: &[&str]) -> Value {
        let arguments: Vec<&str> = line.split_whitespace().chain(rest.iter().copied()).collect();
        self.json_with(&format!("{PASSWORD}\n{PIN}\n"), &arguments)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sentri-server"));
        command.args(["--json", "--config"]).arg(self.config()).args(arguments);
        command.env_remove("RUST_LOG").env_remove("SENTRI_MASTER_KEY").stderr(Stdio::piped());
        command
    }

    /// Starts the server, and waits until it listens.
    pub fn serve(&self) -> Serving {
        let mut child = self.command(&["serve"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (mut stderr, written) = (child.stderr.take().unwrap(), log.clone());
        let logging = std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = stderr.read(&mut chunk) {
                written.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..length]));
            }
        });
        let (said, hear) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| said.send(line)));
        let mut serving = Serving {
            child,
            url: String::new(),
            operations: String::new(),
            log,
            hear,
            logging: Some(logging),
        };
        serving.url = serving.address_in("Listening on ");
        serving.operations = serving.address_in("Health and metrics on ");
        serving
    }
}

/// A server that runs. Dropped, it is killed.
pub struct Serving {
    child: Child,
    pub url: String,
    pub operations: String,
    log: Arc<Mutex<String>>,
    hear: mpsc::Receiver<String>,
    logging: Option<std::thread::JoinHandle<()>>,
}

impl Serving {
    fn address_in(&self, phrase: &str) -> String {
        loop {
            let line = self.hear.recv().unwrap_or_else(|_| panic!("{}", self.log.lock().unwrap()));
            if let Some(rest) = line.strip_prefix(phrase) {
                return rest.split_whitespace().next().unwrap().trim_end_matches('.').to_owned();
            }
        }
    }

    /// Tells it to stop, as a service manager does.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// Kills it: nothing in it runs any more.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended; says whether it ended well, and all that it logged.
    pub fn wait(mut self) -> (bool, String) {
        let ended = self.child.wait().unwrap();
        self.logging.take().unwrap().join().unwrap();
        let log = self.log.lock().unwrap().clone();
        (ended.success(), log)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
