//! Names for people, as Graph exports them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cae_core::json::{self, Limits, Value};
use cae_core::policy::what_if::report::Labels;

use super::super::input;
use super::super::problem::Problem;

/// Reads the names of authentication strengths, and those of other objects, as Graph exports them.
pub(super) fn read(strengths: Option<&Path>, objects: &[PathBuf]) -> Result<Labels, Problem> {
    let mut of_strengths = BTreeMap::new();
    if let Some(file) = strengths {
        named(file, &["id"], &mut of_strengths)?;
    }
    let mut of_objects = BTreeMap::new();
    for file in objects {
        // Policies name applications and directory roles by these.
        named(file, &["id", "appId", "roleTemplateId"], &mut of_objects)?;
    }
    Ok(Labels::new(of_strengths, of_objects))
}

/// Reads `displayName` by each of the members that may identify an object.
fn named(file: &Path, ids: &[&str], names: &mut BTreeMap<String, String>) -> Result<(), Problem> {
    let document = json::parse(input::document(file)?.as_bytes(), Limits::DOCUMENT)
        .map_err(|error| Problem::file(file, error))?;
    let list = match &document {
        Value::Object(members) => members.get("value").unwrap_or(&document),
        other => other,
    };
    let items = match list {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    for item in items {
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        if text("id").is_none() {
            return Err(Problem::file(
                file,
                "an object without `id`: export it from Graph with `id` and `displayName`",
            ));
        }
        let Some(name) = text("displayName") else {
            continue;
        };
        for id in ids.iter().filter_map(|id| text(id)) {
            names.insert(id.to_ascii_lowercase(), name.to_owned());
        }
    }
    Ok(())
}
