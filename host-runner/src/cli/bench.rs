//! `cae bench serve`: the figures of the service on this machine, as ratios where they would otherwise be about the machine.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::output::Output;
use super::problem::{Problem, note};
use super::{EngineChoice, Exit, Options};
use crate::clock;
use crate::signing::SigningKey;
use cae_core::policy::what_if::report::words::count;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Measure `cae serve`: a process of its own, on a database of its own
    #[command(after_help = HELP)]
    Serve {
        /// How long each figure is measured
        #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
        seconds: u64,
        /// Connections that ask at the same time
        #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1_024))]
        connections: u16,
        /// Subjects that are known
        #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        subjects: u32,
    },
}

const HELP: &str = "\
The constant answer goes through the same HTTP code as the decisions, with the same
request; who asks runs on the same machine, so that the ratio is what counts.

Exit status: 0 measured; 2 the service does not start.

Example:
  cae bench serve --seconds 10";

/// How often the constant answer and the decision take turns.
const TURNS: u32 = 15;

const ISSUER: &str = "https://login.example";
const TRANSMITTER: &str = "https://ssf.example";

pub(super) fn run(command: &Command, options: &Options, out: &mut Output) -> Result<Exit, Problem> {
    let Command::Serve {
        seconds,
        connections,
        subjects,
    } = command;
    let time = Duration::from_secs(*seconds);
    let bench = Bench::new(options)?;
    let mut service = bench.start()?;
    let token = bench.token("measured")?;
    let request = |path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\nX-Forwarded-For: 203.0.113.9\r\n\
             X-Original-Method: GET\r\nX-Original-URI: /orders/4711\r\n\r\n"
        )
    };
    let (constant, decided) = (request("/healthz"), request("/authorize"));
    // In short turns, so that a change of the machine meets both: the ratio is that of neighbours.
    let (mut constants, mut decisions, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let part = time.checked_div(TURNS).unwrap_or(time);
    for _ in 0..TURNS {
        let constant_rate = bench.load(&constant, *connections, part, None)?.rate();
        let rate = bench.load(&decided, *connections, part, None)?.rate();
        ratios.push(rate / constant_rate);
        constants.push(constant_rate);
        decisions.push(rate);
    }
    let (constant_rate, rate, ratio) = (median(constants), median(decisions), median(ratios));
    figure(
        out,
        "constant answer",
        &format!("{} requests/s", count(whole(constant_rate))),
    );
    figure(
        out,
        "authorization",
        &format!(
            "{} requests/s, {:.0} % of the constant answer",
            count(whole(rate)),
            100.0 * ratio
        ),
    );
    let half = bench.load(&decided, *connections, time, Some(rate / 2.0))?;
    figure(out, "authorization at half of that load", &half.words());

    let sets = bench.sets(*subjects)?;
    let pushed = bench.push(&sets, *connections)?;
    figure(
        out,
        "push, verified and durable",
        &format!(
            "{} SETs/s ({} SETs)",
            count(whole(pushed)),
            count(u64::from(*subjects))
        ),
    );
    let refused = bench.event_to_refusal(time)?;
    figure(
        out,
        "event accepted to next request refused",
        &refused.words(),
    );
    let memory = resident(&service.0).map_or_else(
        || "not known here".to_owned(),
        |bytes| format!("{} MiB", bytes >> 20),
    );
    figure(
        out,
        &format!(
            "resident memory with {} subjects",
            count(u64::from(*subjects))
        ),
        &memory,
    );

    service.stop();
    let began = Instant::now();
    let mut service = bench.start()?;
    let started = began.elapsed();
    figure(
        out,
        &format!(
            "start to ready with {} records",
            count(u64::from(*subjects))
        ),
        &format!("{} ms", started.as_millis()),
    );
    service.stop();
    Ok(Exit::Done)
}

fn figure(out: &mut Output, name: &str, value: &str) {
    if out.json() {
        out.line(json!({"figure": name, "value": value}));
    } else {
        out.line(format_args!("{name:<46} {value}"));
    }
    out.flush();
}

/// What is measured.
struct Bench {
    folder: PathBuf,
    authorization: u16,
    signals: u16,
    administration: u16,
    issuer: SigningKey,
    transmitter: SigningKey,
    engine: &'static str,
}

