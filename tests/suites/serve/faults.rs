//! Faults of the engine: one instance and one answer are lost, nothing else.

use cae_tests::artefacts;
use cae_tests::service::{Folder, Service, free_port};
use serde_json::json;

use super::own::{Own, PUSHED};

#[test]
fn a_trap_costs_one_answer() {
    if artefacts::component_file().is_none() {
        eprintln!("note: the component is not built, traps are not checked: `cargo xtask build`");
        return;
    }
    let folder = Folder::new("faults");
    let own = Own::new();
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([])).to_string(),
    );
    // Enough for the configuration, not for many tokens of fifty kilobytes.
    let little = |mut command: std::process::Command| {
        command.args(["--instance-memory", "6"]);
        command
    };
    let Some(service) = Service::start_within(&folder, PUSHED, free_port(), little) else {
        return;
    };
    let faults = || service.metric("cae_engine_faults").unwrap_or_default();
    let known = own.token("adele", &json!({}));
    assert_eq!(service.authorize(&known, "/").status, 200);
    assert_eq!(faults(), 0.0);

    let groups: Vec<String> = (0..2_500).map(|n| format!("group-{n}")).collect();
    let fault = (0..400).find_map(|n| {
        let large = own.token(&format!("user-{n}"), &json!({"groups": groups}));
        let reply = service.authorize(&large, "/");
        (reply.status != 200).then_some(reply)
    });
    let fault = fault.expect("an instance runs out of memory");
    // What a proxy understands: `auth_request` takes anything but 401 and 403 for a fault of its own.
    assert_eq!(fault.status, 403, "{fault:?}");
    assert_eq!(fault.header("x-cae-subject").unwrap_or_default(), "");
    assert_eq!(faults(), 1.0);
    assert_eq!(service.authorize(&known, "/").status, 200, "a new instance");
    assert_eq!(service.ready().status, 200);
    assert_eq!(faults(), 1.0);
}
