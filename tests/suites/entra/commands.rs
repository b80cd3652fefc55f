//! `cae entra` as an operator uses it, and both ways to be believed by Entra.

use std::io::Write as _;
use std::process::{Command, Stdio};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cae_tests::graph::{CLIENT, TENANT};
use cae_tests::service::{certify, command, wait_for};
use serde_json::{Value, json};

use super::own::{ADELE, Setup};
use super::policies::block;

struct Ended {
    status: Option<i32>,
    out: String,
    err: String,
}

fn run(arguments: &[&str], input: &str) -> Option<Ended> {
    let mut command: Command = command(arguments)?;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    Some(Ended {
        status: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    })
}

#[test]
fn policies_are_exported_for_what_if() {
    let setup = Setup::new("entra-export");
    {
        let mut state = setup.graph.state();
        state.page = 1;
        state.policies.policies = vec![block(1, "enabled"), block(2, "disabled")];
        state.policies.authentication_contexts =
            vec![json!({"id": "c1", "displayName": "c", "isAvailable": true})];
    }
    let text = format!(
        "[engine.resource]\naudiences = [\"a\"]\n{}",
        setup.graph.block()
    );
    let config = setup.folder.write("cae.toml", &text);
    let config = config.to_str().unwrap();
    let folder = setup.folder.path().join("out");
    let to = folder.to_str().unwrap();
    let export = || run(&["entra", "export", "--config", config, "--to", to], "");
    let Some(ended) = export() else {
        return;
    };
    assert_eq!(ended.status, Some(0), "{}", ended.err);
    let read = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
    };
    assert_eq!(read("policies.json")["value"].as_array().unwrap().len(), 2);
    assert_eq!(read("authentication-contexts.json")["value"][0]["id"], "c1");
    let [policies, locations] =
        ["policies.json", "named-locations.json"].map(|name| format!("{to}/{name}"));
    let what_if = [
        "what-if",
        "--policies",
        &policies,
        "--named-locations",
        &locations,
    ];
    let ended = run(&what_if, "").unwrap();
    assert_eq!(ended.status, Some(0), "{}", ended.err);
    // Half an export is none: what was there stays.
    setup.graph.state().policies.policies.clear();
    setup
        .graph
        .state()
        .forbidden
        .push("authenticationStrengthPolicies");
    assert_eq!(export().unwrap().status, Some(2));
    assert_eq!(read("policies.json")["value"].as_array().unwrap().len(), 2);
    // A wrong secret is said without being shown.
    setup.folder.write("secret", "wrong-secret");
    let ended = export().unwrap();
    assert_eq!(ended.status, Some(2));
    assert!(
        ended.err.contains("AADSTS7000215") && !ended.err.contains("wrong-secret"),
        "{}",
        ended.err
    );
}

#[test]
fn the_running_service_is_told_to_read_everything() {
    let Some(world) = Setup::new("entra-command").start(&json!({}), "pollSeconds = 3600\n") else {
        return;
    };
    wait_for("the first round", || world.has_read("users"));
    let token = world.token(ADELE);
    world
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": false}));
    let config = world.folder.path().join("cae.toml");
    let sync = |more: &[&str]| {
        let all = [
            &["entra", "sync", "--config", config.to_str().unwrap()],
            more,
        ]
        .concat();
        run(&all, "").unwrap()
    };
    let ended = sync(&[]);
    assert_eq!(ended.status, Some(0), "{}", ended.err);
    assert!(ended.out.contains("users: read"), "{}", ended.out);
    assert_eq!(world.status(&token), 401);
    world.graph.state().forbidden.push("riskyUsers");
    let ended = sync(&["--json"]);
    assert_eq!(ended.status, Some(1));
    let answer: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(answer["features"]["userRisk"]["read"], false, "{answer}");
    let ended = sync(&["--url", "http://127.0.0.1:1"]);
    assert_eq!(ended.status, Some(2));
    assert!(
        ended.err.contains("is `cae serve` running"),
        "{}",
        ended.err
    );
}

#[test]
fn a_legacy_setting_becomes_a_policy() {
    let setup = Setup::new("entra-migrate");
    let setting = json!({
        "@odata.context": "x", "id": "continuousAccessEvaluationPolicy", "displayName": "Continuous Access Evaluation",
        "description": "", "isEnabled": true, "users": [ADELE], "groups": [], "migrate": false,
    });
    let Some(ended) = run(
        &["entra", "migrate-settings", "-", "--json"],
        &setting.to_string(),
    ) else {
        return;
    };
    assert_eq!(ended.status, Some(0), "{}", ended.err);
    let policy: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        policy["conditions"]["users"]["excludeUsers"],
        json!([ADELE])
    );
    // The engine knows what it made.
    let file = setup.folder.write("policy.json", &{
        let mut policy = policy.clone();
        policy["id"] = json!("00000001-0000-4000-8000-000000000009");
        policy.to_string()
    });
    let ended = run(&["policy", "check", file.to_str().unwrap()], "").unwrap();
    assert_eq!(ended.status, Some(0), "{} {}", ended.out, ended.err);
    // From the tenant itself, and from one that never had it.
    let text = format!(
        "[engine.resource]\naudiences = [\"a\"]\n{}",
        setup.graph.block()
    );
    let config = setup.folder.write("cae.toml", &text);
    let fetched = || {
        run(
            &[
                "entra",
                "migrate-settings",
                "--config",
                config.to_str().unwrap(),
            ],
            "",
        )
        .unwrap()
    };
    assert_eq!(fetched().status, Some(1));
    setup.graph.state().policies.legacy =
        Some(json!({"isEnabled": false, "users": [], "groups": [], "migrate": true}));
    let ended = fetched();
    assert_eq!(ended.status, Some(1), "{}", ended.out);
    assert!(ended.err.contains("migrated already"), "{}", ended.err);
    setup.graph.state().policies.legacy =
        Some(json!({"isEnabled": false, "users": [], "groups": [], "migrate": false}));
    let ended = fetched();
    assert_eq!(ended.status, Some(0), "{}", ended.err);
    assert!(ended.out.contains("\"disabled\""), "{}", ended.out);
    assert_eq!(
        run(&["entra", "migrate-settings", "-"], "{}")
            .unwrap()
            .status,
        Some(2)
    );
}

