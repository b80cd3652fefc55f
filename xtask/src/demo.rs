//! `cargo xtask demo`.

use crate::process::{Failure, run, step};
use crate::{build, only, workspace};

pub(crate) const HELP: &str = "\
Usage: cargo xtask demo

Shows continuous access evaluation from the terminal, on a machine that has only cargo: installs what is missing,
builds the engine as a WebAssembly component and the binary `cae` that runs it, then replays two flows with really
signed tokens and security events:

  user revocation    a user is revoked, and the token in use stops working
  condition change   a user moves to another network, and the token in use stops working
";

const FLOWS: &[&str] = &["user-revocation", "condition-change"];

pub(crate) fn run_command(arguments: &[String]) -> Result<(), Failure> {
    only(arguments, &[])?;
    build::component()?;
    step(
        "building `cae`",
        "it runs the component in wasmtime; the first time takes some minutes",
        || run(workspace::cargo().args(["build", "--locked", "--package", "cae-host-runner"])),
    )?;
    FLOWS.iter().try_for_each(|flow| {
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
    })
}
