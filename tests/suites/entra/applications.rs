//! Service principals: disabled, deleted, at risk.

use cae_tests::service::wait_for;
use serde_json::json;

use super::own::{ADELE, APP, DAEMON, DAEMON_OBJECT, Setup, date, now};

/// The service principal of the client application of users.
const APP_OBJECT: &str = "0b000000-0000-4000-8000-0000000000c6";

#[test]
fn a_disabled_service_principal_is_turned_away_with_its_tokens_for_users() {
    let setup = Setup::new("entra-applications");
    for (object, application) in [(DAEMON_OBJECT, DAEMON), (APP_OBJECT, APP)] {
        setup.graph.state().applications.set(
            object,
            &json!({"appId": application, "accountEnabled": true}),
        );
    }
    let Some(mut world) = setup.start(&json!({}), "") else {
        return;
    };
    let (daemon, adele) = (world.daemon(), world.token(ADELE));
    wait_for("the first round", || world.has_read("applications"));
    assert_eq!((world.status(&daemon), world.status(&adele)), (200, 200));
    let disabled = json!({"accountEnabled": false});
    world
        .graph
        .state()
        .applications
        .set(DAEMON_OBJECT, &disabled);
    wait_for("the refusal", || world.status(&daemon) == 401);
    assert_eq!(world.status(&adele), 200);
    // A deletion names the object alone; which application it was is known, over a restart too.
    world.service.restart(&world.folder);
    world
        .graph
        .state()
        .applications
        .remove(APP_OBJECT, "deleted");
    wait_for("the deletion", || world.status(&adele) == 401);
}

#[test]
fn risk_of_a_service_principal_hits_its_own_tokens() {
    let setup = Setup::new("entra-application-risk");
    let Some(world) = setup.start(&json!({}), "") else {
        return;
    };
    let (daemon, adele) = (world.daemon(), world.token(ADELE));
    wait_for("the first round", || world.has_read("applicationRisk"));
    assert_eq!(world.status(&daemon), 200);
    world.graph.state().risky_applications.push(json!({
        "id": DAEMON_OBJECT, "appId": DAEMON, "isEnabled": true, "riskLevel": "high", "riskState": "atRisk",
        "riskLastUpdatedDateTime": date(now()),
    }));
    wait_for("the refusal", || world.status(&daemon) == 401);
    assert_eq!(world.status(&adele), 200);
}
