//! What operators do: check, change, stop, look.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use cae_tests::places;
use cae_tests::service::{Connection, Folder, Service, ask, certify, command, wait_for};
use serde_json::{Value, json};

use super::own::{Own, PUSHED, SET, start};

fn block(id: &str, name: &str, state: &str) -> Value {
    json!({
        "id": id, "displayName": name, "state": state,
        "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    })
}

#[test]
fn files_are_read_again_all_or_nothing_while_decisions_go_on() {
    let folder = Folder::new("reload");
    let own = Own::new();
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([])).to_string(),
    );
    let id = "11111111-1111-1111-1111-111111111111";
    folder.write(
        "policies.json",
        &json!({"value": [block(id, "p", "disabled")]}).to_string(),
    );
    let configuration = PUSHED.replacen(
        "[[",
        "[files]\nissuer = \"https://login.example\"\npolicies = \"policies.json\"\n[[",
        1,
    );
    let Some(service) = Service::start(&folder, &configuration) else {
        return;
    };
    let token = own.token("adele", &json!({}));
    assert_eq!(service.authorize(&token, "/").status, 200);
    let (stop, count) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        // Somebody asks all the time, and always gets an answer of one configuration or the other.
        scope.spawn(|| {
            let bearer = format!("Bearer {token}");
            let headers = [
                ("Authorization", bearer.as_str()),
                ("X-Forwarded-For", "203.0.113.9"),
            ];
            let mut connection = Connection::open(service.authorization).unwrap();
            while !stop.load(Ordering::Relaxed) {
                let reply = connection
                    .send("GET", "/authorize", &headers, None)
                    .unwrap();
                assert!([200, 401, 403].contains(&reply.status), "{reply:?}");
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        folder.write(
            "policies.json",
            &json!({"value": [block(id, "p", "enabled")]}).to_string(),
        );
        wait_for("the policy", || {
            service.authorize(&token, "/").status != 200
        });
        folder.write("policies.json", "{\"value\": [");
        wait_for("the complaint", || {
            service.ready().json()["configuration"]["faults"][0].is_string()
        });
        assert_ne!(
            service.authorize(&token, "/").status,
            200,
            "the last good one stays"
        );
        assert_eq!(service.metric(r#"cae_reloads{result="failed"}"#), Some(1.0));
        folder.write(
            "policies.json",
            &json!({"value": [block(id, "p", "disabled")]}).to_string(),
        );
        wait_for("the way back", || {
            service.authorize(&token, "/").status == 200
        });
        let before = service.metric(r#"cae_reloads{result="done"}"#).unwrap();
        service.process.signal("HUP");
        wait_for("the signal", || {
            service.metric(r#"cae_reloads{result="done"}"#) > Some(before)
        });
        stop.store(true, Ordering::Relaxed);
    });
    assert!(count.load(Ordering::Relaxed) > 100);
    assert!(
        service
            .process
            .said()
            .contains("it may turn away 1 of the tokens that are known"),
        "{}",
        service.process.said()
    );
}

#[test]
fn what_is_wrong_is_said_before_it_starts() {
    let folder = Folder::new("check");
    let own = Own::new();
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([])).to_string(),
    );
    let check = |text: &str, environment: &[(&str, &str)]| {
        let file = folder.write("cae.toml", text);
        let mut command = command(&["serve", "--check", "--config", file.to_str().unwrap()])?;
        let output = command.envs(environment.iter().copied()).output().unwrap();
        Some((
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        ))
    };
    let Some((status, said)) = check(PUSHED, &[]) else {
        return;
    };
    assert_eq!(status, Some(0), "{said}");
    for (text, environment, expected) in [
        (
            PUSHED.replace("ssf.example", "other.example"),
            vec![],
            "its issuer is not among engine.transmitters",
        ),
        (
            PUSHED.replace("engine.json", "missing.json"),
            vec![],
            "missing.json: No such file",
        ),
        (
            format!("{PUSHED}pushTokenFile = \"none\""),
            vec![],
            "none: No such file",
        ),
        (
            PUSHED.to_owned(),
            vec![("CAE__STORE__LOG_DAYS", "0")],
            "/store/logDays: 0 is outside 1 to",
        ),
        (
            "[engine]\nissuers = 7\n".to_owned(),
            vec![],
            "engine/issuers: expected an array",
        ),
        (
            format!("{PUSHED}[tls]\ncertificateFile = \"c.pem\"\nkeyFile = \"k.pem\""),
            vec![],
            "c.pem:",
        ),
    ] {
        let (status, said) = check(&text, &environment).unwrap();
        assert_eq!(status, Some(2), "{text}: {said}");
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn two_processes_do_not_share_a_database() {
    let Some((folder, _own, _service)) = start("shared", &json!({}), &json!([])) else {
        return;
    };
    let file = folder.path().join("cae.toml");
    let second = command(&["serve", "--config", file.to_str().unwrap()])
        .unwrap()
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&second.stderr).contains("another process has this database open")
    );
}

#[test]
fn decisions_are_written_down_without_names() {
    let folder = Folder::new("log");
    let own = Own::new();
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([])).to_string(),
    );
    let plain =
        format!("{PUSHED}[decisionLog]\nfile = \"decisions.jsonl\"\nallowedPerThousand = 0\n");
    let Some(service) = Service::start(&folder, &plain) else {
        return;
    };
    let token = own.token("adele", &json!({}));
    assert_eq!(service.authorize(&token, "/secret").status, 200);
    let push = ask(
        service.signals,
        "POST",
        "/events/own",
        &[SET],
        Some(&own.revoked("adele")),
    )
    .unwrap();
    assert_eq!(push.status, 202);
    assert_eq!(service.authorize(&token, "/secret").status, 401);
    let file = folder.path().join("decisions.jsonl");
    let read = || std::fs::read_to_string(&file).unwrap_or_default();
    wait_for("the line", || read().lines().count() == 1);
    let line: Value = serde_json::from_str(read().trim()).unwrap();
    assert_eq!(
        (&line["decision"], &line["isCaeToken"]),
        (&json!("challenge"), &json!(true))
    );
    let text = read();
    for secret in ["adele", "203.0.113.9", "/secret", token.as_str()] {
        assert!(!text.contains(secret), "{secret}");
    }
    let named = plain.replace(
        "allowedPerThousand = 0",
        "include = [\"subject\", \"address\", \"path\"]",
    );
    drop(service);
    let service = Service::start(&folder, &named).unwrap();
    assert_eq!(
        service
            .authorize(&own.token("bruno", &json!({})), "/secret")
            .status,
        200
    );
    wait_for("the second line", || read().lines().count() == 2);
    let last: Value = serde_json::from_str(read().lines().last().unwrap()).unwrap();
    assert_eq!(
        (
            &last["subject"],
            &last["ipAddressSeenByResource"],
            &last["path"]
        ),
        (&json!("bruno"), &json!("203.0.113.9"), &json!("/secret"))
    );
}

/// The configuration of the guide, and the unit beside it, as they stand there.
#[test]
fn what_the_guide_shows_can_be_used() {
    let folder = Folder::new("guide");
    let guide = std::fs::read_to_string(places::root().join("docs/service.md")).unwrap();
    let block = guide
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let indented = block
        .lines()
        .map(|line| line.strip_prefix("   ").unwrap_or(line));
    let configuration: Vec<&str> = indented.collect();
    folder.write("keycloak-secret", "s");
    let file = folder.write("cae.toml", &configuration.join("\n"));
    let Some(mut check) = command(&["serve", "--check", "--config", file.to_str().unwrap()]) else {
        return;
    };
    let output = check.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let unit = std::fs::read_to_string(places::root().join("dist/cae.service")).unwrap();
    let program = cae_tests::service::cae().unwrap();
    let unit = folder.write(
        "cae.service",
        &unit.replace("/usr/bin/cae", program.to_str().unwrap()),
    );
    let analyze = |arguments: &[&str]| {
        std::process::Command::new("systemd-analyze")
            .args(arguments)
            .arg(&unit)
            .output()
            .ok()
    };
    let Some(verified) = analyze(&["verify"]) else {
        eprintln!("note: systemd-analyze is not installed, the unit is not checked");
        return;
    };
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
    let exposed = analyze(&["security", "--offline=true", "--threshold=15"]).unwrap();
    assert!(
        exposed.status.success(),
        "more exposed than 1.5: {}",
        String::from_utf8_lossy(&exposed.stdout)
    );
}

#[test]
fn an_operator_sees_clears_and_takes_along_what_is_known() {
    let Some((folder, own, mut service)) = start("state", &json!({}), &json!([])) else {
        return;
    };
    let push = |user: &str| {
        let set = own.revoked(user);
        let reply = ask(service.signals, "POST", "/events/own", &[SET], Some(&set)).unwrap();
        assert_eq!(reply.status, 202);
    };
    push("adele");
    push("bruno");
    let tokens = ["adele", "bruno"].map(|user| own.token(user, &json!({})));
    let get = |path: &str| ask(service.administration, "GET", path, &[], None).unwrap();
    let known = get("/v1/state?subject=user%3Aadele").json();
    assert!(
        known["records"][0]["record"]["cutOff"].is_object(),
        "{known}"
    );
    assert_eq!(get("/v1/state").status, 400);
    assert_eq!(get("/v1/state?subject=nonsense:x").status, 400);
    // Of two things in one second the stricter holds.
    thread::sleep(Duration::from_millis(1_100));
    let body = json!({"subject": "user:adele"}).to_string();
    let cleared = ask(
        service.administration,
        "POST",
        "/v1/state/clear",
        &[],
        Some(&body),
    )
    .unwrap();
    assert_eq!(cleared.status, 200, "{cleared:?}");
    assert_eq!(service.authorize(&tokens[0], "/").status, 200);
    assert_eq!(service.authorize(&tokens[1], "/").status, 401);
    assert!(
        !service.process.said().contains("adele"),
        "{}",
        service.process.said()
    );
    let snapshot = get("/v1/state/snapshot");
    assert_eq!(
        (snapshot.status, snapshot.header("content-type")),
        (200, Some("application/octet-stream"))
    );

    // To another database, by way of a file.
    let (store, other) = (
        folder.path().join("cae.redb"),
        folder.path().join("other.redb"),
    );
    let file = folder.path().join("cae.state");
    let run = |what: &str, store: &std::path::Path| {
        let arguments = [
            "state",
            what,
            "--store",
            store.to_str().unwrap(),
            "--state",
            file.to_str().unwrap(),
        ];
        command(&arguments).unwrap().output().unwrap()
    };
    assert_eq!(
        run("export", &store).status.code(),
        Some(2),
        "the service has it"
    );
    service.process.signal("TERM");
    assert_eq!(service.process.wait(), 0);
    for (what, store) in [("export", &store), ("import", &other)] {
        let output = run(what, store);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    drop(service);
    let moved = format!("{PUSHED}[store]\nfile = \"other.redb\"\n");
    let service = Service::start(&folder, &moved).unwrap();
    assert_eq!(service.authorize(&tokens[0], "/").status, 200);
    assert_eq!(service.authorize(&tokens[1], "/").status, 401);
}

#[test]
fn a_certificate_is_used_and_read_again() {
    let folder = Folder::new("tls");
    if !certify(&folder) {
        return;
    }
    let own = Own::new();
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([])).to_string(),
    );
    let tls = "[tls]\ncertificateFile = \"certificate.pem\"\nkeyFile = \"key.pem\"\nlisteners = [\"authorization\"]\n";
    let Some(service) = Service::start(&folder, &format!("{PUSHED}{tls}")) else {
        return;
    };
    let token = own.token("adele", &json!({}));
    let ask = || {
        let output = std::process::Command::new("curl")
            .args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert"])
            .arg(folder.path().join("certificate.pem"))
            .arg("-H")
            .arg(format!("Authorization: Bearer {token}"))
            .arg(format!(
                "https://127.0.0.1:{}/authorize",
                service.authorization
            ))
            .output()
            .ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Some(first) = ask() else {
        eprintln!("note: curl is not installed, TLS is not checked");
        return;
    };
    assert_eq!(first, "200");
    assert!(certify(&folder));
    wait_for("the new certificate", || ask().as_deref() == Some("200"));
    // Without TLS nobody is answered there.
    assert!(
        cae_tests::service::ask(service.authorization, "GET", "/authorize", &[], None).is_err()
    );
}
