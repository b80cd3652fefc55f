use std::format;
use std::string::{String, ToString as _};
use std::vec::Vec;

use serde_json::{Value, json};

use crate::configuration::Configuration;
use crate::engine::{EventQuestion, SignatureAnswer};
use crate::signal::explain;
use crate::time::UnixTime;

/// 2027-01-15 12:00:00 UTC.
const NOW: u64 = 1_800_014_400;
const TENANT: &str = "9d8f0d1c-58a3-4a6e-8f0a-2f1f0b6f7a11";
const RESOURCE: &str = "5d5f3f0e-3c1b-4b39-9d0e-6a3b1c2d4e5f";

fn issuer() -> String {
    format!("https://login.microsoftonline.com/{TENANT}/v2.0")
}

fn configuration(policies: &Value, transmitter: &Value) -> Configuration {
    let mut document = json!({
        "resource": {"audiences": [RESOURCE], "applicationId": RESOURCE},
        "issuers": [{
            "issuer": issuer(), "claims": "entra-v2", "challenge": "entra", "jwks": {"keys": []}, "policies": policies
        }],
        "transmitters": [{
            "issuer": "https://ssf.example", "jwks": {"keys": []}, "speaksFor": [issuer()]
        }]
    });
    for (name, value) in transmitter.as_object().unwrap() {
        document["transmitters"][0][name] = value.clone();
    }
    Configuration::read(&document.to_string()).unwrap()
}

fn policy(name: &str, conditions: &Value, control: &str) -> Value {
    let mut policy = json!({
        "id": "e1b2c3d4-5f60-4718-a293-a4b5c6d7e8f9", "displayName": name, "state": "enabled",
        "conditions": {
            "users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"]
        },
        "grantControls": {"operator": "OR", "builtInControls": [control]}
    });
    for (name, value) in conditions.as_object().unwrap() {
        policy["conditions"][name] = value.clone();
    }
    policy
}

fn sub(id: &str) -> Value {
    json!({"format": "iss_sub", "iss": issuer(), "sub": id})
}

/// The sentences about one event of the transmitter that happened at 12:03:10 and arrived a minute later.
fn said(configuration: &Configuration, name: &str, subject: &Value, members: &Value) -> String {
    let uri = format!("https://schemas.openid.net/secevent/{name}");
    let mut members = members.clone();
    members["event_timestamp"] = (NOW + 190).into();
    let payload = json!({
        "iss": "https://ssf.example", "jti": "1", "iat": NOW + 200, "sub_id": subject, "events": {uri: members}
    });
    let question = EventQuestion {
        text: &payload.to_string(),
        unsigned: true,
        received_at: UnixTime::from_secs(NOW + 250),
        signature: SignatureAnswer::NotChecked,
        against: None,
    };
    let answer: Value = serde_json::from_str(&explain(&question, Some(configuration))).unwrap();
    let sentences = answer["explanation"].as_array().unwrap();
    let sentences: Vec<&str> = sentences.iter().filter_map(Value::as_str).collect();
    sentences.join("\n")
}

const REVOKED: &str = "caep/event-type/session-revoked";
const COMPLIANCE: &str = "caep/event-type/device-compliance-change";
const RISK: &str = "caep/event-type/risk-level-change";

#[test]
fn a_cut_off_says_whom_until_when_and_for_how_long() {
    let plain = configuration(&json!([]), &json!({}));
    let text = said(&plain, REVOKED, &sub("adele"), &json!({}));
    assert_eq!(
        text,
        "Tokens of user `adele` issued before 12:03:11 UTC will be challenged (session_revoked); after 2027-01-16 \
         16:09:11 UTC no acceptable token is that old."
    );
    let both = json!({"format": "complex", "user": sub("adele"), "session": {"format": "opaque", "id": "s1"}});
    let text = said(
        &plain,
        REVOKED,
        &both,
        &json!({"initiating_entity": "admin"}),
    );
    assert!(
        text.contains("Tokens that show user `adele` and session `s1`, issued before 12:03:11 UTC"),
        "{text}"
    );
    assert!(text.contains("shows no session at all counts"), "{text}");
    let text = said(
        &plain,
        REVOKED,
        &both,
        &json!({"initiating_entity": "user"}),
    );
    assert!(
        text.contains("does not show all of them is not hit"),
        "{text}"
    );
}

