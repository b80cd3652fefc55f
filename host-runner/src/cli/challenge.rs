//! `cae challenge parse`.

use std::borrow::Cow;
use std::path::Path;

use cae_core::json::Value;
use serde::Deserialize;

use super::output::Output;
use super::problem::{Problem, complain};
use super::{Exit, Options, input};
use crate::text::{FAINT, Pretty, one_line};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Decode the claims request of a `WWW-Authenticate` header
    #[command(after_help = HELP)]
    Parse {
        /// Value of the header, with or without its name; `-` reads it from standard input, or finds it among
        /// the headers of a response there
        #[arg(value_name = "HEADER|-")]
        header: String,
    },
}

const HELP: &str = r#"Prints the decoded claims request: what a client hands to its issuer, unchanged.
With --json, everything that the header says on one line.

Exit status: 0 found; 1 there is no claims challenge; 2 the header is malformed.

Examples:
  curl -si https://api.example/orders | cae challenge parse -
  cae challenge parse 'Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'"#;

/// What of the answer this command acts upon.
#[derive(Deserialize)]
struct Answer {
    status: Status,
    fault: Option<String>,
    scheme: Option<String>,
    error: Option<String>,
    #[serde(rename = "errorDescription")]
    error_description: Option<String>,
    claims: Option<String>,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
enum Status {
    Found,
    None,
    Malformed,
}

pub(super) fn run(command: &Command, options: &Options, out: &mut Output) -> Result<Exit, Problem> {
    let Command::Parse { header } = command;
    let read;
    let header = if header == input::STANDARD_INPUT {
        read = input::any_text(Path::new(header), LIMIT)?;
        &read
    } else {
        header
    };
    let text = options
        .runtime()?
        .tools()
        .parse_challenge(&value_of(header))?;
    let answer: Answer = serde_json::from_str(&text).map_err(Problem::new)?;
    if out.json() {
        out.line(&text);
    } else if let (Status::Found, Some(claims)) = (answer.status, &answer.claims) {
        print_claims(&answer, claims, out);
    }
    match answer.status {
        Status::Found => Ok(Exit::Done),
        Status::None => {
            complain(
                "the header holds no claims challenge: a client has nothing to take to the issuer",
            );
            Ok(Exit::Negative)
        }
        Status::Malformed => Err(Problem::new(format_args!(
            "the header is malformed: {}",
            answer.fault.as_deref().unwrap_or("it cannot be read")
        ))),
    }
}

/// For a program, the claims as they are to be forwarded; for a person, indented and with what stands around them.
fn print_claims(answer: &Answer, claims: &str, out: &mut Output) {
    let read = serde_json::from_str::<Value>(claims)
        .ok()
        .filter(|_| out.terminal());
    let Some(value) = read else {
        out.line(claims);
        return;
    };
    let about = [&answer.scheme, &answer.error, &answer.error_description];
    let about: Vec<_> = about.into_iter().flatten().map(String::as_str).collect();
    out.line(format_args!(
        "{FAINT}{}{FAINT:#}",
        one_line(&about.join(" · "))
    ));
    let width = out.width();
    out.line(Pretty {
        value: &value,
        width,
        indent: 0,
    });
}

/// The value of a header that was pasted with its name, alone or among others; a repeated one is one list
/// (RFC 9110 §5.3).
fn value_of(header: &str) -> Cow<'_, str> {
    let named: Vec<&str> = header
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("www-authenticate"))
        .map(|(_, value)| value.trim())
        .collect();
    if named.is_empty() {
        header.trim().into()
    } else {
        named.join(", ").into()
    }
}

/// Longest input: a response's headers and the beginning of its body.
const LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::value_of;

    #[test]
    fn the_header_is_found_where_it_was_pasted() {
        for (pasted, value) in [
            (" Bearer a=b\n", "Bearer a=b"),
            ("WWW-Authenticate:Bearer a=b", "Bearer a=b"),
            (
                "HTTP/2 401\r\ndate: x\r\nwww-authenticate: Bearer a=b\r\nwww-authenticate: Basic\r\n\r\n{}",
                "Bearer a=b, Basic",
            ),
        ] {
            assert_eq!(value_of(pasted), value);
        }
    }
}
