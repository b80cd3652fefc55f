//! Rules about the sources that no compiler knows.

use std::fs;
use std::path::Path;

use crate::fingerprint::collect;
use crate::process::{Failure, say};
use crate::workspace;

const LONGEST_FILE: usize = 800;
/// Written apart, so that this file passes.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
];

/// Checks every source file, and names every offence.
pub(crate) fn check() -> Result<u64, Failure> {
    let mut files = Vec::new();
    collect(&workspace::root(), &mut files)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    let mut offences = 0_u64;
    for file in &files {
        for offence in offences_in(file, &fs::read_to_string(file)?) {
            let shown = file
                .strip_prefix(workspace::root())
                .unwrap_or(file)
                .display();
            say(&format!("    {shown}: {offence}"));
            offences = offences.saturating_add(1);
        }
    }
    if offences > 0 {
        return Err(Failure::new(format!(
            "{offences} offence(s) against tidiness, listed above"
        )));
    }
    Ok(u64::try_from(files.len()).unwrap_or(u64::MAX))
}

fn offences_in(file: &Path, text: &str) -> Vec<String> {
    let mut offences = Vec::new();
    if file.file_name().is_some_and(|name| name == "mod.rs") {
        offences.push("write `name.rs` beside `name/`, not `name/mod.rs`".to_owned());
    }
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        offences.push(format!("{lines} lines; split what exceeds {LONGEST_FILE}"));
    }
    for (line, number) in text.lines().zip(1_usize..) {
        if let Some(word) = UNFINISHED.iter().find(|word| line.contains(**word)) {
            offences.push(format!(
                "line {number} says {word}; finish it or open an issue"
            ));
        }
    }
    offences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_enforced() {
        let long = "\n".repeat(LONGEST_FILE + 1);
        for (file, text, offences) in [
            ("policy.rs", "//! Fine.\n", 0),
            ("policy/mod.rs", "//! Fine.\n", 1),
            ("policy.rs", UNFINISHED[0], 1),
            ("policy.rs", long.as_str(), 1),
        ] {
            assert_eq!(offences_in(Path::new(file), text).len(), offences, "{file}");
        }
    }
}
