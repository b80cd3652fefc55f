//! The policies of each issuer: those of the configuration, and its own.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use super::Configuration;
use super::fault::Fault;
use crate::json::Value;
use crate::policy::{CompileContext, PolicySet, PolicySource};

/// Compiles the policy set of every issuer. A fault of a policy that many issuers share is told once.
pub(super) fn compile(
    document: &Value,
    configuration: &mut Configuration,
    faults: &mut Vec<Fault>,
) {
    let common = Documents::of(document);
    let undetermined_configured = document
        .pointer("/settings/undetermined")
        .is_some_and(|given| given.is_string() || given.get("default").is_some());
    let mut told = BTreeSet::new();
    for (index, issuer) in configuration.issuers.iter_mut().enumerate() {
        let at = format!("/issuers/{index}");
        let (policies_at, locations_at) =
            (format!("{at}/policies"), format!("{at}/namedLocations"));
        let own = document.pointer(&at).map(Documents::of).unwrap_or_default();
        let for_all = common.given().then(|| PolicySource {
            document: common.policies.unwrap_or(&NONE),
            at: "/policies",
            // What stands above all issuers was evaluated by none of them (`enforcement.md` §1).
            evaluated_by_issuer: false,
            named_locations: common.named_locations,
            named_locations_at: "/namedLocations",
        });
        let (named_locations, named_locations_at) = match own.named_locations {
            Some(locations) => (Some(locations), locations_at.as_str()),
            None => (common.named_locations, "/namedLocations"),
        };
        let for_it = own.given().then(|| PolicySource {
            document: own.policies.unwrap_or(&NONE),
            at: &policies_at,
            evaluated_by_issuer: issuer.enforces_policies,
            named_locations,
            named_locations_at,
        });
        let sources: Vec<_> = for_all.into_iter().chain(for_it).collect();
        let context = CompileContext {
            settings: &configuration.settings,
            resource: &configuration.resource,
            enforces_policies: issuer.enforces_policies,
            undetermined_configured,
        };
        match PolicySet::compile(&sources, &context) {
            Ok(policies) => issuer.policies = policies,
            Err(found) => {
                let new = |fault: &Fault| told.insert(fault.clone());
                faults.extend(found.0.into_iter().filter(new));
            }
        }
    }
}

/// Named locations are read even where no policy uses them.
static NONE: Value = Value::Array(Vec::new());

/// Graph documents beside each other.
#[derive(Clone, Copy, Default)]
struct Documents<'v> {
    policies: Option<&'v Value>,
    named_locations: Option<&'v Value>,
}

impl<'v> Documents<'v> {
    fn of(parent: &'v Value) -> Self {
        Self {
            policies: parent.get("policies"),
            named_locations: parent.get("namedLocations"),
        }
    }

    const fn given(&self) -> bool {
        self.policies.is_some() || self.named_locations.is_some()
    }
}
