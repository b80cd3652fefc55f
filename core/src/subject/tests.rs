use super::*;
use crate::json::{Limits, parse};
use std::string::ToString as _;

fn read(text: &str) -> Result<Subject, SubjectError> {
    Subject::read(&parse(text.as_bytes(), Limits::EVENT).unwrap())
}

#[test]
fn every_format_is_read() {
    use SubjectIdentifier::*;
    let text = String::from;
    for (json, expected) in [
        (
            r#"{"format":"account","uri":"acct:a@idp.example"}"#,
            Account(text("acct:a@idp.example")),
        ),
        (
            r#"{"format":"email","email":"a@idp.example"}"#,
            Email(text("a@idp.example")),
        ),
        (
            r#"{"format":"iss_sub","iss":"https://idp.example","sub":"a"}"#,
            IssSub {
                iss: text("https://idp.example"),
                sub: text("a"),
            },
        ),
        (r#"{"format":"opaque","id":"a"}"#, Opaque(text("a"))),
        (
            r#"{"format":"phone_number","phone_number":"+1 206-555 0123"}"#,
            PhoneNumber(text("+12065550123")),
        ),
        (
            r#"{"format":"phone","phone":"+12065550123"}"#,
            PhoneNumber(text("+12065550123")),
        ),
        (
            r#"{"format":"did","url":"did:example:1#k"}"#,
            Did(text("did:example:1#k")),
        ),
        (
            r#"{"format":"uri","uri":"urn:uuid:1"}"#,
            Uri(text("urn:uuid:1")),
        ),
        (
            r#"{"format":"aliases","identifiers":[{"format":"opaque","id":"a"},{"format":"x"}]}"#,
            Aliases(std::vec![Opaque(text("a")), Unknown { format: text("x") }]),
        ),
        (
            r#"{"format":"jwt_id","iss":"https://idp.example","jti":"1"}"#,
            JwtId {
                iss: text("https://idp.example"),
                jti: text("1"),
            },
        ),
        (
            r#"{"format":"saml_assertion_id","issuer":"i","assertion_id":"1"}"#,
            SamlAssertionId {
                issuer: text("i"),
                assertion_id: text("1"),
            },
        ),
        (
            r#"{"format":"ip-addresses","ip-addresses":["192.0.2.1","2001:db8::1"]}"#,
            IpAddresses(std::vec![text("192.0.2.1"), text("2001:db8::1")]),
        ),
        (
            r#"{"format":"catalog_item","catalog_id":1}"#,
            Unknown {
                format: text("catalog_item"),
            },
        ),
    ] {
        assert_eq!(read(json), Ok(Subject::Simple(expected)), "{json}");
    }
    let complex = read(
        r#"{"format":"complex","user":{"format":"opaque","id":"a"},
            "x":{"format":"aliases","identifiers":[{"format":"opaque","id":"b"}]}}"#,
    );
    assert!(matches!(complex, Ok(Subject::Complex(members)) if members.iter().count() == 2));
}

