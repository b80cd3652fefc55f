//! The engine configuration in force: what `cae.toml` says, the files beside it, and since when each policy is as it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use cae_core::json::{self, Limits, Map, Value, canonical};
use cae_core::time::UnixTime;
use serde::{Deserialize, Serialize};

use super::settings::{EngineSource, Settings};
use crate::digest::sha256;
use crate::encoding::hexadecimal_of;
use crate::entra::directory::TenantDirectory;
use crate::entra::policies::Documents;
use crate::entra::tenant::Tenant;
use crate::entra::tenant::Woven;
use crate::folder::json_files;

/// Notes about policies begin so.
pub(crate) const POLICY_NOTES: &str = "policies/";

/// A configuration that was put together.
#[derive(Debug)]
pub(crate) struct Assembled {
    pub(crate) settings: Settings,
    /// The engine configuration.
    pub(crate) engine: String,
    /// What the tenant came to in it, and what is known of its users.
    pub(crate) tenant: Option<(Woven, Arc<TenantDirectory>)>,
    /// What to note about its policies once it is in force.
    pub(crate) notes: Vec<(String, Vec<u8>)>,
}

/// How a policy was, and since when.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PolicyNote {
    fingerprint: String,
    changed_at: Option<u64>,
}

/// Puts together what the settings, their files and the tenant say.
///
/// # Errors
/// Every fault, one line each, with its file.
pub(crate) fn assemble(
    file: &Path,
    settings: Settings,
    known: &BTreeMap<String, PolicyNote>,
    entra: Option<(&Tenant, Option<&Documents>)>,
    now: UnixTime,
) -> Result<Assembled, Vec<String>> {
    let mut faults = Vec::new();
    let mut engine = match &settings.engine {
        EngineSource::Here(value) => value.clone(),
        EngineSource::File(file) => document(file, &mut faults),
    };
    let mut policies = Vec::new();
    let files: Vec<PathBuf> = settings
        .files
        .policies
        .iter()
        .flat_map(|file| {
            json_files(file).unwrap_or_else(|error| {
                faults.push(line(file, &error.to_string()));
                Vec::new()
            })
        })
        .collect();
    for file in files {
        policies.extend(items(document(&file, &mut faults)));
    }
    let mut list = |file: &Option<PathBuf>| {
        let file = file.as_ref();
        file.map_or_else(Vec::new, |file| items(document(file, &mut faults)))
    };
    let locations = list(&settings.files.named_locations);
    let strengths = list(&settings.files.authentication_strengths);
    if !faults.is_empty() {
        return Err(faults);
    }
    let (mut notes, mut placed) = (Vec::new(), None);
    if let Value::Object(members) = &mut engine {
        add(members, "authenticationStrengths", strengths);
        let owner = match &settings.files.issuer {
            None => Some(&mut *members),
            Some(url) => issuer(members, url),
        };
        let Some(owner) = owner else {
            let what = "/files/issuer: is not among engine.issuers";
            return Err(vec![line(file, what)]);
        };
        add(owner, "policies", policies);
        add(owner, "namedLocations", locations);
        if let Some((tenant, documents)) = entra {
            let woven = tenant.weave(members, documents);
            let woven = woven.map_err(|what| vec![line(file, &what)])?;
            placed = Some((woven, Arc::clone(&tenant.shared.directory)));
        }
        notes = date_policies(members, known, now);
    }
    Ok(Assembled {
        engine: engine.to_string(),
        tenant: placed,
        settings,
        notes,
    })
}

fn add(to: &mut Map<String, Value>, name: &str, added: Vec<Value>) {
    if !added.is_empty() {
        let given = to.remove(name).map(items).unwrap_or_default();
        let all = given.into_iter().chain(added).collect();
        to.insert(name.to_owned(), Value::Array(all));
    }
}

