//! A mail server on loopback, for tests: SMTP by the `mailin` crate, over real sockets, with STARTTLS under a
//! certificate of its own and a login. It can be told to refuse for a while.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::STANDARD};
use mailin::{Action, AuthMechanism, Handler, Response, Session, SessionBuilder, response};
use rustls::pki_types::PrivateKeyDer;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_rustls::TlsAcceptor;

/// Who may send.
pub const USER: &str = "sentri";
/// With this.
pub const PASSWORD: &str = "password of the mail server";

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Received {
    pub to: Vec<String>,
    /// Headers and body as they came.
    pub data: String,
    pub over_tls: bool,
}

impl Received {
    /// The value of a header; lines of one that is folded are joined.
    pub fn header(&self, name: &str) -> String {
        let (headers, _) = self.data.split_once("\r\n\r\n").unwrap();
        let unfolded = headers.replace("\r\n ", " ");
        let mut lines = unfolded.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(it, _)| it.eq_ignore_ascii_case(name)).map_or(String::new(), |(_, value)| value.into())
    }

    /// The text, in whichever way it was encoded.
    pub fn text(&self) -> String {
        let (_, body) = self.data.split_once("\r\n\r\n").unwrap();
        match self.header("Content-Transfer-Encoding").as_str() {
            "base64" => String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap(),
            "quoted-printable" => quoted_printable(body),
            _ => body.to_owned(),
        }
    }
}

fn quoted_printable(body: &str) -> String {
    let joined = body.replace("=\r\n", "");
    let mut parts = joined.split('=');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

/// The server. It ends with the runtime.
#[derive(Clone)]
pub struct MailServer {
    pub port: u16,
    /// Its certificate, for whoever is to trust it.
    pub ca_file: PathBuf,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    taken: Mutex<Vec<Received>>,
    news: Notify,
    /// All that was offered, refused or not.
    offered: Mutex<Vec<Received>>,
    refusals: AtomicUsize,
}

impl MailServer {
    /// Serves on a free port; puts its certificate into the folder.
    pub async fn start(folder: &Path) -> Self {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let ca_file = folder.join("mail-ca.pem");
        std::fs::write(&ca_file, own.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(shared.clone(), acceptor.clone(), stream));
            }
        });
        Self { port, ca_file, state }
    }

    /// Refuses the next mails, as a server does that is out of room.
    pub fn refuse(&self, mails: usize) {
        self.state.refusals.store(mails, Ordering::SeqCst);
    }

    /// Mails that were offered, refused ones too.
    pub fn offered(&self) -> Vec<Received> {
        self.state.offered.lock().unwrap().clone()
    }

    /// All mails that were taken.
    pub fn mails(&self) -> Vec<Received> {
        self.state.taken.lock().unwrap().clone()
    }

    /// The newest mail to an address. Waits until there is one.
    pub async fn mail_to(&self, address: &str) -> Received {
        loop {
            let news = self.state.news.notified();
            if let Some(mail) = self.mails().into_iter().rfind(|mail| mail.to.iter().any(|to| to == address))
            {
                return mail;
            }
            news.await;
        }
    }
}

async fn converse(state: Arc<State>, acceptor: TlsAcceptor, stream: TcpStream) {
    let mut builder = SessionBuilder::new("mail.example");
    builder.enable_start_tls().enable_auth(AuthMechanism::Plain);
    let taker = Taker { state, logged_in: false, tls: false, to: Vec::new(), data: Vec::new() };
    let mut session = builder.build(IpAddr::from([127, 0, 0, 1]), taker.clone());
    let mut stream = BufReader::new(stream);
    let greeting = session.greeting();
    if reply(&mut stream, &greeting).await.is_none() || !answer(&mut session, &mut stream).await {
        return;
    }
    let Ok(stream) = acceptor.accept(stream.into_inner()).await else { return };
    // After TLS everything begins anew, in a session that knows that it is secured.
    let mut session = builder.build(IpAddr::from([127, 0, 0, 1]), Taker { tls: true, ..taker });
    session.tls_active();
    answer(&mut session, &mut BufReader::new(stream)).await;
}

/// Answers line after line. True where the client asked for TLS; false where the conversation is over.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<Taker>,
    stream: &mut BufReader<S>,
) -> bool {
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
            return false;
        }
        let response = session.process(&line);
        if response.action != Action::NoReply && reply(stream, &response).await.is_none() {
            return false;
        }
        match response.action {
            Action::UpgradeTls => return true,
            Action::Close => return false,
            Action::Reply | Action::NoReply => {}
        }
    }
}

async fn reply<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    response: &Response,
) -> Option<()> {
    stream.write_all(&response.buffer().unwrap()).await.ok()?;
    stream.flush().await.ok()
}

/// Decides about one connection's mails.
#[derive(Clone)]
struct Taker {
    state: Arc<State>,
    logged_in: bool,
    tls: bool,
    to: Vec<String>,
    data: Vec<u8>,
}

impl Handler for Taker {
    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        self.logged_in = (user, password) == (USER, PASSWORD);
        if self.logged_in { response::AUTH_OK } else { response::INVALID_CREDENTIALS }
    }

    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        if self.logged_in { response::OK } else { Response::custom(530, "Log in first".into()) }
    }

    fn data_start(&mut self, _: &str, _: &str, _: bool, to: &[String]) -> Response {
        (self.to, self.data) = (to.to_vec(), Vec::new());
        response::OK
    }

    fn data(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.data.extend_from_slice(bytes);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let state = &self.state;
        let data = String::from_utf8(std::mem::take(&mut self.data)).unwrap();
        let mail = Received { to: self.to.clone(), data, over_tls: self.tls };
        state.offered.lock().unwrap().push(mail.clone());
        let refused =
            state.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if refused.is_ok() {
            return Response::custom(452, "Out of room, try later".into());
        }
        state.taken.lock().unwrap().push(mail);
        state.news.notify_waiters();
        response::OK
    }
}
