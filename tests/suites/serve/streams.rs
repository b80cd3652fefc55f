//! How events come: pushed, fetched, as logout tokens; verified, and missed.

use cae_tests::service::{Folder, Issuer, Service, ask, free_port, wait_for};
use serde_json::{Value, json};

use super::own::{Own, PUSHED, SET};

#[test]
fn what_a_transmitter_may_not_send_is_refused_by_name() {
    let folder = Folder::new("push");
    let own = Own::new();
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([])).to_string(),
    );
    folder.write("push-token", "s3cret\n");
    let configuration = format!("{PUSHED}pushTokenFile = \"push-token\"\n");
    let Some(service) = Service::start(&folder, &configuration) else {
        return;
    };
    let token = own.token("adele", &json!({}));
    let send = |headers: &[(&str, &str)], path: &str, body: &str| {
        ask(service.signals, "POST", path, headers, Some(body)).unwrap()
    };
    let bearer = ("Authorization", "Bearer s3cret");
    let set = own.revoked("adele");
    assert_eq!(send(&[SET], "/events/own", &set).status, 401);
    assert_eq!(
        send(
            &[SET, ("Authorization", "Bearer s3cres")],
            "/events/own",
            &set
        )
        .status,
        401
    );
    assert_eq!(send(&[SET, bearer], "/events/other", &set).status, 404);
    assert_eq!(
        ask(service.signals, "GET", "/events/own", &[], None)
            .unwrap()
            .status,
        405
    );
    assert_eq!(
        send(&[SET, bearer], "/events/own", &"x".repeat((1 << 20) + 1)).status,
        413
    );
    let err = |headers: &[(&str, &str)], body: &str| {
        let reply = send(headers, "/events/own", body);
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (400, Some("application/json")),
            "{reply:?}"
        );
        assert_eq!(reply.header("content-language"), Some("en"));
        reply.json()["err"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        err(&[bearer, ("Content-Type", "text/plain")], &set),
        "invalid_request"
    );
    assert_eq!(err(&[SET, bearer], "nonsense"), "invalid_request");
    let stranger = Own::new();
    assert_eq!(
        err(&[SET, bearer], &stranger.revoked("adele")),
        "authentication_failed"
    );
    assert_eq!(
        err(&[SET, bearer], &token),
        "invalid_request",
        "an access token is no SET"
    );
    let verification = own.set(
        "adele",
        "ssf/event-type/verification",
        &json!({"state": "nobody asked"}),
    );
    assert_eq!(err(&[SET, bearer], &verification), "invalid_state");
    assert_eq!(
        service.authorize(&token, "/").status,
        200,
        "none of that did anything"
    );
    assert_eq!(send(&[SET, bearer], "/events/own", &set).status, 202);
    assert_eq!(service.authorize(&token, "/").status, 401);
}

/// The configuration of a service that manages its stream at a development issuer.
fn managed(issuer: &Issuer, delivery: &str) -> String {
    let url = issuer.url();
    format!(
        r#"
        [engine.resource]
        audiences = ["api://orders"]
        [[engine.issuers]]
        issuer = "{url}"
        claims = "rfc9068"
        algorithms = ["RS256"]
        jwksUri = "{url}/keys"
        challenge = "entra"
        honoursNbf = true
        [[engine.transmitters]]
        issuer = "{url}"
        audience = "https://receiver.example"
        jwksUri = "{url}/keys"
        speaksFor = ["{url}"]
        [[transmitter]]
        name = "dev"
        issuer = "{url}"
        oauth = {{ tokenEndpoint = "{url}/token", clientId = "receiver", clientSecretFile = "secret", scope = "ssf.manage" }}
        {delivery}
        "#
    )
}

