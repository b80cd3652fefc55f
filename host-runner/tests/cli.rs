//! The command line by its exit status, its output and its errors; where the component was built, through it and
//! through the native engine with the same bytes.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail loudly, as the test does"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://idp.example";
const TRANSMITTER: &str = "https://ssf.example";

/// What a run came to.
#[derive(Debug, Eq, PartialEq)]
struct Run {
    status: i32,
    out: String,
    err: String,
}

impl Run {
    fn lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cae"));
    command
        .args(arguments)
        .env_remove("COLUMNS")
        .env("LANG", "C.UTF-8")
        .stderr(Stdio::piped());
    command
}

fn run_engine(engine: &str, arguments: &[&str], input: &str) -> Run {
    let mut child = command(arguments)
        .args(["--engine", engine])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments does not read: that the pipe is closed then is no failure.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    Run {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command natively and, where the component was built, through it: the same in every byte.
fn run(arguments: &[&str], input: &str) -> Run {
    let native = run_engine("native", arguments, input);
    let built = Path::new(env!("CARGO_BIN_EXE_cae"))
        .ancestors()
        .any(|folder| folder.join("cae/cae.component.wasm").is_file());
    if built || std::env::var_os("CAE_COMPONENT").is_some() {
        assert_eq!(run_engine("wasm", arguments, input), native);
    } else {
        eprintln!("native only: no component, run `cargo xtask build`");
    }
    for line in native.err.lines() {
        assert!(
            line.starts_with("error: ") || line.starts_with("warning: "),
            "{line}"
        );
    }
    assert!(
        !native.out.contains('\u{1b}') && !native.err.contains('\u{1b}'),
        "colours outside a terminal"
    );
    native
}

/// A folder of its own for each test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("cae-cli-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let file = self.0.join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Signs with the key of RFC 8032 §7.1, test 1; its public half is in [`configuration`].
fn sign(typ: &str, claims: &Value) -> String {
    const SEED: [u8; 32] = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c,
        0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae,
        0x7f, 0x60,
    ];
    // SPEC: RFC 8410 §7: PKCS #8 around an Ed25519 seed.
    const PKCS8: [u8; 16] = [
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    let header = Header {
        typ: Some(typ.to_owned()),
        kid: Some("k".to_owned()),
        ..Header::new(Algorithm::EdDSA)
    };
    let key = EncodingKey::from_ed_der(&[PKCS8.as_slice(), &SEED].concat());
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

fn configuration() -> String {
    let jwks = json!({"keys": [{
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    }]});
    json!({
        "resource": {"audiences": ["api://orders"]},
        "issuers": [{
            "issuer": ISSUER, "claims": "rfc9068", "algorithms": ["EdDSA"], "jwks": jwks, "challenge": "oauth"
        }],
        "transmitters": [{
            "issuer": TRANSMITTER, "audience": "https://api.example", "algorithms": ["EdDSA"], "jwks": jwks,
            "speaksFor": [ISSUER]
        }]
    })
    .to_string()
}

fn token(subject: &str) -> String {
    let claims = json!({
        "iss": ISSUER, "aud": "api://orders", "sub": subject, "client_id": "mail", "jti": format!("token-{subject}"),
        "iat": NOW - 60, "exp": NOW + 3600
    });
    sign("at+jwt", &claims)
}

fn revocation(subject: &str, iat: u64) -> String {
    let claims = json!({
        "iss": TRANSMITTER, "aud": "https://api.example", "jti": format!("set-{subject}"), "iat": iat,
        "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": subject},
        "events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {"event_timestamp": iat}}
    });
    sign("secevent+jwt", &claims)
}

fn request(id: &str, token: &str) -> String {
    json!({"id": id, "token": token, "now": NOW, "clientIp": "203.0.113.7"}).to_string()
}

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
fn decide_answers_every_line_in_its_place() {
    let folder = Folder::new("decide");
    let config = folder.file("engine.json", configuration());
    let adele = token("adele");
    let mut forged = adele.clone();
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    let requests = [
        request("a", &adele),
        "{\"id\":\"b\",\"token\":\"x\",\"now\":1,\"ip\":\"192.0.2.1\"}".to_owned(),
        request("c", &forged),
        String::new(),
        "not json".to_owned(),
        json!({"id": 5, "token": null, "now": NOW}).to_string(),
        request("d", &adele),
    ];
    let run = run(&["decide", "--config", &config], &requests.join("\n"));
    assert_eq!(run.status, 2, "{run:?}");
    let lines = run.lines();
    assert_eq!(lines.len(), 6);
    assert!(
        run.out
            .starts_with(r#"{"id":"a","decision":"allow","status":200,"#),
        "{}",
        run.out
    );
    assert_eq!(lines[1], json!({"line": 2, "error": "/ip: unknown member"}));
    assert_eq!(lines[2]["decision"], "deny");
    assert_eq!(lines[2]["reasons"][0]["code"], "token_signature");
    assert_eq!(lines[3]["line"], 5);
    assert_eq!(
        (&lines[4]["id"], &lines[4]["reasons"][0]["code"]),
        (&json!(5), &json!("token_missing"))
    );
    assert_eq!(lines[5]["decision"], "allow");
    assert!(
        lines.iter().all(|line| line.get("checks").is_none()),
        "explained without being asked: {}",
        run.out
    );
}

#[test]
fn signals_are_applied_before_the_first_request() {
    let folder = Folder::new("signals");
    let config = folder.file("engine.json", configuration());
    let mut forged = revocation("megan", NOW);
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    let record = json!({"record": {"scope": ISSUER, "kind": "user", "id": "lee",
        "cutOff": {"at": NOW, "cause": "passwordChange"}}});
    let signals = [
        revocation("adele", NOW),
        json!({"set": revocation("diego", NOW - 3600), "receivedAt": NOW}).to_string(),
        forged,
        record.to_string(),
    ];
    let signals = folder.file("sets.jsonl", signals.join("\n"));
    let users = ["adele", "diego", "megan", "lee"];
    let requests: Vec<String> = users
        .iter()
        .map(|user| request(user, &token(user)))
        .collect();
    let arguments = [
        "decide",
        "--config",
        &config,
        "--signals",
        &signals,
        "--explain",
    ];
    let run = run(&arguments, &requests.join("\n"));
    assert_eq!(run.status, 0, "{run:?}");
    let lines = run.lines();
    let decisions: Vec<_> = lines
        .iter()
        .map(|line| line["decision"].as_str().unwrap())
        .collect();
    assert_eq!(decisions, ["challenge", "allow", "allow", "challenge"]);
    assert_eq!(lines[0]["reasons"][0]["code"], "session_revoked");
    assert_eq!(lines[3]["reasons"][0]["code"], "password_changed");
    assert!(lines.iter().all(|line| line["checks"].is_array()));
    assert_eq!(run.err.lines().count(), 1);
    assert!(run.err.contains("line 3: rejected: "), "{}", run.err);
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
fn an_answer_comes_before_the_next_question() {
    let folder = Folder::new("dialogue");
    let config = folder.file("engine.json", configuration());
    let mut child = command(&["decide", "--config", &config, "--engine", "native"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    let mut from = BufReader::new(child.stdout.take().unwrap()).lines();
    for id in ["a", "b"] {
        writeln!(to, "{}", request(id, &token("adele"))).unwrap();
        to.flush().unwrap();
        assert!(from.next().unwrap().unwrap().contains(id));
    }
    drop(to);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_reader_that_goes_away_ends_the_work_quietly() {
    let folder = Folder::new("pipe");
    let config = folder.file("engine.json", configuration());
    let mut child = command(&["decide", "--config", &config, "--engine", "native"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    let line = request("a", &token("adele"));
    writeln!(to, "{line}").unwrap();
    let mut from = BufReader::new(child.stdout.take().unwrap());
    from.read_line(&mut String::new()).unwrap();
    drop(from);
    // Until the other side notices: far more than the pipes hold.
    while writeln!(to, "{line}").is_ok() {}
    drop(to);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_scenario_is_replayed_for_programs_and_for_people() {
    let scenario =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios/user-revocation.json");
    let scenario = fs::read_to_string(scenario).unwrap();
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
