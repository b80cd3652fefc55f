//! The claims request (OpenID Connect Core §5.5) inside a claims challenge: what the next token must show.

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::net::IpAddr;

use crate::json::{self, JsonError, Limits, Map, Value, object};
use crate::time::UnixTime;

/// Most authentication contexts or capabilities read from one request: Entra knows `c1` to `c99`.
const MOST_VALUES: usize = 99;

/// What the next access token must show, or what the client that asks for it can do.
///
/// ```
/// use cae_core::{UnixTime, challenge::ClaimsRequest};
///
/// let request = ClaimsRequest {
///     nbf: Some(UnixTime::from_secs(1_604_106_651)),
///     ..ClaimsRequest::default()
/// };
/// let text = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
/// assert_eq!(request.to_json(), text);
/// assert_eq!(ClaimsRequest::read(text), Ok(request));
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClaimsRequest {
    /// `nbf`: a token issued at or after this instant.
    pub nbf: Option<UnixTime>,
    /// `xms_rp_ipaddr`: the client address that the resource saw, IPv4-mapped addresses unwrapped.
    pub rp_ip_address: Option<IpAddr>,
    /// `acrs`: authentication contexts; sorted, without repeats.
    pub acrs: Vec<String>,
    /// `xms_cc`: what the client can do, as written; sorted, without repeats.
    pub capabilities: Vec<String>,
    /// Other members of `access_token`, kept as they came and otherwise ignored.
    pub other: Map<String, Value>,
}

/// A claims request that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsRequestError {
    /// Not JSON within bounds.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// A member is not what its name promises.
    #[error("{at} must be {expected}")]
    Member {
        /// JSON pointer within the claims request.
        at: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
}

impl ClaimsRequest {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what `other` asks for, so that one token can answer both: the later `nbf`, all contexts.
    pub fn combine(&mut self, other: Self) {
        self.nbf = self.nbf.max(other.nbf);
        self.rp_ip_address = self.rp_ip_address.or(other.rp_ip_address);
        self.acrs.extend(other.acrs);
        sort(&mut self.acrs);
        self.capabilities.extend(other.capabilities);
        sort(&mut self.capabilities);
        for (name, value) in other.other {
            self.other.entry(name).or_insert(value);
        }
    }

    /// The canonical text: minified, members sorted, ASCII only.
    ///
    /// ASCII because clients that decode base64 into Latin-1 would send other claims than were meant; the value of
    /// `nbf` is a string because every known service sends one.
    #[must_use]
    pub fn to_json(&self) -> String {
        let essential =
            |name, value: Value| object(vec![("essential", true.into()), (name, value)]);
        let mut members = self.other.clone();
        let mut ask = |claim: &str, member| {
            members.insert(claim.into(), member);
        };
        if let Some(nbf) = self.nbf {
            ask("nbf", essential("value", nbf.as_secs().to_string().into()));
        }
        if let Some(address) = self.rp_ip_address {
            ask(
                "xms_rp_ipaddr",
                object(vec![("value", address.to_string().into())]),
            );
        }
        match self.acrs.as_slice() {
            [] => {}
            [one] => ask("acrs", essential("value", one.as_str().into())),
            several => ask("acrs", essential("values", several.into())),
        }
        if !self.capabilities.is_empty() {
            let capabilities = self.capabilities.as_slice().into();
            ask("xms_cc", object(vec![("values", capabilities)]));
        }
        let request = object(vec![("access_token", members.into())]);
        ascii(&json::canonical(&request))
    }

    /// Reads the JSON text of a claims request.
    ///
    /// # Errors
    /// [`ClaimsRequestError`] if the text is not strict JSON within 64 KiB, or a known member cannot be read.
    pub fn read(text: &str) -> Result<Self, ClaimsRequestError> {
        Self::from_value(&json::parse(text.as_bytes(), Limits::TOKEN)?)
    }

