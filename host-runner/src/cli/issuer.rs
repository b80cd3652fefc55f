//! `cae issuer dev`, and what happens to its accounts.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use ureq::http::{Method, StatusCode};

use super::Exit;
use super::output::Output;
use super::problem::{Problem, note};
use crate::development::{self, Happening, Setup};
use crate::serve::Client;
use crate::state_file::replace;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Run a token issuer and SSF transmitter for trying things out; it lets everybody in
    #[command(after_help = DEV_HELP)]
    Dev {
        /// Where it listens
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8190")]
        listen: SocketAddr,
        /// Its issuer URL [default: that of the address]
        #[arg(long, value_name = "URL")]
        issuer: Option<String>,
        /// `aud` of access tokens
        #[arg(long, value_name = "AUD", default_value = "api://orders")]
        audience: String,
        /// `aud` of security events
        #[arg(long, value_name = "AUD", default_value = "https://receiver.example")]
        receiver: String,
        /// How tokens and events are signed
        #[arg(long, value_name = "ALG", default_value = "RS256")]
        algorithm: String,
        /// How long tokens of clients live that do not declare cp1, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
        lifetime: u64,
        /// Where logout tokens go
        #[arg(long, value_name = "URL")]
        logout_uri: Option<String>,
        /// Write a cae.toml for a service that trusts it
        #[arg(long, value_name = "cae.toml")]
        write_config: Option<PathBuf>,
    },
    /// Let something happen to an account of a running `cae issuer dev`
    #[command(after_help = DO_HELP)]
    Do {
        /// What happens
        #[arg(value_enum)]
        what: What,
        /// The user, client or device
        user: String,
        /// Of risk: low, medium or high; of device: compliant or not-compliant
        #[arg(long)]
        level: Option<String>,
        /// Where the issuer is
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8190")]
        at: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum What {
    /// Sessions are revoked by an administrator
    Revoke,
    /// The account is disabled
    Disable,
    /// The account is enabled again
    Enable,
    /// An administrator sets a new password
    ResetPassword,
    /// The risk of the user changes
    Risk,
    /// The compliance of a device changes
    Device,
    /// The user signs out; the logout token goes to --logout-uri
    Logout,
}

const DEV_HELP: &str = "\
Tokens: POST /token with grant_type client_credentials, password (any user, any
password) or refresh_token; `claims` may ask for xms_cc (cp1), nbf and acrs.
Keys: /keys. Transmitter: /.well-known/ssf-configuration, push and poll.

Exit status: 0 after a stop; 2 it cannot start.

Examples:
  cae issuer dev --write-config cae.toml
  curl -s http://127.0.0.1:8190/token -d grant_type=password -d username=adele -d client_id=app";

const DO_HELP: &str = "\
Exit status: 0 it happened; 1 the issuer knows nobody of that name; 2 it cannot be reached.

Examples:
  cae issuer do revoke adele
  cae issuer do risk adele --level high";

pub(super) fn run(command: Command, out: &mut Output) -> Result<Exit, Problem> {
    match command {
        Command::Dev {
            listen,
            issuer,
            audience,
            receiver,
            algorithm,
            lifetime,
            logout_uri,
            write_config,
        } => {
            let setup = Setup {
                listen,
                issuer,
                audience,
                receiver,
                algorithm,
                lifetime,
                logout_uri,
            };
            let mut written = Ok(());
            let started = |url: &str, configuration: &str| {
                if let Some(file) = &write_config {
                    let token = file.with_file_name("dev-token");
                    // Whoever waits for the configuration finds all of it, and the token that it names.
                    written = std::fs::write(token, "any\n")
                        .and_then(|()| {
                            replace(file, |text| text.write_all(configuration.as_bytes()))
                        })
                        .map_err(|error| Problem::file(file, error));
                }
                note(format_args!(
                    "development issuer at {url}: it lets everybody in"
                ));
            };
            development::run(setup, started).map_err(Problem::new)?;
            written.map(|()| Exit::Done)
        }
        Command::Do {
            what,
            user,
            level,
            at,
        } => happen(what, user, level, &at, out),
    }
}

fn happen(
    what: What,
    user: String,
    level: Option<String>,
    at: &str,
    out: &mut Output,
) -> Result<Exit, Problem> {
    let name = what
        .to_possible_value()
        .map(|value| value.get_name().to_owned());
    let happening = Happening {
        what: name.unwrap_or_default(),
        user,
        level,
    };
    let client = Client::new(None).map_err(Problem::new)?;
    let body = serde_json::to_string(&happening).map_err(Problem::new)?;
    let url = format!("{}/happens", at.trim_end_matches('/'));
    let reply = client
        .send(
            Method::POST,
            &url,
            None,
            Some(("application/json", body)),
            Duration::from_secs(10),
        )
        .map_err(|error| {
            Problem::new(format_args!("{at}: {error}: is `cae issuer dev` running?"))
        })?;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    match reply.status {
        StatusCode::OK => {
            out.line(text);
            Ok(Exit::Done)
        }
        StatusCode::NOT_FOUND => {
            out.line(text);
            Ok(Exit::Negative)
        }
        _ => Err(Problem::new(text)),
    }
}
