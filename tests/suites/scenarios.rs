//! Every scenario of the project: through the native engine, whose conversation is written down for the module for
//! JavaScript, and through the component. All expectations hold, and the reports are the same bytes.
#![cfg(test)]

use std::fmt::Debug;

use cae_core::Engine;
use cae_core::engine::Conversation;
use cae_core::signal::vocabulary::event_types;
use cae_core::simulation::{self, Action, Scenario, Step};
use cae_tests::transcript::{Recorder, Transcript};
use cae_tests::{artefacts, places};

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
    condition_change
    critical_event_account_disabled
    critical_event_admin_revokes
    critical_event_high_risk
    critical_event_mfa_enabled
    critical_event_password_change
    device_filter
    events_caep
    events_legacy
    events_risc
    events_scim
    events_ssf
    guest_entra
    guest_full
    key_rotation
    keycloak
    late_twice_out_of_order
    okta
    re_enable_after_disable
    sign_out_elsewhere
    split_tunnel_and_thief
    token_lifetimes
    topology_1_standard
    topology_1_strict
    topology_2_standard
    topology_2_strict
    topology_3_standard
    topology_3_strict
    user_revocation
    workload_identities
}

/// What an event does is seen in a scenario, whoever defined it.
#[test]
fn every_event_type_has_a_scenario() {
    let files = places::documents("tests/scenarios", "json").unwrap();
    let scenarios: String = files.into_iter().map(|(_, text)| text).collect();
    let missing: Vec<_> = event_types()
        .map(|row| row.uri)
        .filter(|uri| !scenarios.contains(&format!("\"{uri}\"")))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
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
