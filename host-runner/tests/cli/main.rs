//! The command line by its exit status, its output and its errors; where the component was built, through it and
//! through the native engine with the same bytes.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail loudly, as the test does"
)]

mod brake;
mod decide;
mod events;
mod signed;
mod state;
mod statuses;
mod support;
mod what_if;

use serde_json::{Value, json};

use support::{
    Folder, NOW, TRANSMITTER, command, configuration, request, revocation, run, scenario, token,
};

#[test]
fn help_is_an_answer_and_a_misspelt_option_is_none() {
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["decide", "--help"],
        &["challenge", "parse", "-h"],
    ] {
        let output = command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(!output.stdout.is_empty());
    }
    for arguments in [
        &[][..],
        &["decide", "--konfig", "x"],
        &["replay"],
        &["serve"],
        &["what-if"],
    ] {
        assert_eq!(
            command(arguments).output().unwrap().status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
}

#[test]
fn what_cannot_be_used_is_named_and_nothing_is_done() {
    let folder = Folder::new("unusable");
    let config = folder.file("engine.json", configuration());
    let faulty = folder.file(
        "faulty.json",
        r#"{"resource":{"audiences":["a"],"reelm":""},"issuerz":[]}"#,
    );
    let latin1 = folder.file("latin1.json", b"{\"a\":\"\xe9\"}");
    let record = folder.file(
        "sets.jsonl",
        "{\"record\":{\"scope\":\"s\",\"kind\":\"usr\",\"id\":\"i\"}}\n",
    );
    let both = folder.file("both.jsonl", "{\"set\":\"a\",\"record\":{}}\n");
    for (arguments, parts) in [
        (
            vec!["decide", "--config", "missing.json"],
            vec!["missing.json: "],
        ),
        (
            vec!["decide", "--config", &faulty],
            vec!["faulty.json: /issuerz: ", "faulty.json: /resource/reelm: "],
        ),
        (
            vec!["decide", "--config", &latin1],
            vec!["latin1.json: byte 6 is not UTF-8"],
        ),
        (
            vec!["decide", "--config", &config, "--signals", &record],
            vec!["sets.jsonl: line 1: /record/kind"],
        ),
        (
            vec!["decide", "--config", &config, "--signals", &both],
            vec!["both.jsonl: line 1: "],
        ),
        (vec!["event", "decode", folder.path()], vec![folder.path()]),
        (vec!["token", "inspect", "no token"], vec!["not a JWT"]),
        (vec!["replay", &latin1], vec!["latin1.json: byte 6"]),
        (vec!["replay", &config], vec!["engine.json: /"]),
    ] {
        let run = run(&arguments, &request("a", &token("adele")));
        assert_eq!(run.status, 2, "{arguments:?}: {run:?}");
        for part in parts {
            assert!(run.err.contains(part), "{arguments:?}: {}", run.err);
        }
    }
}

#[test]
fn a_misused_command_line_is_one_line() {
    for (arguments, part) in [
        (&["replya"][..], "'replya'"),
        (&["replay", "--konfig"], "'--konfig'"),
        (&["completions", "csh"], "bash"),
        (&["decide"], "--config <ENGINE.json>"),
    ] {
        let run = run(arguments, "");
        assert_eq!((run.status, run.err.lines().count()), (2, 1), "{run:?}");
        assert!(run.err.contains(part), "{run:?}");
    }
}

#[test]
fn exports_of_powershell_are_read() {
    let folder = Folder::new("powershell");
    let policy = r#"{"id":"6b5e0c5a-0d0f-4b0c-9d52-2b5a3f1f9d01","displayName":"Büro","state":"enabled","conditions":{}}"#;
    let utf16: Vec<u8> = ['\u{FEFF}']
        .into_iter()
        .chain(policy.chars())
        .flat_map(|letter| u16::try_from(u32::from(letter)).unwrap().to_le_bytes())
        .collect();
    for file in [
        folder.file("utf8.json", format!("\u{FEFF}{policy}\r\n")),
        folder.file("utf16.json", utf16),
    ] {
        let run = run(&["policy", "check", &file], "");
        assert!(run.status == 0 && run.out.contains("Büro"), "{run:?}");
    }
    let empty = folder.file("empty.json", "\u{FEFF}\n");
    let run = run(&["policy", "check", &empty], "");
    assert!(run.status == 2 && run.err.contains("empty"), "{run:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_and_a_closed_pipe_is_none() {
    let schema = || {
        let mut command = command(&["config", "schema"]);
        command.args(["--engine", "native"]);
        command
    };
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = schema().stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"));

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = schema().stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn a_token_is_judged_with_its_signature() {
    let folder = Folder::new("token");
    let config = folder.file("engine.json", configuration());
    let sound = token("adele");
    let mut forged = sound.clone();
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    let now = NOW.to_string();
    let later = (NOW + 7200).to_string();
    for (token, at, config, status, verdict, signature) in [
        (&sound, &now, Some(&config), 0, "acceptable", "valid"),
        (&sound, &now, None, 0, "notChecked", "notChecked"),
        (&sound, &later, Some(&config), 1, "refused", "notChecked"),
        (&forged, &now, Some(&config), 1, "refused", "invalid"),
    ] {
        let mut arguments = vec!["token", "inspect", "-", "--at", at, "--json"];
        arguments.extend(config.iter().flat_map(|config| ["--config", config]));
        let run = run(&arguments, &format!("{token}\n"));
        assert_eq!(run.status, status, "{run:?}");
        let answer = &run.lines()[0];
        assert_eq!(
            (&answer["status"], &answer["signature"]),
            (&json!(verdict), &json!(signature))
        );
    }
}

#[test]
fn a_set_is_read_with_and_without_a_configuration() {
    let folder = Folder::new("event");
    let config = folder.file("engine.json", configuration());
    let sound = folder.file("sound.jwt", revocation("adele", NOW));
    let mut forged = revocation("adele", NOW);
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    let forged = folder.file("forged.jwt", forged);
    let payload = json!({
        "iss": TRANSMITTER, "jti": "1", "iat": NOW, "sub_id": {"format": "opaque", "id": "x"},
        "events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {}}
    });
    let payload = folder.file("payload.json", payload.to_string());
    let broken = folder.file("broken.json", b"{\"iss\":\"\xff\"}");
    let at = NOW.to_string();
    for (arguments, status) in [
        (vec![sound.as_str(), "--config", &config], 0),
        (vec![forged.as_str(), "--config", &config], 1),
        (vec![sound.as_str()], 0),
        (vec![payload.as_str(), "--unsigned"], 0),
        (vec![broken.as_str(), "--unsigned"], 1),
        (vec![payload.as_str()], 1),
        (
            vec![
                payload.as_str(),
                broken.as_str(),
                "missing.json",
                "--unsigned",
            ],
            2,
        ),
    ] {
        let mut all = vec!["event", "decode", "--json", "--received-at", &at];
        all.extend(&arguments);
        let run = run(&all, "");
        assert_eq!(run.status, status, "{arguments:?}: {run:?}");
        for line in run.lines() {
            assert!(line["file"].is_string(), "{line}");
        }
    }
}

#[test]
fn a_challenge_is_decoded_for_programs_and_for_people() {
    let header = r#"Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNjA0MTA2NjUxIn19fQ==""#;
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
    let found = run(&["challenge", "parse", header], "");
    assert_eq!(
        (found.status, found.out.as_str()),
        (0, format!("{claims}\n").as_str())
    );
    let pasted = run(
        &["challenge", "parse", &format!("www-authenticate: {header}")],
        "",
    );
    assert_eq!(pasted, found);
    let response = format!("HTTP/2 401\r\nwww-authenticate: {header}\r\n\r\n");
    assert_eq!(run(&["challenge", "parse", "-"], &response), found);
    let json = run(&["challenge", "parse", header, "--json"], "");
    assert_eq!(json.lines()[0]["claims"], claims);
    assert_eq!(run(&["challenge", "parse", "Bearer"], "").status, 1);
    let malformed = r#"Bearer error="insufficient_claims", claims="%%%""#;
    assert_eq!(run(&["challenge", "parse", malformed], "").status, 2);
}

const LOCATIONS: &str = r##"{"value":[{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"0b1f9851-ff94-4e8d-8a05-0a1a1a0b1d11",
    "displayName":"Office","isTrusted":true,"ipRanges":[{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"203.0.113.0/24"}]}]}"##;

