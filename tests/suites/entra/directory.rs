//! Groups and roles of users whose tokens do not name them.

use cae_tests::graph::ROLES;
use cae_tests::service::wait_for;
use serde_json::{Value, json};

use super::own::{ADELE, BRUNO, Setup, World};

const GROUP: &str = "96000000-0000-4000-8000-000000000001";
const INNER: &str = "96000000-0000-4000-8000-000000000002";
const ROLE: &str = "62e90394-69f5-4237-9190-012177145e10";
const ROLE_OBJECT: &str = "70000000-0000-4000-8000-000000000001";

/// Turns away whoever `users` names.
fn block(users: &Value) -> Value {
    json!({
        "id": "00000001-0000-4000-8000-000000000001", "displayName": "p", "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"], "users": users, "applications": {"includeApplications": ["All"]},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    })
}

fn statuses(world: &World) -> (u16, u16) {
    (
        world.status(&world.token(ADELE)),
        world.status(&world.token(BRUNO)),
    )
}

#[test]
fn members_of_groups_within_groups_are_known() {
    let setup = Setup::new("entra-groups");
    {
        let mut state = setup.graph.state();
        state.policies.policies = vec![block(&json!({"includeGroups": [GROUP]}))];
        for group in [GROUP, INNER] {
            state.groups.set(group, &json!({"displayName": "g"}));
        }
        state.groups.join(GROUP, INNER, false);
        state.groups.join(INNER, BRUNO, true);
    }
    // Undetermined is deny: until memberships are known nobody passes.
    let engine = json!({"settings": {"undetermined": "deny"}});
    let Some(mut world) = setup.start(&engine, "") else {
        return;
    };
    wait_for("the groups", || statuses(&world) == (200, 403));
    world.graph.state().groups.leave(INNER, BRUNO);
    world.graph.state().groups.join(GROUP, ADELE, true);
    wait_for("the change", || statuses(&world) == (403, 200));
    // After a restart nothing is relied on until it was read again.
    world.graph.state().forbidden.push("/groups/delta");
    world.service.restart(&world.folder);
    wait_for("the users", || world.has_read("users"));
    wait_for("the answer", || world.feature("groups")["state"] == "off");
    assert_eq!(statuses(&world), (403, 403));
    world.graph.state().forbidden.clear();
    let sync = cae_tests::service::ask(
        world.service.administration,
        "POST",
        "/v1/entra/sync",
        &[],
        None,
    );
    assert_eq!(sync.unwrap().status, 200);
    wait_for("the groups again", || statuses(&world) == (403, 200));
    // A token that names its groups is believed.
    let token = world.token_with(BRUNO, super::own::now() - 60, &json!({"groups": [GROUP]}));
    assert_eq!(world.status(&token), 403);
}

#[test]
fn a_reading_under_way_changes_nothing() {
    let setup = Setup::new("entra-under-way");
    {
        let mut state = setup.graph.state();
        state.page = 1;
        let users = json!({"includeUsers": ["All"], "excludeGroups": [GROUP]});
        state.policies.policies = vec![block(&users)];
        state.groups.set(GROUP, &json!({}));
        // The one who counts comes last.
        for number in 0..20 {
            let id = format!("00000000-0000-4000-8000-{number:012}");
            state.groups.join(GROUP, &id, true);
        }
        state.groups.join(GROUP, BRUNO, true);
    }
    let Some(world) = setup.start(&json!({}), "") else {
        return;
    };
    wait_for("the groups", || statuses(&world) == (403, 200));
    for _ in 0..3 {
        let asked = || world.graph.asked("GET", "/v1.0/groups/delta").len();
        let before = asked();
        let mut state = world.graph.state();
        let gone = cae_tests::graph::error(410, "syncStateNotFound");
        state.next.push_back(("groups/delta", gone));
        drop(state);
        // Everything is read again, page by page, while somebody asks all the time.
        while asked() < before + 24 {
            assert_eq!(statuses(&world), (403, 200));
        }
    }
}

#[test]
fn other_policies_ask_for_other_groups() {
    let setup = Setup::new("entra-other-groups");
    {
        let mut state = setup.graph.state();
        state.policies.policies = vec![block(
            &json!({"includeUsers": ["All"], "excludeGroups": [GROUP]}),
        )];
        state.groups.set(GROUP, &json!({}));
        state.groups.set(INNER, &json!({}));
        state.groups.join(GROUP, ADELE, true);
        state.groups.join(INNER, BRUNO, true);
    }
    let Some(world) = setup.start(&json!({}), "") else {
        return;
    };
    wait_for("the groups", || statuses(&world) == (200, 403));
    {
        let mut state = world.graph.state();
        state.policies.version += 1;
        state.policies.policies = vec![block(
            &json!({"includeUsers": ["All"], "excludeGroups": [INNER]}),
        )];
    }
    wait_for("the other groups", || statuses(&world) == (403, 200));
}

#[test]
fn roles_are_known_also_through_groups() {
    let setup = Setup::new("entra-roles");
    {
        let mut state = setup.graph.state();
        state.policies.policies = vec![block(&json!({"includeRoles": [ROLE]}))];
        state
            .roles_of_directory
            .set(ROLE_OBJECT, &json!({"roleTemplateId": ROLE}));
        state.roles_of_directory.join(ROLE_OBJECT, ADELE, true);
        state.groups.set(GROUP, &json!({}));
        state.groups.join(GROUP, BRUNO, true);
    }
    let engine = json!({"settings": {"undetermined": "deny"}});
    let Some(world) = setup.start(&engine, "") else {
        return;
    };
    wait_for("the role", || statuses(&world) == (403, 200));
    world
        .graph
        .state()
        .roles_of_directory
        .join(ROLE_OBJECT, GROUP, false);
    wait_for("the group that has it", || statuses(&world) == (403, 403));
    world
        .graph
        .state()
        .roles_of_directory
        .leave(ROLE_OBJECT, ADELE);
    wait_for("the one who lost it", || statuses(&world) == (200, 403));
}

#[test]
fn members_that_are_hidden_are_not_taken_for_none() {
    let setup = Setup::new("entra-hidden");
    {
        let mut state = setup.graph.state();
        state.policies.policies = vec![block(&json!({"includeGroups": [GROUP]}))];
        state
            .groups
            .set(GROUP, &json!({"visibility": "HiddenMembership"}));
        state.groups.join(GROUP, BRUNO, true);
    }
    let engine = json!({"settings": {"undetermined": "deny"}});
    let Some(world) = setup.start(&engine, "") else {
        return;
    };
    wait_for("the groups", || world.has_read("groups"));
    assert_eq!(statuses(&world), (403, 403));
    let said = world.service.process.said();
    assert_eq!(said.matches("Member.Read.Hidden").count(), 1, "{said}");
    // With the permission they are known.
    let mut roles = ROLES.map(str::to_owned).to_vec();
    roles.push("Member.Read.Hidden".to_owned());
    world.graph.state().roles = Some(roles);
    let sync = cae_tests::service::ask(
        world.service.administration,
        "POST",
        "/v1/entra/sync",
        &[],
        None,
    );
    assert_eq!(sync.unwrap().status, 200);
    wait_for("the members", || statuses(&world) == (200, 403));
}
