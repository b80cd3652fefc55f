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

/// The artefacts: always below `target/` of the workspace, wherever cargo itself builds, so that the host runner and
/// the tests know where to look.
pub(crate) fn artefacts() -> PathBuf {
    root().join("target/cae")
}

/// The component that the host runner embeds.
pub(crate) fn component() -> PathBuf {
    artefacts().join("cae.component.wasm")
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
