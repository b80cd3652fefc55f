//! `cae serve` and `cae issuer dev` as processes, and what speaks to them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::artefacts;
pub use crate::process::Process;

/// A folder that goes when the test ends.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new folder.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("cae-{}-{name}-{count}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        // As editors do: a reader sees the file of before, or the whole new one.
        let beside = self.0.join(format!("{name}.new"));
        fs::write(&beside, text).unwrap();
        fs::rename(&beside, &file).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Makes a certificate for this machine, `certificate.pem` with `key.pem`, if openssl is there to make one.
#[must_use]
pub fn certify(folder: &Folder) -> bool {
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args([
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-out",
        ])
        .arg(certificate)
        .arg("-keyout")
        .arg(key)
        .output();
    let made = made.is_ok_and(|output| output.status.success());
    if !made {
        eprintln!("note: openssl is not installed, TLS is not checked");
    }
    made
}

/// A port that nobody listens on just now, below those that the system gives to outgoing connections: one of these would
/// be taken again before the one who asked listens.
///
/// # Panics
/// There is none.
#[must_use]
pub fn free_port() -> u16 {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Test programs beside this one begin elsewhere.
    let own = std::process::id().wrapping_mul(97) % COUNT;
    for _ in 0..COUNT {
        let turn = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = (own + u32::try_from(turn % u64::from(COUNT)).unwrap()) % COUNT;
        let port = u16::try_from(FIRST + offset).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// The binary `cae` of this build.
///
/// # Panics
/// It is not built, and has to be.
#[must_use]
pub fn cae() -> Option<PathBuf> {
    artefacts::find("cae", "cargo build --package cae-host-runner")
}

/// A command of `cae`, through the component where it was built.
///
/// # Panics
/// As [`cae`].
#[must_use]
pub fn command(arguments: &[&str]) -> Option<Command> {
    let mut command = Command::new(cae()?);
    command.args(arguments);
    if artefacts::component_file().is_none() {
        command.args(["--engine", "native"]);
    }
    Some(command)
}

/// An answer of HTTP.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Names in lower case, in their order.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Reply {
    /// The value of a header that is there once.
    ///
    /// # Panics
    /// It is there several times.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let first = found.next();
        assert!(found.next().is_none(), "{name} is there twice: {self:?}");
        first.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A connection that is kept.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn open(port: u16) -> std::io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// The connection broke.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> std::io::Result<Reply> {
        let host = self.stream.get_ref().peer_addr()?;
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body.unwrap_or_default());
        // Who has heard enough answers before all is sent, and closes: the answer is there all the same.
        let sent = self.stream.get_mut().write_all(text.as_bytes());
        self.read().or_else(|error| sent.and(Err(error)))
    }

    fn read(&mut self) -> std::io::Result<Reply> {
        let broken = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let status: u16 = status.ok_or_else(broken)?;
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(broken());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(broken)?;
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let header = |name: &str| headers.iter().find(|(known, _)| known == name);
        let mut body = Vec::new();
        if let Some((_, length)) = header("content-length") {
            body.resize(length.parse().unwrap_or(0), 0);
            self.stream.read_exact(&mut body)?;
        } else if header("transfer-encoding").is_some() {
            loop {
                let mut line = String::new();
                self.stream.read_line(&mut line)?;
                let length = usize::from_str_radix(line.trim(), 16).map_err(|_| broken())?;
                let mut chunk = vec![0; length + 2];
                self.stream.read_exact(&mut chunk)?;
                body.extend_from_slice(&chunk[..length]);
                if length == 0 {
                    break;
                }
            }
        }
        Ok(Reply {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

/// One request on a connection of its own.
///
/// # Errors
/// Nobody answers.
pub fn ask(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> std::io::Result<Reply> {
    Connection::open(port)?.send(method, path, headers, body)
}

/// Waits until something holds.
///
/// # Panics
/// It does not, within 45 seconds.
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(45);
    while !holds() {
        assert!(Instant::now() < until, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A running `cae issuer dev`.
#[derive(Debug)]
pub struct Issuer {
    /// Where it listens.
    pub port: u16,
    process: Process,
}

impl Issuer {
    /// Starts one.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start(folder: &Folder, arguments: &[&str]) -> Option<Self> {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let all = [&["issuer", "dev", "--listen", &listen], arguments].concat();
        let process = Process::start(command(&all)?, folder.path().join("issuer.log"));
        wait_for("the issuer", || Connection::open(port).is_ok());
        Some(Self { port, process })
    }

    /// Its issuer URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What the token endpoint answers to a form.
    ///
    /// # Panics
    /// It does not answer.
    #[must_use]
    pub fn token(&self, form: &[(&str, &str)]) -> Reply {
        let encoded = |text: &str| -> String {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            let byte = |byte: u8| match byte {
                byte if plain(byte) => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            };
            text.bytes().map(byte).collect()
        };
        let form: Vec<String> = form
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        ask(self.port, "POST", "/token", &[kind], Some(&form.join("&"))).unwrap()
    }

    /// Signs a user in with a client that takes claims challenges: the access token and the refresh token.
    ///
    /// # Panics
    /// They cannot sign in.
    #[must_use]
    pub fn sign_in(&self, user: &str) -> (String, String) {
        let reply = self.token(&[
            ("grant_type", "password"),
            ("username", user),
            ("client_id", "app"),
            ("claims", CAPABLE),
        ]);
        let answer = reply.json();
        let text = |name: &str| {
            answer[name]
                .as_str()
                .unwrap_or_else(|| panic!("{reply:?}"))
                .to_owned()
        };
        (text("access_token"), text("refresh_token"))
    }

    /// Lets something happen.
    ///
    /// # Panics
    /// It does not.
    pub fn happens(&self, what: &str, user: &str) -> Value {
        let body = json!({"what": what, "user": user}).to_string();
        let reply = ask(self.port, "POST", "/happens", &[], Some(&body)).unwrap();
        assert_eq!(reply.status, 200, "{reply:?} {}", self.process.said());
        reply.json()
    }
}

/// A claims request that declares the capability.
pub const CAPABLE: &str = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;

/// A running `cae serve`.
#[derive(Debug)]
pub struct Service {
    /// Where proxies ask.
    pub authorization: u16,
    /// Where events go.
    pub signals: u16,
    /// Where operators ask.
    pub administration: u16,
    /// The process.
    pub process: Process,
    configuration: PathBuf,
}

impl Service {
    /// Starts the service with a configuration, to which the listeners are added.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start(folder: &Folder, configuration: &str) -> Option<Self> {
        Self::start_with_signals(folder, configuration, free_port())
    }

    /// The same, where others have to know beforehand where events go.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start_with_signals(folder: &Folder, configuration: &str, signals: u16) -> Option<Self> {
        Self::start_within(folder, configuration, signals, |command| command)
    }

    /// The same, as a process that another command starts.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start_within(
        folder: &Folder,
        configuration: &str,
        signals: u16,
        within: impl FnOnce(Command) -> Command,
    ) -> Option<Self> {
        let [authorization, administration] = [free_port(), free_port()];
        let listen = format!(
            "[listen]\nauthorization = \"127.0.0.1:{authorization}\"\nsignals = \"127.0.0.1:{signals}\"\n\
             administration = \"127.0.0.1:{administration}\"\n"
        );
        let file = folder.write("cae.toml", &format!("{configuration}\n{listen}"));
        let process = Self::spawn(folder, &file, within)?;
        let mut service = Self {
            authorization,
            signals,
            administration,
            process,
            configuration: file,
        };
        service.wait();
        Some(service)
    }

    fn spawn(
        folder: &Folder,
        file: &Path,
        within: impl FnOnce(Command) -> Command,
    ) -> Option<Process> {
        let file = file.to_str()?;
        let command = within(command(&["serve", "--config", file])?);
        Some(Process::start(command, folder.path().join("serve.log")))
    }

    fn wait(&mut self) {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            if Connection::open(self.administration).is_ok() {
                return;
            }
            assert_eq!(self.process.ended(), None, "{}", self.process.said());
            assert!(Instant::now() < until, "{}", self.process.said());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts it again after it ended, with the same configuration.
    ///
    /// # Panics
    /// It does not start.
    pub fn restart(&mut self, folder: &Folder) {
        self.process.kill();
        if let Some(process) = Self::spawn(folder, &self.configuration, |command| command) {
            self.process = process;
            self.wait();
        }
    }

    /// Asks as nginx does.
    ///
    /// # Panics
    /// There is no answer.
    #[must_use]
    pub fn authorize(&self, token: &str, path: &str) -> Reply {
        self.authorize_from(token, path, "203.0.113.9")
    }

    /// The same for a client at this address.
    ///
    /// # Panics
    /// There is no answer.
    #[must_use]
    pub fn authorize_from(&self, token: &str, path: &str, address: &str) -> Reply {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("Authorization", bearer.as_str()),
            ("X-Forwarded-For", address),
            ("X-Original-Method", "GET"),
            ("X-Original-URI", path),
        ];
        ask(self.authorization, "GET", "/authorize", &headers, None).unwrap()
    }

    /// What an operator is told.
    ///
    /// # Panics
    /// There is no answer.
    #[must_use]
    pub fn ready(&self) -> Reply {
        ask(self.administration, "GET", "/readyz", &[], None).unwrap()
    }

    /// A metric by its whole name, with its labels.
    ///
    /// # Panics
    /// There is no answer.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        let reply = ask(self.administration, "GET", "/metrics", &[], None).unwrap();
        let line = reply
            .body
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok())
    }
}
