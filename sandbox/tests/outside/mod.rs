//! A world outside of the sandbox: the binary as a process, its control API over HTTP, and an app's radio over the
//! WebSocket, written from `docs/sandbox.md`.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::{Arc, OnceLock},
};

use futures_util::{SinkExt, StreamExt};
use sentri_core::{
    Ports, SentriCore,
    api::{
        link_events::LinkEvents,
        ports::{DisconnectReason, LinkError, LockLink},
        types::{App, CoreConfig, Platform},
    },
    http::{Http, HttpRequest, Method, SystemHttp},
};
use sentri_sandbox::phone::KeyStore;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

/// A sandbox that serves, as a process of its own.
pub struct Served {
    child: Child,
    _output: BufReader<ChildStdout>,
    pub backend: String,
    pub control: String,
    http: SystemHttp,
}

impl Served {
    pub fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sentri"))
            .arg("serve")
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (mut backend, mut control) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "the sandbox ended before it served");
            let last = line.split_whitespace().last().unwrap_or_default().to_owned();
            if line.contains("Backend") {
                backend = last;
            } else if line.contains("Control API") {
                control = last;
            } else if line.contains("K-00731") {
                break;
            }
        }
        Self { child, _output: output, backend, control, http: SystemHttp::new().unwrap() }
    }

    /// Ctrl-C.
    pub fn interrupt(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    pub async fn get(&self, path: &str) -> Value {
        self.ask(Method::Get, path, None, vec![]).await.1
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let headers = vec![("content-type", "application/json".to_owned())];
        self.ask(Method::Post, path, Some(body.to_string().into_bytes()), headers).await
    }

    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        headers: Vec<(&'static str, String)>,
    ) -> (u16, Value) {
        let url = format!("{}{path}", self.control);
        let answer = self.http.send(HttpRequest { method, url, headers, body }).await.unwrap();
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    /// An app outside of the sandbox, with its radio on the socket.
    pub async fn app(&self, app: App, folder: &std::path::Path) -> Arc<SentriCore> {
        let config = CoreConfig {
            base_url: self.backend.clone(),
            data_dir: folder.to_str().unwrap().to_owned(),
            app,
            app_version: "1.0.0".into(),
            device_name: "A phone outside".into(),
            platform: Platform::Desktop,
        };
        let link = SocketLink::connect(&self.control).await;
        let ports = Ports::system(link.clone(), Arc::new(KeyStore::default()));
        let core = SentriCore::with_ports(config, ports).unwrap();
        link.events.get_or_init(|| core.link_events());
        core
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Only where a test failed before it stopped the sandbox itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A `LockLink` over the radio socket.
pub struct SocketLink {
    commands: mpsc::UnboundedSender<Value>,
    events: OnceLock<Arc<LinkEvents>>,
}

impl SocketLink {
    async fn connect(control: &str) -> Arc<Self> {
        let url = format!("{}/radio", control.replace("http://", "ws://"));
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let (mut to_sandbox, mut from_sandbox) = socket.split();
        let (commands, mut wanted) = mpsc::unbounded_channel::<Value>();
        let link = Arc::new(Self { commands, events: OnceLock::new() });
        tokio::spawn(async move {
            while let Some(command) = wanted.recv().await {
                if to_sandbox.send(Message::text(command.to_string())).await.is_err() {
                    return;
                }
            }
        });
        let heard = Arc::downgrade(&link);
        tokio::spawn(async move {
            while let Some(Ok(message)) = from_sandbox.next().await {
                let (Message::Text(text), Some(link)) = (message, heard.upgrade()) else { continue };
                link.hear(&serde_json::from_str(&text).unwrap());
            }
        });
        link
    }

    fn hear(&self, event: &Value) {
        let Some(events) = self.events.get() else { return };
        let peer = event["peer"].as_str().unwrap_or_default().to_owned();
        let bytes = |name: &str| hex::decode(event[name].as_str().unwrap()).unwrap();
        match event["event"].as_str().unwrap() {
            "advert" => events.advert(peer, bytes("payload"), -48),
            "connected" => events.connected(peer, u16::try_from(event["mtu"].as_u64().unwrap()).unwrap()),
            "received" => events.received(peer, bytes("value")),
            "disconnected" => {
                let reason = match event["reason"].as_str().unwrap() {
                    "requested" => DisconnectReason::Requested,
                    "by_lock" => DisconnectReason::ByLock,
                    "lost" => DisconnectReason::Lost,
                    _ => DisconnectReason::NotConnected,
                };
                events.disconnected(peer, reason);
            }
            other => panic!("{other}: {event}"),
        }
    }

    fn command(&self, command: Value) -> Result<(), LinkError> {
        self.commands.send(command).map_err(|_| LinkError::Failed)
    }
}

impl LockLink for SocketLink {
    fn start_scan(&self) -> Result<(), LinkError> {
        self.command(json!({"do": "scan", "on": true}))
    }

    fn stop_scan(&self) -> Result<(), LinkError> {
        self.command(json!({"do": "scan", "on": false}))
    }

    fn connect(&self, peer: String) -> Result<(), LinkError> {
        self.command(json!({"do": "connect", "peer": peer}))
    }

    fn write(&self, peer: String, value: Vec<u8>) -> Result<(), LinkError> {
        self.command(json!({"do": "write", "peer": peer, "value": hex::encode(value)}))
    }

    fn disconnect(&self, peer: String) -> Result<(), LinkError> {
        self.command(json!({"do": "disconnect", "peer": peer}))
    }
}
