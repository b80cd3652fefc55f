//! Whether something has changed since it was last built or checked.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::workspace;

/// A hash over files and whatever else an outcome depends on.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    /// Over files and folders, given from the root of the workspace, and `also`.
    pub(crate) fn of(paths: &[&str], also: &[&str]) -> io::Result<Self> {
        let mut files = Vec::new();
        for path in paths {
            collect(&workspace::root().join(path), &mut files)?;
        }
        files.sort();
        let mut hasher = DefaultHasher::new();
        also.hash(&mut hasher);
        for file in files {
            file.hash(&mut hasher);
            fs::read(&file)?.hash(&mut hasher);
        }
        Ok(Self(format!("{:016x}", hasher.finish())))
    }

    /// What was noted when `name` last succeeded with this very fingerprint.
    pub(crate) fn noted(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(place(name)).ok()?;
        let (fingerprint, note) = text.split_once('\n')?;
        (fingerprint == self.0).then(|| note.to_owned())
    }

    /// Notes that `name` succeeded.
    pub(crate) fn note(&self, name: &str, note: &str) -> io::Result<()> {
        let place = place(name);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(place, format!("{}\n{note}", self.0))
    }
}

fn place(name: &str) -> PathBuf {
    workspace::root().join("target/xtask").join(name)
}

/// The source files below a path; what is not there has no files. What a `.gitignore` names by its place is no source.
pub(crate) fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    collect_unless(path, &mut Vec::new(), files)
}

fn collect_unless(
    path: &Path,
    ignored: &mut Vec<PathBuf>,
    files: &mut Vec<PathBuf>,
) -> io::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
    } else if path.is_dir() {
        let list = fs::read_to_string(path.join(".gitignore")).unwrap_or_default();
        ignored.extend(
            list.lines()
                .filter(|line| !line.is_empty())
                .map(|line| path.join(line.trim_matches('/'))),
        );
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_skipped = ["target", ".git", "node_modules"]
                .iter()
                .any(|skipped| name == *skipped);
            if !is_skipped && !ignored.contains(&entry.path()) {
                collect_unless(&entry.path(), ignored, files)?;
            }
        }
    }
    Ok(())
}
