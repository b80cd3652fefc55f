use cae_core::json::Value;
use cae_core::simulation::{Expectation, Lane, RequestView, TokenView};
use cae_core::time::UnixTime;

use super::*;

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn report(kind: LineKind, from: Lane, to: Lane) -> StepReport {
    StepReport {
        step: 0,
        time: UnixTime::from_secs(1_800_000_000),
        elapsed: 0,
        kind,
        from,
        to,
        summary: "adele signs in with mail".to_owned(),
        note: None,
        token: None,
        event: None,
        request: None,
        evaluation: None,
        www_authenticate: None,
        claims_request: None,
        issuer_request: None,
        issuer_answer: None,
        event_reading: None,
        faults: None,
        expectations: Vec::new(),
    }
}

fn sign_in() -> StepReport {
    StepReport {
        token: Some(TokenView {
            name: None,
            compact: String::new(),
            header: value(r#"{"alg":"EdDSA"}"#),
            claims: value(r#"{"aud":"api://orders","xms_cc":["cp1"]}"#),
        }),
        ..report(
            LineKind::SignIn,
            Lane::Client("mail".to_owned()),
            Lane::Issuer("contoso".to_owned()),
        )
    }
}

fn request() -> StepReport {
    StepReport {
        step: 1,
        elapsed: 90,
        summary: "mail asks for orders".to_owned(),
        note: Some("the account was disabled".to_owned()),
        request: Some(RequestView {
            client_ip: Some("203.0.113.7".to_owned()),
            path: Some("/orders".to_owned()),
            ..RequestView::default()
        }),
        evaluation: Some(
            r#"{"decision":"challenge","status":401,"reasons":[{"code":"account_disabled","check":"event"}]}"#
                .to_owned(),
        ),
        www_authenticate: Some(r#"Bearer realm="", error="insufficient_claims""#.to_owned()),
        claims_request: Some(value(r#"{"access_token":{"nbf":{"value":"1800000090"}}}"#)),
        expectations: vec![
            Expectation {
                key: "decision",
                expected: Value::from("challenge"),
                found: Value::from("challenge"),
                holds: true,
            },
            Expectation {
                key: "status",
                expected: Value::from(403),
                found: Value::from(401),
                holds: false,
            },
        ],
        ..report(LineKind::Request, Lane::Client("mail".to_owned()), Lane::Resource)
    }
}

#[test]
fn messages_are_drawn_between_their_lanes() {
    let mut timeline = Timeline::new(100, true);
    let picture = format!(
        "{}\n{}\n",
        timeline.exchange(&sign_in()),
        timeline.exchange(&request())
    );
    let expected = r#" 1.       +0s  adele signs in with mail
                      ├─ asks for a token ──▶│                      │                      │
                      │◀────── token ────────┤                      │                      │
               token header     {"alg": "EdDSA"}
               token claims     {"aud": "api://orders", "xms_cc": ["cp1"]}
                      │                      │                      │                      │
 2.    +1m30s  mail asks for orders
               the account was disabled
                      ├───────── /orders from 203.0.113.7 ─────────▶│                      │
                      │◀───────────── 401 challenge ────────────────┤                      │
               reasons          account_disabled
               WWW-Authenticate Bearer realm="", error="insufficient_claims"
               claims request   {"access_token": {"nbf": {"value": "1800000090"}}}
               ✓ decision "challenge"
               ✗ status: expected 403, found 401
                      │                      │                      │                      │
"#;
    assert_eq!(plain(&picture), expected);
}

#[test]
fn nothing_is_wider_than_the_terminal_or_outside_its_letters() {
    for width in [60, 80, 100, 160] {
        let mut timeline = Timeline::new(width, false);
        let mut long = request();
        long.summary = "words ".repeat(60);
        long.request.as_mut().unwrap().path = Some("/a".repeat(100));
        long.www_authenticate = Some("x".repeat(500));
        let picture = plain(&timeline.exchange(&long));
        for line in picture.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
            assert!(line.is_ascii(), "{line}");
        }
    }
}

#[test]
fn times_are_written_as_people_say_them() {
    for (seconds, text) in [
        (0, "+0s"),
        (60, "+1m"),
        (90, "+1m30s"),
        (3600, "+1h"),
        (5400, "+1h30m"),
        (3661, "+1:01:01"),
    ] {
        assert_eq!(elapsed(seconds), text);
    }
}

#[test]
fn the_end_says_whether_all_expectations_hold() {
    let timeline = Timeline::new(100, true);
    let summary = |failed| Summary {
        steps: 6,
        lines: 9,
        expectations: 12,
        failed,
    };
    assert_eq!(
        plain(&timeline.close(&summary(0))),
        "✓ all 12 expectations hold in 6 steps"
    );
    assert_eq!(
        plain(&timeline.close(&summary(1))),
        "✗ 1 of 12 expectations fail in 6 steps"
    );
}
