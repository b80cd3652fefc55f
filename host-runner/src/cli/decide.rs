//! `cae decide`: a batch of requests, one JSON object per line in and out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use cae_core::configuration::settings::OnError;
use cae_core::configuration::{Configuration, Fault};
use cae_core::engine::Detail;
use cae_core::json::{self, Limits, Value};
use cae_core::state::{self, Record, StateKey};
use cae_core::time::UnixTime;
use serde::{Deserialize, Serialize};

use super::input::{self, Line, Lines, STANDARD_INPUT};
use super::output::Output;
use super::problem::{Problem, complain, warn};
use super::{Exit, Options};
use crate::directory::Directory;
use crate::engine::AnyEngine;
use crate::request_line::{Members, RequestLine, not_json};
use crate::session::{BrakeAlarm, EventOutcome, Session, brakes, fault_verdict, on_error};
use crate::signature::Signatures;
use crate::state_file::StateFile;
use crate::text::date;

/// Decide a batch of requests: JSON lines on standard input, one answer line for each
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The engine configuration (`cae config schema` describes it)
    #[arg(long, value_name = "ENGINE.json")]
    config: PathBuf,
    /// Security events and records to apply before the first request, one per line
    #[arg(long, value_name = "SETS.jsonl")]
    signals: Option<PathBuf>,
    /// Begin with the event state in this file and write it back: after the signals and at the end. A file that
    /// does not exist yet is created
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Groups, roles and kinds of users whose tokens do not say it, one user per line; read again when it changes
    #[arg(long, value_name = "USERS.jsonl")]
    directory: Option<PathBuf>,
    /// Add every check, every policy and the state keys to each answer
    #[arg(long)]
    explain: bool,
}

const HELP: &str = r#"A request line:
  {"id":"r1","token":"eyJ…","now":1800000000,"clientIp":"203.0.113.7"}
and, where known: country, scheme, path, confirmed (thumbprint of the proved key),
facts {memberOf, roles, userType, clientAppType, platform, device {isCompliant}},
signalAge {ISSUER: seconds}. A request that carried no token has "token":null.

An answer line:
  {"id":"r1","decision":"challenge","status":401,"wwwAuthenticate":"Bearer …",…}
A line that cannot be used is answered in its place by {"line":N,"error":"…"}.

A line of --signals is a compact SET, {"set":"eyJ…","receivedAt":1800000000}, or
{"record":{…}} to set state directly. All are applied before the first request; a
rejected SET is one line on standard error.

A line of --directory lists one user:
  {"user":"6a1f…","issuer":"https://…","memberOf":["…"],"roles":[],"userType":"guest"}
and, of guests: externalUserType, externalTenantId; `issuer` where several are
configured. A list is complete; what a line leaves out, and whoever has none, is
unknown. The token's own claims win, then the facts of the request. The file is looked
at once a second; a changed one that cannot be used is told, and the last good one stays.

A transmitter with a `brake` that touches more subjects within a minute than it
allows raises an alarm, one line on standard error. Where the brake holds, its
events wait from there on, except those about accounts, until a later line
{"release":"https://ssf.example"} (the transmitter's issuer URL) applies them with
their own times. With --state they wait in FILE.held for another run, or for
`cae state release`.

Events whose subjects no configured token can ever show are counted, by transmitter
and kind, at the end.

Exit status: 0 all lines were answered; 2 a line, the configuration, the signals or
the state cannot be used.

Examples:
  cae decide --config engine.json --signals sets.jsonl --explain < requests.jsonl
  cae decide --config engine.json --signals sets.jsonl --state cae.state < requests.jsonl"#;

type BatchSession = Session<AnyEngine>;

pub(super) fn run(
    arguments: &Arguments,
    options: &Options,
    out: &mut Output,
) -> Result<Exit, Problem> {
    for file in [
        Some(&arguments.config),
        arguments.signals.as_ref(),
        arguments.state.as_ref(),
        arguments.directory.as_ref(),
    ] {
        if file.is_some_and(|file| file == Path::new(STANDARD_INPUT)) {
            return Err(Problem::new(
                "standard input holds the requests: name files with --config, --signals, --state and --directory",
            ));
        }
    }
    let configuration = input::document(&arguments.config)?;
    let engine = options
        .runtime()?
        .engine(&configuration)
        .map_err(|error| Problem::engine(&arguments.config, &error))?;
    let state = (arguments.state.as_deref())
        .map(|file| StateFile::open(file).map_err(|error| Problem::file(file, error)))
        .transpose()?;
    let users = (arguments.directory.as_deref())
        .map(|file| Users::open(file, &arguments.config, &configuration))
        .transpose()?;
    let (users, directory) = users.unzip();
    let mut session =
        session(engine, &configuration, arguments, state.as_ref())?.knowing(directory);
    if let Some(file) = &arguments.signals {
        for signal in read_signals(file)? {
            apply(&mut session, file, signal)?;
        }
    }
    save(&mut session, arguments, state.as_ref())?;
    let on_error = on_error(&configuration);
    let detail = if arguments.explain {
        Detail::Explain
    } else {
        Detail::Decision
    };
    let mut exit = Exit::Done;
    if io::stdin().is_terminal() {
        warn("requests are read from this terminal, one JSON object per line; Ctrl-D ends them");
    }
    let mut lines = Lines::new(io::stdin().lock());
    while out.open() {
        let line = lines
            .next()
            .map_err(|error| Problem::file(Path::new(STANDARD_INPUT), error))?;
        let Some(line) = line else { break };
        if let (Some(users), Some(directory)) = (&users, session.directory()) {
            users.refresh(directory);
        }
        let answer = answer(&mut session, &line, on_error, detail).unwrap_or_else(|error| {
            exit = Exit::BadInput;
            let line = line.number;
            json::to_text(&BadLine { line, error })
        });
        out.line(answer);
        // A program at the other end may wait for this answer before it asks again.
        if lines.waits() {
            out.flush();
        }
    }
    save(&mut session, arguments, state.as_ref())?;
    tell_operator(&session);
    Ok(exit)
}

/// Where the directory comes from.
struct Users<'a> {
    file: &'a Path,
    configuration: Configuration,
}

