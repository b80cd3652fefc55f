//! Where things are, and the cargo that called us.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest
        .parent()
        .map_or_else(|| manifest.clone(), Path::to_owned)
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The artefacts: always below `target/` of the workspace, wherever cargo itself builds, so that tests can name them.
pub(crate) fn artefacts() -> PathBuf {
    root().join("target/cae")
}

/// The component that the host runner embeds.
pub(crate) fn component() -> PathBuf {
    artefacts().join("cae.component.wasm")
}

/// Where `cae` looks for the component: below the target directory that it lies in itself, which is another one than
/// the workspace's if `CARGO_TARGET_DIR` says so. This program lies there too.
pub(crate) fn component_for_cae() -> Option<PathBuf> {
    let program = env::current_exe().ok()?;
    let target = program.parent()?.parent()?;
    Some(target.join("cae/cae.component.wasm"))
}

/// The modules for JavaScript hosts, one folder for each kind.
pub(crate) fn javascript() -> PathBuf {
    artefacts().join("js")
}

/// The toolchain's cargo, called in the root of the workspace.
pub(crate) fn cargo() -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// git, in the root of the workspace.
pub(crate) fn git() -> Command {
    let mut command = Command::new("git");
    command.current_dir(root());
    command
}

/// A binary of this package that is heavy to compile, and so has a feature of its name; built on first use.
pub(crate) fn heavy(name: &str) -> Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--locked", "--package", "xtask"]);
    command.args(["--features", name, "--bin", name, "--"]);
    command
}