fn issuer<'e>(engine: &'e mut Map<String, Value>, url: &str) -> Option<&'e mut Map<String, Value>> {
    let mut issuers = engine.get_mut("issuers")?.as_array_mut()?.iter_mut();
    let called = |issuer: &Value| issuer.get("issuer").and_then(Value::as_str) == Some(url);
    issuers.find(|issuer| called(issuer))?.as_object_mut()
}

/// Reads `cae.toml` with what the environment says instead.
pub(crate) fn read_settings(file: &Path) -> Result<Settings, Vec<String>> {
    let text = fs::read_to_string(file).map_err(|error| vec![line(file, &error.to_string())])?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Settings::read(&text, folder, environment).map_err(|faults| {
        faults
            .0
            .iter()
            .map(|fault| line(file, &fault.to_string()))
            .collect()
    })
}

fn line(file: &Path, what: &str) -> String {
    format!("{}: {what}", file.display())
}

fn document(file: &Path, faults: &mut Vec<String>) -> Value {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) => {
            faults.push(line(file, &error.to_string()));
            return Value::Null;
        }
    };
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text);
    json::parse(text, Limits::DOCUMENT).unwrap_or_else(|error| {
        faults.push(line(file, &error.to_string()));
        Value::Null
    })
}

/// The objects of an export: one, a list of them, or a Graph list. Pages that follow are a fault of the engine's reader.
fn items(document: Value) -> Vec<Value> {
    match document {
        Value::Null => Vec::new(),
        Value::Array(list) => list,
        Value::Object(mut members)
            if members.get("value").is_some_and(Value::is_array)
                && !members.contains_key("@odata.nextLink") =>
        {
            match members.remove("value") {
                Some(Value::Array(list)) => list,
                _ => Vec::new(),
            }
        }
        other => vec![other],
    }
}

/// Says in `settings.policyChangedAt` since when each policy is as it is, unless the operator does. A policy that is seen
/// for the first time says it itself (`modifiedDateTime`), or nobody knows. SPEC: `enforcement.md` §6, `changedAt`.
fn date_policies(
    engine: &mut Map<String, Value>,
    known: &BTreeMap<String, PolicyNote>,
    now: UnixTime,
) -> Vec<(String, Vec<u8>)> {
    let mut notes = Vec::new();
    let mut dates = Vec::new();
    let list = |value: Option<&Value>| value.cloned().map(items).unwrap_or_default();
    let issuers = list(engine.get("issuers"));
    let groups = std::iter::once(&Value::Object(engine.clone()))
        .chain(&issuers)
        .map(|group| {
            let referred: Vec<Value> = ["namedLocations", "authenticationStrengths"]
                .iter()
                .flat_map(|name| {
                    list(group.get(name))
                        .into_iter()
                        .chain(list(engine.get(*name)))
                })
                .collect();
            (list(group.get("policies")), referred)
        })
        .collect::<Vec<_>>();
    for (policy, referred) in groups
        .iter()
        .flat_map(|(policies, referred)| policies.iter().map(move |policy| (policy, referred)))
    {
        let Some(id) = policy
            .get("id")
            .and_then(Value::as_str)
            .map(str::to_lowercase)
        else {
            continue;
        };
        let fingerprint = fingerprint(policy, referred);
        let before = known.get(&id);
        let changed_at = match before {
            Some(note) if note.fingerprint == fingerprint => note.changed_at,
            Some(_) => Some(now.as_secs()),
            None => None,
        };
        dates.extend(changed_at.map(|at| (id.clone(), at)));
        let note = PolicyNote {
            fingerprint,
            changed_at,
        };
        if before != Some(&note) {
            notes.push((
                format!("{POLICY_NOTES}{id}"),
                json::to_text(&note).into_bytes(),
            ));
        }
    }
    if dates.is_empty() {
        return notes;
    }
    let settings = engine
        .entry("settings")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(settings) = settings {
        let given = settings
            .entry("policyChangedAt")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(given) = given {
            let said: Vec<String> = given.keys().map(|id| id.to_lowercase()).collect();
            let new = dates.into_iter().filter(|(id, _)| !said.contains(id));
            given.extend(new.map(|(id, at)| (id, Value::from(at))));
        }
    }
    notes
}