#[test]
fn addresses_are_looked_up_in_named_locations() {
    let folder = Folder::new("location");
    let locations = folder.file("locations.json", LOCATIONS);
    let arguments = [
        "location",
        "match",
        "--named-locations",
        &locations,
        "203.0.113.7",
        "198.51.100.1",
    ];
    let run_json = run(&[&arguments[..], &["--json"]].concat(), "");
    assert_eq!(run_json.status, 0, "{run_json:?}");
    let lines = run_json.lines();
    assert_eq!(lines[0]["locations"][0]["displayName"], "Office");
    assert_eq!(lines[1]["locations"], json!([]));
    let people = run(&arguments, "");
    assert!(
        people.out.contains("203.0.113.7") && people.out.contains("Office"),
        "{}",
        people.out
    );
    let bad = run(
        &[
            "location",
            "match",
            "--named-locations",
            &locations,
            "203.0.113.7",
            "203.0.113.007",
        ],
        "",
    );
    assert_eq!(bad.status, 2);
    assert!(bad.err.contains("203.0.113.007"));
}

#[test]
fn policies_are_told_apart_and_every_fault_is_named() {
    let folder = Folder::new("policy");
    let locations = folder.file("locations.json", LOCATIONS);
    let policies = Folder::new("policies");
    let policy = json!({
        "id": "6b5e0c5a-0d0f-4b0c-9d52-2b5a3f1f9d01", "displayName": "Office only", "state": "enabled",
        "conditions": {
            "users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]},
            "locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]}
    });
    policies.file("a.json", policy.to_string());
    policies.file("notes.txt", "not a policy");
    let arguments = [
        "policy",
        "check",
        policies.path(),
        "--named-locations",
        &locations,
    ];
    let people = run(&arguments, "");
    assert_eq!(people.status, 0, "{people:?}");
    assert!(
        people.out.contains("Office only") && people.out.contains("grantControls.block"),
        "{}",
        people.out
    );
    let lines = run(&[&arguments[..], &["--json"]].concat(), "").lines();
    assert_eq!(lines[0]["displayName"], "Office only");
    assert!(
        lines[0]["enforcedAtResource"]
            .as_array()
            .unwrap()
            .contains(&json!("conditions.locations"))
    );

    let saved = folder.file(
        "error.json",
        r#"{"error":{"code":"InvalidAuthenticationToken"}}"#,
    );
    let unlike = run(&["policy", "check", &saved], "");
    assert!(
        unlike.status == 0 && unlike.err.contains("is it a Conditional Access policy?"),
        "{unlike:?}"
    );
    let empty = folder.file("none.json", r#"{"value":[]}"#);
    assert!(
        run(&["policy", "check", &empty], "")
            .err
            .contains("no policy")
    );

    policies.file("b.json", "{");
    policies.file("c.json", "[7]");
    let run = run(&arguments, "");
    assert_eq!(run.status, 2);
    assert!(
        run.err.contains("b.json: ") && run.err.contains("c.json: "),
        "{}",
        run.err
    );
    assert!(
        run.out.contains("Office only"),
        "what can be read is told: {}",
        run.out
    );
}

#[test]
fn schemas_and_completions_are_printed() {
    for arguments in [
        &["config", "schema"][..],
        &["config", "schema", "--scenario"],
    ] {
        let schema: Value = serde_json::from_str(&run(arguments, "").out).unwrap();
        assert!(schema["$schema"].is_string());
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell], "");
        assert!(
            script.status == 0 && script.out.contains("replay"),
            "{shell}"
        );
    }
}

