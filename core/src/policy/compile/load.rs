//! What is refused when the configuration loads: policies that a resource could only ever shrug at.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{CompileContext, CompiledPolicy, PolicyState, list};
use crate::configuration::Fault;
use crate::policy::conditions::Condition;
use crate::policy::controls::{GrantControl, Operator};
use crate::policy::location::NamedLocations;

/// Adds the faults of an enabled policy that no issuer evaluates (`enforcement.md` §6, "At load").
pub(super) fn check(
    policy: &CompiledPolicy,
    at: &str,
    locations: &NamedLocations,
    context: &CompileContext<'_>,
    faults: &mut Vec<Fault>,
) {
    let judged_elsewhere = policy.evaluated_by_issuer || context.enforces_policies;
    if policy.state != PolicyState::Enabled || policy.skipped.is_some() || judged_elsewhere {
        return;
    }
    let mut fault = |member: &str, code, message: String| {
        faults.push(Fault {
            at: format!("{at}{member}"),
            code,
            message,
        });
    };

    if !policy.grant.blocks() {
        let traceless = policy
            .grant
            .controls
            .iter()
            .filter(|control| !control.leaves_trace());
        for control in traceless {
            fault(
                "/grantControls",
                "policy.control_without_trace",
                format!(
                    "`{}` leaves no trace in tokens, and this issuer does not enforce policies; disable the policy \
                     or use another control",
                    control.name()
                ),
            );
        }
    }

    let expected = context.undetermined_configured
        || policy.id.as_ref().is_some_and(|id| {
            let id = id.to_ascii_lowercase();
            context.settings.undetermined_by_policy.contains_key(&id)
        });
    if expected {
        return;
    }
    let country_known = context.settings.country_at_resource;
    let mut never = policy
        .conditions
        .never_definite(context.resource, country_known, locations);
    if never.contains(Condition::Application) && context.resource.application_id.is_none() {
        never.remove(Condition::Application);
        fault(
            "/conditions/applications",
            "policy.application_unknown",
            "the policy is for certain applications; set `resource.applicationId` to the one that this API is".into(),
        );
    }
    if !never.is_empty() {
        fault(
            "/conditions",
            "policy.never_definite",
            format!(
                "{} can never be told at the resource, and this issuer does not enforce policies; say with \
                 `settings.undetermined` what such a policy means{}",
                list(never.iter().map(Condition::as_str)),
                policy
                    .not_understood
                    .first()
                    .map_or_else(String::new, |_| format!(
                        " (not understood: {})",
                        list(policy.not_understood.iter())
                    ))
            ),
        );
    }
    let unknown: Vec<&GrantControl> = policy.grant.not_understood().collect();
    let decisive = match policy.grant.operator {
        Operator::And => !unknown.is_empty(),
        Operator::Or => !unknown.is_empty() && unknown.len() == policy.grant.controls.len(),
    };
    if decisive && !policy.grant.blocks() {
        fault(
            "/grantControls",
            "policy.never_definite",
            format!(
                "{} is not understood, and this issuer does not enforce policies; say with \
                 `settings.undetermined` what such a policy means",
                list(unknown.iter().map(|control| control.name().to_string()))
            ),
        );
    }
}