#[test]
fn what_breaks_its_format_is_refused_with_its_place() {
    for (json, error) in [
        ("[]", "subject: expected an object"),
        ("{}", "subject/format: expected a non-empty string"),
        (
            r#"{"format":1}"#,
            "subject/format: expected a non-empty string",
        ),
        (
            r#"{"format":"email"}"#,
            "subject/email: expected a non-empty string",
        ),
        (
            r#"{"format":"opaque","id":""}"#,
            "subject/id: expected a non-empty string",
        ),
        (
            r#"{"format":"email","email":"a@"}"#,
            "subject/email: not the syntax",
        ),
        (
            r#"{"format":"account","uri":"a@b"}"#,
            "subject/uri: not the syntax",
        ),
        (
            r#"{"format":"did","url":"example:1"}"#,
            "subject/url: not the syntax",
        ),
        (
            r#"{"format":"uri","uri":"no scheme"}"#,
            "subject/uri: not the syntax",
        ),
        (
            r#"{"format":"phone_number","phone_number":"2065550123"}"#,
            "subject/phone_number: not the syntax",
        ),
        (
            r#"{"format":"ip-addresses","ip-addresses":["192.0.2.256"]}"#,
            "subject/ip-addresses: not the syntax",
        ),
        (
            r#"{"format":"ip-addresses","ip-addresses":"192.0.2.1"}"#,
            "subject/ip-addresses: expected a non-empty list",
        ),
        (
            r#"{"format":"iss_sub","iss":"i"}"#,
            "subject/sub: expected a non-empty string",
        ),
        (
            r#"{"format":"opaque","id":"a","email":"a@b"}"#,
            "subject/email: no member of this format",
        ),
        (
            r#"{"format":"aliases","identifiers":[]}"#,
            "subject/identifiers: expected a non-empty list",
        ),
        (
            r#"{"format":"aliases","identifiers":[{"format":"aliases","identifiers":[]}]}"#,
            "subject/identifiers/0/format: not allowed inside",
        ),
        (
            r#"{"format":"complex"}"#,
            "subject: a complex subject needs a member",
        ),
        (
            r#"{"format":"complex","user":{"format":"complex"}}"#,
            "subject/user/format: not allowed inside",
        ),
        (
            r#"{"format":"complex","user":"a"}"#,
            "subject/user: expected an object",
        ),
    ] {
        let found = read(json).unwrap_err().to_string();
        assert!(found.starts_with(error), "{json}: {found}");
    }
    let many = std::format!(
        r#"{{"format":"aliases","identifiers":[{}]}}"#,
        std::vec![r#"{"format":"opaque","id":"a"}"#; Subject::MOST_ALIASES + 1].join(",")
    );
    assert_eq!(read(&many).unwrap_err().kind, SubjectErrorKind::TooMany);
    let members: std::vec::Vec<_> = (0..=Subject::MOST_MEMBERS)
        .map(|n| std::format!(r#""m{n}":{{"format":"opaque","id":"a"}}"#))
        .collect();
    let complex = std::format!(r#"{{"format":"complex",{}}}"#, members.join(","));
    assert_eq!(read(&complex).unwrap_err().kind, SubjectErrorKind::TooMany);
}

#[test]
fn matching_is_as_ssf_defines_it() {
    let tenant = r#""tenant":{"format":"opaque","id":"t"}"#;
    let user = r#""user":{"format":"email","email":"a@b"}"#;
    let group = |id| std::format!(r#""group":{{"format":"did","url":"did:example:{id}"}}"#);
    let complex = |members: &[&str]| {
        read(&std::format!(
            r#"{{"format":"complex",{}}}"#,
            members.join(",")
        ))
        .unwrap()
    };
    let simple = |id| read(&std::format!(r#"{{"format":"opaque","id":"{id}"}}"#)).unwrap();
    for (one, other, expected) in [
        (complex(&[tenant]), complex(&[tenant, user]), true),
        (complex(&[tenant]), complex(&[user]), true),
        (
            complex(&[user, &group(1)]),
            complex(&[user, &group(2)]),
            false,
        ),
        (simple("a"), simple("a"), true),
        (simple("a"), simple("A"), false),
        (simple("t"), complex(&[tenant]), false),
    ] {
        assert_eq!(one.matches(&other), expected);
        assert_eq!(other.matches(&one), expected, "matching is symmetric");
    }
}

/// Lines of a vector file; `None`, said aloud, where there is none. The files lie beside the checkout, or where
/// `CAE_VECTORS` says.
pub(crate) fn vectors(name: &str) -> Option<std::vec::Vec<Value>> {
    let beside = std::concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors");
    let folder = std::env::var("CAE_VECTORS").unwrap_or_else(|_| beside.into());
    let Ok(text) = std::fs::read_to_string(std::format!("{folder}/{name}")) else {
        std::eprintln!("skipped: no ../shared/vectors/{name}");
        return None;
    };
    let line = |line: &str| parse(line.as_bytes(), Limits::DOCUMENT).unwrap();
    Some(text.lines().map(line).collect())
}

#[test]
fn identifiers_of_the_vectors_are_read() {
    for case in vectors("subject-identifiers.jsonl").unwrap_or_default() {
        let read = Subject::read(&case["sub_id"]);
        assert_eq!(
            read.is_ok(),
            case["expect"]["valid"] == true,
            "{}",
            case["title"]
        );
        assert!(
            !matches!(read, Ok(Subject::Simple(SubjectIdentifier::Unknown { .. }))),
            "{}",
            case["title"]
        );
    }
}

#[test]
fn matches_of_the_vectors_hold() {
    for case in vectors("subject-matching.jsonl").unwrap_or_default() {
        let added = Subject::read(&case["added"]).unwrap();
        let event = Subject::read(&case["event"]).unwrap();
        assert_eq!(event.matches(&added), case["match"] == true);
    }
}
