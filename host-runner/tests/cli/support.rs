//! Runs the binary, and makes what it reads.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://idp.example";
pub(crate) const TRANSMITTER: &str = "https://ssf.example";

/// What a run came to.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What `cae decide` decided, line by line.
    pub(crate) fn decisions(&self) -> Vec<String> {
        let decision = |line: &Value| line.get("decision")?.as_str().map(str::to_owned);
        self.lines()
            .iter()
            .map(|line| decision(line).unwrap())
            .collect()
    }
}

pub(crate) fn command(arguments: &[&str]) -> Command {
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

/// Runs a command natively only: one that changes a file does not find the same again.
pub(crate) fn run_once(arguments: &[&str], input: &str) -> Run {
    run_engine("native", arguments, input)
}

/// Runs a command natively and, where the component was built, through it: the same in every byte.
pub(crate) fn run_everywhere(arguments: &[&str], input: &str) -> Run {
    let native = run_engine("native", arguments, input);
    let built = Path::new(env!("CARGO_BIN_EXE_cae"))
        .ancestors()
        .any(|folder| folder.join("cae/cae.component.wasm").is_file());
    if built || std::env::var_os("CAE_COMPONENT").is_some() {
        assert_eq!(run_engine("wasm", arguments, input), native);
    } else {
        assert!(
            std::env::var_os("CAE_REQUIRE_ARTEFACTS").is_none(),
            "there is no component: run `cargo xtask build`"
        );
        eprintln!("note: native only, there is no component: run `cargo xtask build`");
    }
    native
}

/// The same of a command that its arguments allow: what it complains about is one line for each fault.
pub(crate) fn run(arguments: &[&str], input: &str) -> Run {
    let native = run_everywhere(arguments, input);
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

/// The text of a scenario of this project.
pub(crate) fn scenario(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    fs::read_to_string(folder.join(name).with_extension("json")).unwrap()
}

/// A folder of its own for each test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("cae-cli-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let file = self.0.join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Signs with the key of RFC 8032 §7.1, test 1; its public half is in [`configuration`].
pub(crate) fn sign(typ: &str, claims: &Value) -> String {
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

/// The same key as a JWK (RFC 8037 appendix A.1).
pub(crate) const KEY: &str = r#"{"kty": "OKP", "crv": "Ed25519", "kid": "k",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// The payload of a compact JWT, as JSON.
pub(crate) fn payload(jwt: &str) -> String {
    let part = jwt.split('.').nth(1).unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub(crate) fn configuration() -> String {
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

pub(crate) fn token(subject: &str) -> String {
    let claims = json!({
        "iss": ISSUER, "aud": "api://orders", "sub": subject, "client_id": "mail", "jti": format!("token-{subject}"),
        "iat": NOW - 60, "exp": NOW + 3600
    });
    sign("at+jwt", &claims)
}

pub(crate) fn revocation(subject: &str, iat: u64) -> String {
    let claims = json!({
        "iss": TRANSMITTER, "aud": "https://api.example", "jti": format!("set-{subject}"), "iat": iat,
        "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": subject},
        "events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {"event_timestamp": iat}}
    });
    sign("secevent+jwt", &claims)
}

pub(crate) fn request(id: &str, token: &str) -> String {
    json!({"id": id, "token": token, "now": NOW, "clientIp": "203.0.113.7"}).to_string()
}
