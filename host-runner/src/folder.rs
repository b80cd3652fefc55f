//! Files of a folder.

use std::io;
use std::path::{Path, PathBuf};

/// The file itself, or the `.json` files of a folder in the order of their names; also one that leads nowhere, so that
/// whoever reads it says so.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn json_files(file: &Path) -> io::Result<Vec<PathBuf>> {
    if !file.is_dir() {
        return Ok(vec![file.to_owned()]);
    }
    let is_json = |path: &PathBuf| {
        let extension = path.extension();
        extension.is_some_and(|extension| extension == "json") && !path.is_dir()
    };
    let entries = std::fs::read_dir(file)?.flatten().map(|it| it.path());
    let mut files: Vec<PathBuf> = entries.filter(is_json).collect();
    files.sort();
    Ok(files)
}
