//! Policies: read as a whole, swapped as a whole, the last good ones kept.

use std::time::Duration;

use cae_tests::graph::throttled;
use cae_tests::server::Said;
use cae_tests::service::{ask, wait_for};
use serde_json::{Value, json};

use super::own::{ADELE, BRUNO, Setup, World};

/// A policy that turns everybody away who does not come from the office.
pub(crate) fn block(id: u8, state: &str) -> Value {
    json!({
        "id": format!("{id:08}-0000-4000-8000-000000000001"), "displayName": format!("p{id}"), "state": state,
        "createdDateTime": "2026-01-01T00:00:00Z", "modifiedDateTime": null, "templateId": null,
        "conditions": {
            "clientAppTypes": ["all"],
            "users": {"includeUsers": ["All"], "excludeUsers": [], "includeGroups": [], "excludeGroups": [],
                      "includeRoles": [], "excludeRoles": []},
            "applications": {"includeApplications": ["All"], "excludeApplications": []},
            "locations": {"includeLocations": ["All"], "excludeLocations": [OFFICE]},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
        "sessionControls": null,
    })
}

const OFFICE: &str = "0ff1ce00-0000-4000-8000-000000000001";

fn office(range: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.ipNamedLocation", "id": OFFICE, "displayName": "Office",
        "isTrusted": true, "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": range}],
    })
}

fn change(world: &World, change: impl FnOnce(&mut cae_tests::graph::Policies)) {
    let mut state = world.graph.state();
    state.policies.version += 1;
    change(&mut state.policies);
}

fn from(world: &World, token: &str, address: &str) -> u16 {
    world.service.authorize_from(token, "/", address).status
}

#[test]
fn policies_of_the_tenant_are_in_force_from_the_first_request_on() {
    let setup = Setup::new("entra-policies");
    {
        let mut state = setup.graph.state();
        // Paged, with the one that counts on the last page.
        state.page = 2;
        state.policies.policies = (1..=4)
            .map(|id| block(id, "disabled"))
            .chain([block(5, "enabled")])
            .collect();
        state.policies.named_locations = vec![office("203.0.113.0/24")];
    }
    let Some(world) = setup.start(&json!({}), "") else {
        return;
    };
    let token = world.token(ADELE);
    assert_eq!(from(&world, &token, "203.0.113.9"), 200);
    assert_eq!(from(&world, &token, "198.51.100.7"), 401);
    // Named locations are policies too.
    change(&world, |it| {
        it.named_locations = vec![office("198.51.100.0/24")]
    });
    wait_for("the other office", || {
        from(&world, &token, "198.51.100.8") == 200
    });
    assert_eq!(from(&world, &token, "203.0.113.10"), 401);
    // What did not change is not sent again, nor put in place again.
    let reloads = world.service.metric(r#"cae_reloads{result="done"}"#);
    wait_for("an answer without a body", || {
        world.graph.state().policies.not_modified > 0
    });
    assert_eq!(
        world.service.metric(r#"cae_reloads{result="done"}"#),
        reloads
    );
}

#[test]
fn the_last_good_policies_stay_and_say_so() {
    let setup = Setup::new("entra-last-good");
    setup.graph.state().policies.policies = vec![block(1, "enabled")];
    setup.graph.state().policies.named_locations = vec![office("203.0.113.0/24")];
    let Some(mut world) = setup.start(&json!({}), "") else {
        return;
    };
    let token = world.token(ADELE);
    let in_force = |world: &World| {
        assert_eq!(from(world, &token, "203.0.113.9"), 200);
        assert_eq!(from(world, &token, "198.51.100.7"), 401);
    };
    in_force(&world);
    // A policy that cannot be used: nothing of what was read comes into force.
    change(&world, |it| {
        it.policies[0]["state"] = json!("disabled");
        it.policies.push(json!("nonsense"));
    });
    let policies = |world: &World| world.service.ready().json()["entra"]["policies"].clone();
    wait_for("the complaint", || policies(&world)["isLastGood"] == true);
    assert!(
        policies(&world)["problem"]
            .as_str()
            .unwrap()
            .contains("policies"),
        "{}",
        policies(&world)
    );
    in_force(&world);
    assert_eq!(
        world.service.metric("cae_entra_policies_last_good"),
        Some(1.0)
    );
    // Neither does half of them.
    world.graph.state().policies.policies.pop();
    world
        .graph
        .state()
        .next
        .extend([("namedLocations", Said::Hangup)]);
    change(&world, |_| {});
    wait_for("all of them", || {
        from(&world, &token, "198.51.100.7") == 200
    });
    assert_eq!(policies(&world)["isLastGood"], false);
    change(&world, |it| it.policies[0]["state"] = json!("enabled"));
    wait_for("the way back", || {
        from(&world, &token, "198.51.100.7") == 401
    });
    // Without Graph they are in force after a restart.
    world.graph.state().is_out = true;
    world.service.restart(&world.folder);
    in_force(&world);
    wait_for("the complaint", || policies(&world)["isLastGood"] == true);
}

#[test]
fn without_policies_from_before_it_does_not_start_without_graph() {
    let setup = Setup::new("entra-no-start");
    setup.graph.state().is_out = true;
    let text = format!("engine = \"engine.json\"\n{}", setup.graph.block());
    let engine = setup.engine(&json!({})).to_string();
    setup.folder.write("engine.json", &engine);
    let file = setup.folder.write("cae.toml", &text);
    let serve = |more: &[&str]| {
        let arguments = [&["serve", "--config", file.to_str().unwrap()], more].concat();
        let output = cae_tests::service::command(&arguments)?.output().unwrap();
        Some((
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        ))
    };
    let Some((status, said)) = serve(&[]) else {
        return;
    };
    assert_eq!(status, Some(2), "{said}");
    assert!(
        said.contains("policies of the tenant cannot be read"),
        "{said}"
    );
    // The check needs no network.
    assert_eq!(serve(&["--check"]).unwrap().0, Some(0));
    std::fs::remove_file(setup.folder.path().join("secret")).unwrap();
    let (status, said) = serve(&["--check"]).unwrap();
    assert_eq!(status, Some(2));
    assert!(said.contains("secret: No such file"), "{said}");
}

#[test]
fn an_operator_has_everything_read_now() {
    let setup = Setup::new("entra-sync");
    let Some(world) = setup.start(&json!({}), "pollSeconds = 3600\npolicySeconds = 86400\n") else {
        return;
    };
    let token = world.token(ADELE);
    wait_for("the first round", || {
        world.has_read("users") && world.has_read("policies")
    });
    world
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": false}));
    change(&world, |it| {
        it.policies = vec![block(1, "enabled")];
        it.named_locations = vec![office("198.51.100.0/24")];
    });
    let sync = || {
        ask(
            world.service.administration,
            "POST",
            "/v1/entra/sync",
            &[],
            None,
        )
        .unwrap()
    };
    let reply = sync();
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json()["synchronized"], true, "{reply:?}");
    let bruno = world.token(BRUNO);
    assert_eq!((world.status(&token), world.status(&bruno)), (401, 401));
    // What could not be read is named.
    world
        .graph
        .state()
        .next
        .push_back(("riskyUsers", throttled(2)));
    let reply = sync().json();
    assert_eq!(reply["synchronized"], false, "{reply}");
    assert_eq!(reply["features"]["userRisk"]["read"], false, "{reply}");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(sync().json()["synchronized"], true);
}
