//! Every scenario of the project: through the native engine, whose conversation is written down for the module for
//! JavaScript, and through the component. All expectations hold, and the reports are the same bytes.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fmt::Debug;

use cae_core::Engine;
use cae_core::engine::Conversation;
use cae_core::signal::vocabulary::event_types;
use cae_core::simulation::{self, Action, ExpectationKey, Scenario, Step};
use cae_tests::transcript::{Recorder, Transcript};
use cae_tests::{artefacts, places};
use serde_json::Value;

/// One test for each file, so that a failure names its scenario and hides no other.
macro_rules! scenarios {
    ($($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                holds_everywhere(&file_name(stringify!($name)));
            }
        )+

        #[test]
        fn every_file_is_run() {
            let run = [$(file_name(stringify!($name))),+];
            let files = places::documents("tests/scenarios", "json").unwrap();
            let files: Vec<_> = files.into_iter().map(|(name, _)| name).collect();
            assert_eq!(run.as_slice(), files, "the list in {} and tests/scenarios", file!());
        }
    };
}

scenarios! {
    back_channel_logout
    client_without_cp1
    condition_applications
    condition_change
    condition_clients
    condition_locations
    condition_risk
    condition_users
    condition_workloads
    control_evidence
    control_untraced
    critical_event_account_disabled
    critical_event_admin_revokes
    critical_event_high_risk
    critical_event_mfa_enabled
    critical_event_password_change
    device_filter
    event_aliases
    event_assurance_level_change
    event_backchannel_logout
    event_backchannel_logout_override
    event_credential_change
    event_credential_change_override
    event_critical_members
    event_device_compliance
    event_device_compliance_asked
    event_legacy_drafts
    event_legacy_google
    event_legacy_okta
    event_risc_accounts
    event_risc_identifiers
    event_risc_opt_out
    event_risk_level_change
    event_scim
    event_scim_drafts
    event_session
    event_sign_out_override
    event_ssf_stream
    event_tenant_wide
    event_tenant_wide_not_allowed
    event_token_claims_change
    event_unseen_member_default
    event_unseen_member_fail_safe
    event_unseen_member_precise
    event_workload_identities
    guest_entra
    guest_full
    key_rotation
    keycloak
    late_twice_out_of_order
    oauth_step_up
    okta
    passwordless_session
    re_enable_after_disable
    refresh_token_matrix
    session_controls
    session_evaluation_off
    session_every_time
    sign_out_elsewhere
    split_tunnel_and_thief
    state_clear
    token_lifetimes
    topology_1_standard
    topology_1_strict
    topology_2_standard
    topology_2_strict
    topology_3_standard
    topology_3_strict
    user_revocation
    vocabulary_caep
    vocabulary_legacy
    vocabulary_risc
    vocabulary_scim
    vocabulary_ssf
    workload_identities
}

/// An event type whose effect no scenario shows would be one that nobody has seen end to end.
#[test]
fn every_row_of_the_event_table_occurs() {
    let mut told = BTreeSet::new();
    for (_, text) in places::documents("tests/scenarios", "json").unwrap() {
        let scenario = Scenario::read(&text).unwrap();
        for step in &scenario.timeline {
            if let Action::Event {
                claims, deliveries, ..
            } = &step.action
                && !deliveries.is_empty()
            {
                let events = claims.get("events").and_then(Value::as_object);
                told.extend(events.into_iter().flatten().map(|(uri, _)| uri.clone()));
            }
        }
    }
    let missing = event_types().filter(|row| !told.contains(row.uri));
    let missing: Vec<&str> = missing.map(|row| row.uri).collect();
    assert!(missing.is_empty(), "in no scenario: {missing:#?}");
}

/// Members of a policy, and values in lists of theirs, that have to be shown at both ends of the conversation: every
/// condition, grant control and session control of `conditional-access.md` §2 to §4.
const SHOWN_AT_BOTH_ENDS: [(&str, Option<&str>); 45] = [
    ("/conditions/users/includeUsers", Some("All")),
    ("/conditions/users/includeUsers", Some("None")),
    ("/conditions/users/includeGroups", None),
    ("/conditions/users/excludeGroups", None),
    ("/conditions/users/includeRoles", None),
    ("/conditions/users/includeGuestsOrExternalUsers", None),
    (
        "/conditions/clientApplications/includeServicePrincipals",
        None,
    ),
    (
        "/conditions/clientApplications/excludeServicePrincipals",
        None,
    ),
    (
        "/conditions/clientApplications/includeAgentIdServicePrincipals",
        None,
    ),
    ("/conditions/applications/includeApplications", Some("All")),
    ("/conditions/applications/includeApplications", Some("None")),
    (
        "/conditions/applications/includeApplications",
        Some("Office365"),
    ),
    (
        "/conditions/applications/includeApplications",
        Some("MicrosoftAdminPortals"),
    ),
    ("/conditions/applications/excludeApplications", None),
    ("/conditions/applications/applicationFilter", None),
    ("/conditions/applications/includeUserActions", None),
    (
        "/conditions/applications/includeAuthenticationContextClassReferences",
        None,
    ),
    ("/conditions/clientAppTypes", Some("browser")),
    ("/conditions/platforms/includePlatforms", None),
    ("/conditions/locations/includeLocations", None),
    ("/conditions/locations/excludeLocations", Some("AllTrusted")),
    ("/conditions/devices/deviceFilter", None),
    ("/conditions/userRiskLevels", None),
    ("/conditions/signInRiskLevels", None),
    ("/conditions/servicePrincipalRiskLevels", None),
    ("/conditions/insiderRiskLevels", None),
    ("/conditions/authenticationFlows", None),
    ("/grantControls/builtInControls", Some("block")),
    ("/grantControls/builtInControls", Some("mfa")),
    ("/grantControls/builtInControls", Some("compliantDevice")),
    ("/grantControls/builtInControls", Some("domainJoinedDevice")),
    (
        "/grantControls/builtInControls",
        Some("approvedApplication"),
    ),
    (
        "/grantControls/builtInControls",
        Some("compliantApplication"),
    ),
    ("/grantControls/builtInControls", Some("passwordChange")),
    ("/grantControls/builtInControls", Some("riskRemediation")),
    ("/grantControls/authenticationStrength", None),
    ("/grantControls/termsOfUse", None),
    ("/grantControls/customAuthenticationFactors", None),
    ("/sessionControls/signInFrequency", None),
    ("/sessionControls/continuousAccessEvaluation", None),
    ("/sessionControls/persistentBrowser", None),
    ("/sessionControls/applicationEnforcedRestrictions", None),
    ("/sessionControls/cloudAppSecurity", None),
    ("/sessionControls/secureSignInSession", None),
    ("/sessionControls/disableResilienceDefaults", None),
];

