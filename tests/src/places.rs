//! Where the tests find things.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The scenarios of the project, by name.
///
/// # Errors
/// The folder cannot be read.
pub fn scenarios() -> std::io::Result<Vec<(String, String)>> {
    let mut scenarios = Vec::new();
    for entry in fs::read_dir(root().join("tests/scenarios"))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let name = path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned());
            scenarios.push((name.unwrap_or_default(), fs::read_to_string(&path)?));
        }
    }
    scenarios.sort();
    Ok(scenarios)
}

/// The lines of a file of real-world data, if it lies beside the checkout; says so if not.
#[must_use]
pub fn vectors(name: &str) -> Option<Vec<serde_json::Value>> {
    let path = root().join("../shared/vectors").join(name);
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("note: {name} is not beside the checkout; skipped");
        return None;
    };
    Some(
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect(),
    )
}
