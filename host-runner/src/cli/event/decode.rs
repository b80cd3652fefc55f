//! `cae event decode`.

use std::path::{Path, PathBuf};

use cae_core::json::{Limits, Value};
use cae_core::time::UnixTime;

use crate::cli::output::Output;
use crate::cli::problem::{self, Problem, warn};
use crate::cli::{Exit, Options, input, token};
use crate::clock;
use crate::engine::{AnyEngine, Tools};
use crate::session::Session;
use crate::signature::Signatures;
use crate::text::{ASKS, BAD, GOOD, Pretty, STRONG, elements, member, one_line, word, wrap};

/// Say what a security event token holds, what it does to whom, and whether it hits a token
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(in crate::cli) struct Arguments {
    /// Files with one compact SET each (or, with --unsigned, its payload as JSON); `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Check signature, issuer and audience with this engine configuration, and show the effects
    #[arg(long, value_name = "ENGINE.json")]
    config: Option<PathBuf>,
    /// The files hold payloads without header and signature
    #[arg(long)]
    unsigned: bool,
    /// Hold the event against this access token: a file, the token itself, or `-` for standard input
    #[arg(long, value_name = "TOKEN|FILE|-", requires = "config")]
    against: Option<String>,
    /// When the SET arrived, in seconds since 1970 [default: now]
    #[arg(long, value_name = "SECONDS")]
    received_at: Option<u64>,
}

const HELP: &str = "\
Without --config nobody vouches for the SET: signature, issuer and audience are
reported as notChecked.

--against says whether this event hits this token, and why not, as the engine would
decide with nothing else on record; the token's signature is not checked. Scripts
read the member `hits` of --json (true or false): the exit status tells whether the
SET is valid, not whether it hits.

Exit status: 0 valid; 1 rejected, with the error code of RFC 8935; 2 a file, the
token or an option cannot be used. The worst of several files wins.

Examples:
  cae event decode set.jwt --config engine.json
  cae event decode payload.json --unsigned
  cae event decode set.jwt --config engine.json --against token.jwt --json | jq .hits";

/// How the files are read.
struct Reader<'a> {
    source: Source,
    unsigned: bool,
    received_at: UnixTime,
    against: Option<&'a str>,
}

enum Source {
    Engine(Box<Session<AnyEngine>>),
    Tools(Box<dyn Tools>),
}

pub(super) fn run(
    arguments: &Arguments,
    options: &Options,
    out: &mut Output,
) -> Result<Exit, Problem> {
    let received_at = arguments
        .received_at
        .map_or_else(clock::now, UnixTime::from_secs);
    let stdin = Path::new(input::STANDARD_INPUT);
    let twice = arguments.against.as_deref() == Some(input::STANDARD_INPUT)
        && arguments.files.iter().any(|file| file == stdin);
    if twice {
        return Err(Problem::new(
            "standard input cannot be both the event and the token: name a file for one of them",
        ));
    }
    let against = arguments.against.as_deref().map(token::given).transpose()?;
    let runtime = options.runtime()?;
    let source = match &arguments.config {
        Some(file) => {
            let engine = runtime
                .engine(&input::document(file)?)
                .map_err(|error| Problem::engine(file, &error))?;
            Source::Engine(Box::new(Session::new(engine, Signatures::default())))
        }
        None => Source::Tools(runtime.tools()),
    };
    let mut reader = Reader {
        source,
        unsigned: arguments.unsigned,
        received_at,
        against: against.as_deref(),
    };
    let mut worst = Exit::Done;
    for file in &arguments.files {
        let exit = decode(&mut reader, file, out).unwrap_or_else(|problem| {
            problem.print();
            Exit::BadInput
        });
        worst = worst.max(exit);
    }
    Ok(worst)
}

fn decode(reader: &mut Reader<'_>, file: &Path, out: &mut Output) -> Result<Exit, Problem> {
    // Whatever can be read as a file is the engine's to accept or reject, its size and its encoding included.
    let set = input::any_text(file, Limits::EVENT.bytes.saturating_mul(2))?;
    let set = set.trim();
    let (unsigned, received_at) = (reader.unsigned, reader.received_at);
    let answer = match &mut reader.source {
        Source::Tools(tools) => tools.decode_event(set, unsigned, received_at)?,
        Source::Engine(session) => session
            .explain_event(set, unsigned, received_at, reader.against)
            .map_err(|error| Problem::file(file, error))?,
    };
    let reading: Value =
        serde_json::from_str(&answer).map_err(|error| Problem::file(file, error))?;
    if out.json() {
        let members = answer.strip_prefix('{').unwrap_or_default();
        out.line(format_args!(
            r#"{{"file":{},{members}"#,
            Value::from(file.to_string_lossy())
        ));
    } else {
        print(&reading, file, out);
    }
    let refused = member(member(&reading, "against"), "refused");
    if word(refused, "code") == Some("token_malformed") {
        return Err(Problem::new(format_args!(
            "--against: not a JWT: {}",
            word(refused, "detail").unwrap_or("it cannot be read")
        )));
    }
    if word(&reading, "err").is_none() {
        return Ok(Exit::Done);
    }
    match unsigned {
        true if set.starts_with("ey") => warn(format_args!(
            "{}: looks like a signed SET: leave --unsigned out",
            file.display()
        )),
        false if set.starts_with('{') => warn(format_args!(
            "{}: looks like a payload without signature: add --unsigned",
            file.display()
        )),
        _ => {}
    }
    Ok(Exit::Negative)
}

fn print(reading: &Value, file: &Path, out: &mut Output) {
    let unchecked: Vec<&str> = ["signature", "issuer", "audience"]
        .into_iter()
        .filter(|check| word(reading, check) == Some("notChecked"))
        .collect();
    let (style, verdict) = match (word(reading, "err"), unchecked.as_slice()) {
        (Some(code), _) => (BAD, format!("rejected, {code}")),
        (None, []) => (GOOD, "accepted".to_owned()),
        (None, ["signature", "issuer", "audience"]) => (
            ASKS,
            "valid in form; signature, issuer and audience are not checked".to_owned(),
        ),
        (None, some) => (ASKS, format!("valid; not checked: {}", some.join(", "))),
    };
    let name = problem::name(file);
    out.line(format_args!(
        "{STRONG}{}{STRONG:#}: {style}{}{style:#}",
        one_line(&name),
        one_line(&verdict)
    ));
    sentences(elements(reading, "explanation"), out);
    if let Some(hits) = member(reading, "hits").as_bool() {
        let (style, verdict) = match hits {
            true => (BAD, "hits the token"),
            false => (GOOD, "does not hit the token"),
        };
        out.line(format_args!("{style}{verdict}{style:#}"));
        sentences(elements(member(reading, "against"), "why"), out);
    }
    let mut rest = reading.clone();
    if let Some(members) = rest.as_object_mut() {
        for said in ["explanation", "hits"] {
            members.remove(said);
        }
        if let Some(against) = members.get_mut("against").and_then(Value::as_object_mut) {
            against.remove("why");
        }
    }
    let width = out.width();
    out.line(Pretty {
        value: &rest,
        width,
        indent: 0,
    });
}

/// One sentence after the other, each with a dash before it.
fn sentences<'v>(sentences: impl Iterator<Item = &'v Value>, out: &mut Output) {
    let width = out.width().saturating_sub(4);
    for sentence in sentences.filter_map(Value::as_str) {
        for (n, line) in wrap(sentence, width).into_iter().enumerate() {
            let mark = if n == 0 { "-" } else { " " };
            out.line(format_args!("  {mark} {line}"));
        }
    }
}
