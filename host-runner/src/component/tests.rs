use std::path::PathBuf;

use cae_core::decision::{Answers, Request};
use cae_core::engine::{Begun, Conversation as _, Decided, Detail};
use cae_core::time::UnixTime;
use jsonwebtoken::{Algorithm, EncodingKey, Header};

use super::*;

const CONFIGURATION: &str = r#"{
    "resource": {"audiences": ["api://orders"]},
    "issuers": [{
        "issuer": "https://idp.example", "claims": "rfc9068", "algorithms": ["EdDSA"], "challenge": "oauth",
        "jwks": {"keys": [{
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        }]}
    }]
}"#;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// A token that `begin` accepts. Its signature is the host's to check, which nobody does here.
fn token(subject: &str) -> String {
    let header = Header {
        typ: Some("at+jwt".to_owned()),
        kid: Some("k".to_owned()),
        ..Header::new(Algorithm::EdDSA)
    };
    let claims = serde_json::json!({
        "iss": "https://idp.example", "aud": "api://orders", "sub": subject, "client_id": "mail", "jti": subject,
        "iat": NOW.as_secs(), "exp": NOW.as_secs().saturating_add(3600)
    });
    // SPEC: RFC 8410 §7: PKCS #8 around an Ed25519 seed.
    let mut pkcs8 = vec![
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    pkcs8.extend([7; 32]);
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_der(&pkcs8)).unwrap()
}

/// The component that was built, or a note that there is none.
fn artefact() -> Option<Artefact> {
    let named = std::env::var_os("CAE_COMPONENT").map(PathBuf::from);
    let found = named.map_or_else(Artefact::find, |file| Artefact::from_file(&file));
    if found.is_err() {
        eprintln!("skipped: no component, run `cargo xtask build`");
    }
    found.ok()
}

fn load(bounds: Bounds) -> Option<Arc<EngineComponent>> {
    Some(EngineComponent::load(&artefact()?, bounds).unwrap())
}

fn begin(engine: &mut WasmEngine) -> Result<Begun, EngineError> {
    engine.begin("no token", NOW, Detail::None)
}

#[test]
fn a_call_past_its_deadline_costs_the_instance_and_nothing_else() {
    let Some(component) = load(Bounds::default()) else {
        return;
    };
    let mut engine = WasmEngine::new(component, CONFIGURATION).unwrap();
    let answer = begin(&mut engine).unwrap();
    let late = engine.call(Time::Bounded, |guest, mut store, engine, _| {
        // As if the clock had ticked on while the guest was running.
        for _ in 0..=Time::Bounded.ticks() {
            store.engine().increment_epoch();
        }
        guest.call_begin(
            &mut store,
            engine,
            "no token",
            0,
            super::convert::detail(Detail::None),
        )
    });
    assert_eq!(
        late.unwrap_err(),
        EngineError::Deadline(Bounds::default().deadline)
    );
    assert_eq!(begin(&mut engine).unwrap(), answer);
}

#[test]
fn reading_a_configuration_has_no_deadline() {
    let Some(component) = load(Bounds::default()) else {
        return;
    };
    let mut engine = WasmEngine::new(component, CONFIGURATION).unwrap();
    let late = engine.call(Time::Unbounded, |guest, mut store, engine, _| {
        for _ in 0..=Time::Bounded.ticks() {
            store.engine().increment_epoch();
        }
        guest.call_reconfigure(&mut store, engine, CONFIGURATION)
    });
    assert_eq!(late.as_deref(), Ok("[]"));
}

#[test]
fn a_failed_call_leaves_no_instance_behind() {
    let Some(component) = load(Bounds::default()) else {
        return;
    };
    let mut engine = WasmEngine::new(component, CONFIGURATION).unwrap();
    let failed: Result<(), _> = engine.call(Time::Bounded, |_, _, _, _| {
        Err(Trap::UnreachableCodeReached.into())
    });
    assert!(matches!(failed, Err(EngineError::Trap(_))), "{failed:?}");
    assert!(format!("{engine:?}").contains("running: false"));
    assert!(begin(&mut engine).is_ok());
}