#[test]
fn standing_state_says_who_asks_for_it() {
    let device = json!({"format": "complex", "device": sub("laptop")});
    let unmet = json!({"previous_status": "compliant", "current_status": "not-compliant"});
    let met = json!({"previous_status": "not-compliant", "current_status": "compliant"});
    let plain = configuration(&json!([]), &json!({}));
    let text = said(&plain, COMPLIANCE, &device, &unmet);
    assert!(
        text.contains("Nothing more for device `laptop`: no policy asks for a compliant device"),
        "{text}"
    );
    let text = said(&plain, COMPLIANCE, &device, &met);
    assert_eq!(
        text,
        "Nothing for device `laptop`: no policy asks for a compliant device."
    );

    let asked = configuration(
        &json!([policy("Devices", &json!({}), "compliantDevice")]),
        &json!({}),
    );
    let text = said(&asked, COMPLIANCE, &device, &unmet);
    assert!(
        text.contains("policy `Devices` asks for a compliant device"),
        "{text}"
    );
    assert!(
        text.contains("until 2027-04-15 12:03:11 UTC"),
        "90 days: {text}"
    );

    let level = json!({"principal": "USER", "current_level": "MEDIUM"});
    let text = said(&plain, RISK, &sub("adele"), &level);
    assert!(
        text.contains("risk level of user `adele` is medium") && text.contains("no policy asks"),
        "{text}"
    );
    let risky = policy("Risk", &json!({"userRiskLevels": ["medium"]}), "mfa");
    let asked = configuration(
        &json!([risky]),
        &json!({"standingStateMaxAgeSeconds": 86_400}),
    );
    let text = said(&asked, RISK, &sub("adele"), &level);
    assert!(
        text.contains("until 2027-01-16 12:03:11 UTC; policy `Risk` asks for it"),
        "{text}"
    );
}

#[test]
fn overrides_of_the_transmitter_are_told() {
    let ignoring = configuration(
        &json!([]),
        &json!({"sessionRevokedByUser": "ignore", "brake": {"subjectsPerMinute": 50, "hold": true}}),
    );
    let text = said(
        &ignoring,
        REVOKED,
        &sub("adele"),
        &json!({"initiating_entity": "user"}),
    );
    assert!(
        text.contains("leaves alone") && !text.contains("challenged"),
        "{text}"
    );
    let text = said(&ignoring, REVOKED, &sub("adele"), &json!({}));
    assert!(
        text.contains("more than 50 subjects within a minute"),
        "{text}"
    );
    let text = said(
        &ignoring,
        "risc/event-type/account-disabled",
        &sub("adele"),
        &json!({}),
    );
    assert!(
        text.contains("reports it enabled") && !text.contains("Held"),
        "{text}"
    );

    let own = configuration(&json!([]), &json!({"actsForIssuer": true}));
    let text = said(
        &own,
        "risc/event-type/account-disabled",
        &sub("adele"),
        &json!({}),
    );
    assert!(
        text.contains("at most until 2027-01-16 16:09:11 UTC"),
        "{text}"
    );
    let text = said(
        &own,
        "risc/event-type/account-enabled",
        &sub("adele"),
        &json!({}),
    );
    assert!(
        text.contains("What anybody said before about user `adele`"),
        "{text}"
    );
}

#[test]
fn what_can_never_match_is_told() {
    let plain = configuration(&json!([]), &json!({}));
    let account = json!({"format": "account", "uri": "acct:adele@contoso.example"});
    let text = said(&plain, REVOKED, &account, &json!({}));
    assert!(text.contains("can ever show this key"), "{text}");
    let tenant = json!({"format": "complex", "tenant": {"format": "opaque", "id": TENANT}});
    let text = said(&plain, REVOKED, &tenant, &json!({}));
    assert!(text.contains("`allowTenantWide`"), "{text}");
    let text = said(&plain, "caep/event-type/other", &sub("adele"), &json!({}));
    assert!(text.contains("knows no event type"), "{text}");
}

#[test]
fn who_left_a_group_is_named_and_so_is_the_group() {
    let plain = configuration(&json!([]), &json!({"opaqueScope": TENANT}));
    let group = json!({"format": "scim", "uri": "/Groups/g"});
    let event = json!({"data": {"Operations": [{"op": "remove", "path": "members", "value": [{"value": "adele"}]}]}});
    let uri = "urn:ietf:params:scim:event:prov:patch:full";
    let payload = json!({
        "iss": "https://ssf.example", "jti": "1", "iat": NOW, "sub_id": group, "events": {uri: event}
    });
    let question = EventQuestion {
        text: &payload.to_string(),
        unsigned: true,
        received_at: UnixTime::from_secs(NOW),
        signature: SignatureAnswer::NotChecked,
        against: None,
    };
    let text = explain(&question, Some(&plain));
    assert!(
        text.contains("Tokens of user `adele`, no longer in the group `g`, issued before"),
        "{text}"
    );
}

/// A note that nobody words would be one that people never hear of.
#[test]
fn every_note_has_a_sentence() {
    const SAID_ELSEWHERE: [&str; 1] = ["noConfiguration"];
    let table = include_str!("../notes.rs");
    let words = include_str!("notes.rs");
    let codes: Vec<String> = table
        .lines()
        .filter_map(|line| line.strip_prefix("/// | `"))
        .map(|line| line.split(['`', ':']).next().unwrap().to_string())
        .collect();
    assert!(codes.len() > 10);
    for code in codes
        .iter()
        .filter(|code| !SAID_ELSEWHERE.contains(&code.as_str()))
    {
        assert!(words.contains(&format!("\"{code}\"")), "{code}");
    }
}
