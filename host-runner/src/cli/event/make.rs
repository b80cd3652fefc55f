//! `cae event make`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use cae_core::configuration::Configuration;
use cae_core::json::{Limits, Value};
use cae_core::signal::make::{Made, Wish, check, make};
use serde_json::json;

use super::subject;
use super::time::Time;
use crate::cli::output::Output;
use crate::cli::problem::{Problem, note};
use crate::cli::{Exit, input};
use crate::clock;
use crate::signing::{SigningKey, fresh_id};

/// Build and sign a security event token of any type, for trying things out
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(in crate::cli) struct Arguments {
    /// The event type: session-revoked, risc:account-disabled, or its URI; `cae event list` prints all
    #[arg(value_name = "EVENT")]
    event: String,
    /// Whom it is about; several make one complex subject (see below)
    #[arg(long = "subject", value_name = "SUBJECT")]
    subjects: Vec<String>,
    /// Issuer of the subject's tokens [default: the first that the transmitter speaks for, else --issuer]
    #[arg(long, value_name = "URL")]
    subject_issuer: Option<String>,
    /// `iss`: the transmitter [default: the first of --config, else https://ssf.example]
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// `aud`; repeat for several [default: that of --config, else https://api.example]
    #[arg(long = "audience", value_name = "AUD")]
    audiences: Vec<String>,
    /// A member of the event, such as current_level=MEDIUM or reason_admin.en=Test; `null` leaves one out
    #[arg(long = "set", value_name = "NAME=VALUE")]
    members: Vec<String>,
    /// A claim beside the event, such as txn=8675309; `null` leaves one out
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<String>,
    /// When it happened: seconds since 1970, a date, or -5m [default: when it is issued]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<Time>,
    /// `iat`, likewise [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    issued_at: Option<Time>,
    /// `jti` [default: random]
    #[arg(long, value_name = "ID")]
    jti: Option<String>,
    /// Take issuer, audience and the subject's issuer from this engine configuration
    #[arg(long, value_name = "ENGINE.json")]
    config: Option<PathBuf>,
    /// Sign with this private key (PEM, DER or JWK); without it a new key is made
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// RS256, ES256, EdDSA or another that the key is for [default: what the key says; EdDSA for a new one]
    #[arg(long, value_name = "ALG")]
    algorithm: Option<String>,
    /// Key id in the header [default: that of a JWK, else the key's thumbprint]
    #[arg(long, value_name = "KID")]
    kid: Option<String>,
    /// Write the public JWK Set here, to paste into ENGINE.json
    #[arg(long, value_name = "FILE")]
    jwks_out: Option<PathBuf>,
    /// Write a key that was made here (PEM), to sign further events with; never replaces a file
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    key_out: Option<PathBuf>,
    /// Print the payload as JSON, without signing it
    #[arg(long, conflicts_with_all = ["key", "algorithm", "kid", "jwks_out", "key_out"])]
    unsigned: bool,
    /// Do not ask whether a receiver could read it: for trying out what is rejected
    #[arg(long)]
    unchecked: bool,
}

const HELP: &str = concat!(
    "What the type needs has sensible defaults: a session-revoked needs a subject, nothing more.\n\n",
    "Subjects: RFC 9493 JSON ({\"format\": \"iss_sub\", ...}), or\n",
    "  user:ID            the user ID of --subject-issuer (iss_sub)\n",
    "  session:ID  device:ID  application:ID  tenant:ID  group:ID\n",
    "                     a member of a complex subject\n",
    "  token:JTI          one token of --subject-issuer (jwt_id)\n",
    "  iss_sub:ISS,SUB    opaque:ID  email:ADDRESS  phone:NUMBER\n",
    "  acct:ADDRESS       did:...  uri:URI  scim:/Users/ID\n\n",
    "Exit status: 0 made; 2 an option cannot be used, or no receiver could read the event.\n\n",
    "Examples:\n",
    "  cae event make session-revoked --subject user:adele --key-out key.pem > set.jwt\n",
    "  cae event make risk-level-change --subject user:adele --key key.pem --set current_level=MEDIUM\n",
    "  cae event make credential-change --subject email:adele@contoso.example --unsigned \\\n",
    "      --set credential_type=fido2-roaming --set change_type=create --set initiating_entity=user\n",
    "  cae event make backchannel-logout --subject session:4f8a --config engine.json"
);

/// What the configuration says of the transmitter.
#[derive(Default)]
struct Defaults {
    issuer: Option<String>,
    audience: Option<String>,
    subject_issuer: Option<String>,
}

