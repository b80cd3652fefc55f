//! Killed while it fetches: what was acknowledged is enforced, and what was not comes again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cae_tests::server::{Said, Server};
use cae_tests::service::{Folder, Service, wait_for};
use serde_json::{Map, Value, json};

use super::own::{Own, TRANSMITTER};

const EVENTS: usize = 600;

#[test]
fn a_stream_goes_on_after_a_kill_where_it_was() {
    let folder = Folder::new("polls");
    let own = Own::new();
    let sets: Vec<(String, String, String)> = (0..EVENTS)
        .map(|n| {
            let user = format!("user-{n}");
            let set = own.revoked(&user);
            (own.jti(&set), user, set)
        })
        .collect();
    let waiting: BTreeMap<usize, (String, String)> = sets
        .iter()
        .map(|(jti, _, set)| (jti.clone(), set.clone()))
        .enumerate()
        .collect();
    let waiting = Arc::new(Mutex::new(waiting));
    let left = Arc::clone(&waiting);
    let server = Server::start(move |asked| {
        let mut left = left.lock().unwrap();
        let done = asked.body["ack"].as_array().cloned().unwrap_or_default();
        left.retain(|_, (jti, _)| !done.iter().any(|it| it == jti));
        let most = usize::try_from(asked.body["maxEvents"].as_u64().unwrap()).unwrap();
        let sets: Map<String, Value> = left
            .values()
            .take(most)
            .map(|(jti, set)| (jti.clone(), set.clone().into()))
            .collect();
        Said::json(&json!({"sets": sets, "moreAvailable": left.len() > most}))
    });
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([])).to_string(),
    );
    let configuration = format!(
        "engine = \"engine.json\"\n[[transmitter]]\nname = \"own\"\nissuer = \"{TRANSMITTER}\"\ndelivery = \"poll\"\n\
         pollUri = \"{}/poll\"\npollIntervalSeconds = 1\npollMost = 7\n",
        server.url()
    );
    let Some(mut service) = Service::start(&folder, &configuration) else {
        return;
    };
    let refused = |service: &Service, user: &str| {
        service.authorize(&own.token(user, &json!({})), "/").status == 401
    };
    let mut kills = 0_u64;
    while !waiting.lock().unwrap().is_empty() {
        thread::sleep(Duration::from_millis(kills.wrapping_mul(7) % 40));
        service.process.kill();
        kills += 1;
        let left = waiting.lock().unwrap();
        let acknowledged: Vec<&str> = sets
            .iter()
            .filter(|(jti, _, _)| !left.values().any(|(waits, _)| waits == jti))
            .map(|(_, user, _)| user.as_str())
            .collect();
        let acknowledged: Vec<String> = acknowledged
            .iter()
            .rev()
            .take(8)
            .map(|it| (*it).to_owned())
            .collect();
        drop(left);
        service.restart(&folder);
        for user in acknowledged {
            assert!(
                refused(&service, &user),
                "kill {kills}: {user} was acknowledged"
            );
        }
        assert!(!refused(&service, "nobody"), "kill {kills}");
    }
    assert!(kills >= 3, "only {kills} kills came in between");
    for (_, user, _) in &sets {
        assert!(refused(&service, user), "{user}");
    }
    let entries = u32::try_from(EVENTS).map(f64::from).unwrap();
    wait_for("each event, once in the log", || {
        service.metric("cae_store_log_entries") == Some(entries)
    });
}