/// The service, which ends with it.
struct Service(Child);

impl Service {
    fn stop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Bench {
    fn new(options: &Options) -> Result<Self, Problem> {
        let folder = std::env::temp_dir().join(format!("cae-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| Problem::file(&folder, error))?;
        let key = |kid| SigningKey::generate(Some("RS256"), Some(kid)).map_err(Problem::new);
        let bench = Self {
            authorization: free_port()?,
            signals: free_port()?,
            administration: free_port()?,
            issuer: key("i")?,
            transmitter: key("t")?,
            engine: match options.engine {
                EngineChoice::Native => "native",
                EngineChoice::Wasm => "wasm",
            },
            folder,
        };
        let engine = json!({
            "resource": {"audiences": ["api://orders"]},
            "issuers": [{"issuer": ISSUER, "claims": "rfc9068", "algorithms": ["RS256"], "challenge": "entra",
                "jwks": bench.issuer.jwks().map_err(Problem::new)?}],
            "transmitters": [{"issuer": TRANSMITTER, "audience": "https://api.example", "algorithms": ["RS256"],
                "jwks": bench.transmitter.jwks().map_err(Problem::new)?, "speaksFor": [ISSUER]}],
        });
        bench.write("engine.json", &engine.to_string())?;
        bench.write(
            "cae.toml",
            &format!(
                "engine = \"engine.json\"\n[listen]\nauthorization = \"127.0.0.1:{}\"\nsignals = \"127.0.0.1:{}\"\n\
                 administration = \"127.0.0.1:{}\"\n[[transmitter]]\nname = \"bench\"\nissuer = \"{TRANSMITTER}\"\n",
                bench.authorization, bench.signals, bench.administration
            ),
        )?;
        Ok(bench)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Problem> {
        let file = self.folder.join(name);
        std::fs::write(&file, text).map_err(|error| Problem::file(&file, error))
    }

    /// Starts the service and waits until it is ready.
    fn start(&self) -> Result<Service, Problem> {
        let program = std::env::current_exe().map_err(Problem::new)?;
        let log = self.folder.join("serve.log");
        let to = std::fs::File::create(&log).map_err(|error| Problem::file(&log, error))?;
        let child = Process::new(program)
            .args(["serve", "--engine", self.engine, "--config"])
            .arg(self.folder.join("cae.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(to)
            .spawn()
            .map_err(Problem::new)?;
        let mut service = Service(child);
        let ready = "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";
        loop {
            let answer =
                Connection::open(self.administration).and_then(|mut it| it.ask(ready.as_bytes()));
            if matches!(answer, Ok(200)) {
                return Ok(service);
            }
            if service.0.try_wait().map_err(Problem::new)?.is_some() {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(Problem::new(said));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn token(&self, user: &str) -> Result<String, Problem> {
        let issued = clock::now().as_secs().saturating_sub(60);
        let claims = json!({
            "iss": ISSUER, "sub": user, "aud": "api://orders", "client_id": "app", "jti": user,
            "iat": issued, "exp": issued.saturating_add(80_000), "xms_cc": ["cp1"], "scope": "Orders.Read Orders.Write",
            "name": "Adele Vance", "roles": ["Reader", "Writer"], "ver": "2.0", "tid": "9d8f0d1c-58a3-4a6e-8f0a-2f1f0b6f7a11",
        });
        self.issuer.sign("at+jwt", &claims).map_err(Problem::new)
    }

    fn set(&self, user: &str, jti: &str) -> Result<String, Problem> {
        let now = clock::now().as_secs();
        let claims = json!({
            "iss": TRANSMITTER, "aud": "https://api.example", "iat": now, "jti": jti,
            "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": user},
            "events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {"event_timestamp": now}},
        });
        self.transmitter
            .sign("secevent+jwt", &claims)
            .map_err(Problem::new)
    }

    /// Requests that push one SET each; signing them is not measured.
    fn sets(&self, number: u32) -> Result<Vec<Vec<u8>>, Problem> {
        note(format_args!(
            "{} SETs are being signed",
            count(u64::from(number))
        ));
        let make = |n: u32| {
            let set = self.set(&format!("user-{n}"), &format!("bench-{n}"))?;
            Ok(push_request(&set))
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = usize::try_from(number)
            .unwrap_or(usize::MAX)
            .div_ceil(threads)
            .max(1);
        let numbers: Vec<u32> = (0..number).collect();
        thread::scope(|scope| {
            let make = &make;
            let workers: Vec<_> = numbers
                .chunks(share)
                .map(|part| {
                    scope.spawn(move || {
                        part.iter()
                            .map(|n| make(*n))
                            .collect::<Result<Vec<_>, Problem>>()
                    })
                })
                .collect();
            let mut all = Vec::new();
            for worker in workers {
                all.extend(
                    worker
                        .join()
                        .map_err(|_| Problem::new("a worker panicked"))??,
                );
            }
            Ok(all)
        })
    }

    /// Asks the same on many connections; as fast as possible, or so often a second.
    fn load(
        &self,
        request: &str,
        connections: u16,
        time: Duration,
        rate: Option<f64>,
    ) -> Result<Times, Problem> {
        let each = rate.map(|rate| Duration::from_secs_f64(f64::from(connections) / rate.max(1.0)));
        let until = Instant::now()
            .checked_add(time)
            .unwrap_or_else(Instant::now);
        let began = Instant::now();
        let parts = thread::scope(|scope| {
            let workers: Vec<_> = (0..connections)
                .map(|worker| {
                    scope.spawn(move || -> io::Result<Vec<Duration>> {
                        let mut connection = Connection::open(self.authorization)?;
                        let mut times = Vec::new();
                        // Each begins at another moment of the first period.
                        let offset = each
                            .map(|each| each.mul_f64(f64::from(worker) / f64::from(connections)));
                        let mut next = Instant::now()
                            .checked_add(offset.unwrap_or_default())
                            .unwrap_or_else(Instant::now);
                        while Instant::now() < until {
                            if let Some(each) = each {
                                thread::sleep(next.saturating_duration_since(Instant::now()));
                                next = next.checked_add(each).unwrap_or(next);
                            }
                            let asked = Instant::now();
                            let status = connection.ask(request.as_bytes())?;
                            if status != 200 {
                                return Err(io::Error::other(format!(
                                    "the service answers {status}"
                                )));
                            }
                            times.push(asked.elapsed());
                        }
                        Ok(times)
                    })
                })
                .collect();
            workers
                .into_iter()
                .map(|worker| {
                    worker
                        .join()
                        .unwrap_or_else(|_| Err(io::Error::other("a worker panicked")))
                })
                .collect::<Vec<_>>()
        });
        let mut all = Vec::new();
        for part in parts {
            all.extend(part.map_err(Problem::new)?);
        }
        Ok(Times::new(all, began.elapsed()))
    }

    /// Pushes every SET once; how many a second were acknowledged.
    fn push(&self, sets: &[Vec<u8>], connections: u16) -> Result<f64, Problem> {
        // A push waits for the disk: many have to be on their way for one wait to serve them.
        let connections = u64::from(connections).saturating_mul(8);
        let next = AtomicU64::new(0);
        let began = Instant::now();
        let results: Vec<io::Result<()>> = thread::scope(|scope| {
            let workers: Vec<_> = (0..connections)
                .map(|_| {
                    scope.spawn(|| {
                        let mut connection = Connection::open(self.signals)?;
                        loop {
                            let position = usize::try_from(next.fetch_add(1, Ordering::Relaxed))
                                .unwrap_or(usize::MAX);
                            let Some(set) = sets.get(position) else {
                                return Ok(());
                            };
                            let status = connection.ask(set)?;
                            if status != 202 {
                                return Err(io::Error::other(format!(
                                    "a push is answered by {status}"
                                )));
                            }
                        }
                    })
                })
                .collect();
            workers
                .into_iter()
                .map(|worker| {
                    worker
                        .join()
                        .unwrap_or_else(|_| Err(io::Error::other("a worker panicked")))
                })
                .collect()
        });
        for result in results {
            result.map_err(Problem::new)?;
        }
        let number = u32::try_from(sets.len()).unwrap_or(u32::MAX);
        Ok(f64::from(number) / began.elapsed().as_secs_f64())
    }

    /// From the moment at which a SET is sent, over its acknowledgement, to the refusal of the next request.
    fn event_to_refusal(&self, time: Duration) -> Result<Times, Problem> {
        let until = Instant::now()
            .checked_add(time)
            .unwrap_or_else(Instant::now);
        let began = Instant::now();
        let mut signals = Connection::open(self.signals).map_err(Problem::new)?;
        let mut authorization = Connection::open(self.authorization).map_err(Problem::new)?;
        let mut times = Vec::new();
        let mut n = 0_u32;
        while Instant::now() < until {
            n = n.saturating_add(1);
            let user = format!("latency-{n}");
            let token = self.token(&user)?;
            let ask = format!(
                "GET /authorize HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
            );
            let push = push_request(&self.set(&user, &user)?);
            if authorization.ask(ask.as_bytes()).map_err(Problem::new)? != 200 {
                return Err(Problem::new("a token of nobody's event is refused"));
            }
            let asked = Instant::now();
            let acknowledged = signals.ask(&push).map_err(Problem::new)?;
            let refused = authorization.ask(ask.as_bytes()).map_err(Problem::new)?;
            times.push(asked.elapsed());
            if (acknowledged, refused) != (202, 401) {
                return Err(Problem::new(format_args!(
                    "pushed: {acknowledged}, the next request: {refused}"
                )));
            }
        }
        Ok(Times::new(times, began.elapsed()))
    }
}

fn push_request(set: &str) -> Vec<u8> {
    let length = set.len();
    format!(
        "POST /events/bench HTTP/1.1\r\nHost: x\r\nContent-Type: application/secevent+jwt\r\nContent-Length: {length}\r\n\r\n{set}"
    )
    .into_bytes()
}

/// How long requests took, the shortest first.
struct Times {
    sorted: Vec<Duration>,
    took: Duration,
}

impl Times {
    fn new(mut times: Vec<Duration>, took: Duration) -> Self {
        times.sort_unstable();
        Self {
            sorted: times,
            took,
        }
    }

    fn rate(&self) -> f64 {
        f64::from(u32::try_from(self.sorted.len()).unwrap_or(u32::MAX)) / self.took.as_secs_f64()
    }

    /// The time within which so many of a thousand ended.
    fn within(&self, of_a_thousand: usize) -> Duration {
        let last = self.sorted.len().saturating_sub(1);
        let position = last
            .saturating_mul(of_a_thousand)
            .checked_div(1_000)
            .unwrap_or(0);
        self.sorted.get(position).copied().unwrap_or_default()
    }

    fn words(&self) -> String {
        let [half, most] = [500, 990].map(|share| self.within(share).as_secs_f64() * 1_000.0);
        format!(
            "p50 {half:.2} ms, p99 {most:.2} ms ({} times)",
            count(u64::try_from(self.sorted.len()).unwrap_or(u64::MAX))
        )
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate for people"
)]
const fn whole(rate: f64) -> u64 {
    rate.round() as u64
}

/// Resident memory of a process, where the system tells.
fn resident(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(
        Path::new("/proc")
            .join(child.id().to_string())
            .join("status"),
    )
    .ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1_024)
}

fn free_port() -> Result<u16, Problem> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Problem::new)?;
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(Problem::new)
}

/// A connection that is kept, with no more of HTTP than the measured answers need.
struct Connection {
    stream: BufReader<TcpStream>,
    line: Vec<u8>,
}

impl Connection {
    fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self {
            stream: BufReader::new(stream),
            line: Vec::new(),
        })
    }

    /// Sends a request; the status of the answer.
    fn ask(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.get_mut().write_all(request)?;
        let (mut status, mut length) = (0, 0_u64);
        loop {
            self.line.clear();
            if self.stream.read_until(b'\n', &mut self.line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = self.line.trim_ascii_end();
            if line.is_empty() {
                break;
            }
            let value = |name: &[u8]| std::str::from_utf8(line.strip_prefix(name)?).ok();
            if let Some(said) = value(b"HTTP/1.1 ") {
                status = said.get(..3).and_then(|it| it.parse().ok()).unwrap_or(0);
            } else if let Some(said) = value(b"content-length: ") {
                length = said.parse().unwrap_or(0);
            }
        }
        if length > 0 {
            io::copy(&mut (&mut self.stream).take(length), &mut io::sink())?;
        }
        Ok(status)
    }
}
