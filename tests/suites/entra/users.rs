//! What happens to users: disabled, deleted, sessions revoked, passwords changed.

use cae_tests::service::wait_for;
use serde_json::json;

use super::own::{ADELE, BRUNO, Setup, date, now};

#[test]
fn a_disabled_user_is_turned_away_until_enabled_again() {
    let Some(world) = Setup::new("entra-disabled").start(&json!({}), "") else {
        return;
    };
    let token = world.token(ADELE);
    wait_for("the first round", || world.has_read("users"));
    assert_eq!(world.status(&token), 200);
    world
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": false}));
    wait_for("the refusal", || world.status(&token) == 401);
    assert_eq!(world.status(&world.token(BRUNO)), 200);
    // Issued after the fact that refuses it.
    let later = world.token_with(ADELE, now() + 30, &json!({}));
    assert_eq!(world.status(&later), 403);
    world
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": true}));
    wait_for("the way back", || world.status(&later) == 200);
    assert_eq!(world.status(&token), 401, "the cut-off stays");
}

#[test]
fn deleted_users_and_what_has_a_time_of_its_own() {
    let Some(world) = Setup::new("entra-dated").start(&json!({}), "") else {
        return;
    };
    let (adele, bruno) = (world.token(ADELE), world.token(BRUNO));
    wait_for("the first round", || world.has_read("users"));
    // What happened before the token was issued does not hit it.
    let before = date(now() - 120);
    world.graph.state().users.set(
        ADELE,
        &json!({"signInSessionsValidFromDateTime": before, "lastPasswordChangeDateTime": before}),
    );
    world.graph.state().users.remove(BRUNO, "changed");
    wait_for("the deletion", || world.status(&bruno) == 401);
    assert_eq!(world.status(&adele), 200);
    world.graph.state().users.set(
        ADELE,
        &json!({"signInSessionsValidFromDateTime": date(now() - 5)}),
    );
    wait_for("the revocation", || world.status(&adele) == 401);
    let reply = world.service.authorize(&adele, "/");
    assert!(
        reply
            .header("www-authenticate")
            .unwrap()
            .contains("insufficient_claims"),
        "{reply:?}"
    );
}
