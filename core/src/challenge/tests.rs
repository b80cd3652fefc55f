//! Our own challenges, those of the field, and junk.
//!
//! Where client libraries disagree about a field value, this parser decides:
//!
//! | case | libraries | here |
//! |---|---|---|
//! | `no-padding`, claims of two characters (`ey`) | .NET reads none, lenient decoders read `{` | read leniently; it is not JSON, so the challenge is malformed and the text is told |
//! | `two-claims-challenges`, error `insufficient_claims` first | an earlier Resource Manager policy reads none, the current one the first | the first: a client answers one challenge, and either answer is better than none |
//! | `invalid_token` with claims | Resource Manager's policies read them, azure-core reads none | read if they are a JSON object, none otherwise |
//! | `raw-json` | MSAL hands on the escaped text | unescaped, as RFC 9110 §5.6.4 says |

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::configuration::Resource;
use crate::json::{self, Limits, Value};
use crate::subject::tests::vectors;
use crate::time::UnixTime;

/// The variant, the library's answer, ours.
const DISAGREEMENTS: [(&str, Option<&str>, Option<&str>); 2] = [
    ("no-padding", None, Some("{")),
    (
        "two-claims-challenges",
        None,
        Some(r#"{"access_token": {"foo": "bar"}}"#),
    ),
];

#[test]
fn reads_every_header_of_the_field() {
    let Some(vectors) = vectors("claims-challenge-headers.jsonl") else {
        return;
    };
    let mut disagreements = Vec::new();
    for (number, vector) in (1..).zip(vectors) {
        let text = |name: &str| vector.get(name).and_then(Value::as_str);
        let (variant, expected) = (text("variant").unwrap(), text("expect_claims"));
        let parsed = parse(text("header").unwrap());
        let read = parsed.claims.as_deref();
        if read != expected {
            let alternative = text("lenient_claims").or(text("first_claims"));
            assert_eq!(read, alternative, "line {number} ({variant})");
            disagreements.push((
                variant.to_string(),
                expected.map(String::from),
                read.map(String::from),
            ));
        }
        match (read, vector.get("claims_is_json").and_then(Value::as_bool)) {
            (Some(_), Some(true)) => assert_eq!(parsed.status, Status::Found, "line {number}"),
            (Some(_), Some(false)) => assert_eq!(parsed.status, Status::Malformed, "line {number}"),
            (None, _) => {
                let unterminated = text("note").is_some_and(|note| note.contains("unterminated"));
                let status = if unterminated {
                    Status::Malformed
                } else {
                    Status::None
                };
                assert_eq!(parsed.status, status, "line {number}");
            }
            (Some(_), None) => {}
        }
        let max_age = vector.get("max_age").and_then(Value::as_u64);
        assert_eq!(parsed.max_age, max_age, "line {number}");
    }
    let known = DISAGREEMENTS.map(|(variant, theirs, ours)| {
        (
            variant.to_string(),
            theirs.map(String::from),
            ours.map(String::from),
        )
    });
    assert_eq!(disagreements, known);
}

#[test]
fn the_forms_of_a_field_value() {
    let claims = "eyJhY2Nlc3NfdG9rZW4iOnt9fQ==";
    let good = r#"error="insufficient_claims""#;
    for (header, status, why) in [
        (
            format!(r#"bearer {good}, claims="{claims}""#),
            Status::Found,
            "schemes have no case",
        ),
        (
            format!(r#"Bearer CLAIMS = "{claims}" , Error = "insufficient_claims""#),
            Status::Found,
            "nor have names; blanks around =",
        ),
        (
            format!("Bearer error=insufficient_claims, claims={claims}"),
            Status::Found,
            "unquoted",
        ),
        (
            format!(r#"Bearer {good} claims="{claims}""#),
            Status::Found,
            "no comma",
        ),
        (
            format!(
                r#",, Negotiate, Negotiate YII/a+b==, Basic realm="a\", b", Bearer {good}, claims="{claims}""#
            ),
            Status::Found,
            "other schemes, token68",
        ),
        (
            format!(r#"it"s, junk; Bearer realm="x", Bearer {good}, claims="{claims}""#),
            Status::Found,
            "a stray quote swallows nothing",
        ),
        (
            format!(r#"Bearer {good}, claims="eyJhIjoiPz8_In0""#),
            Status::Found,
            "base64url",
        ),
        (
            format!(r#"PoP {good}, claims="{claims}""#),
            Status::None,
            "not Bearer",
        ),
        (
            format!(r#"Bearer claims="{claims}""#),
            Status::None,
            "no error",
        ),
        (
            format!(r#"{good}, claims="{claims}""#),
            Status::None,
            "no scheme",
        ),
        (
            format!(r#"Bearer {good}, claims="!!""#),
            Status::Malformed,
            "not base64",
        ),
        (
            format!(r#"Bearer {good}, claims="W10=""#),
            Status::Malformed,
            "an array",
        ),
        (
            format!(r#"Bearer {good}, claims="eyJhIjoxLCJhIjoyfQ==""#),
            Status::Malformed,
            "repeated member",
        ),
        (
            format!(r#"Bearer {good}, claims="{claims}"#),
            Status::Malformed,
            "quote without end",
        ),
        (
            format!(r#"Bearer {good}, claims="{}""#, "A".repeat(64 << 10)),
            Status::Malformed,
            "too long",
        ),
        (String::new(), Status::None, "nothing"),
        ("Bearer".into(), Status::None, "bare"),
    ] {
        assert_eq!(parse(&header).status, status, "{why}");
    }
}

#[test]
fn the_answer_of_the_command_line() {
    assert_eq!(
        parse_json(
            r#"Bearer realm="", error="insufficient_claims", errorDescription="why", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNjEwNTYzMDA2In0sInhtc19ycF9pcGFkZHIiOnsidmFsdWUiOiIxLjIuMy40In19fQ""#
        ),
        concat!(
            r#"{"status":"found","fault":null,"scheme":"Bearer","error":"insufficient_claims","errorDescription":"why","#,
            r#""claims":"{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"1610563006\"},\"xms_rp_ipaddr\":{\"value\":\"1.2.3.4\"}}}","#,
            r#""claimsRequest":{"nbf":1610563006,"rpIpAddress":"1.2.3.4","acrs":[],"capabilities":[],"ignored":[]},"#,
            r#""maxAge":null,"acrValues":[],"parameters":{"claims":"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNjEwNTYzMDA2In0sInhtc19ycF9pcGFkZHIiOnsidmFsdWUiOiIxLjIuMy40In19fQ","error":"insufficient_claims","errordescription":"why","realm":""}}"#
        )
    );
    let answer = parse_json(
        r#"Bearer error="insufficient_user_authentication", acr_values="gold silver", max_age="5""#,
    );
    assert!(answer.starts_with(r#"{"status":"none""#), "{answer}");
    assert!(
        answer.contains(r#""maxAge":5,"acrValues":["gold","silver"]"#),
        "{answer}"
    );
}

fn claims_requests() -> impl Strategy<Value = ClaimsRequest> {
    (
        any::<Option<u64>>(),
        any::<Option<IpAddr>>(),
        proptest::collection::btree_set(".*", 0..4),
        proptest::collection::btree_set("[a-z0-9]{1,8}", 0..3),
    )
        .prop_map(|(nbf, address, acrs, capabilities)| ClaimsRequest {
            nbf: nbf.map(UnixTime::from_secs),
            rp_ip_address: address.map(|address| address.to_canonical()),
            // The strict reader refuses NUL in strings.
            acrs: acrs
                .into_iter()
                .filter(|text| !text.contains('\0'))
                .collect(),
            capabilities: capabilities.into_iter().collect(),
            ..ClaimsRequest::default()
        })
}

proptest! {
    #[test]
    fn our_challenges_read_back_equal(
        claims in claims_requests(),
        realm in any::<Option<String>>(),
        uri in any::<Option<String>>(),
        entra in any::<bool>(),
    ) {
        let dialect = if entra { crate::configuration::Dialect::Entra } else { crate::configuration::Dialect::OAuth };
        let resource = Resource { realm, authorization_uri: uri, ..Resource::default() };
        let challenge = Challenge::InsufficientClaims {
            description: Some(Description::location(dialect)),
            claims: claims.clone(),
        };
        let header = www_authenticate(&resource, &challenge);
        prop_assert!(header.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        let parsed = parse(&header);
        prop_assert_eq!(parsed.status, Status::Found);
        prop_assert_eq!(parsed.claims, Some(claims.to_json()));
        prop_assert_eq!(parsed.claims_request, Some(claims));
        prop_assert_eq!(
            parsed.parameters.get("error_description").map(String::as_str),
            Some(Description::location(dialect).as_str())
        );
    }

    #[test]
    fn step_up_challenges_read_back_equal(
        acr_values in proptest::collection::vec("[!#-\\[\\]-~]{1,12}", 0..4),
        max_age in any::<Option<u64>>(),
    ) {
        let challenge = Challenge::InsufficientUserAuthentication {
            description: None,
            acr_values: acr_values.clone(),
            max_age,
        };
        let parsed = parse(&www_authenticate(&Resource::default(), &challenge));
        prop_assert_eq!(parsed.acr_values, acr_values);
        prop_assert_eq!(parsed.max_age, max_age);
    }

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC*", junk in "[Bearer clims=\",\\\\ {}\\n]{0,80}") {
        for header in [text, junk] {
            let answer = parse_json(&header);
            prop_assert!(json::parse(answer.as_bytes(), Limits::DOCUMENT).is_ok());
        }
    }
}