#[test]
fn the_manifest_asks_for_what_token_inspect_misses() {
    let Some(ended) = run(&["entra", "manifest", "--json"], "") else {
        return;
    };
    let fragment: Value = serde_json::from_str(&ended.out).unwrap();
    let claims = fragment["optionalClaims"]["accessToken"]
        .as_array()
        .unwrap();
    let asked: Vec<&str> = claims
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    let text = run(&["entra", "manifest"], "").unwrap().out;
    // Another version of tokens is another issuer and audience: whoever pastes it has to know.
    assert_eq!(fragment["api"]["requestedAccessTokenVersion"], 2);
    for said in [&text, &ended.err] {
        for word in [
            "requestedAccessTokenVersion 2",
            "sts.windows.net",
            "client id",
            "amr",
        ] {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "ver": "2.0", "tid": TENANT, "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "aud": CLIENT, "oid": ADELE, "sub": ADELE, "azp": CLIENT, "scp": "read",
        "iat": 1_700_000_000, "nbf": 1_700_000_000, "exp": 1_700_004_000,
    });
    let token = format!(
        "{}.{}.AA",
        part(&json!({"alg": "RS256", "typ": "JWT", "kid": "k"})),
        part(&claims)
    );
    let ended = run(&["token", "inspect", "-", "--json"], &token).unwrap();
    let inspection: Value = serde_json::from_str(&ended.out).unwrap();
    let warned: Vec<&str> = inspection["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["claim"].as_str().unwrap())
        .collect();
    assert!(warned.len() >= 7, "{warned:?}");
    for claim in warned {
        assert!(
            asked.contains(&claim),
            "{claim} is not asked for: {asked:?}"
        );
        assert!(text.contains(&format!("{claim}: ")), "{claim}: {text}");
    }
}

#[test]
fn a_certificate_is_as_good_as_a_secret() {
    let setup = Setup::new("entra-certificate");
    if !certify(&setup.folder) {
        return;
    }
    let block = setup.graph.block().replace(
        "clientSecretFile = \"secret\"",
        "certificateFile = \"certificate.pem\"\nprivateKeyFile = \"key.pem\"",
    );
    setup
        .folder
        .write("engine.json", &setup.engine(&json!({})).to_string());
    let configuration = format!("engine = \"engine.json\"\n{block}pollSeconds = 1\n");
    let Some(service) = cae_tests::service::Service::start(&setup.folder, &configuration) else {
        return;
    };
    wait_for("the first round", || {
        service
            .metric(r#"cae_entra_last_sync_seconds{feature="users"}"#)
            .unwrap_or(0.0)
            > 0.0
    });
    let asked = setup
        .graph
        .asked("POST", &format!("/{TENANT}/oauth2/v2.0/token"));
    let form = &asked[0].text;
    let assertion = form
        .split('&')
        .find_map(|it| it.strip_prefix("client_assertion="))
        .unwrap();
    let pem = std::fs::read_to_string(setup.folder.path().join("certificate.pem")).unwrap();
    let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let thumbprint = digest(&SHA256, &STANDARD.decode(der).unwrap());
    let header = jsonwebtoken::decode_header(assertion).unwrap();
    assert_eq!(
        header.x5t_s256,
        Some(URL_SAFE_NO_PAD.encode(thumbprint.as_ref()))
    );
    // What it says is signed by the key of the certificate.
    let key = std::fs::read(setup.folder.path().join("key.pem")).unwrap();
    let jwks = cae_host_runner::signing::SigningKey::read(&key, Some("PS256"), None)
        .unwrap()
        .jwks()
        .unwrap();
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwks["keys"][0].clone()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::PS256);
    validation.set_audience(&[format!("{}/{TENANT}/oauth2/v2.0/token", setup.graph.url())]);
    validation.set_issuer(&[CLIENT]);
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let claims = jsonwebtoken::decode::<Value>(assertion, &key, &validation)
        .unwrap()
        .claims;
    assert_eq!(claims["sub"], CLIENT);
    assert!(claims["jti"].as_str().unwrap().len() >= 16);
}
