//! Risk of users, and second factors that they register.

use cae_tests::service::{ask, wait_for};
use serde_json::{Value, json};

use super::own::{ADELE, BRUNO, Setup, World, date, now};

fn risky(user: &str, level: &str, state: &str, at: u64) -> Value {
    json!({
        "id": user, "riskLevel": level, "riskState": state, "riskDetail": "none", "isDeleted": false,
        "riskLastUpdatedDateTime": date(at), "userPrincipalName": "x@example.com",
    })
}

/// The level that is known of a user, in the words of a record.
fn level(world: &World, user: &str) -> Value {
    let path = format!("/v1/state?subject=user:{user}");
    let reply = ask(world.service.administration, "GET", &path, &[], None).unwrap();
    reply.json()["records"][0]["record"]["risk"].clone()
}

#[test]
fn high_risk_cuts_off_each_time_and_ends() {
    let setup = Setup::new("entra-risk");
    // Whoever is at risk at the start is known at once.
    setup
        .graph
        .state()
        .risky_users
        .push(risky(BRUNO, "high", "atRisk", now() - 10));
    let Some(world) = setup.start(&json!({}), "") else {
        return;
    };
    let (adele, bruno) = (world.token(ADELE), world.token(BRUNO));
    wait_for("the first round", || world.has_read("userRisk"));
    assert_eq!((world.status(&adele), world.status(&bruno)), (200, 401));
    // The same risk, seen again in each round, ends nobody's session a second time.
    let signed_in = world.token_with(BRUNO, now(), &json!({}));
    let before = world
        .graph
        .asked("GET", "/v1.0/identityProtection/riskyUsers")
        .len();
    wait_for("three rounds", || {
        world
            .graph
            .asked("GET", "/v1.0/identityProtection/riskyUsers")
            .len()
            > before + 3
    });
    assert_eq!(world.status(&signed_in), 200);
    // It ended and began again between two rounds: nobody saw the end, the sessions since then end all the same.
    world.graph.state().risky_users = vec![risky(BRUNO, "high", "atRisk", now() + 2)];
    wait_for("the second one", || world.status(&signed_in) == 401);
    world
        .graph
        .state()
        .risky_users
        .push(risky(ADELE, "medium", "atRisk", now()));
    wait_for("the level", || {
        level(&world, ADELE).to_string().contains("medium")
    });
    assert_eq!(world.status(&adele), 200, "medium is not critical");
    // An administrator dismisses it.
    world.graph.state().risky_users = vec![risky(ADELE, "none", "dismissed", now() + 3)];
    wait_for("the end of the risk", || {
        level(&world, ADELE).to_string().contains("none")
    });
}

#[test]
fn a_second_factor_makes_older_tokens_without_one_stale() {
    let setup = Setup::new("entra-factor");
    let Some(world) = setup.start(&json!({}), "") else {
        return;
    };
    let without = world.token(ADELE);
    let with = world.token_with(
        ADELE,
        now() - 60,
        &json!({"acrs": ["c1"], "amr": ["pwd", "mfa"]}),
    );
    wait_for("the first round", || world.has_read("secondFactors"));
    let entry = |user: &str, name: &str, result: &str| {
        json!({
            "id": format!("{user}{name}"), "category": "UserManagement", "result": result,
            "loggedByService": "Authentication Methods", "activityDisplayName": name,
            "activityDateTime": date(now() - 5),
            "initiatedBy": {"user": {"id": user}, "app": null},
            "targetResources": [{"id": user, "type": "User", "modifiedProperties": []}],
        })
    };
    world.graph.state().audits.extend([
        entry(BRUNO, "User registered security info", "failure"),
        entry(BRUNO, "User changed default security info", "success"),
        entry(ADELE, "User registered security info", "success"),
    ]);
    wait_for("the challenge", || world.status(&without) == 401);
    assert_eq!(world.status(&with), 200);
    assert_eq!(world.status(&world.token(BRUNO)), 200);
}
