//! One JSON Web Key (RFC 7517, RFC 7518 §6, RFC 8037 §2).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::{Algorithm, owner_speaks_for};
use crate::json::Value;

/// Members that only a private key has (RFC 7518 §6.2.2, §6.3.2).
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];
const MIN_RSA_BITS: usize = 2_048;
/// Verification time grows with the square of the modulus; common libraries stop here too.
const MAX_RSA_BITS: usize = 8_192;
/// SPEC: RFC 7518 §3.2: an HMAC key is at least as long as the hash.
const MIN_SYMMETRIC_BYTES: usize = 32;

/// A key that may verify signatures.
#[derive(Clone, Eq, PartialEq)]
pub struct Key {
    kind: Kind,
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    issuer: Option<String>,
    id: String,
    jwk: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
    Symmetric { bytes: usize },
}

/// Why a key was left out. Never quotes the key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Refused {
    /// JSON pointer of the member within the key; empty for the whole key.
    pub(super) member: &'static str,
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

impl Refused {
    const fn malformed(member: &'static str, message: &'static str) -> Self {
        Self {
            member,
            code: "configuration.key_malformed",
            message,
        }
    }

    const fn weak(member: &'static str, message: &'static str) -> Self {
        Self {
            member,
            code: "configuration.key_weak",
            message,
        }
    }
}

impl Key {
    /// The key in a JWK; `Ok(None)` if it is one that never verifies a signature here.
    pub(super) fn read(jwk: &Value) -> Result<Option<Self>, Refused> {
        let Some(members) = jwk.as_object() else {
            return Err(Refused::malformed("", "a key is a JSON object"));
        };
        let kty = text(jwk, "/kty")?.ok_or(Refused::malformed("/kty", "`kty` is missing"))?;
        let symmetric = kty == "oct";
        if PRIVATE_MEMBERS
            .iter()
            .any(|name| members.contains_key(*name))
            || (!symmetric && members.contains_key("k"))
        {
            return Err(Refused {
                member: "",
                code: "configuration.key_private",
                message: "a private key has no place in a configuration; keep its public members only",
            });
        }
        if !verifies(jwk)? {
            return Ok(None);
        }
        let kid = text(jwk, "/kid")?.map(String::from);
        let issuer = text(jwk, "/issuer")?.map(String::from);
        let algorithm = match text(jwk, "/alg")? {
            None => None,
            Some(name) => match Algorithm::from_name(name) {
                None => return Ok(None),
                known => known,
            },
        };
        let (kind, public) = match kty {
            "RSA" => (Kind::Rsa, rsa(jwk)?),
            "EC" => match text(jwk, "/crv")? {
                Some("P-256") => (Kind::P256, elliptic(jwk, "P-256", 32)?),
                Some("P-384") => (Kind::P384, elliptic(jwk, "P-384", 48)?),
                Some(_) => return Ok(None),
                None => return Err(Refused::malformed("/crv", "`crv` is missing")),
            },
            "OKP" => match text(jwk, "/crv")? {
                Some("Ed25519") => (Kind::Ed25519, edwards(jwk)?),
                Some(_) => return Ok(None),
                None => return Err(Refused::malformed("/crv", "`crv` is missing")),
            },
            "oct" => {
                let secret = bytes(jwk, "/k")?;
                if secret.len() < MIN_SYMMETRIC_BYTES {
                    return Err(Refused::weak("/k", "an HMAC key has at least 32 bytes"));
                }
                let public = format!(r#"{{"k":"{}","kty":"oct"}}"#, encode(&secret));
                let bytes = secret.len();
                (Kind::Symmetric { bytes }, public)
            }
            _ => return Ok(None),
        };
        let key = Self {
            kind,
            kid,
            algorithm,
            issuer,
            id: encode(&Sha256::digest(public.as_bytes())),
            jwk: public,
        };
        match algorithm {
            Some(declared) if !key.fits(declared) => Err(Refused::malformed(
                "/alg",
                "`alg` does not fit the type or size of the key",
            )),
            _ => Ok(Some(key)),
        }
    }

    /// RFC 7638 thumbprint: equal ids are equal keys.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The members that make up the key, as canonical JSON. For an `oct` key that is the secret itself.
    #[must_use]
    pub fn jwk(&self) -> &str {
        &self.jwk
    }

    /// `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether the key may verify signatures of `algorithm`.
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{
            EdDsa, Es256, Es384, Hs256, Hs384, Hs512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512,
        };
        let by_type = match algorithm {
            Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512 => self.kind == Kind::Rsa,
            Es256 => self.kind == Kind::P256,
            Es384 => self.kind == Kind::P384,
            EdDsa => self.kind == Kind::Ed25519,
            Hs256 => matches!(self.kind, Kind::Symmetric { bytes } if bytes >= 32),
            Hs384 => matches!(self.kind, Kind::Symmetric { bytes } if bytes >= 48),
            Hs512 => matches!(self.kind, Kind::Symmetric { bytes } if bytes >= 64),
        };
        by_type && self.algorithm.is_none_or(|declared| declared == algorithm)
    }

