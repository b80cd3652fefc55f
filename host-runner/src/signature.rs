//! Checks signatures with the cryptography of the host: `jsonwebtoken` on aws-lc-rs.
//!
//! The engine names the key and the algorithm (it holds the allow-list and binds keys to issuers); this module
//! only says whether the signature verifies. Whatever cannot be checked does not verify.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use cae_core::engine::SignatureNeed;
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};

use crate::digest::sha256;

/// Answers `needs.signature`, with the keys it has decoded and the tokens that were verified before.
#[derive(Debug)]
pub struct Signatures {
    keys: HashMap<String, CachedKey>,
    /// `None` where nothing comes twice.
    verified: Option<Arc<VerifiedTokens>>,
}

#[derive(Debug)]
struct CachedKey {
    jwk: String,
    key: Option<DecodingKey>,
}

impl Default for Signatures {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl Signatures {
    /// Most decoded keys that are kept; far more than any set of issuers has at a time.
    const MAX_KEYS: usize = 1024;

    /// Shares `verified` with other workers.
    #[must_use]
    pub fn new(verified: Arc<VerifiedTokens>) -> Self {
        install_provider();
        Self {
            keys: HashMap::new(),
            verified: Some(verified),
        }
    }

    /// Remembers keys only: for what comes once, such as security events.
    #[must_use]
    pub fn forgetful() -> Self {
        install_provider();
        Self {
            keys: HashMap::new(),
            verified: None,
        }
    }

    /// Whether the signature of `token`, a compact JWS, verifies as `need` asks.
    pub fn check(&mut self, token: &str, need: &SignatureNeed) -> bool {
        let Some(verified) = self.verified.clone() else {
            return self.verify(token, need).unwrap_or(false);
        };
        // The key's own text rather than its id: ids are unique within one key epoch only.
        let name = sha256(&[
            token.as_bytes(),
            need.algorithm.as_bytes(),
            need.key.as_bytes(),
        ]);
        if verified.contains(&name) {
            return true;
        }
        let valid = self.verify(token, need).unwrap_or(false);
        if valid {
            verified.insert(name);
        }
        valid
    }

    fn verify(&mut self, token: &str, need: &SignatureNeed) -> Option<bool> {
        let (message, signature) = token.split_at_checked(need.signing_input)?;
        let signature = signature.strip_prefix('.')?;
        let algorithm: Algorithm = need.algorithm.parse().ok()?;
        let key = self.key(need)?;
        if key.family() == AlgorithmFamily::Hmac && is_short(key, algorithm) {
            return None;
        }
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, algorithm).ok()
    }

    /// The decoded key; decoded once per key id and text.
    fn key(&mut self, need: &SignatureNeed) -> Option<&DecodingKey> {
        let known = self
            .keys
            .get(&need.key_id)
            .is_some_and(|cached| cached.jwk == need.key);
        if !known {
            if self.keys.len() >= Self::MAX_KEYS {
                self.keys.clear();
            }
            let key = serde_json::from_str::<Jwk>(&need.key)
                .ok()
                .and_then(|jwk| DecodingKey::from_jwk(&jwk).ok());
            let jwk = need.key.clone();
            self.keys
                .insert(need.key_id.clone(), CachedKey { jwk, key });
        }
        self.keys.get(&need.key_id)?.key.as_ref()
    }
}

/// Chooses the cryptography of `jsonwebtoken`, once.
pub(crate) fn install_provider() {
    // By name: `jsonwebtoken`'s own default depends on the features that other crates switch on. An error says that
    // the process chose a provider before, which is its right.
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    });
}

/// Which tokens were verified with which key, shared between the workers of a process.
///
/// Bounded without bookkeeping per token: when the newer half is full, it becomes the older half and what was
/// the older half is forgotten.
#[derive(Debug, Default)]
pub struct VerifiedTokens {
    halves: Mutex<Halves>,
}

#[derive(Debug, Default)]
struct Halves {
    newer: HashSet<[u8; 32]>,
    older: HashSet<[u8; 32]>,
}

impl VerifiedTokens {
    /// 32 bytes each: 8 MiB at most in both halves.
    const HALF: usize = 1 << 17;

    fn contains(&self, name: &[u8; 32]) -> bool {
        let mut halves = self.lock();
        if halves.newer.contains(name) {
            return true;
        }
        let found = halves.older.contains(name);
        if found {
            halves.insert(*name);
        }
        found
    }

    fn insert(&self, name: [u8; 32]) {
        self.lock().insert(name);
    }

    fn lock(&self) -> MutexGuard<'_, Halves> {
        // A set of digests is whole whatever a panicking worker was doing.
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn insert(&mut self, name: [u8; 32]) {
        if self.newer.len() >= VerifiedTokens::HALF {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(name);
    }
}

/// SPEC: RFC 7518 §3.2: the key of an HMAC must be at least as long as its hash.
fn is_short(key: &DecodingKey, algorithm: Algorithm) -> bool {
    let needed = match algorithm {
        Algorithm::HS256 => 32,
        Algorithm::HS384 => 48,
        Algorithm::HS512 => 64,
        // A key of another family: the verifier refuses it.
        _ => return true,
    };
    key.try_get_as_bytes().map_or(0, <[u8]>::len) < needed
}

#[cfg(test)]
mod tests;
