//! The exit status of every command: 0 done, 1 the answer is no, 2 the input cannot be used.

use serde_json::json;

use crate::support::{
    Folder, KEY, NOW, configuration, payload, request, revocation, run_everywhere, run_once,
    scenario, token,
};

const LOCATIONS: &str = r##"[{"@odata.type": "#microsoft.graph.ipNamedLocation",
    "id": "0b1f9851-ff94-4e8d-8a05-0a1a1a0b1d11", "displayName": "Office", "isTrusted": true, "ipRanges":
    [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}]}]"##;
const POLICY: &str = r#"{"id": "6b5e0c5a-0d0f-4b0c-9d52-2b5a3f1f9d01", "state": "enabled", "conditions":
    {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
    "grantControls": {"operator": "OR", "builtInControls": ["block"]}}"#;
const CHALLENGE: &str =
    r#"Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ==""#;

/// One that manages its stream, where nobody answers.
const TRANSMITTER: &str = "[[transmitter]]\nname = \"nobody\"\nissuer = \"https://ssf.example\"\n\
    metadataUri = \"http://127.0.0.1:1/\"\ndelivery = \"poll\"\naccessTokenFile = \"token.jwt\"\n";

/// A word with `@` before it names a file of the folder.
#[test]
fn every_command_ends_as_the_table_says() {
    let folder = Folder::new("statuses");
    let story = scenario("user-revocation");
    let sound = token("adele");
    let mut forged = sound.clone();
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    for (name, text) in [
        ("engine.json", configuration()),
        ("faulty.json", r#"{"resource": {}}"#.to_owned()),
        ("none.json", "no JSON".to_owned()),
        ("sound.json", story.clone()),
        ("wrong.json", story.replacen(r#""allow""#, r#""deny""#, 1)),
        ("sign-ins.jsonl", r#"{"id": 1}"#.to_owned()),
        ("bad-sign-ins.jsonl", "{\"id\": 1}\n{\"ID\": 1}".to_owned()),
        ("none-yet.json", "[]".to_owned()),
        ("sets.jsonl", revocation("adele", NOW)),
        ("bad.jsonl", r#"{"record": 7}"#.to_owned()),
        ("policy.json", POLICY.to_owned()),
        ("locations.json", LOCATIONS.to_owned()),
        ("set.jwt", revocation("adele", NOW)),
        ("token.jwt", sound.clone()),
        ("payload.json", payload(&revocation("adele", NOW))),
        ("key.jwk", KEY.to_owned()),
        ("forged.jwt", forged.clone()),
        (
            "cae.toml",
            format!("engine = \"engine.json\"\n{TRANSMITTER}"),
        ),
        ("faulty.toml", "engine = \"faulty.json\"\n".to_owned()),
        ("none.toml", "engine = [".to_owned()),
    ] {
        folder.file(name, text);
    }
    let at_folder = |name: &str| format!("{}/{name}", folder.path());
    let begun = [
        ("--config", "engine.json"),
        ("--signals", "sets.jsonl"),
        ("--state", "cae.state"),
    ];
    let begun: Vec<String> = (begun.iter())
        .flat_map(|(option, name)| [(*option).to_owned(), at_folder(name)])
        .collect();
    let begun: Vec<&str> = begun.iter().map(String::as_str).collect();
    assert_eq!(run_once(&[&["decide"][..], &begun].concat(), "").status, 0);
    let other = token("megan");
    let asked = request("a", &sound);
    let unreadable = format!("{asked}\n{}", json!({"id": "b"}));
    let at = NOW.to_string();
    let replay = &["replay"][..];
    let decide = &["decide"];
    let check = &["policy", "check"];
    let locate = &["location", "match", "--named-locations"];
    let decode = &["event", "decode", "--received-at", &at];
    let make = &["event", "make"];
    let list = &["event", "list"];
    let parse = &["challenge", "parse"];
    let inspect = &["token", "inspect", "--at", &at];
    let what_if = &["what-if"];
    let look = &["state", "inspect", "--state"];
    let clear = &["state", "clear", "user:adele", "--state"];
    let release = &["state", "release", "https://ssf.example", "--state"];
    let clean = &["state", "clean", "--at", &at, "--state"];
    let serve = &["serve", "--check", "--config"];
    let stream = &["stream"];
    let issuer = &["issuer"];
    let bench = &["bench"];
    let schema = &["config", "schema"];
    let completions = &["completions"];
    let man = &["man"];
    for (command, arguments, input, status) in [
        (replay, &["@sound.json"][..], "", 0),
        (replay, &["@wrong.json"], "", 1),
        (replay, &["@none.json"], "", 2),
        (replay, &["@missing.json"], "", 2),
        (replay, &["@sound.json", "--loud"], "", 2),
        (decide, &["--config", "@engine.json"], &asked, 0),
        (decide, &["--config", "@engine.json"], "", 0),
        (decide, &["--config", "@engine.json"], &unreadable, 2),
        (decide, &["--config", "@faulty.json"], &asked, 2),
        (decide, &["--config", "@missing.json"], &asked, 2),
        (
            decide,
            &["--config", "@engine.json", "--signals", "@sets.jsonl"],
            &asked,
            0,
        ),
        (
            decide,
            &["--config", "@engine.json", "--signals", "@bad.jsonl"],
            &asked,
            2,
        ),
        (
            decide,
            &["--config", "@engine.json", "--signals", "@missing.jsonl"],
            &asked,
            2,
        ),
        (
            decide,
            &["--config", "@engine.json", "--policies", "x"],
            &asked,
            2,
        ),
        (decide, &[], &asked, 2),
        (check, &["@policy.json"], "", 0),
        (
            check,
            &["@policy.json", "--named-locations", "@locations.json"],
            "",
            0,
        ),
        (
            check,
            &["@policy.json", "--named-locations", "@none.json"],
            "",
            2,
        ),
        (check, &["@policy.json", "@none.json"], "", 2),
        (check, &["@policy.json", "@missing.json"], "", 2),
        (check, &["@policy.json", "--fix"], "", 2),
        (check, &[], "", 2),
        (
            what_if,
            &[
                "--policies",
                "@policy.json",
                "--sign-ins",
                "@sign-ins.jsonl",
            ],
            "",
            0,
        ),
        (
            what_if,
            &["--policies", "@policy.json", "--sign-ins", "-"],
            r#"{"id": 1}"#,
            0,
        ),
        (what_if, &["--policies", "@policy.json"], "", 0),
        (
            what_if,
            &[
                "--policies",
                "@policy.json",
                "--sign-ins",
                "@bad-sign-ins.jsonl",
            ],
            "",
            2,
        ),
        (
            what_if,
            &["--policies", "@none.json", "--sign-ins", "@sign-ins.jsonl"],
            "",
            2,
        ),
        (
            what_if,
            &["--policies", "@policy.json", "--sign-ins", "@missing.jsonl"],
            "",
            2,
        ),
        (
            what_if,
            &["--diff", "@none-yet.json", "@policy.json"],
            "",
            0,
        ),
        (
            what_if,
            &[
                "--diff",
                "@none-yet.json",
                "@policy.json",
                "--fail-on",
                "new-grants",
            ],
            "",
            0,
        ),
        (
            what_if,
            &[
                "--diff",
                "@none-yet.json",
                "@policy.json",
                "--fail-on",
                "new-grants,new-blocks",
            ],
            "",
            1,
        ),
        (
            what_if,
            &[
                "--diff",
                "@none-yet.json",
                "@policy.json",
                "--fail-on",
                "any",
                "--sign-ins",
                "@bad-sign-ins.jsonl",
            ],
            "",
            2,
        ),
        (
            what_if,
            &[
                "--diff",
                "@none-yet.json",
                "@policy.json",
                "--fail-on",
                "new",
            ],
            "",
            2,
        ),
        (
            what_if,
            &[
                "--diff",
                "@none-yet.json",
                "@policy.json",
                "--html",
                "@no/folder.html",
            ],
            "",
            2,
        ),
        (what_if, &["--diff", "@policy.json"], "", 2),
        (
            what_if,
            &["--policies", "@policy.json", "--fail-on", "any"],
            "",
            2,
        ),
        (what_if, &[], "", 2),
        (
            locate,
            &["@locations.json", "203.0.113.7", "2001:db8::1"],
            "",
            0,
        ),
        (locate, &["@locations.json", "203.0.113.7", "here"], "", 2),
        (locate, &["@none.json", "203.0.113.7"], "", 2),
        (locate, &["@missing.json", "203.0.113.7"], "", 2),
        (locate, &["@locations.json", "203.0.113.7", "--near"], "", 2),
        (locate, &["@locations.json"], "", 2),
        (decode, &["@set.jwt", "--config", "@engine.json"], "", 0),
        (decode, &["@set.jwt"], "", 0),
        (decode, &["-"], &sound, 1),
        (decode, &["@forged.jwt", "--config", "@engine.json"], "", 1),
        (decode, &["@none.json", "--unsigned"], "", 1),
        (
            decode,
            &["@set.jwt", "@forged.jwt", "--config", "@engine.json"],
            "",
            1,
        ),
        (decode, &["@set.jwt", "@missing.jwt"], "", 2),
        (decode, &["@set.jwt", "--config", "@faulty.json"], "", 2),
        (
            decode,
            &["@set.jwt", "--config", "@engine.json", "--unsigned"],
            "",
            1,
        ),
        (
            decode,
            &["@payload.json", "--config", "@engine.json", "--unsigned"],
            "",
            0,
        ),
        (
            decode,
            &[
                "@set.jwt",
                "--config",
                "@engine.json",
                "--against",
                "@token.jwt",
            ],
            "",
            0,
        ),
        (
            decode,
            &["@set.jwt", "--config", "@engine.json", "--against", &other],
            "",
            0,
        ),
        (
            decode,
            &["@set.jwt", "--config", "@engine.json", "--against", "-"],
            &sound,
            0,
        ),
        (
            decode,
            &[
                "@forged.jwt",
                "--config",
                "@engine.json",
                "--against",
                "@token.jwt",
            ],
            "",
            1,
        ),
        (
            decode,
            &[
                "@set.jwt",
                "--config",
                "@engine.json",
                "--against",
                "no token",
            ],
            "",
            2,
        ),
        (
            decode,
            &["-", "--config", "@engine.json", "--against", "-"],
            &sound,
            2,
        ),
        (decode, &["@set.jwt", "--against", "@token.jwt"], "", 2),
        (
            make,
            &[
                "session-revoked",
                "--subject",
                "user:adele",
                "--unsigned",
                "--issued-at",
                &at,
                "--jti",
                "x",
            ],
            "",
            0,
        ),
        (
            make,
            &[
                "session-revoked",
                "--subject",
                "user:adele",
                "--key",
                "@key.jwk",
                "--issued-at",
                &at,
                "--jti",
                "x",
            ],
            "",
            0,
        ),
        (make, &["session-revoked"], "", 2),
        (make, &["session-revokd", "--subject", "user:adele"], "", 2),
        (make, &["session-revoked", "--subject", "adele"], "", 2),
        (
            make,
            &[
                "risk-level-change",
                "--subject",
                "user:adele",
                "--set",
                "current_level=EXTREME",
            ],
            "",
            2,
        ),
        (
            make,
            &[
                "session-revoked",
                "--subject",
                "user:adele",
                "--key",
                "@none.json",
            ],
            "",
            2,
        ),
        (
            make,
            &[
                "session-revoked",
                "--subject",
                "user:adele",
                "--config",
                "@faulty.json",
            ],
            "",
            2,
        ),
        (
            make,
            &[
                "session-revoked",
                "--subject",
                "user:adele",
                "--unsigned",
                "--claim",
                "sub=x",
            ],
            "",
            2,
        ),
        (
            make,
            &["session-revoked", "--subject", "user:adele", "--at", "soon"],
            "",
            2,
        ),
        (make, &[], "", 2),
        (list, &[], "", 0),
        (list, &["risk"], "", 0),
        (list, &["--markdown"], "", 0),
        (list, &["no such event"], "", 1),
        (list, &["--yaml"], "", 2),
        (decode, &["@set.jwt", "--verify"], "", 2),
        (decode, &[], "", 2),
        (parse, &[CHALLENGE], "", 0),
        (parse, &["Bearer realm=\"a\""], "", 1),
        (
            parse,
            &["Bearer error=\"insufficient_claims\", claims=\"%\""],
            "",
            2,
        ),
        (parse, &[CHALLENGE, "--lenient"], "", 2),
        (parse, &[], "", 2),
        (inspect, &["-", "--config", "@engine.json"], &sound, 0),
        (inspect, &[&sound], "", 0),
        (inspect, &["-", "--config", "@engine.json"], &forged, 1),
        (inspect, &["-"], "no token", 2),
        (inspect, &["-"], "", 2),
        (inspect, &["-", "--config", "@faulty.json"], &sound, 2),
        (inspect, &["-", "--config", "@missing.json"], &sound, 2),
        (inspect, &["-", "--verify"], &sound, 2),
        (
            decide,
            &["--config", "@engine.json", "--state", "@cae.state"],
            &asked,
            0,
        ),
        (
            decide,
            &["--config", "@engine.json", "--state", "@none.json"],
            &asked,
            2,
        ),
        (
            decide,
            &["--config", "@engine.json", "--state", "-"],
            &asked,
            2,
        ),
        (look, &["@cae.state"], "", 0),
        (look, &["@cae.state", "--all"], "", 0),
        (
            look,
            &["@cae.state", "user:adele", "--config", "@engine.json"],
            "",
            0,
        ),
        (
            look,
            &["@cae.state", "user:lee", "--config", "@engine.json"],
            "",
            1,
        ),
        (look, &["@cae.state", "adele"], "", 2),
        (look, &["@none.json"], "", 2),
        (look, &["@missing.state"], "", 2),
        (look, &[], "", 2),
        (clear, &["@none.json", "--config", "@engine.json"], "", 2),
        (
            clear,
            &["@missing.state", "--config", "@engine.json"],
            "",
            2,
        ),
        (clear, &["@cae.state", "--config", "@faulty.json"], "", 2),
        (
            clear,
            &[
                "@cae.state",
                "--config",
                "@engine.json",
                "--issuer",
                "https://other.example",
            ],
            "",
            2,
        ),
        (clear, &["@cae.state"], "", 2),
        (release, &["@cae.state"], "", 1),
        (release, &["@missing.state"], "", 2),
        (clean, &["@cae.state", "--config", "@engine.json"], "", 0),
        (clean, &["@none.json", "--config", "@engine.json"], "", 2),
        (clean, &["@cae.state"], "", 2),
        (serve, &["@cae.toml"], "", 0),
        (serve, &["@faulty.toml"], "", 2),
        (serve, &["@none.toml"], "", 2),
        (serve, &["@missing.toml"], "", 2),
        (serve, &[], "", 2),
        (stream, &["list", "nobody", "--config", "@cae.toml"], "", 2),
        (stream, &["list", "other", "--config", "@cae.toml"], "", 2),
        (stream, &["list", "nobody", "--config", "@none.toml"], "", 2),
        (stream, &["move", "nobody", "--config", "@cae.toml"], "", 2),
        (
            issuer,
            &["do", "revoke", "adele", "--at", "http://127.0.0.1:1"],
            "",
            2,
        ),
        (issuer, &["do", "promote", "adele"], "", 2),
        (issuer, &["dev", "--listen", "nowhere"], "", 2),
        (bench, &["serve", "--seconds", "0"], "", 2),
        (bench, &["serve", "--subjects", "many"], "", 2),
        (bench, &[], "", 2),
        (schema, &[], "", 0),
        (schema, &["--scenario"], "", 0),
        (schema, &["--yaml"], "", 2),
        (man, &[], "", 0),
        (man, &["--out", "no/folder"], "", 2),
        (completions, &["bash"], "", 0),
        (completions, &["tcsh"], "", 2),
        (completions, &[], "", 2),
    ] {
        let arguments: Vec<String> = command
            .iter()
            .chain(arguments)
            .map(|word| match word.strip_prefix('@') {
                Some(file) => at_folder(file),
                None => (*word).to_owned(),
            })
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let run = run_everywhere(&arguments, input);
        assert_eq!(run.status, status, "{arguments:?}: {run:?}");
        assert!(
            status != 2 || run.err.starts_with("error: ") || !run.out.is_empty(),
            "nothing says why: {arguments:?}: {run:?}"
        );
    }
}