/// What a policy says, with what it refers to.
fn fingerprint(policy: &Value, referred: &[Value]) -> String {
    let text = canonical(policy);
    let lower = text.to_lowercase();
    let mut parts = vec![text];
    for object in referred {
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
        if !id.is_empty() && lower.contains(&id.to_lowercase()) {
            parts.push(canonical(object));
        }
    }
    // Every trusted location is meant by this word.
    if lower.contains("alltrusted") {
        parts.extend(referred.iter().map(canonical));
    }
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    hexadecimal_of(&sha256(&parts))
}

/// What is known about policies, from the notes of the store.
pub(crate) fn policy_notes(notes: &[(String, Vec<u8>)]) -> BTreeMap<String, PolicyNote> {
    let note = |(name, value): &(String, Vec<u8>)| {
        let id = name.strip_prefix(POLICY_NOTES)?;
        Some((id.to_owned(), serde_json::from_slice(value).ok()?))
    };
    notes.iter().filter_map(note).collect()
}

/// Files whose change means that everything has to be read again, with how they look now.
pub(crate) fn stamps(file: &Path, settings: &Settings) -> Vec<(PathBuf, Option<SystemTime>, u64)> {
    let mut files = vec![file.to_owned()];
    if let EngineSource::File(engine) = &settings.engine {
        files.push(engine.clone());
    }
    for policies in &settings.files.policies {
        files.push(policies.clone());
        files.extend(json_files(policies).unwrap_or_default());
    }
    files.extend(settings.files.named_locations.clone());
    files.extend(settings.files.authentication_strengths.clone());
    files.extend(settings.files.directory.clone());
    files.extend(settings.certificate_authorities.clone());
    if let Some(tls) = &settings.tls {
        files.extend([tls.certificate.clone(), tls.key.clone()]);
    }
    let stamp = |file: PathBuf| {
        let about = fs::metadata(&file).ok();
        let modified = about.as_ref().and_then(|about| about.modified().ok());
        (file, modified, about.map_or(0, |about| about.len()))
    };
    files.into_iter().map(stamp).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_is_dated_when_it_or_what_it_names_changes() {
        let office = "00000000-0000-0000-0000-00000000000f";
        let engine = |cidr: &str, state: &str| {
            json!({
                "policies": [{"id": "A", "state": state, "conditions": {"locations": {"includeLocations": [office]}}}],
                "namedLocations": {"value": [{"id": office, "ipRanges": [{"cidrAddress": cidr}]}]},
                "issuers": [{"policies": [{"id": "b", "state": "enabled"}]}],
            })
        };
        let date = |engine: &Value, known: &BTreeMap<String, PolicyNote>, now: u64| {
            let mut engine = engine.as_object().unwrap().clone();
            let notes = date_policies(&mut engine, known, UnixTime::from_secs(now));
            let mut all = known.clone();
            all.extend(policy_notes(&notes));
            (all, engine.get("settings").cloned())
        };
        let (known, dates) = date(&engine("192.0.2.0/24", "enabled"), &BTreeMap::new(), 10);
        assert_eq!(dates, None, "nobody knows since when");
        let (known, dates) = date(&engine("192.0.2.0/24", "enabled"), &known, 20);
        assert_eq!(dates, None);
        let (known, dates) = date(&engine("192.0.2.0/25", "enabled"), &known, 30);
        assert_eq!(dates, Some(json!({"policyChangedAt": {"a": 30}})));
        let (known, dates) = date(&engine("192.0.2.0/25", "enabled"), &known, 40);
        assert_eq!(dates, Some(json!({"policyChangedAt": {"a": 30}})), "kept");
        let mut said = engine("192.0.2.0/25", "disabled");
        said["settings"] = json!({"policyChangedAt": {"A": 5}});
        let (_, dates) = date(&said, &known, 50);
        assert_eq!(
            dates,
            Some(json!({"policyChangedAt": {"A": 5}})),
            "the operator knows better"
        );
    }
}
