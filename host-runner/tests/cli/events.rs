//! Events made, listed, explained and held against tokens.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{
    Folder, ISSUER, KEY, NOW, TRANSMITTER, command, configuration, payload, request, run, sign,
    token,
};

/// The payload of an event of the transmitter.
fn event(name: &str, subject: &Value, members: Value) -> String {
    let uri = format!("https://schemas.openid.net/secevent/{name}");
    json!({
        "iss": TRANSMITTER, "aud": "https://api.example", "jti": "set-1", "iat": NOW, "sub_id": subject,
        "events": {uri: members}
    })
    .to_string()
}

fn user(subject: &str) -> Value {
    json!({"format": "iss_sub", "iss": ISSUER, "sub": subject})
}

/// What the engine says of an event, and of a token that it is held against.
fn explained(folder: &Folder, payload: &str, token: &str) -> (Value, i32) {
    let config = folder.file("engine.json", configuration());
    let event = folder.file("event.json", payload);
    let at = NOW.to_string();
    let run = run(
        &[
            "event",
            "decode",
            &event,
            "--unsigned",
            "--config",
            &config,
            "--against",
            token,
            "--received-at",
            &at,
            "--json",
        ],
        "",
    );
    (run.lines().remove(0), run.status)
}

#[test]
fn an_event_made_here_reaches_the_decision() {
    let folder = Folder::new("made");
    let config = folder.file("engine.json", configuration());
    let key = folder.file("key.jwk", KEY);
    let at = NOW.to_string();
    let made = run(
        &[
            "event",
            "make",
            "session-revoked",
            "--subject",
            "user:adele",
            "--config",
            &config,
            "--key",
            &key,
            "--issued-at",
            &at,
            "--jti",
            "set-1",
        ],
        "",
    );
    assert_eq!((made.status, made.err.as_str()), (0, ""));
    let claims: Value = serde_json::from_str(&payload(&made.out)).unwrap();
    assert_eq!(claims["iss"], TRANSMITTER, "from the configuration");
    assert_eq!(claims["sub_id"], user("adele"));
    let signals = folder.file("sets.jsonl", &made.out);
    let asked = [request("a", &token("adele")), request("b", &token("megan"))].join("\n");
    let decided = run(
        &["decide", "--config", &config, "--signals", &signals],
        &asked,
    );
    let decisions: Vec<Value> = decided.lines();
    assert_eq!(decisions[0]["reasons"][0]["code"], "session_revoked");
    assert_eq!(decisions[1]["decision"], "allow");
}