#[test]
fn every_condition_and_control_is_shown_at_both_ends() {
    let mut missing: BTreeSet<_> = SHOWN_AT_BOTH_ENDS.into_iter().collect();
    for (_, text) in places::documents("tests/scenarios", "json").unwrap() {
        let scenario = Scenario::read(&text).unwrap();
        let (at_issuer, at_resource) = judged(&scenario);
        let issuers = scenario.engine["issuers"].as_array().unwrap().iter();
        let policies =
            issuers.flat_map(|issuer| issuer["policies"].as_array().into_iter().flatten());
        for policy in policies {
            let id = policy["id"].as_str().unwrap_or_default();
            if at_issuer.contains(id) && at_resource.contains(id) {
                missing.retain(|(member, value)| match (policy.pointer(member), value) {
                    (None | Some(Value::Null), _) => true,
                    (Some(_), None) => false,
                    (Some(list), Some(value)) => !list
                        .as_array()
                        .is_some_and(|list| list.iter().any(|entry| entry == value)),
                });
            }
        }
    }
    assert!(missing.is_empty(), "in no scenario: {missing:#?}");
}

/// The policies of which something is expected of a sign-in, and of a request.
fn judged(scenario: &Scenario) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let (mut at_issuer, mut at_resource) = (BTreeSet::new(), BTreeSet::new());
    for step in &scenario.timeline {
        let ids = match &step.action {
            Action::SignIn { .. } => &mut at_issuer,
            Action::Request(_) => &mut at_resource,
            _ => continue,
        };
        let expected = step
            .expect
            .iter()
            .filter(|(key, _)| *key == ExpectationKey::Policies);
        let policies = expected.filter_map(|(_, policies)| policies.as_object());
        ids.extend(policies.flatten().map(|(id, _)| id.as_str()));
    }
    (at_issuer, at_resource)
}

fn file_name(test: &str) -> String {
    test.replace('_', "-")
}

fn holds_everywhere(name: &str) {
    let file = places::root().join(format!("tests/scenarios/{name}.json"));
    let scenario = Scenario::read(&std::fs::read_to_string(file).unwrap())
        .unwrap_or_else(|faults| panic!("{name} cannot be read: {:#?}", faults.0));
    let silent: Vec<usize> = (0..scenario.timeline.len())
        .filter(|index| says_nothing(&scenario.timeline[*index]))
        .collect();
    assert!(silent.is_empty(), "steps {silent:?} expect nothing");

    let mut transcript = Transcript::default();
    let native = run(&scenario, |configuration| {
        Engine::new(configuration, 0)
            .map(|engine| Recorder::new(engine, configuration, &mut transcript))
    });
    transcript.save(name).unwrap();

    if let Some(component) = artefacts::component() {
        let wasm = run(&scenario, |configuration| component.engine(configuration));
        assert_eq!(native.len(), wasm.len(), "lines of the report");
        for (native, wasm) in native.iter().zip(&wasm) {
            assert_eq!(
                native, wasm,
                "the component answers otherwise; is it of this source? `cargo xtask build`"
            );
        }
    }
}

/// Whether a step of which something can be expected expects nothing.
fn says_nothing(step: &Step) -> bool {
    match &step.action {
        Action::NetworkChange { .. } | Action::Advance => false,
        Action::Event { deliveries, .. } => deliveries.iter().any(|it| it.expect.is_empty()),
        _ => step.expect.is_empty(),
    }
}

/// The lines of the report; every expectation holds.
fn run<C: Conversation<Error: Debug>, B: Debug>(
    scenario: &Scenario,
    make_engine: impl FnOnce(&str) -> Result<C, B>,
) -> Vec<String> {
    let (mut lines, mut broken) = (Vec::new(), Vec::new());
    let summary = simulation::run(scenario, make_engine, &mut |report| {
        let failed = report.expectations.iter().filter(|it| !it.holds);
        broken.extend(failed.map(|it| {
            let (step, summary) = (report.step, &report.summary);
            let (key, expected, found) = (it.key, &it.expected, &it.found);
            format!("step {step} ({summary}): {key} should be {expected}, is {found}")
        }));
        lines.push(report.to_json());
    })
    .unwrap();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(summary.holds() && summary.expectations > 0);
    lines
}
