//! The policies of a tenant with their named locations, from the files of an export.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::evaluation;
use crate::configuration::settings::ApplicationGroup;
use crate::configuration::{Fault, Resource};
use crate::json::{Map, Value};
use crate::policy::check::{FaultRow, NAMED_LOCATIONS, add, parse, settings};
use crate::policy::compile::{CompileContext, PolicySet, PolicySource};
use crate::policy::document;

/// The files of an export.
#[derive(Clone, Copy, Debug, Default)]
pub struct Export<'a> {
    /// Policies as Graph exports them: (name, text) of each file.
    pub policies: &'a [(&'a str, &'a str)],
    /// The named locations; without them `AllTrusted` is unknown.
    pub named_locations: Option<&'a str>,
    /// Members of application groups (`settings.applicationGroups` of an engine configuration), by which those that
    /// the engine knows are replaced.
    pub application_groups: Option<&'a str>,
}

/// A compiled export.
#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) set: PolicySet,
    /// The beginning of the row of each policy.
    pub(super) heads: Vec<String>,
    /// The members of each policy, as exported.
    pub(super) documents: Vec<Map<String, Value>>,
    /// Members of application groups, by their names in lower case.
    pub(super) groups: BTreeMap<String, ApplicationGroup>,
    /// The members of each named location, as exported.
    pub(super) places: Vec<Map<String, Value>>,
}

impl Tenant {
    /// Compiles an export: row 1 counts the policies through all files.
    pub(super) fn compile(export: &Export<'_>) -> Result<Self, Vec<FaultRow>> {
        let mut faults = Vec::new();
        let mut origins = Vec::new();
        let mut documents = Vec::new();
        for (file, text) in export.policies {
            let Some(document) = parse(text, file, &mut faults) else {
                continue;
            };
            let mut found = Vec::new();
            for item in document::items(&document, "", &mut found) {
                origins.push((*file, item.at));
                documents.push(item.members.clone());
            }
            add(&mut faults, file, found);
        }
        let locations = export
            .named_locations
            .and_then(|text| parse(text, NAMED_LOCATIONS, &mut faults));
        let settings = settings(export, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let joined = Value::Array(documents.iter().cloned().map(Value::Object).collect());
        let source = PolicySource {
            // To the issuer no policy is undecidable at load: what it cannot tell is undetermined.
            evaluated_by_issuer: true,
            named_locations: locations.as_ref(),
            named_locations_at: NAMED_LOCATIONS,
            ..PolicySource::new(&joined, "")
        };
        let context = CompileContext {
            settings: &settings,
            resource: &Resource::default(),
            enforces_policies: true,
            undetermined_configured: true,
        };
        let set = PolicySet::compile(&[source], &context).map_err(|found| {
            found
                .0
                .into_iter()
                .map(|fault| place(fault, &origins))
                .collect::<Vec<_>>()
        })?;
        let places = locations.iter().flat_map(|document| {
            document::items(document, "", &mut Vec::new())
                .into_iter()
                .map(|item| item.members.clone())
                .collect::<Vec<_>>()
        });
        Ok(Self {
            heads: set.policies().iter().map(evaluation::head).collect(),
            set,
            groups: settings.application_groups,
            places: places.collect(),
            documents,
        })
    }
}

/// Finds the file again in which a fault is.
fn place(fault: Fault, origins: &[(&str, String)]) -> FaultRow {
    if let Some(at) = fault.at.strip_prefix(NAMED_LOCATIONS) {
        let at = at.into();
        return FaultRow::new(NAMED_LOCATIONS, Fault { at, ..fault });
    }
    let path = fault.at.strip_prefix('/').unwrap_or(&fault.at);
    let (index, rest) = path.split_once('/').unwrap_or((path, ""));
    let origin = index
        .parse()
        .ok()
        .and_then(|index: usize| origins.get(index));
    let (file, at) = match origin {
        Some((file, at)) if rest.is_empty() => (*file, at.clone()),
        Some((file, at)) => (*file, format!("{at}/{rest}")),
        None => ("", fault.at.clone()),
    };
    FaultRow::new(file, Fault { at, ..fault })
}
