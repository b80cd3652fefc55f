//! Keys come, and go, while tokens are presented.

use std::sync::{Arc, Mutex};

use cae_host_runner::signing::SigningKey;
use cae_tests::server::{Said, Server};
use cae_tests::service::{Folder, Service, wait_for};
use serde_json::{Value, json};

use super::own::{ISSUER, Own, PUSHED, now};

fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Some("EdDSA"), Some(kid)).unwrap()
}

fn jwks(keys: &[&SigningKey]) -> Value {
    let keys: Vec<Value> = keys
        .iter()
        .map(|key| key.jwks().unwrap()["keys"][0].clone())
        .collect();
    json!({ "keys": keys })
}

fn token(key: &SigningKey, user: &str) -> String {
    let issued = now().saturating_sub(60);
    let claims = json!({
        "iss": ISSUER, "sub": user, "aud": "api://orders", "client_id": "app", "jti": user, "iat": issued,
        "exp": issued.saturating_add(3_600),
    });
    key.sign("at+jwt", &claims).unwrap()
}

#[test]
fn a_new_key_is_fetched_for_its_first_token_and_no_flood_fetches_more() {
    let folder = Folder::new("rotation");
    let (first, second, forged) = (key("first"), key("second"), key("forged"));
    let served: Arc<Mutex<Option<Value>>> = Arc::new(Mutex::new(Some(jwks(&[&first]))));
    let keys = Arc::clone(&served);
    let server = Server::start(move |_| match &*keys.lock().unwrap() {
        Some(keys) => Said::json(keys),
        None => Said::status(500, &json!({})),
    });
    let mut engine = Own::new().engine(&json!({}), &json!([]));
    let issuer = engine["issuers"][0].as_object_mut().unwrap();
    issuer.remove("jwks");
    issuer.insert(
        "jwksUri".to_owned(),
        format!("{}/keys", server.url()).into(),
    );
    folder.write("engine.json", &engine.to_string());
    let Some(mut service) = Service::start(&folder, PUSHED) else {
        return;
    };
    let (old, new) = (token(&first, "adele"), token(&second, "adele"));
    wait_for("the first key", || {
        service.authorize(&old, "/").status == 200
    });
    assert_eq!(server.asked("GET", "/keys").len(), 1);

    // Both keys are in use: the first token of the new one fetches it, before it is answered.
    *served.lock().unwrap() = Some(jwks(&[&first, &second]));
    assert_eq!(service.authorize(&new, "/").status, 200);
    assert_eq!(service.authorize(&old, "/").status, 200);
    assert_eq!(server.asked("GET", "/keys").len(), 2);
    for n in 0..50 {
        let forged = token(&forged, &n.to_string());
        assert_eq!(service.authorize(&forged, "/").status, 401);
    }
    assert_eq!(
        server.asked("GET", "/keys").len(),
        2,
        "a flood fetches nothing"
    );

    // Nobody answers any more: what was fetched last serves on, over a restart too.
    *served.lock().unwrap() = None;
    service.restart(&folder);
    wait_for("an attempt", || server.asked("GET", "/keys").len() >= 3);
    assert_eq!(service.authorize(&old, "/").status, 200);
    assert_eq!(service.authorize(&new, "/").status, 200);

    // The old key is withdrawn: what it signed is worth nothing from the next fetch on.
    *served.lock().unwrap() = Some(jwks(&[&second]));
    wait_for("the next fetch", || {
        service.authorize(&old, "/").status == 401
    });
    assert_eq!(service.authorize(&new, "/").status, 200);
}
