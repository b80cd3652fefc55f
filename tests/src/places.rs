//! Where the tests find what they read.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use serde_json::Value;

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    parent.map(Path::to_owned).unwrap_or_default()
}

/// The files of one kind in a folder of the workspace: name without extension, and text.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn documents(folder: &str, kind: &str) -> io::Result<Vec<(String, String)>> {
    let mut documents = Vec::new();
    for entry in fs::read_dir(root().join(folder))? {
        let path = entry?.path();
        if let Some(stem) = path.file_stem()
            && path.extension().is_some_and(|extension| extension == kind)
        {
            let name = stem.to_string_lossy().into_owned();
            documents.push((name, fs::read_to_string(&path)?));
        }
    }
    documents.sort();
    Ok(documents)
}

/// The test vectors in a file (JSON lines): the project's own, which say in `answer` what has to come out, then those
/// of real systems, where `../shared/vectors` lies beside the checkout or `CAE_VECTORS` says where they are.
///
/// # Errors
/// A line is not JSON, or the project's own file is missing.
pub fn vectors(name: &str) -> io::Result<Vec<Value>> {
    let mut vectors = own_vectors(name)?;
    let beside = env::var_os("CAE_VECTORS")
        .map_or_else(|| root().join("../shared/vectors"), PathBuf::from)
        .join(name);
    match fs::read_to_string(&beside) {
        Ok(more) => vectors.extend(lines(&more)?),
        Err(_) => eprintln!("note: no {}: only the project's own", beside.display()),
    }
    Ok(vectors)
}

/// The project's own test vectors in a file (JSON lines).
///
/// # Errors
/// A line is not JSON, or the file is missing.
pub fn own_vectors(name: &str) -> io::Result<Vec<Value>> {
    lines(&fs::read_to_string(
        root().join("tests/vectors").join(name),
    )?)
}

fn lines(text: &str) -> io::Result<Vec<Value>> {
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(io::Error::from))
        .collect()
}
