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
