//! The collected vectors, where they lie beside the checkout.

use super::super::address::AddressRange;
use super::*;
use crate::policy::what_if::Export;
use crate::subject::tests::vectors;

/// The lines of a vector file; none, with a note, where it is absent.
fn lines(name: &str) -> Vec<Value> {
    vectors(name).unwrap_or_default()
}

fn text<'a>(line: &'a Value, name: &str) -> Option<&'a str> {
    line[name].as_str()
}

/// What stays not understood, by display name: beta conditions that `policy-semantics.md` row 9 leaves out.
const NOT_UNDERSTOOD: &[(&str, &[&str])] = &[
    (
        "CA600-CSB-Agents-IdentityProtection-AnyApp-AnyPlatform-HighRiskAgent-BLOCK-v1.0",
        &["conditions.agentIdRiskLevels"],
    ),
    (
        "CA602-CSB-Agents-BaseProtection-AllAgentUsers-RequireCompliantDevice-v1.0",
        &["conditions.agentContext.includeAgentContexts"],
    ),
    (
        "CA603-CSB-Agents-IdentityProtection-AllAgentUsers-AllResources-RiskyAgents-BLOCK-v1.0",
        &["conditions.agentIdRiskLevels"],
    ),
    (
        "801 - <RING> - Global Secure Access - M365 Traffic: Require Strong Auth",
        &[
            "conditions.applications.globalSecureAccess",
            "conditions.applications.networkAccess",
        ],
    ),
    (
        "802 - <RING> - Global Secure Access - Specific Websites: Block",
        &[
            "conditions.applications.globalSecureAccess",
            "conditions.applications.networkAccess",
        ],
    ),
    (
        "CA501-Agents-IdentityProtection-AnyApp-AnyPlatform-BLOCK-HighRiskAgent",
        &["conditions.agentIdRiskLevels"],
    ),
    (
        "CA503-Agents-BaseProtection-AllAgentUsers-RequireCompliantDevice",
        &["conditions.agentContext.includeAgentContexts"],
    ),
    (
        "CA504-Agents-IdentityProtection-AllAgentUsers-AllResources-BlockRiskyAgents",
        &["conditions.agentIdRiskLevels"],
    ),
];