impl<'a> Users<'a> {
    fn open(
        file: &'a Path,
        config: &Path,
        configuration: &str,
    ) -> Result<(Self, Directory), Problem> {
        let configuration = Configuration::read(configuration)
            .map_err(|faults| Problem::core_faults(config, &faults))?;
        let directory = Directory::open(file, &configuration).map_err(|faults| {
            Problem::all(
                faults
                    .iter()
                    .map(|fault| Problem::file(file, fault))
                    .collect(),
            )
        })?;
        Ok((
            Self {
                file,
                configuration,
            },
            directory,
        ))
    }

    fn refresh(&self, directory: &mut Directory) {
        match directory.refresh(&self.configuration) {
            Ok(None) => {}
            Ok(Some(users)) => warn(format_args!(
                "{}: read again, {users} users",
                self.file.display()
            )),
            Err(faults) => {
                for fault in faults {
                    complain(format_args!("{}: {fault}", self.file.display()));
                }
                warn(format_args!(
                    "{}: the last good one stays",
                    self.file.display()
                ));
            }
        }
    }
}

/// A session that goes on where the file stopped.
fn session(
    engine: AnyEngine,
    configuration: &str,
    arguments: &Arguments,
    state: Option<&StateFile>,
) -> Result<BatchSession, Problem> {
    let session = Session::new(engine, Signatures::default()).braking(brakes(configuration));
    let (Some(file), Some(state)) = (&arguments.state, state) else {
        return Ok(session);
    };
    let (table, held) = state.load().map_err(|error| Problem::file(file, error))?;
    Ok(session.resuming(table, held))
}

fn save(
    session: &mut BatchSession,
    arguments: &Arguments,
    state: Option<&StateFile>,
) -> Result<(), Problem> {
    let (Some(file), Some(state)) = (&arguments.state, state) else {
        return Ok(());
    };
    if !session.take_changed() {
        return Ok(());
    }
    let saved = state.save(session.state(), session.held());
    saved.map_err(|error| Problem::file(file, format_args!("cannot be written: {error}")))
}

/// What waits, and what came in vain.
fn tell_operator(session: &BatchSession) {
    let mut waiting = BTreeMap::<&str, usize>::new();
    for event in session.held() {
        let count = waiting.entry(&event.transmitter).or_default();
        *count = count.saturating_add(1);
    }
    for (transmitter, count) in waiting {
        warn(format_args!(
            "{transmitter}: {count} events wait: apply them with a line {{\"release\":{}}} of --signals",
            Value::from(transmitter)
        ));
    }
    for (transmitter, kind, count) in session.unmatchable() {
        warn(format_args!(
            "{transmitter}: {count} events named a subject that no configured token can show [unmatchable:{kind}]: \
             compare the claim maps under `issuers` with what this transmitter sends (`cae event decode`)"
        ));
    }
}

/// The answer to a line that cannot be used.
#[derive(Serialize)]
struct BadLine {
    line: usize,
    error: String,
}

