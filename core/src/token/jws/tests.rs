#![expect(clippy::arithmetic_side_effects, reason = "small numbers in tests")]

use alloc::format;
use alloc::string::{String, ToString as _};

use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits {
    bytes: 2_000,
    depth: 4,
};
const HEADER: &str = r#"{"alg":"RS256","typ":"JWT","kid":"k1"}"#;

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn compact(header: &str, payload: &str) -> String {
    format!(
        "{}.{}.c2ln",
        encode(header.as_bytes()),
        encode(payload.as_bytes())
    )
}

fn refused(text: &str) -> JwsErrorKind {
    CompactJws::parse(text, LIMITS).expect_err(text).kind
}

#[test]
fn reads_header_payload_and_signing_input() {
    let text = compact(HEADER, r#"{"sub":"a"}"#);
    let jws = CompactJws::parse(&text, LIMITS).unwrap();
    assert_eq!(jws.header.algorithm, "RS256");
    assert_eq!(jws.header.media_type().as_deref(), Some("jwt"));
    assert_eq!(jws.header.key_id.as_deref(), Some("k1"));
    assert_eq!(jws.payload["sub"], "a");
    assert_eq!(jws.signature, b"sig");
    assert_eq!(format!("{}.c2ln", jws.signing_input), text);
}

#[test]
fn a_media_type_is_compared_without_case_and_prefix() {
    for (typ, expected) in [
        ("JWT", "jwt"),
        ("application/AT+JWT", "at+jwt"),
        ("Application/at+jwt", "at+jwt"),
        ("application/a/b", "application/a/b"),
    ] {
        assert_eq!(media_type(typ), expected);
    }
}

#[test]
fn one_form_only() {
    let header = encode(HEADER.as_bytes());
    for (text, expected) in [
        (String::new(), JwsErrorKind::Segments { found: 1 }),
        ("a.b".into(), JwsErrorKind::Segments { found: 2 }),
        ("a.b.c.d".into(), JwsErrorKind::Segments { found: 4 }),
        ("a.b.c.d.e".into(), JwsErrorKind::Encrypted),
        ("a.b.c.d.e.f".into(), JwsErrorKind::Segments { found: 6 }),
        (
            r#"{"payload":"e30"}"#.into(),
            JwsErrorKind::JsonSerialisation,
        ),
        (format!("{header}.e30."), JwsErrorKind::Unsigned),
        (format!(".{header}.c2ln"), json_error(Segment::Header)),
        (format!("{header}..c2ln"), json_error(Segment::Payload)),
        (
            format!("{header}.MQ.c2ln"),
            JwsErrorKind::NotAnObject(Segment::Payload),
        ),
        (
            format!("W10.{header}.c2ln"),
            JwsErrorKind::NotAnObject(Segment::Header),
        ),
        (
            "x".repeat(2_001),
            JwsErrorKind::TooLarge {
                found: 2_001,
                limit: 2_000,
            },
        ),
    ] {
        let found = refused(&text);
        assert_eq!(
            core::mem::discriminant(&found),
            core::mem::discriminant(&expected),
            "{text}: {found}"
        );
        if !matches!(expected, JwsErrorKind::Json { .. }) {
            assert_eq!(found, expected, "{text}");
        }
    }
}

fn json_error(segment: Segment) -> JwsErrorKind {
    JwsErrorKind::Json {
        segment,
        error: JsonError::TooLarge { found: 0, limit: 0 },
    }
}

#[test]
fn base64url_is_strict_and_the_fault_is_located() {
    let header = encode(HEADER.as_bytes());
    let payload_at = header.len() + 1;
    for (text, segment, at) in [
        (format!("{header}=.e30.c2ln"), Segment::Header, header.len()),
        (
            format!("{header}.e30=.c2ln"),
            Segment::Payload,
            payload_at + 3,
        ),
        (
            format!("{header}.e30.c2ln\n"),
            Segment::Signature,
            payload_at + 8,
        ),
        (format!(" {header}.e30.c2ln"), Segment::Header, 0),
        (
            format!("{header}.e30.c2+n"),
            Segment::Signature,
            payload_at + 6,
        ),
        (
            format!("{header}.e30.c2/n"),
            Segment::Signature,
            payload_at + 6,
        ),
        // `e30` and `e31` decode to the same bytes for a parser that drops the last bits.
        (
            format!("{header}.e31.c2ln"),
            Segment::Payload,
            payload_at + 2,
        ),
        (format!("{header}.e3.c"), Segment::Payload, payload_at + 1),
    ] {
        let error = CompactJws::parse(&text, LIMITS).expect_err(&text);
        assert_eq!(error.kind, JwsErrorKind::Base64(segment), "{text}");
        assert_eq!(error.at, Some(at), "{text}");
    }
}

#[test]
fn headers_that_change_the_meaning_of_the_token_are_refused() {
    let member = |member, fault| JwsErrorKind::Member { member, fault };
    let long = format!(
        r#"{{"alg":"RS256","kid":"{}"}}"#,
        "k".repeat(MAX_KEY_ID_BYTES + 1)
    );
    for (header, expected) in [
        (r#"{"typ":"JWT"}"#, member("alg", "is missing")),
        (r#"{"alg":1}"#, member("alg", "is not a string")),
        (r#"{"alg":null}"#, member("alg", "is not a string")),
        (
            r#"{"alg":"RS256","typ":1}"#,
            member("typ", "is not a string"),
        ),
        (
            r#"{"alg":"RS256","kid":{}}"#,
            member("kid", "is not a string"),
        ),
        (long.as_str(), member("kid", "is too long")),
        (
            r#"{"alg":"RS256","crit":["exp"],"exp":1}"#,
            JwsErrorKind::Critical,
        ),
        (r#"{"alg":"RS256","crit":[]}"#, JwsErrorKind::Critical),
        (r#"{"alg":"RS256","crit":"b64"}"#, JwsErrorKind::Critical),
        (
            r#"{"alg":"RS256","crit":["b64"],"b64":false}"#,
            JwsErrorKind::Critical,
        ),
        (
            r#"{"alg":"RS256","b64":false}"#,
            JwsErrorKind::UnencodedPayload,
        ),
        (r#"{"alg":"RS256","zip":"DEF"}"#, JwsErrorKind::Compressed),
        (r#"{"alg":"RS256","cty":"JWT"}"#, JwsErrorKind::Nested),
        (
            r#"{"alg":"RS256","cty":"application/jwt"}"#,
            JwsErrorKind::Nested,
        ),
    ] {
        assert_eq!(refused(&compact(header, "{}")), expected, "{header}");
    }
}

#[test]
fn keys_that_the_token_brings_along_are_ignored() {
    let header =
        r#"{"alg":"RS256","jku":"https://evil.example","x5u":1,"jwk":{"kty":"oct"},"x5c":["x"]}"#;
    let text = compact(header, "{}");
    assert_eq!(
        CompactJws::parse(&text, LIMITS).unwrap().header.key_id,
        None
    );
}

#[test]
fn json_is_strict_in_both_objects() {
    for (header, payload, what) in [
        (
            r#"{"alg":"RS256","alg":"none"}"#,
            "{}",
            "repeated member `alg`",
        ),
        (HEADER, r#"{"oid":1,"oid":2}"#, "repeated member `oid`"),
        (HEADER, r#"{"a":{"b":1,"b":2}}"#, "repeated member `b`"),
        (HEADER, r#"{"a":[[[[]]]]}"#, "nested deeper than 4"),
        (HEADER, r#"{"a":"\u0000"}"#, "NUL"),
        (HEADER, r#"{"a":"\ud800"}"#, "hex escape"),
        (HEADER, "\u{feff}{}", "expected value"),
    ] {
        let error = CompactJws::parse(&compact(header, payload), LIMITS)
            .expect_err(payload)
            .to_string();
        assert!(error.contains(what), "{error} should name {what}");
    }
    let latin = format!(
        "{}.{}.c2ln",
        encode(HEADER.as_bytes()),
        encode(b"{\"a\":\"\xe9\"}")
    );
    assert!(matches!(refused(&latin), JwsErrorKind::Json { .. }));
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        let _ = CompactJws::parse(&text, LIMITS);
    }

    #[test]
    fn any_decoded_bytes_are_answered(
        header in proptest::collection::vec(any::<u8>(), 0..80),
        payload in proptest::collection::vec(any::<u8>(), 0..80),
        signature in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let text = format!("{}.{}.{}", encode(&header), encode(&payload), encode(&signature));
        let _ = CompactJws::parse(&text, LIMITS);
    }

    #[test]
    fn one_changed_byte_never_reads_as_the_same_token(at in 0_usize..60, byte in any::<u8>()) {
        let text = compact(HEADER, r#"{"sub":"a"}"#);
        let mut bytes = text.clone().into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        if let Ok(changed) = String::from_utf8(bytes)
            && let Ok(jws) = CompactJws::parse(&changed, LIMITS)
        {
            let original = CompactJws::parse(&text, LIMITS).unwrap();
            prop_assert!(
                (&jws.header, &jws.payload, &jws.signature)
                    != (&original.header, &original.payload, &original.signature)
            );
        }
    }
}
