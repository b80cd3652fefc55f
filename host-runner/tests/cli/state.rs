//! `cae decide --state` and `cae state`.

use std::fs;

use serde_json::{Value, json};

use crate::support::{
    Folder, ISSUER, NOW, Run, TRANSMITTER, configuration, request, revocation, run_once, token,
};

/// A folder with a configuration and the state that Adele's revocation and three records leave.
fn with_state(test: &str) -> (Folder, String, String) {
    let folder = Folder::new(test);
    let config = folder.file("engine.json", configuration());
    let record = |kind: &str, id: &str, fields: Value| {
        let mut record = json!({"scope": ISSUER, "kind": kind, "id": id});
        record
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        json!({"record": record}).to_string()
    };
    let status = json!([{"transmitter": TRANSMITTER, "at": NOW, "value": "disabled"}]);
    let signals = [
        revocation("adele", NOW),
        record(
            "user",
            "diego",
            json!({"status": status, "cutOff": {"at": NOW, "cause": "accountDisabled"}}),
        ),
        record("user", "megan", json!({"mfaEnabled": {"at": NOW}})),
        record(
            "session",
            "s1",
            json!({"cutOff": {"at": NOW, "cause": "sessionRevoked"}}),
        ),
    ];
    let signals = folder.file("sets.jsonl", signals.join("\n"));
    let state = format!("{}/cae.state", folder.path());
    let decide = [
        "decide",
        "--config",
        &config,
        "--signals",
        &signals,
        "--state",
        &state,
    ];
    let run = run_once(&decide, "");
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    (folder, config, state)
}

fn decide(config: &str, state: &str, users: &[&str]) -> Run {
    let requests: Vec<String> = users
        .iter()
        .map(|user| request(user, &token(user)))
        .collect();
    run_once(
        &["decide", "--config", config, "--state", state],
        &requests.join("\n"),
    )
}

#[test]
fn a_run_begins_with_what_the_last_one_knew() {
    let (folder, config, state) = with_state("resumed");
    let run = decide(&config, &state, &["adele", "diego", "lee"]);
    assert_eq!(run.decisions(), ["challenge", "challenge", "allow"]);
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["cae.state", "cae.state.lock", "engine.json", "sets.jsonl"]
    );
}

#[test]
fn state_that_cannot_be_used_stops_everything_and_stays_as_it_is() {
    let (folder, config, state) = with_state("unusable-state");
    let good = fs::read(&state).unwrap();
    let mut damaged = good.clone();
    damaged[40] ^= 1;
    let mut newer = good.clone();
    newer[8] = 2;
    let checksum = crc32(&newer[..12]).to_le_bytes();
    newer[12..16].copy_from_slice(&checksum);
    for (bytes, parts) in [
        (
            damaged,
            [
                "byte 28 of the snapshot",
                "checksum does not fit",
                "a copy of it",
            ],
        ),
        (
            good[..good.len() - 1].to_vec(),
            ["byte ", "the end is missing", "a copy of it"],
        ),
        (
            newer,
            [
                "byte 0",
                "it has version 2, and this program reads version 1",
                "a later one",
            ],
        ),
        (Vec::new(), ["byte 0", "no snapshot", "name a file"]),
        (
            b"{\"records\":[]}\n".to_vec(),
            ["byte 0", "no snapshot", "name a file"],
        ),
    ] {
        fs::write(&state, &bytes).unwrap();
        for run in [
            decide(&config, &state, &["adele"]),
            run_once(&["state", "inspect", "--state", &state], ""),
            run_once(
                &[
                    "state",
                    "clear",
                    "user:adele",
                    "--config",
                    &config,
                    "--state",
                    &state,
                ],
                "",
            ),
        ] {
            assert_eq!((run.status, run.out.as_str()), (2, ""), "{run:?}");
            assert_eq!(run.err.lines().count(), 1);
            for part in parts.into_iter().chain(["cae.state: "]) {
                assert!(run.err.contains(part), "{part}: {}", run.err);
            }
        }
        assert_eq!(fs::read(&state).unwrap(), bytes);
    }
    fs::write(&state, good).unwrap();
    let held = folder.file("cae.state.held", "{\"transmitter\":7}\n");
    let run = decide(&config, &state, &["adele"]);
    assert!(
        run.status == 2 && run.err.contains("line 1 of the events that wait"),
        "{run:?}"
    );
    fs::remove_file(held).unwrap();
    assert_eq!(decide(&config, &state, &["adele"]).status, 0);
}

/// CRC-32 bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| {
        if crc & 1 == 1 {
            (crc >> 1) ^ 0xedb8_8320
        } else {
            crc >> 1
        }
    };
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), step)
    })
}

#[test]
fn two_runs_do_not_change_one_file() {
    let (folder, config, state) = with_state("locked");
    let lock = fs::File::open(format!("{}/cae.state.lock", folder.path())).unwrap();
    lock.lock().unwrap();
    let run = decide(&config, &state, &["adele"]);
    assert!(
        run.status == 2 && run.err.contains("another cae"),
        "{run:?}"
    );
    assert_eq!(
        run_once(&["state", "inspect", "--state", &state], "").status,
        0
    );
    drop(lock);
    assert_eq!(decide(&config, &state, &["adele"]).status, 0);
}

