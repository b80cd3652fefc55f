//! The service at work: issuer, proxy, API and client on this machine, what each does side by side, and how long a revoked
//! token still passes.

use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::tell;
use crate::process::{Failure, has};
use crate::workspace;

const INTRODUCTION: &str = "\
The service in front of an API. A token issuer with its transmitter, a proxy, `cae serve`,
an API and a client, all on this machine. The client asks all the time; then something
happens to its user.
";

/// A process that ends with the demo.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs it.
pub(super) fn run() -> Result<(), Failure> {
    tell(INTRODUCTION);
    let folder = workspace::root().join("target/demo");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let [issuer, service, signals, administration, proxy] =
        [port()?, port()?, port()?, port()?, port()?];
    let api = api()?;
    let written = folder.join("cae.toml");
    let _issuer = cae(
        &folder,
        &[
            "issuer",
            "dev",
            "--listen",
            &at(issuer),
            "--write-config",
            &written.display().to_string(),
        ],
        &[],
    )?;
    wait("the issuer", || {
        written.is_file() && ask(issuer, "GET", "/keys", &[], "").is_ok()
    })?;
    let _service = cae(
        &folder,
        &["serve", "--config", &written.display().to_string()],
        &[
            ("CAE__LISTEN__AUTHORIZATION", at(service)),
            ("CAE__LISTEN__SIGNALS", at(signals)),
            ("CAE__LISTEN__ADMINISTRATION", at(administration)),
        ],
    )?;
    let enabled = || {
        ask(administration, "GET", "/readyz", &[], "")
            .is_ok_and(|(_, _, body)| body.contains("\"status\":\"enabled\""))
    };
    wait("the service", enabled)?;
    let (_proxy, name) = start_proxy(&folder, proxy, service, api)?;
    wait("the proxy", || {
        ask(proxy, "GET", "/orders", &[], "").is_ok_and(|(status, ..)| status == 401)
    })?;

    let mut story = Story::new(name);
    let mut client = Client {
        issuer,
        proxy,
        token: String::new(),
        refresh_token: String::new(),
    };
    client.sign_in("adele")?;
    story.line("signs adele in: a token for a day", "", "");
    story.line("", "200 for adele", "GET /orders: 200");
    client.expect(200)?;
    let mut worst = Duration::ZERO;
    for (what, words) in [
        ("risk", "risk of adele is high"),
        ("reset-password", "an administrator resets her password"),
        ("disable", "adele is disabled"),
    ] {
        let asked = client.ask_until_it_happens(what)?;
        worst = worst.max(asked.took);
        story.line(
            words,
            "",
            &format!("{} requests passed so far: 200", asked.passed),
        );
        story.line("SET ───────────────────────────▶", "on disk, in force", "");
        let milliseconds = asked.took.as_secs_f64() * 1_000.0;
        story.line(
            "",
            "401, what to ask for",
            &format!("refused {milliseconds:.0} ms after it happened"),
        );
        if client.refresh(&asked.claims)? {
            client.expect(200)?;
            story.line(
                "a token of after the event ◀───",
                "200 for adele",
                "takes the claims to the issuer: 200",
            );
        } else if client.sign_in("adele").is_ok() {
            client.expect(200)?;
            story.line(
                "the session is over ◀─────────",
                "200 for adele",
                "adele signs in again: 200",
            );
        } else {
            story.line("no token any more ◀────────────", "", "adele is out");
        }
    }
    tell(&format!(
        "\nFrom the event to the first refusal: {:.0} ms at worst, over {name} and {}. Microsoft's documentation allows\n\
         15 minutes; a token without continuous access evaluation would have lived for hours.\n\
         What stands behind it: docs/service.md, and target/demo/cae.toml as it was used here.\n",
        worst.as_secs_f64() * 1_000.0,
        "the poll of RFC 8936"
    ));
    Ok(())
}

/// That nobody reads it is no failure.
fn write_line(line: &str) {
    drop(writeln!(std::io::stdout(), "{}", line.trim_end()));
}

/// Three columns.
struct Story {
    began: Instant,
}

impl Story {
    fn new(proxy: &str) -> Self {
        let story = Self {
            began: Instant::now(),
        };
        write_line(&format!(
            "{:>8}  {:<38}{:<24}{}",
            "",
            "issuer",
            format!("cae behind {proxy}"),
            "client"
        ));
        story
    }

