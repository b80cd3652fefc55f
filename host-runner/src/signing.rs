//! Signs security event tokens for trying things out: private keys read from files or made anew, with the
//! cryptography that also checks signatures.

mod file;

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cae_core::json::Value;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, AlgorithmFamily, EncodingKey, Header};

use crate::signature::install_provider;

/// A private key, and what others need in order to check what it signs.
pub struct SigningKey {
    pair: Pair,
    algorithm: Algorithm,
    encoding: EncodingKey,
    jwk: Jwk,
}

/// A key pair of one of the kinds that issuers use.
enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// Why there is no key to sign with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyError(String);

impl KeyError {
    fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KeyError {}

impl From<Unspecified> for KeyError {
    fn from(_: Unspecified) -> Self {
        Self::new("the cryptographic library refused")
    }
}

/// Never prints the private key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("jwk", &self.jwk)
            .finish_non_exhaustive()
    }
}

/// What a key can sign with; the first of each is what it signs with unless told otherwise.
const ED: &[Algorithm] = &[Algorithm::EdDSA];
const P256: &[Algorithm] = &[Algorithm::ES256];
const P384: &[Algorithm] = &[Algorithm::ES384];
const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

impl SigningKey {
    /// Reads a private key: PEM, DER (PKCS #8, PKCS #1, SEC 1), a JWK, or the only private key of a JWK Set.
    ///
    /// `algorithm` and `kid` override what the key says; the key id is the key's thumbprint (RFC 7638) if nobody
    /// names one.
    ///
    /// # Errors
    /// [`KeyError`] if the bytes are no such key, or the key is not for `algorithm`.
    pub fn read(
        bytes: &[u8],
        algorithm: Option<&str>,
        kid: Option<&str>,
    ) -> Result<Self, KeyError> {
        install_provider();
        let file::PrivateKey {
            pair,
            kid: own_kid,
            algorithm: own_algorithm,
        } = file::read(bytes)?;
        let algorithm = algorithm.or(own_algorithm.as_deref());
        Self::of(pair, algorithm, kid.or(own_kid.as_deref()))
    }

