//! `cae entra export`.

use std::fs;
use std::path::Path;

use cae_core::json::Value;
use serde_json::json;

use super::super::Exit;
use super::super::output::Output;
use super::super::problem::Problem;
use super::{Asked, At};
use crate::entra::outside::read;

pub(super) fn run(at: &At, to: &Path, out: &mut Output) -> Result<Exit, Problem> {
    let mut asked = Asked::of(&at.config)?;
    let documents = read(&mut asked.graph, &asked.host).map_err(Problem::new)?;
    fs::create_dir_all(to).map_err(|error| Problem::file(to, error))?;
    let files = [
        ("policies.json", &documents.policies),
        ("named-locations.json", &documents.named_locations),
        (
            "authentication-strengths.json",
            &documents.authentication_strengths,
        ),
        (
            "authentication-contexts.json",
            &documents.authentication_contexts,
        ),
    ];
    // All of them beside, and only then in their places: half an export is none.
    for (name, list) in files {
        let beside = to.join(format!("{name}.new"));
        fs::write(&beside, text(list)).map_err(|error| Problem::file(&beside, error))?;
    }
    for (name, list) in files {
        let file = to.join(name);
        let beside = to.join(format!("{name}.new"));
        fs::rename(beside, &file).map_err(|error| Problem::file(&file, error))?;
        if out.json() {
            out.line(json!({"file": file.display().to_string(), "count": list.len()}));
        } else {
            out.line(format_args!("{}: {}", file.display(), list.len()));
        }
    }
    Ok(Exit::Done)
}

/// A list as Graph answers it.
fn text(list: &[Value]) -> String {
    format!("{:#}\n", json!({"value": list}))
}
