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
        time: UnixTime::from_secs(START),
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

const START: u64 = 1_800_000_000;

fn token(issued: u64) -> TokenView {
    let issued = START.saturating_add(issued);
    let claims = format!(
        r#"{{"aud":"api://orders","exp":{},"iat":{},"xms_cc":["cp1"]}}"#,
        issued.saturating_add(3600),
        issued
    );
    TokenView {
        name: None,
        compact: format!(
            "eyJhbGciOiJFZERTQSJ9.{}.signature",
            issued.saturating_sub(START)
        ),
        header: value(r#"{"alg":"EdDSA"}"#),
        claims: value(&claims),
    }
}

fn sign_in() -> StepReport {
    StepReport {
        token: Some(token(0)),
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
        time: UnixTime::from_secs(START + 90),
        elapsed: 90,
        token: Some(token(0)),
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

/// The client takes the challenge to the issuer and comes back with what it got.
fn retry() -> [StepReport; 2] {
    let (time, token) = (UnixTime::from_secs(START + 95), Some(token(95)));
    let client = || Lane::Client("mail".to_owned());
    let forwarded = StepReport {
        step: 2,
        time,
        elapsed: 95,
        token: token.clone(),
        ..report(
            LineKind::ClientRetry,
            client(),
            Lane::Issuer("contoso".to_owned()),
        )
    };
    let repeated = StepReport {
        step: 2,
        time,
        elapsed: 95,
        summary: "mail asks again".to_owned(),
        token,
        evaluation: Some(r#"{"decision":"allow","status":200,"reasons":[]}"#.to_owned()),
        ..report(LineKind::Request, client(), Lane::Resource)
    };
    [forwarded, repeated]
}

#[test]
fn the_picture_tells_the_story() {
    let mut timeline = Timeline::new(100, true);
    let [forwarded, repeated] = retry();
    let picture: String = [sign_in(), request(), forwarded, repeated]
        .iter()
        .map(|report| timeline.exchange(report) + "\n")
        .collect();
    let expected = r#" 1.       +0s  adele signs in with mail
      ├──── asks for a token ────▶│                           │                           │
      │◀──────── token ───────────┤                           │                           │
      token            token 1: eyJhbGciOiJFZERTQSJ9... (32 characters)
      header           {"alg": "EdDSA"}
      claims           {
                         "aud": "api://orders", "exp": 1800003600, "iat": 1800000000,
                         "xms_cc": ["cp1"]
                       }
      which says       issued at +0s, expires at +1h; its client understands claims challenges
                       (xms_cc: cp1)
      │                           │                           │                           │
 2.    +1m30s  mail asks for orders
               the account was disabled
      ├───────── /orders, token 1, from 203.0.113.7 ─────────▶│                           │
      │◀────────────────── 401 challenge ─────────────────────┤                           │
      presents         token 1, issued at +0s, expires at +1h
      because          account_disabled: The account was disabled
      WWW-Authenticate Bearer realm="",
                       error="insufficient_claims"
      decoded claims   {"access_token": {"nbf": {"value": "1800000090"}}}
      which asks for   a token issued at +1m30s or later
      ✓ as expected: decision "challenge"
      ✗ status: expected 403, found 401
      │                           │                           │                           │
 3.    +1m35s  adele signs in with mail
      ├──── forwards claims ─────▶│                           │                           │
      │◀──────── token ───────────┤                           │                           │
      token            token 2: eyJhbGciOiJFZERTQSJ9... (33 characters)
      header           {"alg": "EdDSA"}
      claims           {"exp": 1800003695, "iat": 1800000095}
                       the others as in token 1
      which says       issued at +1m35s, expires at +1h01m35s; its client understands claims
                       challenges (xms_cc: cp1)
      │                           │                           │                           │
       +1m35s  mail asks again
      ├────────────────────── token 2 ───────────────────────▶│                           │
      │◀──────────────────── 200 allow ───────────────────────┤                           │
      presents         token 2, issued at +1m35s, expires at +1h01m35s
      which is         not older than +1m30s, as the challenge asked
      │                           │                           │                           │
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
        (3661, "+1h01m01s"),
    ] {
        assert_eq!(elapsed(seconds), text);
    }
}

#[test]
fn the_end_says_whether_all_expectations_hold() {
    let mut timeline = Timeline::new(100, true);
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
    timeline.exchange(&request());
    assert_eq!(
        plain(&timeline.close(&summary(1))),
        "✗ 1 of 12 expectations fail in 6 steps: look at 2"
    );
}
