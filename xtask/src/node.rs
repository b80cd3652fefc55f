//! Node, the npm packages that the modules for JavaScript need, and the npm packages of this workspace.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Failure, has, output, run, step};
use crate::workspace;

/// Pinned: an optimiser that is too old breaks a wasm-bindgen module without a word (Debian's binaryen 108 does).
///
/// The last one is a client that takes claims challenges by itself; the tests run it.
const PACKAGES: &[&str] = &[
    "binaryen@132.0.0",
    "typescript@5.9.3",
    "@azure/core-rest-pipeline@1.20.0",
];

/// What is said where there is no node.
pub(crate) const ABSENT: &str = "JavaScript: node or npm is not installed, so the modules for JavaScript are left \
    out; install Node 20 or newer to have them";

/// Node with its packages.
#[derive(Debug)]
pub(crate) struct Node(PathBuf);

/// Finds node and fetches the packages; `None` where node or npm is not installed.
pub(crate) fn ensure() -> Result<Option<Node>, Failure> {
    if !has("node") || !has("npm") {
        return Ok(None);
    }
    let folder = workspace::root().join("target/node");
    let wanted = PACKAGES.join("\n");
    let list = folder.join("packages");
    if fs::read_to_string(&list).is_ok_and(|installed| installed == wanted) {
        return Ok(Some(Node(folder)));
    }
    step(
        "npm packages",
        "binaryen makes the modules for JavaScript smaller, typescript checks their types, a client tests the service \
         (under target/node)",
        || {
            fs::create_dir_all(&folder)?;
            run(Command::new("npm")
                .args([
                    "install",
                    "--no-save",
                    "--no-audit",
                    "--no-fund",
                    "--prefix",
                ])
                .arg(&folder)
                .args(PACKAGES))?;
            fs::write(&list, &wanted)?;
            Ok(())
        },
    )?;
    Ok(Some(Node(folder)))
}

/// A script of an npm package of this workspace, whose own dependencies are installed first.
pub(crate) fn script(package: &str, name: &str) -> Result<Command, Failure> {
    let folder = workspace::root().join(package);
    install(&folder)?;
    let mut command = Command::new("npm");
    command.current_dir(&folder).args(["run", "--silent", name]);
    Ok(command)
}

/// Installs what a package says it needs, unless that was done for these very words.
fn install(folder: &Path) -> Result<(), Failure> {
    let wanted = fs::read_to_string(folder.join("package.json"))?;
    let note = folder.join("node_modules/.installed-for");
    if fs::read_to_string(&note).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step(
        "npm packages",
        &format!("what builds and tests {}", folder.display()),
        || {
            // The versions are exact; a lock file would name the registry of whoever wrote it.
            run(Command::new("npm").current_dir(folder).args([
                "install",
                "--no-package-lock",
                "--no-audit",
                "--no-fund",
            ]))?;
            fs::write(&note, &wanted)?;
            Ok(())
        },
    )
}

impl Node {
    /// A program that one of the packages brings.
    pub(crate) fn tool(&self, name: &str) -> Command {
        Command::new(self.0.join("node_modules/.bin").join(name))
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = output(Command::new("node").arg("--version")).unwrap_or_default();
        write!(f, "node {version}, {}", PACKAGES.join(", "))
    }
}
