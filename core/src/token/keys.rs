//! Keys of issuers and transmitters, and which of them may verify a token.
//!
//! A key carries its type, so that a token's `alg` can never turn it into something else (RFC 8725 §3.1): an
//! RSA public key is never an HMAC secret, a P-384 key never verifies ES256.

use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::preset;
use crate::configuration::Fault;
use crate::json::Value;

mod jwk;

pub use jwk::Key;

macro_rules! algorithms {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal),+ $(,)?) => {
        /// A JWS algorithm that this engine knows (RFC 7518 §3.1, RFC 8037 §3.1). There is no `none`.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Algorithm {
            $($(#[doc = $doc])+ $variant),+
        }

        impl Algorithm {
            /// All algorithms.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in `alg`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The algorithm with exactly this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

algorithms! {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256 = "RS256",
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384 = "RS384",
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512 = "RS512",
    /// RSASSA-PSS with SHA-256.
    Ps256 = "PS256",
    /// RSASSA-PSS with SHA-384.
    Ps384 = "PS384",
    /// RSASSA-PSS with SHA-512.
    Ps512 = "PS512",
    /// ECDSA on P-256 with SHA-256.
    Es256 = "ES256",
    /// ECDSA on P-384 with SHA-384.
    Es384 = "ES384",
    /// Ed25519.
    EdDsa = "EdDSA",
    /// HMAC with SHA-256; only with a key declared `oct`.
    Hs256 = "HS256",
    /// HMAC with SHA-384; only with a key declared `oct`.
    Hs384 = "HS384",
    /// HMAC with SHA-512; only with a key declared `oct`.
    Hs512 = "HS512",
}

/// The keys of one issuer or transmitter.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeySet {
    /// The keys, in the order of the JWK Set. The order has no meaning.
    pub keys: Vec<Key>,
}

/// Which key verifies a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Selection<'a> {
    /// This one.
    Key(&'a Key),
    /// None that is known: newer keys of the issuer may hold it.
    Unknown,
    /// The named key is not for this algorithm.
    WrongAlgorithm,
    /// The named key is not for tokens of this issuer.
    WrongIssuer,
    /// Several keys fit, and the token does not say which.
    Ambiguous,
}

impl KeySet {
    /// Reads a JWK Set (RFC 7517 §5) that stands at JSON pointer `at`.
    ///
    /// A key that a set may hold but that never verifies a signature here (`use: enc`, `key_ops` without
    /// `verify`, an unsupported `kty`, `crv` or `alg`) is skipped without a word. A malformed, weak, private or
    /// repeated key is left out and reported: an operator has to mend it; for a set fetched at run time the faults
    /// are warnings, because the remaining keys are as good as ever.
    #[must_use]
    pub fn read(value: &Value, at: &str, faults: &mut Vec<Fault>) -> Self {
        let mut set = Self::default();
        let Some(entries) = value.get("keys").and_then(Value::as_array) else {
            faults.push(Fault {
                at: at.to_string(),
                code: "configuration.key_set_malformed",
                message: "a JWK Set is an object with an array `keys`".to_string(),
            });
            return set;
        };
        for (index, entry) in entries.iter().enumerate() {
            let fault = match Key::read(entry) {
                Ok(None) => continue,
                Ok(Some(key)) if set.keys.iter().any(|known| known.collides(&key)) => {
                    jwk::Refused {
                        member: "/kid",
                        code: "configuration.key_repeated",
                        message: "two keys of one type share this `kid`; remove one of them",
                    }
                }
                Ok(Some(key)) => {
                    set.keys.push(key);
                    continue;
                }
                Err(refused) => refused,
            };
            faults.push(Fault {
                at: format!("{at}/keys/{index}{}", fault.member),
                code: fault.code,
                message: fault.message.to_string(),
            });
        }
        set
    }

    /// The key for a token with this `kid`, algorithm and `iss`; `tenant` is the token's, for keys whose own
    /// `issuer` holds `{tenantid}`.
    ///
    /// `kid` is compared byte for byte. Without it a key is chosen only if exactly one fits.
    #[must_use]
    pub fn select(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        iss: &str,
        tenant: Option<&str>,
    ) -> Selection<'_> {
        let named = self
            .keys
            .iter()
            .filter(|key| kid.is_none() || key.kid() == kid);
        let mut fitting = named.clone().filter(|key| key.fits(algorithm)).peekable();
        // A key that was named and is no good is the token's fault; newer keys would not help.
        let unless_named = |refusal| match kid {
            Some(_) => refusal,
            None => Selection::Unknown,
        };
        if named.clone().next().is_none() {
            return Selection::Unknown;
        }
        if fitting.peek().is_none() {
            return unless_named(Selection::WrongAlgorithm);
        }
        let mut trusted = fitting.filter(|key| key.serves(iss, tenant));
        match (trusted.next(), trusted.next()) {
            (Some(key), None) => Selection::Key(key),
            (Some(_), Some(_)) => Selection::Ambiguous,
            (None, _) => unless_named(Selection::WrongIssuer),
        }
    }
}

/// Whether a key that belongs to `owner` (its `issuer` member) may verify tokens of `iss`.
///
/// Entra's version 1.0 keys name no issuer, so its libraries hold the version 2.0 issuer of a key against tokens
/// of both versions; a tenant's two issuer URLs count as one here too.
fn owner_speaks_for(owner: &str, iss: &str, tenant: Option<&str>) -> bool {
    let owner = match tenant {
        Some(tenant) => owner.replace(super::issuer_match::TENANT_PLACEHOLDER, tenant),
        None => owner.to_string(),
    };
    owner == iss || preset::entra_twin(iss).is_some_and(|twin| twin == owner)
}

#[cfg(test)]
mod tests;
