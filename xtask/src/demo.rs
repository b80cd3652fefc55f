//! `cargo xtask demo`.

mod service;

use std::io::{self, Write as _};

use crate::process::{Failure, run, step};
use crate::{build, only, workspace};

pub(crate) const HELP: &str = "\
Usage: cargo xtask demo

Shows continuous access evaluation from the terminal, on a machine that has only cargo: installs what is missing,
builds the engine as a WebAssembly component and the binary `cae` that runs it, then replays two flows with really
signed tokens and security events:

  user revocation    a user is revoked, and the token in use stops working
  condition change   a user moves to another network, and the token in use stops working

and shows the service at work: a development issuer, a proxy (nginx where it is installed), an API and a client, what
each does side by side, and the time from an event to the first refusal.
";

/// A flow: its scenario, and what to know before watching it.
const FLOWS: &[(&str, &str)] = &[
    (
        "user-revocation",
        "\
Flow 1 of 2: an event. An access token is good until it expires, even if its
user was thrown out an hour ago. Here the issuer tells the API (a signed security
event), and the API tells the client what to ask for (a claims challenge).
",
    ),
    (
        "condition-change",
        "\
Flow 2 of 2: a condition. No event is sent: the user walks out of the office with
an open session. The API sees the new address itself, compares it with the same
policy as the issuer, and sends the client back there.
",
    ),
];

const NEXT: &str = "\
That was continuous access evaluation. What to try next:

  the same in front of your own API
    docs/service.md
  more stories, all in tests/scenarios/
    target/debug/cae replay tests/scenarios/split-tunnel-and-thief.json
  a batch of requests, decided
    target/debug/cae decide --config examples/ENGINE.json \\
        --signals examples/signals.jsonl < examples/requests.jsonl
  your own policies, tokens, events and challenges
    README.md, \"Try it on your own files\", and target/debug/cae --help
";

pub(crate) fn run_command(arguments: &[String]) -> Result<(), Failure> {
    only(arguments, &[])?;
    build::component()?;
    step(
        "building `cae`",
        "it runs the component in wasmtime; the first time takes some minutes",
        || run(workspace::cargo().args(["build", "--locked", "--package", "cae-host-runner"])),
    )?;
    FLOWS.iter().try_for_each(|(flow, introduction)| {
        tell(introduction);
        run(workspace::cargo()
            .args([
                "run",
                "--quiet",
                "--locked",
                "--package",
                "cae-host-runner",
                "--bin",
                "cae",
                "--",
                "replay",
            ])
            .arg(format!("tests/scenarios/{flow}.json")))
    })?;
    service::run()?;
    tell(NEXT);
    Ok(())
}

/// Prints to where the flows are drawn. That nobody reads it is no failure.
fn tell(text: &str) {
    drop(writeln!(io::stdout(), "\n{text}"));
}
