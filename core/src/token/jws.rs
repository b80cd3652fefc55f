//! Compact JWS (RFC 7515 §7.1), read strictly; access tokens and security event tokens share it.
//!
//! Two parsers that disagree about one token disagree about who is signed in. So there is one way to write a
//! token: three segments of unpadded base64url, a header and a payload that are JSON objects without repeated
//! members, and no header extension, compression, nesting or encryption.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::json::{self, JsonError, Limits, Map, Value};

/// Longest accepted `kid`, in bytes. It is opaque and only ever compared; no real one comes near this.
pub const MAX_KEY_ID_BYTES: usize = 512;

/// A token whose form was accepted. Nothing in it is verified yet.
#[derive(Clone, Debug, PartialEq)]
pub struct CompactJws<'a> {
    /// The header.
    pub header: Header,
    /// The payload; always an object.
    pub payload: Value,
    /// The bytes that are signed: everything before the last dot.
    pub signing_input: &'a str,
    /// The signature, decoded; never empty.
    pub signature: Vec<u8>,
}

/// A JOSE header. `jwk`, `x5c`, `jku` and `x5u` have no fields on purpose: a token never supplies its own key.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// `alg` as sent.
    pub algorithm: String,
    /// `typ` as sent.
    pub token_type: Option<String>,
    /// `kid` as sent.
    pub key_id: Option<String>,
    /// All members, for people who inspect a token.
    pub members: Map<String, Value>,
}

/// One of the three parts of a compact JWS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Segment {
    /// Before the first dot.
    Header,
    /// Between the dots.
    Payload,
    /// After the last dot.
    Signature,
}

/// A text was not accepted as a compact JWS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JwsError {
    /// What is wrong.
    pub kind: JwsErrorKind,
    /// Byte offset in the text, where one place is at fault.
    pub at: Option<usize>,
}

/// What is wrong with a compact JWS; never quotes its contents.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsErrorKind {
    /// Larger than the limit.
    #[error("{found} bytes are more than the limit of {limit}")]
    TooLarge {
        /// Size of the text in bytes.
        found: usize,
        /// The bound in force.
        limit: usize,
    },
    /// JWS JSON serialisation (RFC 7515 §7.2).
    #[error("the JSON serialisation of a JWS is not accepted, only the compact one")]
    JsonSerialisation,
    /// JWE (RFC 7516): five segments.
    #[error("an encrypted token (JWE, five segments) is not accepted")]
    Encrypted,
    /// Not three segments.
    #[error("a compact JWS has three segments, this text has {found}")]
    Segments {
        /// Number of segments found.
        found: usize,
    },
    /// Not strict base64url: padding, white space, `+`, `/`, or bits left over that are not zero.
    #[error("the {0} is not unpadded base64url")]
    Base64(Segment),
    /// Not strict JSON.
    #[error("the {segment} is not acceptable JSON: {error}")]
    Json {
        /// Which segment.
        segment: Segment,
        /// Why; its positions count within the decoded segment.
        error: JsonError,
    },
    /// JSON, but no object.
    #[error("the {0} is not a JSON object")]
    NotAnObject(Segment),
    /// A third segment without a byte.
    #[error("the signature is empty")]
    Unsigned,
    /// A registered header member of the wrong type or size.
    #[error("header member `{member}` {fault}")]
    Member {
        /// Its name.
        member: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// `crit`: no extension is understood, and a malformed list is no better.
    #[error("header member `crit` names an extension that is not understood, or is malformed")]
    Critical,
    /// `b64` (RFC 7797).
    #[error("header member `b64` is not supported")]
    UnencodedPayload,
    /// `zip`.
    #[error("header member `zip`: compressed tokens are not accepted")]
    Compressed,
    /// `cty: JWT`.
    #[error("header member `cty`: nested tokens are not accepted")]
    Nested,
}