#[test]
fn the_handles_of_another_instance_are_stale() {
    let Some(component) = load(Bounds::default()) else {
        return;
    };
    let mut engine = WasmEngine::new(component, CONFIGURATION).unwrap();
    let handle_of = |engine: &mut WasmEngine, subject| match engine
        .begin(&token(subject), NOW, Detail::None)
        .unwrap()
    {
        Begun::Needs { handle, .. } => handle,
        Begun::Refused(verdict) => panic!("{verdict:?}"),
    };
    let decide = |engine: &mut WasmEngine, handle| {
        let request = Request {
            now: NOW,
            ..Request::default()
        };
        engine
            .decide(handle, &request, &Answers::default(), Detail::None)
            .unwrap()
    };
    let before = handle_of(&mut engine, "adele");
    let failed: Result<(), _> = engine.call(Time::Bounded, |_, _, _, _| {
        Err(Trap::UnreachableCodeReached.into())
    });
    failed.unwrap_err();
    let after = handle_of(&mut engine, "megan");
    assert_ne!(before, after);
    assert_eq!(decide(&mut engine, before), Decided::Stale);
    assert!(matches!(decide(&mut engine, after), Decided::Verdict(_)));
}

#[test]
fn memory_is_bounded_from_the_start_and_while_running() {
    let tiny = Bounds {
        memory: 1 << 16,
        ..Bounds::default()
    };
    let Some(component) = load(tiny) else { return };
    let refused = WasmEngine::new(component, CONFIGURATION);
    assert_eq!(refused.unwrap_err(), EngineError::Memory(tiny.memory));

    let small = Bounds {
        memory: 8 << 20,
        ..Bounds::default()
    };
    let Some(component) = load(small) else { return };
    let mut engine = WasmEngine::new(component, CONFIGURATION).unwrap();
    let answer = begin(&mut engine).unwrap();
    let large = engine.begin(&"x".repeat(16 << 20), UnixTime::default(), Detail::None);
    assert_eq!(large.unwrap_err(), EngineError::Memory(small.memory));
    assert_eq!(begin(&mut engine).unwrap(), answer);
}

#[test]
fn a_configuration_is_refused_with_its_faults() {
    let Some(component) = load(Bounds::default()) else {
        return;
    };
    let refused = WasmEngine::new(component, "no configuration").unwrap_err();
    let EngineError::Configuration(faults) = refused else {
        panic!("{refused:?}")
    };
    assert!(faults.starts_with(r#"[{"at":""#), "{faults}");
}

#[test]
fn what_is_no_component_is_refused() {
    let file = std::env::temp_dir().join(format!("cae-no-component-{}.wasm", std::process::id()));
    std::fs::write(&file, b"\0asm").unwrap();
    let loaded = EngineComponent::load(&Artefact::from_file(&file).unwrap(), Bounds::default());
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(loaded, Err(EngineError::Start(_))));
    assert!(matches!(
        Artefact::from_file(&file),
        Err(EngineError::Start(_))
    ));
}

/// The compiled form is taken over only from a file that is this user's alone, whole and up to date.
#[cfg(unix)]
#[test]
fn only_what_was_written_here_is_taken_over() {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    let Some(artefact) = artefact() else { return };
    let folder = std::env::temp_dir().join(format!("cae-artefact-{}", std::process::id()));
    let compiled = folder.join("cae.component.cwasm");
    let artefact = artefact.kept_in(&compiled);
    let engine = Engine::new(Config::new().epoch_interruption(true)).unwrap();
    artefact.compile(&engine).unwrap();
    let written = fs::read(&compiled).unwrap();
    let mode = fs::metadata(&compiled).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(artefact.load_compiled(&engine).is_some());

    fs::set_permissions(&compiled, fs::Permissions::from_mode(0o660)).unwrap();
    assert!(
        artefact.load_compiled(&engine).is_none(),
        "writable by others"
    );
    fs::set_permissions(&compiled, fs::Permissions::from_mode(0o600)).unwrap();
    let other = Engine::new(&Config::new()).unwrap();
    assert!(artefact.load_compiled(&other).is_none(), "other settings");
    let mut damaged = written.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for bytes in [damaged.as_slice(), &written[..written.len() / 2], b""] {
        fs::write(&compiled, bytes).unwrap();
        assert!(artefact.load_compiled(&engine).is_none(), "damaged");
    }
    artefact.compile(&engine).unwrap();
    assert_eq!(fs::read(&compiled).unwrap(), written, "written anew");
    fs::remove_dir_all(&folder).unwrap();
}