#[test]
fn a_stream_is_made_verified_and_pushed_to() {
    let folder = Folder::new("managed-push");
    let Some(issuer) = Issuer::start(&folder, &[]) else {
        return;
    };
    folder.write("secret", "s");
    folder.write("push-token", "p");
    // The stream is told a fixed address: a proxy would stand there.
    let relay = free_port();
    let delivery = format!(
        "pushUri = \"http://127.0.0.1:{relay}/events/dev\"\npushTokenFile = \"push-token\"\nverifyEverySeconds = 1\n\
         [listen]\nsignals = \"127.0.0.1:{relay}\"\n"
    );
    let configuration = managed(&issuer, &delivery);
    let file = folder.write("cae.toml", &configuration);
    let administration = free_port();
    let mut command =
        cae_tests::service::command(&["serve", "--config", file.to_str().unwrap()]).unwrap();
    command
        .env(
            "CAE__LISTEN__ADMINISTRATION",
            format!("127.0.0.1:{administration}"),
        )
        .env(
            "CAE__LISTEN__AUTHORIZATION",
            format!("127.0.0.1:{}", free_port()),
        );
    let process = cae_tests::service::Process::start(command, folder.path().join("serve.log"));
    let metric = |name: &str| {
        let reply = ask(administration, "GET", "/metrics", &[], None).ok()?;
        let line = reply
            .body
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.parse::<f64>().ok()
    };
    let applied = format!(
        r#"cae_events_total{{transmitter="{}",outcome="applied"}}"#,
        issuer.url()
    );
    // Verification events come back by push, with the state that was asked for.
    wait_for("two verifications", || {
        metric(&applied).is_some_and(|count| count >= 2.0)
    });
    let streams = ask(
        issuer.port,
        "GET",
        "/ssf/streams",
        &[("Authorization", "Bearer x")],
        None,
    )
    .unwrap()
    .json();
    assert_eq!(streams.as_array().unwrap().len(), 1, "{streams}");
    assert_eq!(streams[0]["delivery"]["method"], "urn:ietf:rfc:8935");
    let before = metric("cae_state_records").unwrap();
    let _ = issuer.sign_in("adele");
    issuer.happens("revoke", "adele");
    wait_for("the event", || {
        metric("cae_state_records").is_some_and(|records| records > before)
    });
    assert!(!process.said().contains("error"), "{}", process.said());
}

#[test]
fn an_outage_is_told_and_nothing_is_missed() {
    let folder = Folder::new("outage");
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let start = |folder: &Folder| -> Option<cae_tests::service::Process> {
        let arguments = ["issuer", "dev", "--listen", &listen];
        let command = cae_tests::service::command(&arguments)?;
        let process = cae_tests::service::Process::start(command, folder.path().join("issuer.log"));
        wait_for("the issuer", || {
            cae_tests::service::Connection::open(port).is_ok()
        });
        Some(process)
    };
    let own = Own::new();
    let mut engine = own.engine(
        &json!({"onStaleSignals": "deny", "maxSignalAgeSeconds": 10}),
        &json!([]),
    );
    let url = format!("http://127.0.0.1:{port}");
    engine["transmitters"] = json!([{
        "issuer": url, "audience": "https://receiver.example", "jwksUri": format!("{url}/keys"),
        "speaksFor": ["https://login.example"],
    }]);
    folder.write("engine.json", &engine.to_string());
    folder.write("token", "any");
    let configuration = format!(
        "engine = \"engine.json\"\n[[transmitter]]\nname = \"dev\"\nissuer = \"{url}\"\ndelivery = \"poll\"\n\
         pollIntervalSeconds = 1\nverifyEverySeconds = 2\naccessTokenFile = \"token\"\n"
    );
    let Some(mut issuer) = start(&folder) else {
        return;
    };
    let service = Service::start(&folder, &configuration).unwrap();
    let token = own.token("adele", &json!({}));
    wait_for("the first sign of life", || {
        service.authorize(&token, "/").status == 200
    });
    issuer.kill();
    wait_for("signals that are too old", || {
        service.authorize(&token, "/").status == 403
    });
    let told = service.ready().json();
    let told = &told["transmitters"][0];
    assert_eq!(told["stale"], true, "{told}");
    assert!(told["problem"].is_string(), "{told}");
    // Another one in its place, with other keys and without the stream: it is made again.
    let _issuer = start(&folder).unwrap();
    wait_for("the way back", || {
        service.authorize(&token, "/").status == 200
    });
}