impl<'a> CompactJws<'a> {
    /// Reads one compact JWS; `limits` bound the whole text before anything is decoded.
    ///
    /// # Errors
    /// [`JwsError`] at the first thing that is not as it should be.
    pub fn parse(text: &'a str, limits: Limits) -> Result<Self, JwsError> {
        if text.len() > limits.bytes {
            return Err(JwsErrorKind::TooLarge {
                found: text.len(),
                limit: limits.bytes,
            }
            .anywhere());
        }
        if text.starts_with('{') {
            return Err(JwsErrorKind::JsonSerialisation.at(0));
        }
        let mut segments = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) = (
            segments.next(),
            segments.next(),
            segments.next(),
            segments.next(),
        ) else {
            return Err(match text.split('.').count() {
                5 => JwsErrorKind::Encrypted.anywhere(),
                found => JwsErrorKind::Segments { found }.anywhere(),
            });
        };
        let payload_at = header.len().saturating_add(1);
        let signature_at = payload_at.saturating_add(payload.len()).saturating_add(1);

        let header = object(Segment::Header, header, 0, limits)?;
        let header = Header::read(header).map_err(JwsErrorKind::anywhere)?;
        let payload = object(Segment::Payload, payload, payload_at, limits)?;
        if signature.is_empty() {
            return Err(JwsErrorKind::Unsigned.at(signature_at));
        }
        let signature = decode(Segment::Signature, signature, signature_at)?;
        Ok(Self {
            header,
            payload: Value::Object(payload),
            signing_input: text.rsplit_once('.').map_or(text, |(signed, _)| signed),
            signature,
        })
    }
}

impl Header {
    /// `typ` in the form in which media types are compared: lower case, without `application/`.
    ///
    /// SPEC: RFC 7515 §4.1.9: the prefix may be left out when no other `/` follows.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        self.token_type.as_deref().map(media_type)
    }

    fn read(members: Map<String, Value>) -> Result<Self, JwsErrorKind> {
        // SPEC: RFC 7515 §4.1.11: an extension in `crit` that is not understood makes the JWS invalid.
        if members.contains_key("crit") {
            return Err(JwsErrorKind::Critical);
        }
        if members.contains_key("b64") {
            return Err(JwsErrorKind::UnencodedPayload);
        }
        if members.contains_key("zip") {
            return Err(JwsErrorKind::Compressed);
        }
        if text(&members, "cty")?.is_some_and(|cty| media_type(cty) == "jwt") {
            return Err(JwsErrorKind::Nested);
        }
        let algorithm = text(&members, "alg")?
            .ok_or(JwsErrorKind::Member {
                member: "alg",
                fault: "is missing",
            })?
            .into();
        let token_type = text(&members, "typ")?.map(String::from);
        let key_id = text(&members, "kid")?.map(String::from);
        if key_id
            .as_ref()
            .is_some_and(|kid| kid.len() > MAX_KEY_ID_BYTES)
        {
            return Err(JwsErrorKind::Member {
                member: "kid",
                fault: "is too long",
            });
        }
        Ok(Self {
            algorithm,
            token_type,
            key_id,
            members,
        })
    }
}

fn media_type(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    match lower.strip_prefix("application/") {
        Some(rest) if !rest.contains('/') => rest.into(),
        _ => lower,
    }
}

fn text<'a>(
    members: &'a Map<String, Value>,
    member: &'static str,
) -> Result<Option<&'a str>, JwsErrorKind> {
    match members.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwsErrorKind::Member {
            member,
            fault: "is not a string",
        }),
    }
}

fn object(
    segment: Segment,
    encoded: &str,
    at: usize,
    limits: Limits,
) -> Result<Map<String, Value>, JwsError> {
    let bytes = decode(segment, encoded, at)?;
    match json::parse(&bytes, limits) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(JwsErrorKind::NotAnObject(segment).at(at)),
        Err(error) => Err(JwsErrorKind::Json { segment, error }.at(at)),
    }
}

fn decode(segment: Segment, encoded: &str, at: usize) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(encoded).map_err(|_| {
        let foreign = |byte: u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_');
        let last = encoded.len().saturating_sub(1);
        let within = encoded.bytes().position(foreign).unwrap_or(last);
        JwsErrorKind::Base64(segment).at(at.saturating_add(within))
    })
}

impl JwsErrorKind {
    const fn at(self, at: usize) -> JwsError {
        JwsError {
            kind: self,
            at: Some(at),
        }
    }

    const fn anywhere(self) -> JwsError {
        JwsError {
            kind: self,
            at: None,
        }
    }
}

impl fmt::Display for JwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "{} (byte {at})", self.kind),
            None => write!(f, "{}", self.kind),
        }
    }
}

impl core::error::Error for JwsError {}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

#[cfg(test)]
mod tests;
