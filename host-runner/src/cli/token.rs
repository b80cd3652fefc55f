//! `cae token inspect`.

use std::path::{Path, PathBuf};

use cae_core::decision::ReasonCode;
use cae_core::engine::Conversation as _;
use cae_core::json::{Limits, Value};
use cae_core::time::UnixTime;

use super::output::Output;
use super::problem::Problem;
use super::{Exit, Options, input};
use crate::clock;
use crate::engine::AnyEngine;
use crate::session::{Session, TokenSignature};
use crate::signature::Signatures;
use crate::text::{ASKS, BAD, GOOD, Pretty, date, elements, member, one_line, word};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Decode an access token: claims, capability, state keys, and whether it is acceptable
    #[command(after_help = HELP)]
    Inspect {
        /// The token; `-` reads it from standard input, which keeps it out of the shell's history
        #[arg(value_name = "TOKEN|-")]
        token: String,
        /// Judge it with this engine configuration
        #[arg(long, value_name = "ENGINE.json")]
        config: Option<PathBuf>,
        /// The time to judge it at, in seconds since 1970 [default: now]
        #[arg(long, value_name = "SECONDS")]
        at: Option<u64>,
    },
}

const HELP: &str = "\
Exit status: 0 acceptable; 1 refused; 2 not a JWT.

Examples:
  cae token inspect - --config engine.json < token.jwt
  az account get-access-token --query accessToken -o tsv | cae token inspect -";

pub(super) fn run(command: &Command, options: &Options, out: &mut Output) -> Result<Exit, Problem> {
    let Command::Inspect { token, config, at } = command;
    let now = at.map_or_else(clock::now, UnixTime::from_secs);
    let token = &text_of(token)?;
    let runtime = options.runtime()?;
    let answer = match config {
        None => runtime.tools().inspect_token(token, now)?,
        Some(file) => {
            let engine = runtime
                .engine(&input::document(file)?)
                .map_err(|error| Problem::engine(file, &error))?;
            inspect(&mut Session::new(engine, Signatures::default()), token, now)?
        }
    };
    let inspection: Value = serde_json::from_str(&answer).map_err(Problem::new)?;
    if out.json() {
        out.line(&answer);
    } else {
        print(&inspection, now, out);
    }
    match word(&inspection, "status") {
        Some("acceptable" | "notChecked") => Ok(Exit::Done),
        Some("refused") => Ok(Exit::Negative),
        _ => Err(Problem::new(format_args!(
            "not a JWT: {}",
            word(member(&inspection, "verdict"), "detail").unwrap_or("it cannot be read")
        ))),
    }
}

/// The token that an argument is, or that stands on standard input.
fn text_of(token: &str) -> Result<String, Problem> {
    let read;
    let token = if token == input::STANDARD_INPUT {
        read = input::any_text(Path::new(token), Limits::TOKEN.bytes)?;
        read.as_str()
    } else {
        token
    };
    let token = credentials(token);
    if token.is_empty() {
        return Err(Problem::new(
            "there is no token: give it as the argument, or `-` and the token on standard input",
        ));
    }
    Ok(token.to_owned())
}

/// The same where the argument may also name a file.
pub(super) fn given(token: &str) -> Result<String, Problem> {
    let file = Path::new(token);
    if token == input::STANDARD_INPUT || !file.is_file() {
        return text_of(token);
    }
    let text = input::any_text(file, Limits::TOKEN.bytes)?;
    match credentials(&text) {
        "" => Err(Problem::file(file, "there is no token in the file")),
        token => Ok(token.to_owned()),
    }
}

/// The token of an `Authorization` header that was pasted whole.
fn credentials(pasted: &str) -> &str {
    let pasted = pasted.trim();
    let value = match pasted.split_once(':') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("authorization") => value.trim(),
        _ => pasted,
    };
    match value.split_once(' ') {
        Some((scheme, token)) if ["bearer", "dpop"].contains(&&*scheme.to_ascii_lowercase()) => {
            token.trim()
        }
        _ => value,
    }
}

/// What the engine says of a token that it would accept if the signature verified.
const UNSIGNED: &str = r#"{"ok":true,"status":"acceptable","verdict":{"acceptable":true,"code":null,"detail":null},"signature":"notChecked""#;

/// The inspection, with the signature checked by the host.
fn inspect(
    session: &mut Session<AnyEngine>,
    token: &str,
    now: UnixTime,
) -> Result<String, Problem> {
    let answer = session.engine().inspect_token(token, now)?;
    let Some(rest) = answer.strip_prefix(UNSIGNED) else {
        return Ok(answer);
    };
    let (found, code, detail) = match session.check_signature(token, now).map_err(Problem::new)? {
        TokenSignature::Valid => return Ok(answer.replacen("notChecked", "valid", 1)),
        TokenSignature::Invalid => (
            "invalid",
            ReasonCode::TokenSignature,
            "the signature does not verify",
        ),
        TokenSignature::KeyUnknown => (
            "keyUnknown",
            ReasonCode::TokenKeyUnknown,
            "no key of the issuer fits",
        ),
    };
    let code = code.as_str();
    Ok(format!(
        r#"{{"ok":false,"status":"refused","verdict":{{"acceptable":false,"code":"{code}","detail":"{detail}"}},"signature":"{found}"{rest}"#
    ))
}

fn print(inspection: &Value, now: UnixTime, out: &mut Output) {
    let (style, status) = match word(inspection, "status") {
        Some("acceptable") => (GOOD, "acceptable"),
        Some("refused") => (BAD, "refused"),
        Some("notChecked") => (
            ASKS,
            "readable; nothing is checked: name an engine configuration with --config",
        ),
        _ => return,
    };
    let verdict = &member(inspection, "verdict");
    let why = [word(verdict, "code"), word(verdict, "detail")];
    let why: Vec<&str> = why.into_iter().flatten().collect();
    let separator = if why.is_empty() { "" } else { ": " };
    out.line(format_args!(
        "{style}{status}{style:#}{separator}{}",
        one_line(&why.join(": "))
    ));
    let times = [("issued", "issuedAt"), ("expires", "expires")].into_iter();
    let times: Vec<String> = times
        .filter_map(|(said, name)| Some((said, member(inspection, name).as_u64()?)))
        .map(|(said, at)| {
            let past = if said == "expires" && at <= now.as_secs() {
                " (past)"
            } else {
                ""
            };
            format!("{said} {}{past}", date(at))
        })
        .collect();
    out.line(times.join(", "));
    for warning in elements(inspection, "warnings") {
        let text = [word(warning, "claim"), word(warning, "message")];
        let text: Vec<&str> = text.into_iter().flatten().collect();
        out.line(format_args!("{ASKS}{}{ASKS:#}", one_line(&text.join(": "))));
    }
    let width = out.width();
    let mut rest = inspection.clone();
    if let Some(members) = rest.as_object_mut() {
        for said in ["ok", "status", "verdict", "warnings"] {
            members.remove(said);
        }
    }
    out.line(Pretty {
        value: &rest,
        width,
        indent: 0,
    });
}

#[cfg(test)]
mod tests {
    use super::credentials;

    #[test]
    fn a_pasted_header_is_its_token() {
        for pasted in [
            "a.b.c",
            " a.b.c\n",
            "Bearer a.b.c",
            "DPoP  a.b.c",
            "Authorization: bearer a.b.c\r\n",
        ] {
            assert_eq!(credentials(pasted), "a.b.c");
        }
        assert_eq!(credentials("Basic a.b.c"), "Basic a.b.c");
    }
}