#[test]
fn a_logout_token_ends_the_session() {
    let folder = Folder::new("logout");
    let signals = free_port();
    let uri = format!("http://127.0.0.1:{signals}/backchannel-logout");
    let Some(issuer) = Issuer::start(&folder, &["--logout-uri", &uri]) else {
        return;
    };
    folder.write("secret", "s");
    let configuration = managed(
        &issuer,
        "delivery = \"poll\"\npollIntervalSeconds = 1\nmanage = false\npollUri = \"http://127.0.0.1:1/\"",
    );
    let file = folder.write("cae.toml", &configuration);
    let authorization = free_port();
    let mut command =
        cae_tests::service::command(&["serve", "--config", file.to_str().unwrap()]).unwrap();
    command
        .env("CAE__LISTEN__SIGNALS", format!("127.0.0.1:{signals}"))
        .env(
            "CAE__LISTEN__ADMINISTRATION",
            format!("127.0.0.1:{}", free_port()),
        )
        .env(
            "CAE__LISTEN__AUTHORIZATION",
            format!("127.0.0.1:{authorization}"),
        );
    let process = cae_tests::service::Process::start(command, folder.path().join("serve.log"));
    wait_for("the service", || {
        ask(authorization, "GET", "/healthz", &[], None).is_ok()
    });
    let (token, _) = issuer.sign_in("adele");
    let bearer = format!("Bearer {token}");
    let authorize = || {
        ask(
            authorization,
            "GET",
            "/authorize",
            &[("Authorization", &bearer)],
            None,
        )
        .unwrap()
        .status
    };
    wait_for("the keys", || authorize() == 200);
    let answer = issuer.happens("logout", "adele");
    assert_eq!(answer["status"], 200, "{answer} {}", process.said());
    assert_eq!(authorize(), 401);
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    for bad in [
        "",
        "logout_token=",
        "logout_token=a.b.c",
        "logout_token=a&logout_token=b",
    ] {
        let reply = ask(signals, "POST", "/backchannel-logout", &[form], Some(bad)).unwrap();
        assert_eq!(
            (reply.status, reply.header("cache-control")),
            (400, Some("no-store")),
            "{bad}"
        );
        let answer: Value = reply.json();
        assert!(answer["error"].is_string());
    }
}

#[test]
fn an_operator_looks_after_streams_by_hand() {
    let folder = Folder::new("stream");
    let Some(issuer) = Issuer::start(&folder, &[]) else {
        return;
    };
    folder.write("secret", "s");
    let configuration = managed(&issuer, "delivery = \"poll\"");
    let file = folder.write("cae.toml", &configuration);
    let run = |arguments: &[&str]| {
        let all = [
            &["stream"],
            arguments,
            &["--config", file.to_str().unwrap(), "--json"],
        ]
        .concat();
        let output = cae_tests::service::command(&all).unwrap().output().unwrap();
        let line = String::from_utf8(output.stdout).unwrap();
        (
            output.status.code(),
            serde_json::from_str::<Value>(&line).unwrap_or_default(),
        )
    };
    assert_eq!(run(&["list", "dev"]).0, Some(1), "there is none");
    let (status, stream) = run(&["create", "dev"]);
    assert_eq!(
        (status, &stream["delivery"]["method"]),
        (Some(0), &json!("urn:ietf:rfc:8936"))
    );
    let (_, again) = run(&["create", "dev"]);
    assert_eq!(again["stream_id"], stream["stream_id"], "adopted");
    assert_eq!(run(&["list", "dev"]).1["stream_id"], stream["stream_id"]);
    assert_eq!(run(&["status", "dev"]).1["status"], "enabled");
    assert_eq!(
        run(&["status", "dev", "--set", "paused"]).1["status"],
        "paused"
    );
    assert_eq!(run(&["status", "dev"]).1["status"], "paused");
    assert_eq!(run(&["verify", "dev"]).0, Some(0));
    assert_eq!(run(&["list", "other"]).0, Some(2));
    assert_eq!(run(&["delete", "dev"]).0, Some(0));
    assert_eq!(run(&["status", "dev"]).0, Some(1));
    drop(issuer);
    assert_eq!(run(&["list", "dev"]).0, Some(2), "nobody is there");
}
