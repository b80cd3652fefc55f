//! Reads `WWW-Authenticate` values (RFC 9110 §11.6.1) as tolerantly as the clients that have to live with them.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;

use super::ClaimsRequest;
use crate::json::{self, Limits};

/// Longest field value that is read, in bytes.
const LONGEST_HEADER: usize = 64 << 10;

/// Whether a client can act upon a field value.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// A claims challenge whose claims are a JSON object.
    Found,
    /// No claims challenge; the 401 goes to the caller, or RFC 9470 tells what to do.
    None,
    /// A claims challenge that cannot be read, or no field value at all.
    Malformed,
}

/// What a `WWW-Authenticate` value says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parsed {
    /// Whether a client can act upon it.
    pub status: Status,
    /// Scheme of the challenge described here: the claims challenge, else the first `Bearer`, else the first.
    pub scheme: Option<String>,
    /// Parameters of that challenge, names in lower case; of a repeated name the first.
    pub parameters: BTreeMap<String, String>,
    /// Decoded claims, to be forwarded unchanged; also told when they are text but not JSON.
    pub claims: Option<String>,
    /// The same, read; `None` if a member that this engine knows has an odd form.
    pub claims_request: Option<ClaimsRequest>,
    /// `max_age` of RFC 9470 §3, in seconds.
    pub max_age: Option<u64>,
    /// `acr_values` of RFC 9470 §3.
    pub acr_values: Vec<String>,
    /// What is malformed.
    pub fault: Option<&'static str>,
}

/// Reads the value of one `WWW-Authenticate` field, or several joined by commas.
///
/// ```
/// use cae_core::challenge::{Status, parse};
///
/// let parsed = parse(r#"PoP nonce="n", Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ""#);
/// assert_eq!(parsed.status, Status::Found);
/// assert_eq!(parsed.claims.as_deref(), Some(r#"{"access_token":{}}"#));
/// ```
#[must_use]
pub fn parse(header: &str) -> Parsed {
    if header.len() > LONGEST_HEADER {
        return describe(
            RawChallenge::default(),
            Claims::Malformed(None, "longer than 64 KiB"),
        );
    }
    let Split {
        challenges,
        terminated,
    } = Split::read(header);
    let mut read: Vec<_> = challenges
        .into_iter()
        .map(|challenge| (claims_of(&challenge), challenge))
        .collect();
    // Where a field holds several claims challenges, clients that retry once can answer one: the first.
    let chosen = read
        .iter()
        .position(|(claims, _)| !matches!(claims, Claims::None))
        .or_else(|| read.iter().position(|(_, challenge)| challenge.is_bearer()))
        .unwrap_or_default();
    let (claims, challenge) = if chosen < read.len() {
        read.swap_remove(chosen)
    } else {
        (Claims::None, RawChallenge::default())
    };
    match claims {
        Claims::None if !terminated => describe(
            challenge,
            Claims::Malformed(None, "a quoted value has no end"),
        ),
        claims => describe(challenge, claims),
    }
}

/// The answer of `cae challenge parse`, as canonical JSON; `status` is `found`, `none` or `malformed`.
#[must_use]
pub fn parse_json(header: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        status: Status,
        fault: Option<&'static str>,
        scheme: Option<&'a str>,
        error: Option<&'a str>,
        error_description: Option<&'a str>,
        claims: Option<&'a str>,
        claims_request: Option<Request<'a>>,
        max_age: Option<u64>,
        acr_values: &'a [String],
        parameters: &'a BTreeMap<String, String>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Request<'a> {
        nbf: Option<u64>,
        rp_ip_address: Option<String>,
        acrs: &'a [String],
        capabilities: &'a [String],
        ignored: Vec<&'a str>,
    }
    let parsed = parse(header);
    let parameter = |name: &str| parsed.parameters.get(name).map(String::as_str);
    json::to_text(&Answer {
        status: parsed.status,
        fault: parsed.fault,
        scheme: parsed.scheme.as_deref(),
        error: parameter("error"),
        // The second spelling is that of older Graph services.
        error_description: parameter("error_description").or(parameter("errordescription")),
        claims: parsed.claims.as_deref(),
        claims_request: parsed.claims_request.as_ref().map(|request| Request {
            nbf: request.nbf.map(crate::UnixTime::as_secs),
            rp_ip_address: request.rp_ip_address.map(|address| address.to_string()),
            acrs: &request.acrs,
            capabilities: &request.capabilities,
            ignored: request.other.keys().map(String::as_str).collect(),
        }),
        max_age: parsed.max_age,
        acr_values: &parsed.acr_values,
        parameters: &parsed.parameters,
    })
}

fn describe(challenge: RawChallenge, claims: Claims) -> Parsed {
    let (status, claims, fault) = match claims {
        Claims::Found(text) => (Status::Found, Some(text), None),
        Claims::None => (Status::None, None, None),
        Claims::Malformed(text, fault) => (Status::Malformed, text, Some(fault)),
    };
    let RawChallenge { scheme, parameters } = challenge;
    let digits = |text: &&String| text.bytes().all(|byte| byte.is_ascii_digit());
    Parsed {
        status,
        claims_request: match status {
            Status::Found => claims
                .as_deref()
                .and_then(|text| ClaimsRequest::read(text).ok()),
            Status::None | Status::Malformed => None,
        },
        claims,
        max_age: parameters
            .get("max_age")
            .filter(digits)
            .and_then(|text| text.parse().ok()),
        acr_values: parameters
            .get("acr_values")
            .map(|text| text.split_ascii_whitespace().map(String::from).collect())
            .unwrap_or_default(),
        scheme,
        parameters,
        fault,
    }
}