#[test]
fn what_is_known_is_shown_to_people_and_to_programs() {
    let (_folder, config, state) = with_state("inspect");
    let inspect = |more: &[&str]| {
        run_once(
            &[&["state", "inspect", "--state", &state][..], more].concat(),
            "",
        )
    };
    let summary = &inspect(&["--json"]).lines()[0];
    assert_eq!(summary["records"], 4);
    assert_eq!(
        summary["fields"],
        json!({"cutOff": 3, "mfaEnabled": 1, "status": 1})
    );
    assert_eq!(
        summary["snapshotBytes"],
        fs::metadata(&state).unwrap().len()
    );
    let people = inspect(&[]);
    assert!(
        people.status == 0 && people.out.contains("with cutOff") && people.err.is_empty(),
        "{people:?}"
    );

    let adele = inspect(&["user:adele", "--config", &config, "--json"]);
    let known = &adele.lines()[0];
    assert_eq!(
        (adele.status, &known["kind"], &known["scope"]),
        (0, &json!("user"), &json!(ISSUER))
    );
    assert_eq!(known["record"]["cutOff"]["cause"], "sessionRevoked");
    for same in [
        &["user:adele", "--issuer", ISSUER, "--json"][..],
        &[
            r#"{"format":"iss_sub","iss":"https://idp.example","sub":"adele"}"#,
            "--json",
        ],
        &[
            r#"{"format":"opaque","id":"adele"}"#,
            "--config",
            &config,
            "--json",
        ],
    ] {
        assert_eq!(inspect(same), adele, "{same:?}");
    }
    let key = known["key"].as_str().unwrap();
    assert_eq!(
        inspect(&[key, "--json"]).lines()[0]["record"],
        known["record"]
    );
    assert!(
        inspect(&["user:adele", "--config", &config])
            .out
            .contains("sessionRevoked")
    );
    assert_eq!(inspect(&["user:nobody", "--config", &config]).status, 1);
    let all = inspect(&["--all", "--json"]).lines();
    assert_eq!(all.len(), 4);
    assert!(all.is_sorted_by_key(|line| line["key"].as_str().unwrap().to_owned()));
    let whose = inspect(&["user:adele"]);
    assert!(
        whose.status == 2 && whose.err.contains("--issuer"),
        "{whose:?}"
    );
}

#[test]
fn what_is_cleared_has_its_neutral_value_and_older_events_change_nothing() {
    let (folder, config, state) = with_state("clear");
    let at = (NOW + 5).to_string();
    let clear = |subject: &str, more: &[&str]| {
        let clear = [
            "state", "clear", subject, "--config", &config, "--state", &state, "--at", &at,
        ];
        run_once(&[&clear[..], more].concat(), "")
    };
    let run = clear("user:adele", &[]);
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{run:?}");
    assert!(
        run.err
            .starts_with("note: 2027-01-15 08:00:05Z: cleared cutOff of the user with the key ")
            && run.err.ends_with(" of https://idp.example\n"),
        "{}",
        run.err
    );
    let run = clear("user:diego", &["--json"]);
    let cleared = &run.lines()[0];
    assert_eq!(cleared["cleared"], json!(["cutOff", "status"]));
    assert_eq!(cleared["before"]["status"][0]["value"], "disabled");
    assert_eq!(cleared["after"]["status"][0]["value"], "enabled");
    assert_eq!(cleared["after"]["cutOff"]["cause"], "cleared");
    assert_eq!(
        (&cleared["kept"], &cleared["at"]),
        (&json!([]), &json!(NOW + 5))
    );

    // The same events once more, and one that is still on its way.
    let signals = folder.file(
        "again.jsonl",
        [revocation("adele", NOW), revocation("lee", NOW)].join("\n"),
    );
    clear("user:lee", &[]);
    let requests = ["adele", "diego", "lee"].map(|user| request(user, &token(user)));
    let decide = [
        "decide",
        "--config",
        &config,
        "--state",
        &state,
        "--signals",
        &signals,
    ];
    let run = run_once(&decide, &requests.join("\n"));
    assert_eq!(run.decisions(), ["allow", "allow", "allow"]);

    // What happens later holds.
    let later = folder.file(
        "later.jsonl",
        json!({"record": {"scope": ISSUER, "kind": "user", "id": "adele",
        "cutOff": {"at": NOW + 9, "cause": "passwordChange"}}})
        .to_string(),
    );
    run_once(
        &[
            "decide",
            "--config",
            &config,
            "--state",
            &state,
            "--signals",
            &later,
        ],
        "",
    );
    let run = clear("user:adele", &["--json"]);
    assert_eq!(run.lines()[0]["kept"], json!(["cutOff"]));
    assert!(
        run.err.contains("warning: cutOff of the user"),
        "{}",
        run.err
    );
}

#[test]
fn cleaning_forgets_what_changes_no_decision() {
    let (_folder, config, state) = with_state("clean");
    let clean = |at: u64| {
        let at = at.to_string();
        run_once(
            &[
                "state", "clean", "--config", &config, "--state", &state, "--at", &at, "--json",
            ],
            "",
        )
    };
    assert_eq!(clean(NOW).lines()[0], json!({"forgotten": 0, "records": 4}));
    // Diego's status was set by a transmitter that does not act for the issuer: it stays until lifted.
    let run = clean(NOW + 3 * 86_400);
    assert_eq!(run.lines()[0], json!({"forgotten": 3, "records": 1}));
    assert!(
        run.err.starts_with("note: ") && run.err.lines().count() == 1,
        "{}",
        run.err
    );
}
