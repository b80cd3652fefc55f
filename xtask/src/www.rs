//! `cargo xtask www`, and what builds and tests the page of the policy simulator.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::process::Command;

use crate::fingerprint::Fingerprint;
use crate::process::{Failure, run, say, step};
use crate::{build, node, only, programs, workspace};

pub(crate) const HELP: &str = "\
Usage: cargo xtask www

Builds the page of the policy simulator, if it changed, and serves it on this machine: http://127.0.0.1:4173/.
`cargo xtask build --www` only builds it, as static files in target/cae/www that any web server can serve.
";

/// What the page is made of, besides the engine.
const SOURCES: &[&str] = &["www", "examples", "tests/scenarios"];
/// The npm package that it is.
const PACKAGE: &str = "www";

pub(crate) fn run_command(arguments: &[String]) -> Result<(), Failure> {
    only(arguments, &[])?;
    if !build()? {
        return Err(Failure::new(node::ABSENT));
    }
    run(&mut node::script(PACKAGE, "serve")?)
}

/// Builds the page; `false` where there is no node to do it with.
pub(crate) fn build() -> Result<bool, Failure> {
    if !build::javascript()? {
        return Ok(false);
    }
    let page = page();
    let fingerprint = Fingerprint::of(SOURCES, &[&engine()?])?;
    if page.exists() && fingerprint.noted("build-www").is_some() {
        say("    www: unchanged");
        return Ok(true);
    }
    let mut vite = node::script(PACKAGE, "build")?;
    step("page", "the policy simulator, as static files", || {
        run(&mut vite)
    })?;
    fingerprint.note("build-www", "")?;
    say(&format!("    page {}", page.display()));
    Ok(true)
}

/// Checks the types of the page; what tests it in a real browser, `None` where there is none.
pub(crate) fn tests() -> Result<Option<Command>, Failure> {
    if !build()? {
        return Ok(None);
    }
    run(&mut node::script(PACKAGE, "check")?)?;
    if !programs::ensure()?.contains(&"chromium") {
        say("    chromium is not installed: the page is not tested here");
        return Ok(None);
    }
    // The service with the page in it, and the command line that gives the same report, are asked as well.
    run(workspace::cargo().args(["build", "--locked", "--package", "cae-host-runner"]))?;
    let mut tests = node::script(PACKAGE, "test")?;
    tests.env("CAE_BINARY", workspace::target().join("debug/cae"));
    Ok(Some(tests))
}

/// Where the page is built.
pub(crate) fn folder() -> PathBuf {
    workspace::artefacts().join("www")
}

fn page() -> PathBuf {
    folder().join("index.html")
}

/// Stands for the engine in the page.
fn engine() -> Result<String, Failure> {
    let module = fs::read(workspace::javascript().join("simulator/simulator_bg.wasm"))?;
    let mut hasher = DefaultHasher::new();
    module.hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}
