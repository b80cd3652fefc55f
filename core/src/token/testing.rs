//! Configurations and tokens for the tests of this module.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::keys::KeySet;
use crate::configuration::issuer::Preset;
use crate::configuration::{Configuration, Issuer, Resource, Settings};
use crate::json::Value;

pub(super) const AUDIENCE: &str = "api://orders";
pub(super) const TENANT: &str = "f0480ff9-86dc-42cb-847e-ca11593942a4";
pub(super) const ENTRA: &str =
    "https://login.microsoftonline.com/f0480ff9-86dc-42cb-847e-ca11593942a4/v2.0";

/// A JWK of 2048 bits that verifies nothing.
pub(super) fn rsa_key(kid: &str) -> Value {
    let modulus = URL_SAFE_NO_PAD.encode([0xC1; 256]);
    json!({"kty": "RSA", "n": modulus, "e": "AQAB", "kid": kid})
}

/// An issuer with the defaults of its preset and one RSA key `k1`.
pub(super) fn issuer(preset: Preset, url: &str) -> Issuer {
    let mut faults = Vec::new();
    let jwks = json!({"keys": [rsa_key("k1")]});
    let keys = KeySet::read(&jwks, "", &mut faults);
    assert_eq!(faults, vec![]);
    Issuer {
        keys,
        audiences: vec![AUDIENCE.into()],
        ..preset.issuer_at(url)
    }
}

pub(super) fn configuration(issuers: Vec<Issuer>) -> Configuration {
    Configuration {
        resource: Resource::default(),
        issuers,
        transmitters: Vec::new(),
        settings: Settings::default(),
        notes: Vec::new(),
    }
}

/// A compact JWS with a signature that verifies with nothing.
pub(super) fn compact(header: &str, payload: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2lnbmF0dXJl", encode(header), encode(payload))
}

/// `base` with the members of `changes`; `null` removes one.
pub(super) fn changed(mut base: Value, changes: &Value) -> Value {
    let members = base.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    base
}