    fn line(&mut self, issuer: &str, service: &str, client: &str) {
        let time = format!("{:.3} s", self.began.elapsed().as_secs_f64());
        write_line(&format!("{time:>8}  {issuer:<38}{service:<24}{client}"));
    }
}

struct Client {
    issuer: u16,
    proxy: u16,
    token: String,
    refresh_token: String,
}

/// What came of asking all the time.
struct Asked {
    passed: u32,
    took: Duration,
    claims: String,
}

const CAPABLE: &str = "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]}}}";

impl Client {
    fn sign_in(&mut self, user: &str) -> Result<(), Failure> {
        self.token_by(&format!(
            "grant_type=password&username={user}&client_id=app&claims={}",
            encoded(CAPABLE)
        ))
    }

    /// Takes a claims request to the issuer; whether there is a token.
    fn refresh(&mut self, claims: &str) -> Result<bool, Failure> {
        let inner = claims.replacen(
            "{\"access_token\":{",
            "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]},",
            1,
        );
        let form = format!(
            "grant_type=refresh_token&refresh_token={}&client_id=app&claims={}",
            self.refresh_token,
            encoded(&inner)
        );
        Ok(self.token_by(&form).is_ok())
    }

    fn token_by(&mut self, form: &str) -> Result<(), Failure> {
        let kind = [("Content-Type", "application/x-www-form-urlencoded")];
        let (status, _, body) = ask(self.issuer, "POST", "/token", &kind, form)?;
        if status != 200 {
            return Err(Failure::new(format!("the issuer answers {body}")));
        }
        self.token = member(&body, "access_token");
        self.refresh_token = member(&body, "refresh_token");
        Ok(())
    }

    fn request(&self) -> Result<(u16, String), Failure> {
        let bearer = format!("Bearer {}", self.token);
        let (status, challenge, _) = ask(
            self.proxy,
            "GET",
            "/orders",
            &[("Authorization", &bearer)],
            "",
        )?;
        Ok((status, challenge))
    }

    fn expect(&self, status: u16) -> Result<(), Failure> {
        wait("an answer", || {
            self.request().is_ok_and(|(found, _)| found == status)
        })
    }

    fn ask_until_it_happens(&self, what: &str) -> Result<Asked, Failure> {
        let mut passed = 0_u32;
        for _ in 0..50 {
            if self.request()?.0 == 200 {
                passed = passed.saturating_add(1);
            }
            thread::sleep(Duration::from_millis(5));
        }
        let happening = format!("{{\"what\":\"{what}\",\"user\":\"adele\"}}");
        let happened = Instant::now();
        ask(self.issuer, "POST", "/happens", &[], &happening)?;
        loop {
            let (status, challenge) = self.request()?;
            if status != 200 {
                let claims = challenge
                    .split("claims=\"")
                    .nth(1)
                    .and_then(|rest| rest.split('"').next());
                return Ok(Asked {
                    passed,
                    took: happened.elapsed(),
                    claims: decoded(claims.unwrap_or_default()),
                });
            }
            if happened.elapsed() > Duration::from_secs(20) {
                return Err(Failure::new("the event does not arrive".to_owned()));
            }
        }
    }
}

/// nginx as the documentation says, or a proxy of a few lines where it is not installed.
fn start_proxy(
    folder: &Path,
    proxy: u16,
    service: u16,
    api: u16,
) -> Result<(Option<Running>, &'static str), Failure> {
    let nginx = [
        PathBuf::from("/usr/sbin/nginx"),
        PathBuf::from("/usr/bin/nginx"),
    ]
    .into_iter()
    .find(|file| file.is_file());
    let Some(nginx) = nginx.or_else(|| has("nginx").then(|| PathBuf::from("nginx"))) else {
        built_in_proxy(proxy, service, api)?;
        return Ok((None, "a built-in proxy"));
    };
    let page = fs::read_to_string(workspace::root().join("docs/proxies/nginx.md"))?;
    let server = page
        .split("```nginx\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap_or_default();
    let server = server
        .replace("127.0.0.1:8000", &at(proxy))
        .replace("127.0.0.1:8180", &at(service))
        .replace("127.0.0.1:9000", &at(api));
    let base = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {base}/{kind};\n"))
        .concat();
    let file = folder.join("nginx.conf");
    fs::write(
        &file,
        format!(
            "daemon off;\nmaster_process off;\npid {base}/nginx.pid;\nerror_log {base}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{server}}}\n"
        ),
    )?;
    let child = Command::new(nginx)
        .arg("-c")
        .arg(&file)
        .arg("-e")
        .arg(folder.join("error.log"))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok((Some(Running(child)), "nginx"))
}

fn built_in_proxy(proxy: u16, service: u16, api: u16) -> Result<(), Failure> {
    serve(
        TcpListener::bind((Ipv4Addr::LOCALHOST, proxy))?,
        move |headers| {
            let headers: Vec<(&str, &str)> = headers
                .iter()
                .filter(|(name, _)| name == "authorization")
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .chain([
                    ("X-Forwarded-For", "127.0.0.1"),
                    ("X-Original-URI", "/orders"),
                    ("X-Original-Method", "GET"),
                ])
                .collect();
            match ask(service, "GET", "/authorize", &headers, "") {
                Ok((200, ..)) => match ask(api, "GET", "/orders", &[], "") {
                    Ok((status, _, body)) => (status, String::new(), body),
                    Err(_) => (502, String::new(), String::new()),
                },
                Ok((status, challenge, _)) => (status, challenge, String::new()),
                Err(_) => (502, String::new(), String::new()),
            }
        },
    );
    Ok(())
}

fn api() -> Result<u16, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    serve(listener, |_| (200, String::new(), "[]".to_owned()));
    Ok(port)
}