#[test]
fn a_new_key_is_told_and_may_be_kept() {
    let folder = Folder::new("new-key");
    let (key, jwks) = (
        format!("{}/key.pem", folder.path()),
        format!("{}/jwks.json", folder.path()),
    );
    let make = |more: &[&str]| {
        let arguments = [
            "event",
            "make",
            "account-disabled",
            "--subject",
            "user:adele",
        ];
        let output = command(&[&arguments, more].concat()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (status, set, told) = make(&[]);
    assert_eq!(status, Some(0), "{told}");
    assert!(
        told.starts_with("note: ") && told.contains(r#""kty":"OKP""#),
        "{told}"
    );
    assert_eq!(set.trim().split('.').count(), 3);

    let (status, first, told) = make(&["--key-out", &key, "--jwks-out", &jwks]);
    assert_eq!((status, told.as_str()), (Some(0), ""));
    let (status, _, told) = make(&["--key-out", &key]);
    assert_eq!(status, Some(2), "a key is never written over");
    assert!(told.starts_with("error: "), "{told}");
    let (status, second, told) = make(&["--key", &key]);
    assert_eq!((status, told.as_str()), (Some(0), ""));
    let header = |set: &str| set.split('.').next().unwrap().to_owned();
    assert_eq!(header(&first), header(&second), "the same key");

    // What was written for the configuration is the half that verifies.
    let mut engine: Value = serde_json::from_str(&configuration()).unwrap();
    let text = std::fs::read_to_string(Path::new(&jwks)).unwrap();
    engine["transmitters"][0]["jwks"] = serde_json::from_str(&text).unwrap();
    let config = folder.file("engine.json", engine.to_string());
    let (_, set, _) = make(&["--key", &key, "--config", &config]);
    let set = folder.file("set.jwt", set);
    let decoded = run(
        &["event", "decode", &set, "--config", &config, "--json"],
        "",
    );
    assert_eq!(decoded.lines()[0]["signature"], "valid");
}

#[test]
fn an_event_is_held_against_a_token() {
    let folder = Folder::new("against");
    let adele = token("adele");
    let old = json!({
        "iss": ISSUER, "aud": "api://orders", "sub": "adele", "client_id": "mail", "jti": "old",
        "iat": NOW - 90_000, "exp": NOW - 86_400
    });
    let old = sign("at+jwt", &old);
    let revoked = "caep/event-type/session-revoked";
    let risk = "caep/event-type/risk-level-change";
    let scoped = json!({
        "format": "complex", "user": user("adele"), "session": {"format": "opaque", "id": "s9"}
    });
    let device = json!({"format": "complex", "device": user("laptop")});
    let unmet = json!({"previous_status": "compliant", "current_status": "not-compliant"});
    let level = |level: &str| json!({"principal": "USER", "current_level": level});
    for (payload, token, hits, why) in [
        (
            event(revoked, &user("adele"), json!({})),
            &adele,
            true,
            "before 08:00:01 UTC",
        ),
        (
            event(revoked, &user("megan"), json!({})),
            &adele,
            false,
            "token shows user `adele`",
        ),
        (
            event(
                revoked,
                &user("adele"),
                json!({"event_timestamp": NOW - 3600}),
            ),
            &adele,
            false,
            "not before 07:00:01 UTC",
        ),
        (
            event(revoked, &scoped, json!({"initiating_entity": "admin"})),
            &adele,
            true,
            "rest of the subject",
        ),
        (
            event(revoked, &scoped, json!({"initiating_entity": "user"})),
            &adele,
            false,
            "does not count as matching (precise)",
        ),
        (
            event(
                "caep/event-type/session-established",
                &user("adele"),
                json!({}),
            ),
            &adele,
            false,
            "changes nothing",
        ),
        (
            event("risc/event-type/account-enabled", &user("adele"), json!({})),
            &adele,
            false,
            "refuses nothing",
        ),
        (
            event(
                "risc/event-type/account-disabled",
                &user("adele"),
                json!({}),
            ),
            &adele,
            true,
            "disabled",
        ),
        (
            event(risk, &user("adele"), level("MEDIUM")),
            &adele,
            false,
            "no policy",
        ),
        (
            event(risk, &user("adele"), level("HIGH")),
            &adele,
            true,
            "risk_level_high",
        ),
        (
            event("caep/event-type/device-compliance-change", &device, unmet),
            &adele,
            false,
            "the token shows no device",
        ),
        (
            event(revoked, &user("adele"), json!({})),
            &old,
            true,
            "refused whatever happened",
        ),
    ] {
        let (reading, status) = explained(&folder, &payload, token);
        assert_eq!(status, 0);
        assert_eq!(reading["hits"], hits, "{reading:#}");
        let said = reading["against"]["why"].to_string();
        assert!(said.contains(why), "{why}: {said}");
        assert!(!reading["explanation"].as_array().unwrap().is_empty());
    }
    let foreign = json!({"format": "iss_sub", "iss": "https://other.example", "sub": "adele"});
    let (reading, status) = explained(&folder, &event(revoked, &foreign, json!({})), &adele);
    assert_eq!(
        (status, &reading["hits"], &reading["err"]),
        (1, &json!(false), &json!("access_denied"))
    );
    assert!(
        reading["against"]["why"][0]
            .as_str()
            .unwrap()
            .contains("may not speak for")
    );
}

#[test]
fn words_say_what_happens_to_whom() {
    let folder = Folder::new("words");
    let said = |payload: &str| {
        let (reading, _) = explained(&folder, payload, &token("adele"));
        reading["explanation"].to_string()
    };
    let revoked = said(&event(
        "caep/event-type/session-revoked",
        &user("adele"),
        json!({}),
    ));
    assert!(
        revoked.contains("Tokens of user `adele` issued before 08:00:01 UTC will be challenged"),
        "{revoked}"
    );
    let device = json!({"format": "complex", "device": user("laptop")});
    let compliant = json!({"previous_status": "not-compliant", "current_status": "compliant"});
    let nothing = said(&event(
        "caep/event-type/device-compliance-change",
        &device,
        compliant,
    ));
    assert!(
        nothing.contains("Nothing for device `laptop`: no policy asks"),
        "{nothing}"
    );
    assert!(nothing.contains("can ever show"), "{nothing}");
    let news = said(&event(
        "caep/event-type/session-presented",
        &user("adele"),
        json!({}),
    ));
    assert!(news.contains("Nothing for"), "{news}");
}

#[test]
fn every_type_is_listed() {
    let listed = run(&["event", "list", "--json"], "");
    let rows = cae_core::signal::vocabulary::event_types().count();
    assert_eq!(listed.lines().len(), rows);
    let people = run(&["event", "list"], "");
    assert!(
        people.out.lines().all(|line| line.chars().count() <= 100),
        "{}",
        people.out
    );
}