#[test]
fn every_policy_is_read() {
    let policies: Vec<Value> = lines("graph-policies.jsonl")
        .iter()
        .map(|line| line["policy"].clone())
        .collect();
    let count = policies.len();
    let places: Vec<Value> = lines("graph-named-locations.jsonl")
        .iter()
        .map(|line| line["location"].clone())
        .collect();
    let set = compile(&Value::Array(policies.clone()), Some(&Value::Array(places))).unwrap();
    assert_eq!(set.policies().len(), count);
    for (policy, document) in set.policies().iter().zip(&policies) {
        assert_eq!(
            policy.id.as_deref(),
            text(document, "id").filter(|id| !id.is_empty())
        );
        let text = document.to_string();
        let answer = check::check(&Export {
            policies: &[("vector", &text)],
            ..Export::default()
        });
        assert!(answer.starts_with(r#"{"ok":true"#), "{answer}");
        assert_eq!(
            policy.conditions.devices.filter().is_some(),
            document["conditions"]["devices"]["deviceFilter"].is_object()
        );
        assert_ne!(policy.state, PolicyState::NotUnderstood);
    }
    let odd: Vec<(&str, Vec<&str>)> = set
        .policies()
        .iter()
        .filter(|policy| !policy.not_understood.is_empty())
        .map(|policy| {
            let members = policy.not_understood.iter().map(String::as_str);
            (policy.display_name.as_deref().unwrap(), members.collect())
        })
        .collect();
    let expected: Vec<(&str, Vec<&str>)> = NOT_UNDERSTOOD
        .iter()
        .filter(|_| count > 0)
        .map(|(name, members)| (*name, members.to_vec()))
        .collect();
    assert_eq!(odd, expected, "nothing is left out silently");
    let facts = OwnedFacts::read(
        "user=$1 groups= roles= type=member app=$2 client=browser platform=windows ip=192.0.2.1 country=NL risk=none signin=none",
    );
    facts.with(|facts| {
        let candidates = set.candidates(facts);
        assert!(candidates.len() <= count);
        for (policy, applicability) in set.evaluate(&candidates, facts) {
            assert_eq!(applicability, set.evaluate_all(facts)[policy.index].1);
        }
    });
}

#[test]
fn every_named_location_is_read() {
    let places: Vec<Value> = lines("graph-named-locations.jsonl")
        .iter()
        .map(|line| line["location"].clone())
        .collect();
    if places.is_empty() {
        return;
    }
    let text = Value::Array(places).to_string();
    let answer = check::match_locations(
        &text,
        &["6.5.4.3", "127.126.125.9", "2001:4898:80e8::1", "6.5.4.4"],
    );
    let answer = parse(answer.as_bytes(), Limits::DOCUMENT).unwrap();
    assert_eq!(answer["ok"], Value::Bool(true));
    assert_eq!(answer["warnings"], Value::Array(Vec::new()));
    let found: Vec<Vec<&str>> = answer["addresses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let rows = row["locations"].as_array().unwrap().iter();
            rows.filter(|row| row["match"] == "yes")
                .filter_map(|row| row["displayName"].as_str())
                .collect()
        })
        .collect();
    assert_eq!(
        found,
        [
            vec!["IPv4 named location"],
            vec!["IPv4 named location"],
            vec!["Trusted IPv6 named location"],
            vec![]
        ]
    );
}

#[test]
fn ranges_hold_what_they_should() {
    for line in lines("ip-contains.jsonl") {
        let (range, address) = (text(&line, "cidr").unwrap(), text(&line, "addr").unwrap());
        let found = AddressRange::parse_cidr(range)
            .zip(parse_address(address))
            .is_some_and(|(range, address)| range.contains(address));
        assert_eq!(line["contains"], Value::Bool(found), "{range} {address}");
    }
}

/// Where the vectors and the rules of this engine differ.
const DISAGREEMENTS: &[(&str, &str)] = &[
    (
        "1:2::ffff:192.168.140.255%eth1",
        "row 22: a zone id does not parse; no request carries one",
    ),
    (
        "::ffff:c000:0280/96",
        "row 22: mapped ranges of /96 and longer are the IPv4 range, here 0.0.0.0/0",
    ),
    ("192.168.0.0", "row 22: no slash is a single address"),
];

#[test]
fn addresses_and_ranges_parse_as_the_vectors_say() {
    let mut disagreements = Vec::new();
    for line in lines("ip-parse.jsonl") {
        let input = text(&line, "input").unwrap();
        let found = match text(&line, "kind") {
            Some("addr") => parse_address(input).map(|address| address.to_string()),
            Some("cidr") => AddressRange::parse_cidr(input).map(|range| match range {
                AddressRange::V4(lower, upper) => alloc::format!("{lower}-{upper}"),
                AddressRange::V6(lower, upper) => alloc::format!("{lower}-{upper}"),
            }),
            // Forwarded hops and ports belong to the host's trusted-proxy rule.
            _ => continue,
        };
        let expected = (line["valid"] == Value::Bool(true)).then(|| {
            // An IPv4-mapped address comes back as the IPv4 address that it is.
            let canonical = text(&line, "v4_mapped")
                .or(text(&line, "canonical"))
                .unwrap();
            canonical
                .parse::<ipnet::IpNet>()
                .map_or(canonical.into(), |net| {
                    alloc::format!("{}-{}", net.network(), net.broadcast())
                })
        });
        if found != expected {
            disagreements.push(input.to_string());
        }
    }
    let known: Vec<&str> = DISAGREEMENTS.iter().map(|row| row.0).collect();
    assert!(
        disagreements.is_empty() || disagreements == known,
        "{disagreements:?}"
    );
}