    /// Reads a claims request; top-level members other than `access_token` ask for nothing here.
    ///
    /// # Errors
    /// [`ClaimsRequestError::Member`] if a known member is not of a form that occurs.
    pub fn from_value(value: &Value) -> Result<Self, ClaimsRequestError> {
        let wrong = |at, expected| ClaimsRequestError::Member { at, expected };
        let request = value.as_object().ok_or(wrong("/", "an object"))?;
        let members = match request.get("access_token") {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(value) => value
                .as_object()
                .ok_or(wrong("/access_token", "an object"))?,
        };
        let mut read = Self::default();
        for (name, member) in members {
            match name.as_str() {
                "nbf" => {
                    read.nbf = single(member, seconds)
                        .ok_or(wrong("/access_token/nbf", "whole seconds since 1970"))?;
                }
                "xms_rp_ipaddr" => {
                    read.rp_ip_address = single(member, address)
                        .ok_or(wrong("/access_token/xms_rp_ipaddr", "an IP address"))?;
                }
                "acrs" => {
                    read.acrs = several(member)
                        .ok_or(wrong("/access_token/acrs", "at most 99 context names"))?;
                }
                "xms_cc" => {
                    read.capabilities = several(member)
                        .ok_or(wrong("/access_token/xms_cc", "at most 99 capabilities"))?;
                }
                _ => {
                    read.other.insert(name.clone(), member.clone());
                }
            }
        }
        Ok(read)
    }
}

/// The one value of a member; `Some(None)` if the member asks for the claim without naming a value.
fn single<T>(member: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    match member {
        Value::Null => Some(None),
        Value::Object(parts) => match (parts.get("value"), parts.get("values")) {
            (Some(value), _) => read(value).map(Some),
            (None, Some(Value::Array(values))) => match values.as_slice() {
                [value] => read(value).map(Some),
                _ => None,
            },
            (None, Some(_)) => None,
            (None, None) => Some(None),
        },
        _ => None,
    }
}

/// The values of a member, from `value`, `values` or both.
fn several(member: &Value) -> Option<Vec<String>> {
    let parts = match member {
        Value::Null => return Some(Vec::new()),
        Value::Object(parts) => parts,
        _ => return None,
    };
    let listed = match parts.get("values") {
        None | Some(Value::Null) => &[],
        Some(Value::Array(values)) => values.as_slice(),
        Some(_) => return None,
    };
    let mut texts = parts
        .get("value")
        .into_iter()
        .chain(listed)
        .map(|value| value.as_str().map(String::from))
        .collect::<Option<Vec<_>>>()?;
    sort(&mut texts);
    (texts.len() <= MOST_VALUES).then_some(texts)
}

fn seconds(value: &Value) -> Option<UnixTime> {
    let seconds = match value {
        // `parse` alone would accept a sign.
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        value => value.as_u64(),
    };
    seconds.map(UnixTime::from_secs)
}

fn address(value: &Value) -> Option<IpAddr> {
    let address: IpAddr = value.as_str()?.trim().parse().ok()?;
    Some(address.to_canonical())
}

fn sort(values: &mut Vec<String>) {
    values.sort_unstable();
    values.dedup();
}

