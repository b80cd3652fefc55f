//! The examples of the specifications, where `../shared/vectors` lies beside the checkout.

use super::*;
use crate::subject::tests::vectors;

/// Received long after every example, but before the typing error of one.
const RECEIVED_AT: u64 = 1_780_000_000;

/// `jti` of examples that the vectors call valid and this engine rejects, and why.
const REJECTED: &[(&str, &str)] = &[(
    "756E69717565206964656E746966696534",
    "`iat` lies in the year 2451: a receiver has to bound it (ssf.md §1.2, check 7)",
)];

#[test]
fn examples_are_read_as_expected() {
    for file in [
        "sets-caep.jsonl",
        "sets-risc.jsonl",
        "sets-ssf.jsonl",
        "sets-rfc.jsonl",
        "sets-legacy.jsonl",
    ] {
        for case in vectors(file).unwrap_or_default() {
            let (title, expect) = (case["title"].as_str().unwrap(), &case["expect"]);
            let payload = match case["raw"].as_str() {
                Some(raw) => raw.to_owned(),
                None => case["set"].to_string(),
            };
            let text = decode(&payload, true, UnixTime::from_secs(RECEIVED_AT), None);
            let reading = json::parse(text.as_bytes(), Limits::EVENT).unwrap();
            let disagree = REJECTED.iter().any(|(jti, _)| case["set"]["jti"] == *jti);
            let valid = expect["ssf1_valid"] == true && !disagree;
            assert_eq!(reading["status"] == "valid", valid, "{title}: {text}");
            if !valid {
                assert_eq!(reading["err"], "invalid_request", "{title}");
                continue;
            }
            assert_eq!(
                reading["eventTypes"],
                json!([expect["event_type"]]),
                "{title}"
            );
            assert_eq!(
                reading["subject"]["format"], expect["subject_format"],
                "{title}"
            );
            for (member, format) in expect["subject_members"].as_object().into_iter().flatten() {
                assert_eq!(&reading["subject"][member]["format"], format, "{title}");
            }
        }
    }
}

/// `jti` of examples that are sound by RFC 8417 and that a legacy transmitter sends in vain, and why.
const REJECTED_OF_OLD: &[(&str, &str)] = &[
    (
        "756E69717565206964656E746966696534",
        "`iat` lies in the year 2451, as above",
    ),
    (
        "3d0c3cf797584bd193bd0fb1bd4e7d30",
        "`sub` is present, which SSF 1.0 §4.1.2 and RFC 9967 §2.1 forbid lest a SET be taken for another JWT; no draft of \
         SSF allowed it",
    ),
    (
        "multi-event-0001",
        "three different events in one SET: SSF 1.0 §4.2.1 allows several names of one",
    ),
];

#[test]
fn examples_of_old_are_read_from_legacy_transmitters() {
    let mut read = 0;
    for file in ["sets-legacy.jsonl", "sets-risc.jsonl", "sets-rfc.jsonl"] {
        for case in vectors(file).unwrap_or_default() {
            let (title, set, expect) = (
                case["title"].as_str().unwrap(),
                &case["set"],
                &case["expect"],
            );
            if expect["valid"] != true {
                continue;
            }
            // Everybody whom the example names is an issuer, and the transmitter may speak for all of them.
            let mut urls = Vec::from([set["iss"].as_str().unwrap().to_owned()]);
            collect_issuers(set, &mut urls);
            let issuers: Vec<_> = urls
                .iter()
                .map(|url| json!({"issuer": url, "claims": "rfc9068", "jwks": {"keys": []}}))
                .collect();
            let document = json!({
                "resource": {"audiences": ["a"]}, "issuers": issuers,
                "transmitters": [{"issuer": set["iss"], "speaksFor": urls, "jwks": {"keys": []}, "legacy": true}],
            });
            let configuration = Configuration::read(&document.to_string()).unwrap();
            let received_at = UnixTime::from_secs(RECEIVED_AT);
            let text = decode(&set.to_string(), true, received_at, Some(&configuration));
            let reading = json::parse(text.as_bytes(), Limits::EVENT).unwrap();
            let disagree = REJECTED_OF_OLD.iter().any(|(jti, _)| set["jti"] == *jti);
            assert_eq!(reading["status"] == "valid", !disagree, "{title}: {text}");
            if !disagree {
                assert_eq!(
                    reading["eventTypes"],
                    json!([expect["event_type"]]),
                    "{title}"
                );
                read += 1;
            }
        }
    }
    assert!(read == 0 || read > 30, "only {read} examples");
}

/// Every `iss` in a SET that a configuration can name.
fn collect_issuers(value: &Value, urls: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(iss) = members.get("iss").and_then(Value::as_str)
                && !urls.iter().any(|known| known == iss)
            {
                urls.push(iss.to_owned());
            }
            members
                .values()
                .for_each(|value| collect_issuers(value, urls));
        }
        Value::Array(elements) => elements
            .iter()
            .for_each(|value| collect_issuers(value, urls)),
        _ => {}
    }
}
