//! What `cargo xtask build` makes, for tests that run it. Where it is not built they say so and check less;
//! `cargo xtask test` builds it first and sets `CAE_REQUIRE_ARTEFACTS`, so that nothing goes unchecked there.

use std::env;
use std::path::PathBuf;
use std::sync::OnceLock;

use cae_host_runner::component::{Artefact, Bounds, EngineComponent};
use cae_host_runner::engine::Runtime;

use crate::places;

/// A file below the target directory that this test was built in, and the command that makes it.
///
/// # Panics
/// It is not there, and has to be.
#[must_use]
pub fn find(path: &str, command: &str) -> Option<PathBuf> {
    let found = env::current_exe()
        .unwrap_or_default()
        .ancestors()
        .map(|folder| folder.join(path))
        .find(|file| file.is_file());
    if found.is_none() {
        assert!(
            env::var_os("CAE_REQUIRE_ARTEFACTS").is_none(),
            "{path} is not built: run `{command}`"
        );
        eprintln!("note: {path} is not built, this is not checked: run `{command}`");
    }
    found
}

/// The file that holds the component.
///
/// # Panics
/// It is not there, and has to be.
#[must_use]
pub fn component_file() -> Option<PathBuf> {
    find("cae/cae.component.wasm", "cargo xtask build")
}

/// A file of the modules for JavaScript, which are built only where there is a Node to run them.
#[must_use]
pub fn javascript(path: &str) -> Option<PathBuf> {
    let file = places::root().join("target/cae/js").join(path);
    if !file.is_file() {
        eprintln!("note: the modules for JavaScript are not built: run `cargo xtask build --js`");
        return None;
    }
    Some(file)
}

/// The component, compiled once for all tests of a process.
///
/// # Panics
/// It is not there, and has to be; or it cannot be run.
pub fn component() -> Option<&'static Runtime> {
    static COMPONENT: OnceLock<Option<Runtime>> = OnceLock::new();
    let load = || {
        let component = Artefact::from_file(&component_file()?)
            .and_then(|found| EngineComponent::load(&found, Bounds::batch()));
        Some(Runtime::Wasm(component.unwrap()))
    };
    COMPONENT.get_or_init(load).as_ref()
}