type Answer = (u16, String, String);

fn serve(
    listener: TcpListener,
    answer: impl Fn(&[(String, String)]) -> Answer + Clone + Send + 'static,
) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || {
                let mut stream = BufReader::new(stream);
                let Some((_, headers)) = head(&mut stream) else {
                    return;
                };
                let (status, challenge, body) = answer(&headers);
                let challenge = if challenge.is_empty() {
                    String::new()
                } else {
                    format!("WWW-Authenticate: {challenge}\r\n")
                };
                let text = format!(
                    "HTTP/1.1 {status} x\r\n{challenge}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.get_mut().write_all(text.as_bytes());
            });
        }
    });
}

/// The first line and the headers, names in lower case.
fn head(stream: &mut impl std::io::BufRead) -> Option<(String, Vec<(String, String)>)> {
    let mut first = String::new();
    stream
        .read_line(&mut first)
        .ok()
        .filter(|length| *length > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream
            .read_line(&mut line)
            .ok()
            .filter(|length| *length > 0)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_lowercase(), value.trim().to_owned())),
            None => return Some((first, headers)),
        }
    }
}

/// A request on a connection of its own: status, `WWW-Authenticate`, body.
fn ask(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer, Failure> {
    let stream = TcpStream::connect_timeout(
        &SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        Duration::from_secs(2),
    )?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut stream = BufReader::new(stream);
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        at(port),
        body.len()
    );
    stream.get_mut().write_all(text.as_bytes())?;
    let broken = || Failure::new(format!("{} gives no answer", at(port)));
    let (first, headers) = head(&mut stream).ok_or_else(broken)?;
    let status = first
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(broken)?;
    let challenge = headers
        .into_iter()
        .find(|(name, _)| name == "www-authenticate");
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok((
        status,
        challenge.map(|(_, value)| value).unwrap_or_default(),
        answer,
    ))
}

fn cae(
    folder: &Path,
    arguments: &[&str],
    environment: &[(&str, String)],
) -> Result<Running, Failure> {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("cae.log"))?;
    let child = Command::new(workspace::root().join("target/debug/cae"))
        .args(arguments)
        .envs(
            environment
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()?;
    Ok(Running(child))
}

fn wait(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), Failure> {
    let began = Instant::now();
    while !holds() {
        if began.elapsed() > Duration::from_secs(30) {
            return Err(Failure::new(format!(
                "waited in vain for {what}; look into target/demo/cae.log"
            )));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn port() -> Result<u16, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn at(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// A member that is text without escapes, as tokens are.
fn member(json: &str, name: &str) -> String {
    let value = json.split(&format!("\"{name}\":\"")).nth(1);
    value
        .and_then(|rest| rest.split('"').next())
        .unwrap_or_default()
        .to_owned()
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Base64 (RFC 4648 §4), of which a challenge holds a little.
fn decoded(text: &str) -> String {
    let mut bits = 0_u32;
    let mut count = 0_u32;
    let mut bytes = Vec::new();
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter.wrapping_sub(b'A'),
            b'a'..=b'z' => letter.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => letter.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        count = count.saturating_add(6);
        if count >= 8 {
            count = count.saturating_sub(8);
            bytes.extend(u8::try_from(bits >> count & 0xFF));
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}
