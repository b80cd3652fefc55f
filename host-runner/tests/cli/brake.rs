//! Transmitters that say too much, and events that hit nothing.

use serde_json::{Value, json};

use crate::support::{
    Folder, ISSUER, NOW, TRANSMITTER, configuration, request, revocation, run, run_once, sign,
    token,
};

fn braked(hold: bool) -> String {
    let mut configuration: Value = serde_json::from_str(&configuration()).unwrap();
    let brake = configuration.pointer_mut("/transmitters/0").unwrap();
    brake["brake"] = json!({"subjectsPerMinute": 1, "hold": hold});
    configuration.to_string()
}

fn disabled(subject: &str) -> String {
    let claims = json!({
        "iss": TRANSMITTER, "aud": "https://api.example", "jti": format!("disabled-{subject}"), "iat": NOW,
        "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": subject},
        "events": {"https://schemas.openid.net/secevent/risc/event-type/account-disabled": {}}
    });
    sign("secevent+jwt", &claims)
}

const USERS: [&str; 4] = ["adele", "megan", "lee", "diego"];

/// Adele's event comes in time, Megan's and Lee's are too many, Diego's is about the account. Lee's happened long ago.
fn flood() -> Vec<String> {
    vec![
        revocation("adele", NOW),
        revocation("megan", NOW),
        json!({"set": revocation("lee", NOW - 3600), "receivedAt": NOW}).to_string(),
        disabled("diego"),
    ]
}

fn requests() -> String {
    USERS.map(|user| request(user, &token(user))).join("\n")
}

#[test]
fn events_beyond_the_brake_wait_until_they_are_released() {
    let folder = Folder::new("brake");
    let config = folder.file("engine.json", braked(true));
    let signals = folder.file("sets.jsonl", flood().join("\n"));
    let held = run(
        &["decide", "--config", &config, "--signals", &signals],
        &requests(),
    );
    assert_eq!(held.status, 0, "{held:?}");
    assert_eq!(
        held.decisions(),
        ["challenge", "allow", "allow", "challenge"]
    );
    let said: Vec<&str> = held.err.lines().collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0]
            .contains("brake: more than 1 subjects within the minute before 2027-01-15 08:00:00Z")
    );
    assert!(
        said[1].contains("2 events wait")
            && said[1].contains(r#"{"release":"https://ssf.example"}"#)
    );

    let mut lines = flood();
    lines.push(json!({"release": TRANSMITTER}).to_string());
    let signals = folder.file("released.jsonl", lines.join("\n"));
    let released = run(
        &["decide", "--config", &config, "--signals", &signals],
        &requests(),
    );
    // Lee signed in after the event, although it was released later.
    assert_eq!(
        released.decisions(),
        ["challenge", "challenge", "allow", "challenge"]
    );
    assert_eq!(released.err.lines().count(), 1, "{}", released.err);
}

#[test]
fn a_brake_without_hold_raises_the_alarm_and_applies_everything() {
    let folder = Folder::new("alarm");
    let config = folder.file("engine.json", braked(false));
    let signals = folder.file("sets.jsonl", flood().join("\n"));
    let run = run(
        &["decide", "--config", &config, "--signals", &signals],
        &requests(),
    );
    assert_eq!(
        run.decisions(),
        ["challenge", "challenge", "allow", "challenge"]
    );
    assert_eq!(run.err.lines().count(), 1);
    assert!(run.err.contains("its events are applied"), "{}", run.err);
}

#[test]
fn events_wait_beside_the_state_for_another_run() {
    let folder = Folder::new("held");
    let config = folder.file("engine.json", braked(true));
    let signals = folder.file("sets.jsonl", flood().join("\n"));
    let state = format!("{}/cae.state", folder.path());
    let decide = ["decide", "--config", &config, "--state", &state];
    let with = |more: &[&str], input: &str| run_once(&[&decide[..], more].concat(), input);
    let first = with(&["--signals", &signals], "");
    assert_eq!(
        (first.status, first.err.lines().count()),
        (0, 2),
        "{first:?}"
    );
    let second = with(&[], &requests());
    assert_eq!(
        second.decisions(),
        ["challenge", "allow", "allow", "challenge"]
    );
    assert!(second.err.contains("2 events wait"), "{}", second.err);

    let inspect = run_once(&["state", "inspect", "--state", &state, "--json"], "");
    assert_eq!(inspect.lines()[0]["held"], json!({TRANSMITTER: 2}));
    let release = ["state", "release", TRANSMITTER, "--state", &state, "--json"];
    let released = run_once(&release, "");
    assert_eq!(
        released.lines(),
        [json!({"transmitter": TRANSMITTER, "released": 2})]
    );
    assert_eq!(
        (released.status, released.err.lines().count()),
        (0, 1),
        "{released:?}"
    );
    assert_eq!(run_once(&release, "").status, 1);
    let third = with(&[], &requests());
    assert_eq!(
        third.decisions(),
        ["challenge", "challenge", "allow", "challenge"]
    );
    assert_eq!(third.err, "");
}

#[test]
fn a_release_for_nothing_is_said_and_other_lines_are_refused() {
    let folder = Folder::new("release");
    let config = folder.file("engine.json", braked(true));
    let signals = folder.file("sets.jsonl", json!({"release": TRANSMITTER}).to_string());
    let run = |signals: &str| run(&["decide", "--config", &config, "--signals", signals], "");
    let nothing = run(&signals);
    assert!(
        nothing.status == 0
            && nothing
                .err
                .contains("no event of https://ssf.example waits")
    );
    let both = folder.file(
        "both.jsonl",
        json!({"release": TRANSMITTER, "set": "a.b.c"}).to_string(),
    );
    let both = run(&both);
    assert!(
        both.status == 2 && both.err.contains("one of `set`, `record` and `release`"),
        "{both:?}"
    );
}

#[test]
fn events_that_no_token_can_show_are_counted() {
    let folder = Folder::new("unmatchable");
    let config = folder.file("engine.json", configuration());
    let device = |jti: &str| {
        let claims = json!({
            "iss": TRANSMITTER, "aud": "https://api.example", "jti": jti, "iat": NOW,
            "sub_id": {"format": "complex", "device": {"format": "iss_sub", "iss": ISSUER, "sub": "laptop"}},
            "events": {"https://schemas.openid.net/secevent/caep/event-type/device-compliance-change":
                {"current_status": "not-compliant", "previous_status": "compliant"}}
        });
        sign("secevent+jwt", &claims)
    };
    let signals = folder.file(
        "sets.jsonl",
        [device("1"), device("2"), device("2")].join("\n"),
    );
    let run = run(
        &["decide", "--config", &config, "--signals", &signals],
        &request("a", &token("adele")),
    );
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(run.err.lines().count(), 1);
    assert!(
        run.err
            .contains("https://ssf.example: 2 events named a subject")
            && run.err.contains("unmatchable:device"),
        "{}",
        run.err
    );
}
