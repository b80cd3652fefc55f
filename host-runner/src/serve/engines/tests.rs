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
