//! `cargo xtask www`, and what builds and tests the page of the policy simulator.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::fingerprint::Fingerprint;
use crate::process::{Failure, has, output, run, run_watching, say, step};
use crate::{build, node, only, workspace};

pub(crate) const HELP: &str = "\
Usage: cargo xtask www

Builds the page of the policy simulator, if it changed, and serves it on this machine: http://127.0.0.1:4173/.
`cargo xtask build --www` only builds it, as static files in target/cae/www that any web server can serve.
";

/// What the page is made of, besides the engine.
const SOURCES: &[&str] = &["www", "examples", "tests/scenarios"];

/// Debian's package of the browser that the tests drive.
const BROWSER: &str = "chromium";

pub(crate) fn run_command(arguments: &[String]) -> Result<(), Failure> {
    only(arguments, &[])?;
    if !build()? {
        return Err(Failure::new(node::ABSENT));
    }
    run(npm().args(["run", "serve"]))
}

/// Builds the page; `false` where there is no node to do it with.
pub(crate) fn build() -> Result<bool, Failure> {
    if !build::javascript()? {
        return Ok(false);
    }
    packages()?;
    let module = fs::read(workspace::javascript().join("simulator/simulator_bg.wasm"))?;
    let fingerprint = Fingerprint::of(SOURCES, &[&module.len().to_string(), &digest(&module)])?;
    if page().exists() && fingerprint.noted("build-www").is_some() {
        say("    www: unchanged");
        return Ok(true);
    }
    step("page", "the policy simulator, as static files", || {
        run(npm().args(["run", "--silent", "build"]))
    })?;
    fingerprint.note("build-www", "")?;
    say(&format!("    page {}", page().display()));
    Ok(true)
}

/// Types and tests of the page, in a real browser; `false` where there is none.
pub(crate) fn test(mut on_line: impl FnMut(&str)) -> Result<bool, Failure> {
    if !build()? {
        return Ok(false);
    }
    run(npm().args(["run", "--silent", "check"]))?;
    if !browser() {
        say("    chromium is not installed: the page is not tested here");
        return Ok(false);
    }
    // The service with the page in it is tested as well.
    run(workspace::cargo().args(["build", "--locked", "--package", "cae-host-runner"]))?;
    run_watching(
        npm()
            .args(["test", "--silent"])
            .env("CAE_BINARY", workspace::target().join("debug/cae")),
        &mut on_line,
    )?;
    Ok(true)
}

/// Whether there is a browser; installs it where that can be done.
fn browser() -> bool {
    if has(BROWSER) {
        return true;
    }
    let is_root = output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !has("apt-get") || !is_root {
        return false;
    }
    let installed = step("browser", "the tests drive the page in a real one", || {
        let install = || {
            run(Command::new("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(["install", "--yes", "--no-install-recommends", BROWSER]))
        };
        install().or_else(|_| {
            run(Command::new("apt-get").arg("update"))?;
            install()
        })
    });
    installed.is_ok() && has(BROWSER)
}

/// The npm packages of the page, fetched when the list of them changed.
fn packages() -> Result<(), Failure> {
    let list = workspace::root().join("www/package.json");
    let wanted = fs::read_to_string(&list)?;
    let noted = workspace::root().join("www/node_modules/.installed");
    if fs::read_to_string(&noted).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step(
        "npm packages of the page",
        "Vite and Svelte build it, playwright-core drives it (under www/node_modules)",
        || {
            run(npm().args(["install", "--no-package-lock", "--no-audit", "--no-fund"]))?;
            fs::write(&noted, &wanted)?;
            Ok(())
        },
    )
}

fn npm() -> Command {
    let mut command = Command::new("npm");
    command.current_dir(workspace::root().join("www"));
    // A browser of its own would be fetched otherwise.
    command.env("PUPPETEER_SKIP_DOWNLOAD", "1");
    command
}

fn page() -> PathBuf {
    workspace::artefacts().join("www/index.html")
}

fn digest(bytes: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
