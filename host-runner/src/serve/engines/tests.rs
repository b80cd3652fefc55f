//! A fault of the engine costs an instance and one answer.

use cae_core::decision::Outcome;
use serde_json::json;

use super::*;
use crate::component::{Artefact, Bounds, EngineComponent};
use crate::signing::SigningKey;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

struct World {
    key: SigningKey,
    component: Arc<EngineComponent>,
}

impl World {
    /// With so little memory that a few large tokens are too much.
    fn new() -> Option<Self> {
        let built = std::env::current_exe().unwrap_or_default();
        let built = built
            .ancestors()
            .map(|it| it.join("cae/cae.component.wasm"))
            .find(|it| it.is_file());
        let artefact = Artefact::from_file(&built?).unwrap();
        let bounds = Bounds {
            memory: 6 << 20,
            ..Bounds::default()
        };
        Some(Self {
            key: SigningKey::generate(Some("EdDSA"), Some("k")).unwrap(),
            component: EngineComponent::load(&artefact, bounds).unwrap(),
        })
    }

    fn engines(&self, on_error: &str) -> Engines {
        let configuration = json!({
            "resource": {"audiences": ["api"]},
            "issuers": [{
                "issuer": "https://i.example", "claims": "rfc9068", "algorithms": ["EdDSA"],
                "jwks": self.key.jwks().unwrap(),
            }],
            "settings": {"onError": on_error},
        });
        let runtime = Runtime::Wasm(Arc::clone(&self.component));
        Engines::build(&runtime, configuration.to_string(), 1, &Arc::default()).unwrap()
    }

    fn token(&self, user: &str, padding: usize) -> String {
        let now = NOW.as_secs();
        let padding: Vec<String> = (0..padding).map(|n| format!("group-{n}")).collect();
        let claims = json!({
            "iss": "https://i.example", "sub": user, "aud": "api", "client_id": "c", "jti": user, "iat": now,
            "exp": now.saturating_add(600), "groups": padding,
        });
        self.key.sign("at+jwt", &claims).unwrap()
    }
}

fn decide(engines: &Engines, token: &str) -> Verdict {
    let request = Request {
        now: NOW,
        ..Request::default()
    };
    match engines.decide(
        token,
        &request,
        &StateTable::default(),
        &|_| None,
        false,
        Detail::None,
    ) {
        Decision::Made { verdict, .. } => verdict,
        Decision::Key(issuer) => panic!("the key of {issuer} is there"),
    }
}

#[test]
fn a_fault_is_answered_as_configured_counted_and_over() {
    let Some(world) = World::new() else {
        eprintln!("note: the component is not built, this is not checked: run `cargo xtask build`");
        return;
    };
    for (on_error, outcome, status) in
        [("deny", Outcome::Deny, 503), ("allow", Outcome::Allow, 200)]
    {
        let engines = world.engines(on_error);
        let known = world.token("adele", 0);
        assert_eq!(decide(&engines, &known).outcome, Outcome::Allow);
        let fault = (0..200).find_map(|n| {
            let verdict = decide(&engines, &world.token(&n.to_string(), 3_000));
            (engines.faults() > 0).then_some(verdict)
        });
        let fault = fault.expect("an instance with too little memory");
        assert_eq!((fault.outcome, fault.status), (outcome, status));
        assert_eq!(fault.reasons, ["engine_fault"]);
        assert_eq!(engines.faults(), 1);
        assert_eq!(
            decide(&engines, &known).outcome,
            Outcome::Allow,
            "a new instance"
        );
        assert_eq!(engines.faults(), 1);
    }
}

#[test]
fn an_answer_is_given_again_until_something_changes() {
    let key = SigningKey::generate(Some("EdDSA"), Some("k")).unwrap();
    let other = SigningKey::generate(Some("EdDSA"), Some("other")).unwrap();
    let configuration = json!({
        "resource": {"audiences": ["api"]},
        "issuers": [{
            "issuer": "https://i.example", "claims": "rfc9068", "algorithms": ["EdDSA"], "jwks": key.jwks().unwrap(),
        }],
        "transmitters": [{
            "issuer": "https://t.example", "audience": "api", "algorithms": ["EdDSA"], "jwks": key.jwks().unwrap(),
            "speaksFor": ["https://i.example"],
        }],
    });
    let engines = Engines::build(
        &Runtime::Native,
        configuration.to_string(),
        2,
        &Arc::default(),
    )
    .unwrap();
    let now = NOW.as_secs();
    let claims = json!({
        "iss": "https://i.example", "sub": "adele", "aud": "api", "client_id": "c", "jti": "1", "iat": now, "exp": now + 600,
    });
    let token = key.sign("at+jwt", &claims).unwrap();
    let ask = |state: &StateTable| {
        let request = Request {
            now: NOW,
            ..Request::default()
        };
        match engines.decide(&token, &request, state, &|_| None, true, Detail::None) {
            Decision::Made {
                verdict, identity, ..
            } => (verdict.outcome, identity.is_some()),
            Decision::Key(issuer) => panic!("the key of {issuer} is there"),
        }
    };
    let answered = || {
        let known = engines.instances.iter().flat_map(|it| {
            let instance = lock(it);
            let answered = instance
                .known
                .iter()
                .map(|(_, known)| known.answered.is_some());
            answered.collect::<Vec<_>>()
        });
        known.filter(|answered| *answered).count()
    };
    let mut state = StateTable::default();
    // It begins, is decided, and is answered from memory.
    for kept in [0, 1, 1] {
        assert_eq!(ask(&state), (Outcome::Allow, true));
        assert_eq!(answered(), kept);
    }
    let revoked = json!({
        "iss": "https://t.example", "aud": "api", "iat": now, "jti": "1",
        "sub_id": {"format": "iss_sub", "iss": "https://i.example", "sub": "adele"},
        "events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {"event_timestamp": now}},
    });
    let set = key.sign("secevent+jwt", &revoked).unwrap();
    let Ok(EventReading::Accepted(event)) = engines.read_event(&set, NOW, false) else {
        panic!("the event is not accepted");
    };
    for change in &event.changes {
        state.merge_bytes(&change.key, &change.record).unwrap();
    }
    assert_eq!(ask(&state).0, Outcome::Challenge, "an event counts at once");
    assert_eq!(ask(&StateTable::default()).0, Outcome::Allow);
    engines
        .set_keys("https://i.example", &other.jwks().unwrap().to_string())
        .unwrap();
    assert_eq!(
        ask(&StateTable::default()).0,
        Outcome::Deny,
        "so does a key that is gone"
    );
}
