//! `cae entra sync`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use cae_core::json::Value;
use ureq::http::{Method, StatusCode};

use super::super::Exit;
use super::super::output::Output;
use super::super::problem::Problem;
use super::{At, block, client};
use crate::entra::sync::SYNC;
use crate::serve::read_settings;
use crate::serve::settings::Settings;
use crate::text::{BAD, GOOD, member, one_line, word};

/// A little longer than the service itself waits.
const PATIENCE: Duration = Duration::from_secs(130);

pub(super) fn run(at: &At, url: Option<&str>, out: &mut Output) -> Result<Exit, Problem> {
    let settings = read_settings(&at.config).map_err(Problem::lines)?;
    block(&settings, &at.config)?;
    let base = url.map_or_else(|| administration(&settings), str::to_owned);
    let url = format!("{}{SYNC}", base.trim_end_matches('/'));
    let reply = client(&settings)?.send(Method::POST, &url, None, None, PATIENCE);
    let reply = reply.map_err(|error| {
        Problem::new(format_args!(
            "{url}: {error}; is `cae serve` running with this configuration?"
        ))
    })?;
    let answer = reply.json().unwrap_or_default();
    if reply.status != StatusCode::OK {
        let what = word(&answer, "error").unwrap_or("no reason is given");
        let status = reply.status.as_u16();
        return Err(Problem::new(format_args!("{url} answers {status}: {what}")));
    }
    let done = member(&answer, "synchronized").as_bool() == Some(true);
    if out.json() {
        out.line(&answer);
    } else {
        show(&answer, out);
    }
    Ok(if done { Exit::Done } else { Exit::Negative })
}

fn show(answer: &Value, out: &mut Output) {
    let features = member(answer, "features").as_object();
    for (name, result) in features.into_iter().flatten() {
        match word(result, "problem") {
            None => out.line(format_args!("{GOOD}{name}{GOOD:#}: read")),
            Some(why) => out.line(format_args!("{BAD}{name}{BAD:#}: {}", one_line(why))),
        }
    }
    if let Some(why) = word(member(answer, "policies"), "problem") {
        let why = one_line(why);
        out.line(format_args!(
            "{BAD}policies{BAD:#}: those before stay in force: {why}"
        ));
    }
}

/// Where the administration listener answers on this machine.
fn administration(settings: &Settings) -> String {
    let address = settings.listen.administration;
    let here = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let tls = settings.tls.as_ref().is_some_and(|tls| tls.administration);
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(here, address.port()))
}