pub(super) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let defaults = match &arguments.config {
        Some(file) => defaults(file, arguments.issuer.as_deref())?,
        None => Defaults::default(),
    };
    let issuer = arguments.issuer.clone().or(defaults.issuer);
    let issuer = issuer.unwrap_or_else(|| "https://ssf.example".to_owned());
    let subject_issuer = arguments.subject_issuer.clone().or(defaults.subject_issuer);
    let subject_issuer = subject_issuer.unwrap_or_else(|| issuer.clone());
    let mut audiences = arguments.audiences.clone();
    if audiences.is_empty() {
        audiences.push(
            defaults
                .audience
                .unwrap_or_else(|| "https://api.example".to_owned()),
        );
    }
    let subject = subject::read(&arguments.subjects, &subject_issuer).map_err(Problem::new)?;
    let now = clock::now();
    let jti = match &arguments.jti {
        Some(jti) => jti.clone(),
        None => fresh_id().map_err(Problem::new)?,
    };
    let made = make(&Wish {
        event: &arguments.event,
        issuer: &issuer,
        audiences: &audiences,
        subject: subject.as_ref(),
        members: &arguments.members,
        claims: &arguments.claims,
        at: arguments.at.map(|time| time.at(now)),
        issued: arguments.issued_at.map_or(now, |time| time.at(now)),
        jti: &jti,
    })
    .map_err(Problem::new)?;
    if !arguments.unchecked {
        check(&made).map_err(|why| {
            Problem::new(format_args!(
                "a receiver would reject it: {why}; add --unchecked to make it all the same"
            ))
        })?;
    }
    if arguments.unsigned {
        print_unsigned(&made, out);
        return Ok(Exit::Done);
    }
    let key = signing_key(arguments)?;
    let set = key.sign(made.typ, &made.claims).map_err(Problem::new)?;
    let jwks = key.jwks().map_err(Problem::new)?;
    publish(arguments, &jwks, out)?;
    if out.json() {
        out.line(json!({"set": set, "typ": made.typ, "claims": made.claims, "jwks": jwks}));
    } else {
        out.line(set);
    }
    Ok(Exit::Done)
}

fn print_unsigned(made: &Made, out: &mut Output) {
    if out.json() {
        out.line(&made.claims);
    } else {
        out.line(format_args!("{:#}", made.claims));
    }
}

fn signing_key(arguments: &Arguments) -> Result<SigningKey, Problem> {
    let (algorithm, kid) = (arguments.algorithm.as_deref(), arguments.kid.as_deref());
    match &arguments.key {
        Some(file) => {
            let bytes = input::raw(file, Limits::TOKEN.bytes)?;
            SigningKey::read(&bytes, algorithm, kid).map_err(|error| Problem::file(file, error))
        }
        None => {
            let key = SigningKey::generate(algorithm, kid).map_err(Problem::new)?;
            if let Some(file) = &arguments.key_out {
                write_private(file, &key.to_pem().map_err(Problem::new)?)?;
            }
            Ok(key)
        }
    }
}

/// The public key goes where it was asked for; one that nobody else has is always told.
fn publish(arguments: &Arguments, jwks: &Value, out: &Output) -> Result<(), Problem> {
    match &arguments.jwks_out {
        Some(file) => {
            fs::write(file, format!("{jwks:#}\n")).map_err(|error| Problem::file(file, error))?;
        }
        None if arguments.key.is_none() && !out.json() => note(format_args!(
            "signed with a new key; its public half, for `jwks` of the transmitter: {jwks}"
        )),
        None => {}
    }
    Ok(())
}

/// Writes a private key for its owner alone, and never over another file: what was signed with that is then lost.
fn write_private(file: &Path, pem: &str) -> Result<(), Problem> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(file)
        .and_then(|mut open| open.write_all(pem.as_bytes()));
    written.map_err(|error| Problem::file(file, error))
}

/// The transmitter with this issuer, else the first, and the first issuer that it speaks for.
fn defaults(file: &Path, issuer: Option<&str>) -> Result<Defaults, Problem> {
    let configuration = Configuration::read(&input::document(file)?)
        .map_err(|faults| Problem::core_faults(file, &faults))?;
    let mut transmitters = configuration.transmitters.iter();
    let transmitter = transmitters
        .find(|transmitter| issuer.is_none_or(|issuer| transmitter.issuer == issuer))
        .ok_or_else(|| {
            let none = match issuer {
                Some(issuer) => format!("no transmitter `{issuer}` is configured"),
                None => "no transmitter is configured: leave --config out".to_owned(),
            };
            Problem::file(file, none)
        })?;
    let speaks_for = transmitter.speaks_for.first();
    let token_issuer = speaks_for.and_then(|index| configuration.issuers.get(*index));
    // With a placeholder in it, it is nobody's `iss`.
    let token_issuer = token_issuer.map(|issuer| issuer.issuer.clone());
    Ok(Defaults {
        issuer: Some(transmitter.issuer.clone()),
        audience: transmitter.audiences.first().cloned(),
        subject_issuer: token_issuer.filter(|issuer| !issuer.contains('{')),
    })
}