#[test]
fn manual_pages_are_printed_and_written() {
    let page = run(&["man"], "");
    assert!(page.status == 0 && page.out.contains(".TH cae 1"));
    let folder = Folder::new("man");
    assert_eq!(run(&["man", "--out", folder.path()], "").status, 0);
    for (name, says) in [
        ("cae.1", "cae\\-serve(1)"),
        ("cae-state-export.1", "export"),
    ] {
        let page = std::fs::read_to_string(format!("{}/{name}", folder.path())).unwrap();
        assert!(page.contains(says), "{name}: {page}");
    }
}

#[test]
fn a_scenario_is_replayed_for_programs_and_for_people() {
    let scenario = scenario("user-revocation");
    let folder = Folder::new("replay");
    let sound = folder.file("sound.json", &scenario);
    let wrong = folder.file(
        "wrong.json",
        scenario.replacen(r#""allow""#, r#""deny""#, 1),
    );

    let people = run(&["replay", &sound], "");
    assert_eq!(people.status, 0, "{}", people.out);
    for part in [
        "resource server",
        "401 challenge",
        "insufficient_claims",
        "▶│",
        "all ",
    ] {
        assert!(people.out.contains(part), "{part}");
    }
    let programs = run(&["replay", &sound, "--json"], "");
    assert_eq!(programs.status, 0);
    assert!(programs.lines().iter().all(|line| line["kind"].is_string()));

    let failed = run(&["replay", &wrong], "");
    assert_eq!(failed.status, 1);
    assert!(
        failed
            .out
            .contains(r#"✗ decision: expected "deny", found "allow""#),
        "{}",
        failed.out
    );

    let unreadable = run(&["replay", "-"], r#"{"title":1}"#);
    assert_eq!((unreadable.status, unreadable.out.as_str()), (2, ""));
    assert!(
        unreadable
            .err
            .lines()
            .all(|line| line.starts_with("error: standard input: /")),
        "{}",
        unreadable.err
    );
}