    /// Makes a key for `algorithm`, `EdDSA` unless named.
    ///
    /// # Errors
    /// [`KeyError`] if this program makes no keys for the algorithm.
    pub fn generate(algorithm: Option<&str>, kid: Option<&str>) -> Result<Self, KeyError> {
        install_provider();
        let named = algorithm.unwrap_or("EdDSA");
        let pair = match parse(named)?.family() {
            AlgorithmFamily::Ed => Pair::Ed25519(Ed25519KeyPair::generate()?),
            AlgorithmFamily::Ec if named == "ES384" => {
                Pair::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING)?)
            }
            AlgorithmFamily::Ec => {
                Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?)
            }
            AlgorithmFamily::Rsa => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?),
            AlgorithmFamily::Hmac => return Err(shared_secret(named)),
        };
        Self::of(pair, Some(named), kid)
    }

    fn of(pair: Pair, algorithm: Option<&str>, kid: Option<&str>) -> Result<Self, KeyError> {
        let (able, encoding) = match &pair {
            Pair::Ed25519(key) => (ED, EncodingKey::from_ed_der(key.to_pkcs8v1()?.as_ref())),
            Pair::P256(key) => (P256, EncodingKey::from_ec_der(key.to_pkcs8v1()?.as_ref())),
            Pair::P384(key) => (P384, EncodingKey::from_ec_der(key.to_pkcs8v1()?.as_ref())),
            Pair::Rsa(key) => {
                let pkcs8: Pkcs8V1Der<'_> = key.as_der()?;
                let pkcs1 = file::pkcs1_of(pkcs8.as_ref());
                let pkcs1 = pkcs1.ok_or_else(|| KeyError::new("an RSA key of an odd form"))?;
                (RSA, EncodingKey::from_rsa_der(pkcs1))
            }
        };
        let algorithm = match algorithm {
            Some(named) => {
                let algorithm = parse(named)?;
                if !able.contains(&algorithm) {
                    let able: Vec<_> = able.iter().map(|able| format!("{able:?}")).collect();
                    let able = able.join(", ");
                    return Err(KeyError::new(format_args!(
                        "the key is not for {named}: it signs with {able}"
                    )));
                }
                algorithm
            }
            None => able.first().copied().unwrap_or(Algorithm::EdDSA),
        };
        let unusable = |error| KeyError::new(format_args!("the key cannot be used: {error}"));
        let mut jwk = Jwk::from_encoding_key(&encoding, algorithm).map_err(unusable)?;
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_id = Some(match kid {
            Some(kid) => kid.to_owned(),
            None => jwk.thumbprint(ThumbprintHash::SHA256).map_err(unusable)?,
        });
        Ok(Self {
            pair,
            algorithm,
            encoding,
            jwk,
        })
    }

    /// The public key as a JWK Set (RFC 7517 §5), for the configuration of whoever checks the signature.
    ///
    /// # Errors
    /// [`KeyError`] if it cannot be written down, which no key comes to.
    pub fn jwks(&self) -> Result<Value, KeyError> {
        let jwk = serde_json::to_value(&self.jwk).map_err(KeyError::new)?;
        Ok(serde_json::json!({ "keys": [jwk] }))
    }

    /// The private key in PEM (PKCS #8, RFC 7468 §10).
    ///
    /// # Errors
    /// [`KeyError`] if it cannot be written down, which no key comes to.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        Ok(match &self.pair {
            Pair::Ed25519(key) => file::pem(key.to_pkcs8v1()?.as_ref()),
            Pair::P256(key) | Pair::P384(key) => file::pem(key.to_pkcs8v1()?.as_ref()),
            Pair::Rsa(key) => {
                let pkcs8: Pkcs8V1Der<'_> = key.as_der()?;
                file::pem(pkcs8.as_ref())
            }
        })
    }

    /// The private key in PKCS #8, if it is one of RSA.
    pub(crate) fn rsa_pkcs8(&self) -> Option<Vec<u8>> {
        let Pair::Rsa(key) = &self.pair else {
            return None;
        };
        let pkcs8: Pkcs8V1Der<'_> = key.as_der().ok()?;
        Some(pkcs8.as_ref().to_vec())
    }

    /// A compact JWS over `claims` with `typ` in its header.
    ///
    /// # Errors
    /// [`KeyError`] if the library refuses to sign.
    pub fn sign(&self, typ: &str, claims: &Value) -> Result<String, KeyError> {
        let mut header = Header::new(self.algorithm);
        header.typ = Some(typ.to_owned());
        header.kid.clone_from(&self.jwk.common.key_id);
        self.encode(&header, claims)
    }

    /// The same for whoever knows the key by its certificate: `thumbprint` is the SHA-256 of that in DER
    /// (RFC 7515 §4.1.8).
    ///
    /// # Errors
    /// [`KeyError`] if the library refuses to sign.
    pub(crate) fn sign_as_certified(
        &self,
        thumbprint: &[u8; 32],
        claims: &Value,
    ) -> Result<String, KeyError> {
        let mut header = Header::new(self.algorithm);
        header.typ = Some("JWT".to_owned());
        header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(thumbprint));
        self.encode(&header, claims)
    }

    fn encode(&self, header: &Header, claims: &Value) -> Result<String, KeyError> {
        let signed = jsonwebtoken::encode(header, claims, &self.encoding);
        signed.map_err(|error| KeyError::new(format_args!("nothing was signed: {error}")))
    }
}

/// An identifier that nobody has used before: 128 random bits in hexadecimal.
///
/// # Errors
/// [`KeyError`] if the machine has no randomness to give.
pub fn fresh_id() -> Result<String, KeyError> {
    let mut bits = [0; 16];
    SystemRandom::new().fill(&mut bits)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bits)))
}

fn parse(algorithm: &str) -> Result<Algorithm, KeyError> {
    let known = Algorithm::from_str(algorithm)
        .map_err(|_| KeyError::new(format_args!("`{algorithm}` is not a known algorithm")))?;
    match known.family() {
        AlgorithmFamily::Hmac => Err(shared_secret(algorithm)),
        _ => Ok(known),
    }
}

/// SPEC: CAEP Interoperability Profile 1.0: signatures are asymmetric, so that a receiver cannot write events itself.
fn shared_secret(algorithm: &str) -> KeyError {
    KeyError::new(format_args!(
        "{algorithm} is a shared secret: use RS256, ES256 or EdDSA"
    ))
}

#[cfg(test)]
mod tests;