fn answer(
    session: &mut BatchSession,
    line: &Line,
    on_error: OnError,
    detail: Detail,
) -> Result<String, String> {
    let number = line.number;
    let text = line.text.as_ref().map_err(Clone::clone)?;
    let line = RequestLine::read(text)?;
    let borrowed = line.borrow();
    let request = line.request(&borrowed);
    let decided = session.decide(&line.token, &request, line.confirmed.as_deref(), detail);
    let verdict = decided.unwrap_or_else(|error| {
        complain(format_args!("standard input: line {number}: {error}"));
        fault_verdict(on_error, detail)
    });
    let json = verdict.json.ok_or("the engine wrote no evaluation")?;
    // In front, as text: the rest stays byte for byte what the engine wrote.
    let members = json
        .strip_prefix('{')
        .ok_or("the engine wrote no JSON object")?;
    Ok(format!(r#"{{"id":{},{members}"#, line.id))
}

/// One line of `--signals`.
enum Signal {
    Event {
        line: usize,
        set: String,
        received_at: UnixTime,
    },
    Record(StateKey, Box<Record>),
    /// The issuer URL of a transmitter.
    Release {
        line: usize,
        transmitter: String,
    },
}

/// Reads all signals before any is applied, and names every line that cannot be used.
fn read_signals(file: &Path) -> Result<Vec<Signal>, Problem> {
    let open = File::open(file).map_err(|error| Problem::file(file, error))?;
    let mut lines = Lines::new(open);
    let mut signals = Vec::new();
    let mut problems = Vec::new();
    while let Some(line) = lines.next().map_err(|error| Problem::file(file, error))? {
        let number = line.number;
        let signal = line.text.and_then(|text| read_signal(number, text));
        match signal {
            Ok(signal) => signals.push(signal),
            Err(error) => {
                problems.push(Problem::file(file, format_args!("line {number}: {error}")));
            }
        }
    }
    if problems.is_empty() {
        Ok(signals)
    } else {
        Err(Problem::all(problems))
    }
}

fn read_signal(line: usize, text: String) -> Result<Signal, String> {
    if !text.starts_with('{') {
        let received_at = issued_at(&text);
        return Ok(Signal::Event {
            line,
            set: text,
            received_at,
        });
    }
    let limits = Limits {
        bytes: text.len(),
        ..Limits::EVENT
    };
    let value = json::parse(text.as_bytes(), limits).map_err(|error| not_json(&error))?;
    let mut members = Members::open(value, "")?;
    let words = (members.text("set")?, members.text("release")?);
    let signal = match (words, members.take("record")) {
        ((Some(set), None), None) => {
            let received_at = match members.take("receivedAt") {
                Some(at) => UnixTime::from_secs(
                    at.as_u64()
                        .ok_or("/receivedAt: must be whole seconds since 1970")?,
                ),
                None => issued_at(&set),
            };
            Signal::Event {
                line,
                set,
                received_at,
            }
        }
        ((None, Some(transmitter)), None) => Signal::Release { line, transmitter },
        ((None, None), Some(record)) => read_record(&record)?,
        _ => return Err("/: a line holds one of `set`, `record` and `release`".to_owned()),
    };
    members.close()?;
    Ok(signal)
}

fn read_record(record: &Value) -> Result<Signal, String> {
    let at = |fault: Fault| format!("/record{fault}");
    let key = state::key_from_json(record).map_err(at)?;
    let record = Record::from_json(record).map_err(at)?;
    Ok(Signal::Record(key, Box::new(record)))
}

/// `iat` of a SET that was not read yet, as the time of its arrival; the epoch if it has none, which the engine
/// then judges like any SET without `iat`.
fn issued_at(set: &str) -> UnixTime {
    #[derive(Deserialize)]
    struct IssuedAt {
        iat: u64,
    }
    let claims = jsonwebtoken::dangerous::insecure_decode_claims::<IssuedAt>(set);
    UnixTime::from_secs(claims.map_or(0, |claims| claims.iat))
}

fn apply(session: &mut BatchSession, file: &Path, signal: Signal) -> Result<(), Problem> {
    match signal {
        Signal::Record(key, record) => {
            session.merge(&key, &record);
        }
        Signal::Release { line, transmitter } => match session.release(&transmitter) {
            Ok(0) => warn(format_args!(
                "{}: line {line}: no event of {transmitter} waits",
                file.display()
            )),
            Ok(_) => {}
            Err(error) => return Err(Problem::file(file, format_args!("line {line}: {error}"))),
        },
        Signal::Event {
            line,
            set,
            received_at,
        } => match session.read_event(&set, received_at) {
            Ok(EventOutcome::Accepted(_) | EventOutcome::Held(_) | EventOutcome::Repeated(_)) => {}
            Ok(EventOutcome::Rejected(event)) => complain(format_args!(
                "{}: line {line}: rejected: {} [{}]",
                file.display(),
                event.description,
                event.code
            )),
            Err(error) => return Err(Problem::file(file, format_args!("line {line}: {error}"))),
        },
    }
    session.take_alarms().iter().for_each(tell_alarm);
    Ok(())
}

fn tell_alarm(alarm: &BrakeAlarm) {
    let BrakeAlarm {
        transmitter,
        brake,
        at,
    } = alarm;
    let effect = if brake.hold {
        "its events wait until they are released, except those about accounts"
    } else {
        "its events are applied, because `brake` does not say `hold`"
    };
    warn(format_args!(
        "{transmitter}: brake: more than {} subjects within the minute before {}: {effect}",
        brake.subjects_per_minute,
        date(at.as_secs())
    ));
}
