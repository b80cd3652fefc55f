//! Transmitters that are slow, or mean it: nobody else notices.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use cae_tests::server::{Said, Server};
use cae_tests::service::{Folder, Service, ask, wait_for};
use serde_json::{Map, Value, json};

use super::own::{Own, SET, TRANSMITTER};

#[test]
fn hostile_transmitters_keep_nobody_waiting() {
    let folder = Folder::new("hostile");
    let own = Own::new();
    let silent = Server::start(|_| Said::Nothing);
    let endless = Server::start(|_| Said::Endless);
    let elsewhere = Server::start(|_| {
        let to = vec![("Location", "http://127.0.0.1:1/".to_owned())];
        Said::Reply(307, to, String::new())
    });
    let promising = Server::start(|_| Said::json(&json!({"sets": {}, "moreAvailable": true})));
    let nonsense: Map<String, Value> = (0..2_000)
        .map(|n| (n.to_string(), format!("nonsense.{n}").into()))
        .collect();
    let nonsense = json!({"sets": nonsense, "moreAvailable": true});
    let nonsense = Server::start(move |_| Said::json(&nonsense));

    let mut engine = own.engine(&json!({}), &json!([]));
    let mut configuration =
        "engine = \"engine.json\"\n[[transmitter]]\nname = \"own\"\n".to_owned();
    configuration.push_str(&format!("issuer = \"{TRANSMITTER}\"\n"));
    let all = [
        ("silent", &silent),
        ("endless", &endless),
        ("elsewhere", &elsewhere),
        ("promising", &promising),
        ("nonsense", &nonsense),
    ];
    for (name, server) in all {
        let issuer = format!("https://{name}.example");
        engine["transmitters"].as_array_mut().unwrap().push(json!({
            "issuer": issuer, "audience": "https://api.example", "algorithms": ["EdDSA"],
            "jwksUri": format!("{}/keys", silent.url()), "speaksFor": ["https://login.example"],
        }));
        configuration.push_str(&format!(
            "[[transmitter]]\nname = \"{name}\"\nissuer = \"{issuer}\"\ndelivery = \"poll\"\npollUri = \"{}/poll\"\n\
             pollIntervalSeconds = 1\n",
            server.url()
        ));
    }
    folder.write("engine.json", &engine.to_string());
    let Some(service) = Service::start(&folder, &configuration) else {
        return;
    };
    // Somebody pushes so slowly that it never ends, on many connections.
    let slow: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", service.signals)).unwrap();
            let head = "POST /events/own HTTP/1.1\r\nHost: x\r\nContent-Type: application/secevent+jwt\r\n\
                        Content-Length: 1000\r\n\r\nabc";
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();

    let mut slowest = Duration::ZERO;
    let until = Instant::now() + Duration::from_secs(4);
    let mut n = 0;
    while Instant::now() < until {
        let user = format!("user-{n}");
        n += 1;
        let token = own.token(&user, &json!({}));
        let began = Instant::now();
        assert_eq!(service.authorize(&token, "/").status, 200);
        slowest = slowest.max(began.elapsed());
        let set = own.revoked(&user);
        let pushed = ask(service.signals, "POST", "/events/own", &[SET], Some(&set)).unwrap();
        assert_eq!(pushed.status, 202);
        assert_eq!(service.authorize(&token, "/").status, 401);
        thread::sleep(Duration::from_millis(10));
    }
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    for (name, server) in all {
        let polls = server.asked("POST", "/poll").len();
        assert!(
            (1..=8).contains(&polls),
            "{name}: {polls} polls in four seconds"
        );
    }
    let told = service.ready().json();
    let problem = |name: &str| {
        let transmitters = told["transmitters"].as_array().unwrap();
        let found = transmitters.iter().find(|it| it["name"] == name).unwrap();
        found["problem"].clone()
    };
    assert!(problem("elsewhere").is_string(), "{told}");
    drop(slow);
    assert!(
        !service.process.said().contains("panic"),
        "{}",
        service.process.said()
    );
}

#[test]
fn rejected_events_are_reported_once_and_counted() {
    let folder = Folder::new("rejected");
    let own = Own::new();
    let stranger = Own::new();
    let good = own.revoked("adele");
    let forged = stranger.revoked("adele");
    let sets = json!({
        own.jti(&good): good,
        stranger.jti(&forged): forged,
        "another-name": own.revoked("adele"),
    });
    let server = Server::start(move |asked| {
        let done = !asked.body["ack"].is_null() || !asked.body["setErrs"].is_null();
        let sets = if done { json!({}) } else { sets.clone() };
        Said::json(&json!({"sets": sets}))
    });
    let engine = own.engine(&json!({}), &json!([]));
    folder.write("engine.json", &engine.to_string());
    let configuration = format!(
        "engine = \"engine.json\"\n[[transmitter]]\nname = \"own\"\nissuer = \"{TRANSMITTER}\"\ndelivery = \"poll\"\n\
         pollUri = \"{}/poll\"\npollIntervalSeconds = 1\n",
        server.url()
    );
    let Some(_service) = Service::start(&folder, &configuration) else {
        return;
    };
    wait_for("the report", || server.asked("POST", "/poll").len() >= 2);
    let report = &server.asked("POST", "/poll")[1].body;
    assert_eq!(report["ack"], json!([own.jti(&good)]));
    assert_eq!(
        report["setErrs"][stranger.jti(&forged)]["err"],
        "authentication_failed"
    );
    assert_eq!(report["setErrs"]["another-name"]["err"], "invalid_request");
}