/// What the `claims` of one challenge come to.
enum Claims {
    Found(String),
    None,
    Malformed(Option<String>, &'static str),
}

fn claims_of(challenge: &RawChallenge) -> Claims {
    let parameter = |name| challenge.parameters.get(name).map(String::as_str);
    let (true, Some(error), Some(claims)) = (
        challenge.is_bearer(),
        parameter("error"),
        parameter("claims").filter(|text| !text.trim().is_empty()),
    ) else {
        return Claims::None;
    };
    let decoded = decode(claims);
    match error {
        "insufficient_claims" => match decoded {
            Some(text) if is_object(&text) => Claims::Found(text.into_owned()),
            Some(text) => {
                Claims::Malformed(Some(text.into_owned()), "`claims` is not a JSON object")
            }
            None => Claims::Malformed(None, "`claims` is neither JSON nor base64 of text"),
        },
        // Azure Resource Manager sends its challenges so; elsewhere garbage beside this error means nothing.
        "invalid_token" => match decoded {
            Some(text) if is_object(&text) => Claims::Found(text.into_owned()),
            _ => Claims::None,
        },
        _ => Claims::None,
    }
}

fn is_object(text: &str) -> bool {
    json::parse(text.as_bytes(), Limits::TOKEN).is_ok_and(|value| value.is_object())
}

/// The text of a `claims` value: JSON as it stands, or base64 in either alphabet, padded or not.
fn decode(claims: &str) -> Option<Cow<'_, str>> {
    if claims.trim_start().starts_with('{') {
        return Some(Cow::Borrowed(claims));
    }
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::RequireNone),
    );
    let digits: Vec<u8> = claims
        .trim_end_matches(|c| is_space(c) || c == '=')
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => byte,
        })
        .collect();
    String::from_utf8(LENIENT.decode(digits).ok()?)
        .ok()
        .map(Cow::Owned)
}

/// One challenge as written.
#[derive(Default)]
struct RawChallenge {
    scheme: Option<String>,
    parameters: BTreeMap<String, String>,
}

impl RawChallenge {
    fn is_bearer(&self) -> bool {
        self.scheme
            .as_deref()
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("Bearer"))
    }
}

/// A field value, taken apart.
struct Split {
    challenges: Vec<RawChallenge>,
    /// Every quoted value has an end.
    terminated: bool,
}

impl Split {
    /// `scheme name=value, name="value", scheme …`; what fits nowhere is skipped up to the next comma.
    fn read(header: &str) -> Self {
        let mut challenges = Vec::new();
        let mut current = RawChallenge::default();
        let mut terminated = true;
        let mut rest = header;
        loop {
            rest = rest.trim_start_matches(|c| is_space(c) || c == ',');
            if rest.is_empty() {
                break;
            }
            let (word, after) = take_token(rest);
            let next = after.trim_start_matches(is_space);
            if word.is_empty() {
                rest = skip_element(rest);
            } else if let Some(written) = next.strip_prefix('=') {
                let written = written.trim_start_matches(is_space);
                let (value, end) = take_value(written);
                rest = end;
                terminated &= value.is_some();
                // Unquoted, nothing but `=` is the padding of a token68 (RFC 9110 §11.2).
                let quoted = written.starts_with('"');
                let padding = |text: &Cow<'_, str>| !quoted && text.chars().all(|c| c == '=');
                if let Some(value) = value.filter(|text| !padding(text)) {
                    current
                        .parameters
                        .entry(word.to_ascii_lowercase())
                        .or_insert_with(|| value.into_owned());
                }
            } else if next.len() < after.len() || next.is_empty() || next.starts_with(',') {
                let challenge = RawChallenge {
                    scheme: Some(word.into()),
                    ..RawChallenge::default()
                };
                challenges.push(core::mem::replace(&mut current, challenge));
                rest = next;
            } else {
                rest = skip_element(after);
            }
        }
        challenges.push(current);
        // Parameters before any scheme belong to nothing.
        challenges.retain(|challenge| challenge.scheme.is_some());
        Self {
            challenges,
            terminated,
        }
    }
}

/// A quoted string or whatever stands before the next comma, and the rest; `None` is a quoted string without end.
fn take_value(text: &str) -> (Option<Cow<'_, str>>, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(',').unwrap_or((text, ""));
        return (Some(Cow::Borrowed(value.trim_matches(is_space))), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return (Some(Cow::Owned(value)), characters.as_str()),
            '\\' => value.extend(characters.next()),
            character => value.push(character),
        }
    }
    (None, "")
}

/// The longest token (RFC 9110 §5.6.2) at the start of the text, and the rest.
fn take_token(text: &str) -> (&str, &str) {
    let end = text.find(|c| !is_token_character(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn skip_element(text: &str) -> &str {
    text.split_once(',').map_or("", |(_, rest)| rest)
}

fn is_token_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

/// White space, obsolete line folds included.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}
