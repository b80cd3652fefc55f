//! What goes wrong between the service and Graph: nothing is missed, nobody is asked without a pause.

use std::thread;
use std::time::{Duration, Instant};

use cae_tests::graph::{ROLES, error, throttled};
use cae_tests::server::Said;
use cae_tests::service::wait_for;
use serde_json::json;

use super::own::{ADELE, BRUNO, Setup, World};

fn rounds(world: &World) -> usize {
    world.graph.asked("GET", "/v1.0/users/delta").len()
}

fn after_rounds(world: &World, count: usize) {
    let before = rounds(world);
    wait_for("some rounds", || rounds(world) >= before + count);
}

#[test]
fn every_kind_of_refusal_is_survived() {
    let Some(world) = Setup::new("entra-refusals").start(&json!({}), "") else {
        return;
    };
    wait_for("the first round", || world.has_read("users"));
    let users = "/users/delta";
    let said: [(&str, Vec<Said>); 9] = [
        // A token is good no longer, by continuous access evaluation say: there is another one.
        ("401 once", vec![error(401, "InvalidAuthenticationToken")]),
        (
            "401 twice",
            vec![
                error(401, "InvalidAuthenticationToken"),
                error(401, "InvalidAuthenticationToken"),
            ],
        ),
        ("410", vec![error(410, "syncStateNotFound")]),
        ("400 for the same", vec![error(400, "resyncRequired")]),
        (
            "a page that is too old",
            vec![error(400, "Directory_ExpiredPageToken")],
        ),
        ("a link to nowhere", vec![error(404, "ResourceNotFound")]),
        (
            "503",
            vec![Said::Reply(
                503,
                vec![("Retry-After", "1".to_owned())],
                String::new(),
            )],
        ),
        (
            "500, no JSON, a hangup",
            vec![
                error(500, "generalException"),
                Said::Reply(200, Vec::new(), "<html>".to_owned()),
                Said::Hangup,
            ],
        ),
        ("429", vec![throttled(1), throttled(1)]),
    ];
    for (number, (what, answers)) in said.into_iter().enumerate() {
        let is_enabled = number % 2 == 1;
        world
            .graph
            .state()
            .next
            .extend(answers.into_iter().map(|it| (users, it)));
        world
            .graph
            .state()
            .users
            .set(ADELE, &json!({"accountEnabled": is_enabled}));
        let later = world.token_with(ADELE, super::own::now() + 30, &json!({}));
        let expected = if is_enabled { 200 } else { 403 };
        wait_for(what, || world.status(&later) == expected);
    }
    assert!(world.service.metric("cae_entra_throttled").unwrap() >= 2.0);
    assert!(
        world
            .service
            .metric(r#"cae_entra_requests{status="410"}"#)
            .unwrap()
            >= 1.0
    );
}

#[test]
fn whoever_vanished_while_nobody_looked_is_turned_away() {
    let Some(mut world) = Setup::new("entra-vanished").start(&json!({}), "") else {
        return;
    };
    wait_for("the first round", || world.has_read("users"));
    let (adele, bruno) = (world.token(ADELE), world.token(BRUNO));
    assert_eq!((world.status(&adele), world.status(&bruno)), (200, 200));
    // The service is not there, the delta token does not count any more, and what was deleted is not told.
    world.service.process.kill();
    world.graph.state().users.remove(ADELE, "changed");
    world.graph.state().users.forget();
    world.service.restart(&world.folder);
    wait_for("the refusal", || world.status(&adele) == 401);
    assert_eq!(world.status(&bruno), 200);
    // The last time, changes since the token of then were asked for first.
    let asked = world.graph.asked("GET", "/v1.0/users/delta?$deltatoken");
    assert!(!asked.is_empty());
}

#[test]
fn pages_that_come_twice_and_backwards_say_the_same() {
    let setup = Setup::new("entra-twice");
    setup.graph.state().page = 1;
    setup.graph.state().users.repeats = true;
    let Some(world) = setup.start(&json!({}), "") else {
        return;
    };
    wait_for("the first round", || world.has_read("users"));
    let (adele, bruno) = (world.token(ADELE), world.token(BRUNO));
    let events = || {
        world.service.metric(r#"cae_events_total{transmitter="https://graph.microsoft.com/aaaabbbb-0000-cccc-1111-dddd2222eeee",outcome="applied"}"#)
    };
    let before = events().unwrap_or(0.0);
    world
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": false}));
    world
        .graph
        .state()
        .users
        .set(BRUNO, &json!({"accountEnabled": false}));
    wait_for("the refusals", || {
        (world.status(&adele), world.status(&bruno)) == (401, 401)
    });
    after_rounds(&world, 8);
    assert_eq!(events(), Some(before + 2.0), "each is one event");
}

#[test]
fn what_is_forbidden_is_off_and_the_rest_goes_on() {
    let setup = Setup::new("entra-forbidden");
    setup.graph.state().roles = Some(vec!["User.Read.All".to_owned()]);
    let Some(world) = setup.start(&json!({}), "") else {
        return;
    };
    wait_for("the first round", || world.has_read("users"));
    for (feature, permission) in [
        ("policies", "Policy.Read.All"),
        ("userRisk", "IdentityRiskyUser.Read.All"),
        ("secondFactors", "AuditLog.Read.All"),
        ("applications", "Application.Read.All"),
        ("applicationRisk", "IdentityRiskyServicePrincipal.Read.All"),
        ("groups", "GroupMember.Read.All"),
        ("roles", "RoleManagement.Read.Directory"),
    ] {
        let shown = world.feature(feature);
        assert_eq!(shown["state"], "off", "{shown}");
        assert!(
            shown["problem"].as_str().unwrap().contains(permission),
            "{shown}"
        );
        let metric = format!("cae_entra_feature_off{{feature=\"{feature}\"}}");
        assert_eq!(world.service.metric(&metric), Some(1.0));
        let said = world.service.process.said();
        assert_eq!(
            said.matches(&format!("entra: {feature} is off")).count(),
            1,
            "{said}"
        );
    }
    // Nothing was asked for that may not be asked for.
    assert!(
        world
            .graph
            .asked("GET", "/v1.0/identityProtection")
            .is_empty()
    );
    let adele = world.token(ADELE);
    world
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": false}));
    wait_for("the refusal", || world.status(&adele) == 401);
    // Permissions are given: an operator need not wait for the hour to pass.
    world.graph.state().roles = Some(ROLES.map(str::to_owned).to_vec());
    let reply = cae_tests::service::ask(
        world.service.administration,
        "POST",
        "/v1/entra/sync",
        &[],
        None,
    );
    assert_eq!(reply.unwrap().json()["synchronized"], true);
    assert!(world.has_read("userRisk") && world.has_read("policies"));
}

#[test]
fn a_token_that_does_not_say_and_a_refusal_of_graph() {
    let setup = Setup::new("entra-opaque");
    setup.graph.state().roles = None;
    setup.graph.state().forbidden.push("riskyUsers");
    let Some(world) = setup.start(&json!({}), "") else {
        return;
    };
    wait_for("the first round", || {
        world.has_read("users") && world.has_read("roles")
    });
    let shown = world.feature("userRisk");
    assert_eq!(shown["state"], "off");
    assert!(
        shown["problem"].as_str().unwrap().contains("403"),
        "{shown}"
    );
    after_rounds(&world, 3);
    let asked = world
        .graph
        .asked("GET", "/v1.0/identityProtection/riskyUsers")
        .len();
    assert_eq!(
        asked, 1,
        "what is forbidden is not asked for again and again"
    );
}

#[test]
fn while_graph_throttles_nobody_asks() {
    let Some(world) = Setup::new("entra-throttled").start(&json!({}), "") else {
        return;
    };
    wait_for("the first round", || {
        world.has_read("users") && world.has_read("roles")
    });
    let adele = world.token(ADELE);
    let pause = Duration::from_secs(6);
    world.graph.throttle(pause);
    let began = Instant::now();
    world
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": false}));
    wait_for("the refusal", || world.status(&adele) == 401);
    assert!(began.elapsed() >= pause, "learned only afterwards");
    let during: Vec<_> = world
        .graph
        .all()
        .into_iter()
        .filter(|asked| asked.at > began && asked.at < began + pause)
        .collect();
    // One that is told to wait, and perhaps one that was under way.
    assert!(during.len() <= 2, "{}: {during:?}", during.len());
}

#[test]
fn after_an_outage_everything_that_happened_is_learned() {
    let Some(world) = Setup::new("entra-outage").start(&json!({}), "") else {
        return;
    };
    wait_for("the first round", || world.has_read("users"));
    let (adele, bruno) = (world.token(ADELE), world.token(BRUNO));
    world.graph.state().is_out = true;
    let began = Instant::now();
    {
        let mut state = world.graph.state();
        state.users.set(ADELE, &json!({"accountEnabled": false}));
        state.users.remove(BRUNO, "deleted");
    }
    thread::sleep(Duration::from_secs(12));
    assert_eq!(
        (world.status(&adele), world.status(&bruno)),
        (200, 200),
        "decisions go on"
    );
    let asked = world
        .graph
        .all()
        .into_iter()
        .filter(|it| it.at > began)
        .count();
    assert!(asked < 60, "{asked} requests in 12 seconds");
    let age = world.service.ready().json()["transmitters"][0]["signalAgeSeconds"]
        .as_u64()
        .unwrap();
    assert!(age >= 10, "{age}");
    world.graph.state().is_out = false;
    wait_for("what happened", || {
        (world.status(&adele), world.status(&bruno)) == (401, 401)
    });
    wait_for("all features", || {
        world.service.ready().json()["entra"]["features"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["problem"].is_null())
    });
}

#[test]
fn a_hundred_thousand_users_take_little() {
    const COUNT: u32 = 100_000;
    let setup = Setup::new("entra-many");
    {
        let mut state = setup.graph.state();
        state.page = 999;
        for number in 0..COUNT {
            let id = format!("{number:08x}-0000-4000-8000-000000000000");
            let enabled = number % 100 != 0;
            state.users.set(
                &id,
                &json!({"accountEnabled": enabled, "userType": "Member"}),
            );
        }
    }
    let Some(world) = setup.start(&json!({}), "") else {
        return;
    };
    let resident = || world.service.process.resident();
    let before = resident();
    wait_for("the first round", || world.has_read("users"));
    assert_eq!(
        world.service.metric("cae_entra_users"),
        Some(f64::from(COUNT + 2))
    );
    let grown = resident()
        .zip(before)
        .map(|(now, before)| now.saturating_sub(before));
    if let Some(grown) = grown {
        assert!(grown < 96 << 20, "{} MiB", grown >> 20);
    }
    let disabled = world.token("00000064-0000-4000-8000-000000000000");
    assert_eq!(world.status(&disabled), 401);
    assert_eq!(
        world.status(&world.token("00000065-0000-4000-8000-000000000000")),
        200
    );
    let asked = rounds(&world);
    assert!(asked < 130, "{asked} requests");
}
