//! Killed at any moment, again and again: what was acknowledged is enforced, and nobody else is refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cae_tests::service::{Connection, Service, ask, wait_for};
use serde_json::json;

use super::own::{Own, SET, start};

/// How often the process is killed: `CAE_KILLS` says otherwise.
const KILLS: u64 = 200;
/// Connections that push at the same time.
const SENDERS: u64 = 4;

#[test]
fn whatever_was_acknowledged_survives_a_kill() {
    let Some((folder, own, mut service)) = start("kills", &json!({}), &json!([])) else {
        return;
    };
    let kills = std::env::var("CAE_KILLS")
        .ok()
        .and_then(|it| it.parse().ok())
        .unwrap_or(KILLS);
    let mut random = 0x9E37_79B9_7F4A_7C15_u64 ^ u64::from(std::process::id());
    let mut all = Vec::new();
    let mut acknowledged_in_all = 0_usize;
    for kill in 0..kills {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // From before the first answer to after hundreds of them.
        let alive = Duration::from_micros((random >> 33) % 60_000);
        let stop = AtomicBool::new(false);
        let acknowledged: Vec<String> = thread::scope(|scope| {
            let senders: Vec<_> = (0..SENDERS)
                .map(|sender| {
                    let (own, stop, port) = (&own, &stop, service.signals);
                    scope.spawn(move || send(own, port, &format!("{kill}-{sender}"), stop))
                })
                .collect();
            thread::sleep(alive);
            service.process.kill();
            stop.store(true, Ordering::Relaxed);
            senders
                .into_iter()
                .flat_map(|sender| sender.join().unwrap())
                .collect()
        });
        service.restart(&folder);
        for user in &acknowledged {
            let reply = service.authorize(&own.token(user, &json!({})), "/orders");
            assert_eq!(
                reply.status, 401,
                "kill {kill}: {user} was revoked, and that was acknowledged"
            );
        }
        let stranger = format!("{kill}-nobody");
        let reply = service.authorize(&own.token(&stranger, &json!({})), "/orders");
        assert_eq!(
            reply.status, 200,
            "kill {kill}: nobody said anything about {stranger}"
        );
        acknowledged_in_all += acknowledged.len();
        all.extend(acknowledged.into_iter().take(2));
    }
    for user in &all {
        let reply = service.authorize(&own.token(user, &json!({})), "/orders");
        assert_eq!(reply.status, 401, "{user} after {kills} kills");
    }
    assert!(
        acknowledged_in_all > usize::try_from(kills).unwrap() / 2,
        "only {acknowledged_in_all} events came through"
    );
    eprintln!(
        "note: {kills} kills, {acknowledged_in_all} acknowledged events, each enforced afterwards"
    );
}

/// Sends one event after the other until the connection breaks; the users whose event was acknowledged.
fn send(own: &Own, port: u16, name: &str, stop: &AtomicBool) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let Ok(mut connection) = Connection::open(port) else {
        return acknowledged;
    };
    for n in 0.. {
        let user = format!("{name}-{n}");
        match connection.send("POST", "/events/own", &[SET], Some(&own.revoked(&user))) {
            Ok(reply) if reply.status == 202 => acknowledged.push(user),
            _ => break,
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    acknowledged
}

#[test]
fn a_clean_stop_loses_nothing_and_a_repeat_is_acknowledged() {
    let Some((folder, own, mut service)) = start("stop", &json!({}), &json!([])) else {
        return;
    };
    let set = own.revoked("adele");
    let push = |service: &Service| {
        ask(service.signals, "POST", "/events/own", &[SET], Some(&set)).unwrap()
    };
    assert_eq!(push(&service).status, 202);
    assert_eq!(push(&service).status, 202);
    let token = own.token("adele", &json!({}));
    assert_eq!(service.authorize(&token, "/").status, 401);
    service.process.signal("TERM");
    assert_eq!(service.process.wait(), 0, "{}", service.process.said());
    service.restart(&folder);
    assert_eq!(service.authorize(&token, "/").status, 401);
    assert_eq!(push(&service).status, 202);
    let repeated = r#"cae_events_total{transmitter="https://ssf.example",outcome="repeated"}"#;
    wait_for("the count", || service.metric(repeated) == Some(1.0));
}