    /// Whether the key may verify tokens of `iss`: its `issuer`, if it names one, speaks for them.
    pub(super) fn serves(&self, iss: &str, tenant: Option<&str>) -> bool {
        self.issuer
            .as_deref()
            .is_none_or(|owner| owner_speaks_for(owner, iss, tenant))
    }

    /// Whether a token could not tell the two keys apart.
    pub(super) fn collides(&self, other: &Self) -> bool {
        self.kid.is_some()
            && self.kid == other.kid
            && self.issuer == other.issuer
            && core::mem::discriminant(&self.kind) == core::mem::discriminant(&other.kind)
    }
}

/// Leaves the key itself out: for `oct` it is a secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("kind", &self.kind)
            .field("kid", &self.kid)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// `use` and `key_ops` (RFC 7517 §4.2, §4.3).
fn verifies(jwk: &Value) -> Result<bool, Refused> {
    if text(jwk, "/use")?.is_some_and(|purpose| purpose != "sig") {
        return Ok(false);
    }
    match jwk.get("key_ops") {
        None => Ok(true),
        Some(Value::Array(operations)) => Ok(operations.iter().any(|name| name == "verify")),
        Some(_) => Err(Refused::malformed("/key_ops", "`key_ops` is an array")),
    }
}

fn rsa(jwk: &Value) -> Result<String, Refused> {
    let (modulus, exponent) = (unsigned(jwk, "/n")?, unsigned(jwk, "/e")?);
    let bits = bit_length(&modulus);
    if bits < MIN_RSA_BITS {
        return Err(Refused::weak("/n", "an RSA key has at least 2048 bits"));
    }
    if bits > MAX_RSA_BITS {
        return Err(Refused::malformed("/n", "an RSA key has at most 8192 bits"));
    }
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    if !odd(&modulus) {
        return Err(Refused::malformed("/n", "an RSA modulus is odd"));
    }
    if !odd(&exponent) || bit_length(&exponent) < 2 {
        return Err(Refused::weak("/e", "an RSA exponent is odd and above 1"));
    }
    if bit_length(&exponent) > 33 {
        return Err(Refused::malformed(
            "/e",
            "an RSA exponent has at most 33 bits",
        ));
    }
    Ok(format!(
        r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
        encode(&exponent),
        encode(&modulus)
    ))
}

fn elliptic(jwk: &Value, curve: &str, size: usize) -> Result<String, Refused> {
    let (x, y) = (bytes(jwk, "/x")?, bytes(jwk, "/y")?);
    if x.len() != size || y.len() != size {
        return Err(Refused::malformed(
            "",
            "the coordinates do not have the size of the curve",
        ));
    }
    Ok(format!(
        r#"{{"crv":"{curve}","kty":"EC","x":"{}","y":"{}"}}"#,
        encode(&x),
        encode(&y)
    ))
}

fn edwards(jwk: &Value) -> Result<String, Refused> {
    let x = bytes(jwk, "/x")?;
    if x.len() != 32 {
        return Err(Refused::malformed("/x", "an Ed25519 key has 32 bytes"));
    }
    Ok(format!(
        r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
        encode(&x)
    ))
}

fn text<'a>(jwk: &'a Value, pointer: &'static str) -> Result<Option<&'a str>, Refused> {
    match jwk.pointer(pointer) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refused::malformed(pointer, "this member is a string")),
    }
}

fn bytes(jwk: &Value, pointer: &'static str) -> Result<Vec<u8>, Refused> {
    text(jwk, pointer)?
        .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .filter(|bytes| !bytes.is_empty())
        .ok_or(Refused::malformed(
            pointer,
            "this member is required and is unpadded base64url",
        ))
}

/// A positive number without leading zero bytes, which some issuers write and some libraries refuse.
fn unsigned(jwk: &Value, pointer: &'static str) -> Result<Vec<u8>, Refused> {
    let bytes = bytes(jwk, pointer)?;
    Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

fn bit_length(number: &[u8]) -> usize {
    let unused = number
        .first()
        .and_then(|byte| usize::try_from(byte.leading_zeros()).ok())
        .unwrap_or_default();
    number.len().saturating_mul(8).saturating_sub(unused)
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