/// JSON text with everything beyond ASCII as `\uXXXX`; outside strings JSON is ASCII already.
fn ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() && character != '\u{7f}' {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a `String` cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(nbf: u64, address: &str, acrs: &[&str]) -> ClaimsRequest {
        ClaimsRequest {
            nbf: (nbf > 0).then_some(UnixTime::from_secs(nbf)),
            rp_ip_address: address.parse().ok(),
            acrs: acrs.iter().copied().map(String::from).collect(),
            ..ClaimsRequest::default()
        }
    }

    #[test]
    fn writes_the_forms_of_the_field_and_reads_them_back() {
        for (request, text) in [
            (
                request(1_604_106_651, "1.2.3.4", &[]),
                r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"},"xms_rp_ipaddr":{"value":"1.2.3.4"}}}"#,
            ),
            (
                request(0, "", &["c1"]),
                r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#,
            ),
            (
                request(7, "", &["c1", "c\u{e9}\u{1f511}"]),
                r#"{"access_token":{"acrs":{"essential":true,"values":["c1","c\u00e9\ud83d\udd11"]},"nbf":{"essential":true,"value":"7"}}}"#,
            ),
            (ClaimsRequest::default(), r#"{"access_token":{}}"#),
        ] {
            assert_eq!(request.to_json(), text);
            assert_eq!(ClaimsRequest::read(text), Ok(request));
        }
    }

    #[test]
    fn reads_what_services_and_clients_send() {
        for (text, expected) in [
            (
                r#"{"access_token":{"nbf":{"essential":false,"value":1539284376}}}"#,
                request(1_539_284_376, "", &[]),
            ),
            (
                r#"{"access_token":{"nbf":null,"acrs":{"essential":true}},"id_token":{"acr":null}}"#,
                ClaimsRequest::default(),
            ),
            (
                r#"{"access_token":{"xms_rp_ipaddr":{"essential":true,"value":"::ffff:1.2.3.4"}}}"#,
                request(0, "1.2.3.4", &[]),
            ),
            (
                r#"{"access_token":{"acrs":{"value":"c2","values":["c1","c2"]},"nbf":{"values":["5"]}}}"#,
                request(5, "", &["c1", "c2"]),
            ),
            (r#"{"id_token":{}}"#, ClaimsRequest::default()),
        ] {
            assert_eq!(ClaimsRequest::read(text), Ok(expected), "{text}");
        }
        let text = r#"{"access_token":{"nbf":{"essential":true,"value":"9"},"xms_caeerror":{"value":"10012"},"xms_cc":{"values":["cp1"]}}}"#;
        let read = ClaimsRequest::read(text).unwrap();
        assert_eq!(read.capabilities, ["cp1"]);
        assert!(read.other.contains_key("xms_caeerror"));
        assert_eq!(read.to_json(), text, "what is not understood is handed on");
    }

    #[test]
    fn refuses_what_it_would_have_to_guess() {
        for (text, fault) in [
            ("[]", "/ must be"),
            (r#"{"access_token":[]}"#, "/access_token must be"),
            (
                r#"{"access_token":{"nbf":{"value":"soon"}}}"#,
                "/access_token/nbf",
            ),
            (
                r#"{"access_token":{"nbf":{"value":"+5"}}}"#,
                "/access_token/nbf",
            ),
            (
                r#"{"access_token":{"nbf":{"value":1.5}}}"#,
                "/access_token/nbf",
            ),
            (
                r#"{"access_token":{"nbf":{"values":[1,2]}}}"#,
                "/access_token/nbf",
            ),
            (
                r#"{"access_token":{"xms_rp_ipaddr":{"value":"<ip>"}}}"#,
                "ipaddr",
            ),
            (r#"{"access_token":{"acrs":"c1"}}"#, "/access_token/acrs"),
            (
                r#"{"access_token":{"xms_cc":{"values":"cp1"}}}"#,
                "/access_token/xms_cc",
            ),
            (
                r#"{"access_token":{},"access_token":{}}"#,
                "repeated member",
            ),
        ] {
            let error = ClaimsRequest::read(text).unwrap_err().to_string();
            assert!(error.contains(fault), "{text}: {error}");
        }
        let many: Vec<_> = (0..=MOST_VALUES)
            .map(|n| alloc::format!("\"c{n}\""))
            .collect();
        let text = alloc::format!(
            r#"{{"access_token":{{"acrs":{{"values":[{}]}}}}}}"#,
            many.join(",")
        );
        assert!(ClaimsRequest::read(&text).is_err());
    }

    #[test]
    fn combined_requests_ask_for_all_of_it() {
        let mut one = request(5, "", &["c2"]);
        one.combine(request(9, "1.2.3.4", &["c1", "c2"]));
        assert_eq!(one, request(9, "1.2.3.4", &["c1", "c2"]));
        one.combine(request(3, "", &[]));
        assert_eq!(one, request(9, "1.2.3.4", &["c1", "c2"]));
    }
}
