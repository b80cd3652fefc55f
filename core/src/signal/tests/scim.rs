//! SCIM events (RFC 9967), and whom they are about.

use super::*;
use crate::state::key::{NameSpace, SubjectKind};
use crate::token::subject_keys::subject_key;

const SCIM: &str = "urn:ietf:params:scim:event:";

fn resource() -> Value {
    json!({"format": "scim", "uri": "/Users/u", "externalId": "u-external"})
}

/// What a SET with these events about one user does to the key of the id.
fn done(events: &Value) -> Vec<String> {
    done_by(&plain(), &resource(), events)
}

fn done_by(configuration: &Configuration, subject: &Value, events: &Value) -> Vec<String> {
    let named = events.as_object().unwrap().iter();
    let events: json::Map<_, _> = named
        .map(|(name, event)| (format!("{SCIM}{name}"), event.clone()))
        .collect();
    let set = with(
        payload(ONE, subject, "urn:x", &json!({})),
        "events",
        events.into(),
    );
    let mut lines = summary(&reading(configuration, &set));
    lines.dedup();
    lines
}

fn patch(operations: Value) -> Value {
    json!({"prov:patch:full": {"data": {"Operations": operations}}})
}

#[test]
fn provisioning_that_changes_access() {
    let disabled = "accountDisabled, status=disabled";
    let notice = |attributes: &[&str]| json!({"prov:patch:notice": {"attributes": attributes}});
    for (events, expected) in [
        (json!({"prov:delete": {}}), "accountPurged, status=purged"),
        (json!({"prov:deactivate": {}}), disabled),
        (json!({"prov:activate": {}}), "status=enabled"),
        (
            json!({"prov:create:full": {"data": {"active": false}}}),
            disabled,
        ),
        (
            json!({"prov:create:full": {"data": {"userName": "u", "password": "p", "roles": []}}}),
            "status=enabled",
        ),
        (
            json!({"prov:put:full": {"data": {"active": true, "roles": [], "userName": "u"}}}),
            "status=enabled",
        ),
        (
            json!({"prov:put:full": {"data": {"Active": "False"}}}),
            disabled,
        ),
        (
            json!({"prov:put:full": {"data": {"userName": "u", "password": "p"}}}),
            "passwordChange",
        ),
        (
            patch(json!([{"op": "replace", "path": "active", "value": false}])),
            disabled,
        ),
        (
            patch(json!([{"op": "Replace", "value": {"active": "False"}}])),
            disabled,
        ),
        (
            patch(
                json!([{"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": true}]),
            ),
            "status=enabled",
        ),
        (
            patch(json!([{"op": "remove", "path": "roles[value eq \"admin\"]"}])),
            "claimsChange",
        ),
        (
            patch(json!([{"op": "add", "path": "roles", "value": ["reader"]}])),
            "",
        ),
        (
            patch(json!([{"op": "replace", "path": "name.familyName", "value": "x"}])),
            "",
        ),
        (
            patch(
                json!([{"op": "replace", "path": "active", "value": true}, {"op": "replace", "path": "password", "value": "x"}]),
            ),
            "passwordChange, status=enabled",
        ),
        (notice(&["displayName"]), ""),
        (notice(&["displayName", "password"]), "passwordChange"),
        (notice(&["entitlements.value"]), "claimsChange"),
        // Whether it is true or false is not told: a newer token will show.
        (notice(&["active"]), "claimsChange"),
        (json!({"feed:remove": {}}), "optOut=optedOut"),
        (json!({"feed:add": {}}), "optOut=optedIn"),
        (
            json!({"misc:asyncresp": {"method": "PUT", "status": "200"}}),
            "",
        ),
        // One request may come to several events (§2.1).
        (
            json!({"prov:patch:notice": {"attributes": ["active"]}, "prov:deactivate": {}}),
            disabled,
        ),
        (
            json!({"feed:add": {}, "prov:create:notice": {"attributes": ["userName"]}}),
            "status=enabled, optOut=optedIn",
        ),
    ] {
        let expected: Vec<_> = match expected {
            "" => Vec::new(),
            effect => std::vec![format!("user: {effect}")],
        };
        assert_eq!(done(&events), expected, "{events}");
    }
}

#[test]
fn a_resource_has_the_names_that_the_event_gives() {
    use NameSpace::{Email, Native};
    use SubjectKind::{Device, User};
    let plain = plain();
    for (subject, expected, expected_notes) in [
        (
            resource(),
            &[(User, Native, "u"), (User, Native, "u-external")][..],
            &[][..],
        ),
        (
            json!({"format": "scim", "uri": "https://scim.example/v2/Users/u/", "id": "u", "userName": "ann"}),
            &[(User, Native, "u")],
            &[],
        ),
        (
            json!({"format": "scim", "uri": "/Users/u", "emails": [{"value": "U@kc.example", "type": "work"}]}),
            &[(User, Native, "u"), (User, Email, "u@kc.example")],
            &[],
        ),
        (
            json!({"format": "scim", "uri": "/Devices/d"}),
            &[(Device, Native, "d")],
            &["unmatchable:device"],
        ),
        (
            json!({"format": "scim", "uri": "/Groups/g"}),
            &[],
            &[
                "unmatchable:group",
                "noIdentifyingMember",
                "noStandingMember",
            ],
        ),
    ] {
        let set = payload(ONE, &subject, &format!("{SCIM}prov:deactivate"), &json!({}));
        let reading = reading(&plain, &set);
        let effects = reading["effects"].as_array().unwrap();
        let mut found: Vec<_> = effects
            .iter()
            .map(|effect| effect["key"].as_str().unwrap())
            .collect();
        let mut keys: Vec<_> = (expected.iter())
            .map(|(kind, name_space, text)| {
                format!("{}", subject_key(KEYCLOAK, *kind, *name_space, text))
            })
            .collect();
        found.sort_unstable();
        keys.sort();
        assert_eq!(found, keys, "{subject}");
        if subject["uri"] != "/Devices/d" {
            assert_eq!(notes(&reading), expected_notes, "{subject}");
        }
    }
    for subject in [
        json!({"format": "scim"}),
        json!({"format": "scim", "uri": ""}),
        json!({"format": "scim", "uri": "/"}),
        json!({"format": "scim", "uri": "/Users/u", "externalId": 1}),
        json!({"format": "scim", "uri": "/Users/u", "emails": ["nobody"]}),
    ] {
        let set = payload(ONE, &subject, &format!("{SCIM}prov:delete"), &json!({}));
        assert_eq!(reading(&plain, &set)["err"], "invalid_request", "{subject}");
    }
}

#[test]
fn members_that_leave_a_group_need_new_tokens() {
    let group = json!({"format": "scim", "uri": "/Groups/g"});
    let plain = plain();
    let user = |id: &str| {
        format!(
            "{}",
            subject_key(KEYCLOAK, SubjectKind::User, NameSpace::Native, id)
        )
    };
    for (operation, expected) in [
        (
            json!({"op": "remove", "path": "members", "value": [{"value": "a"}, {"value": "b", "display": "B"}]}),
            &["a", "b"][..],
        ),
        (
            json!({"op": "Remove", "path": "members[value eq \"a\"]"}),
            &["a"],
        ),
        (
            json!({"op": "remove", "path": "members[display eq \"a\"]"}),
            &[],
        ),
        (json!({"op": "remove", "path": "members"}), &[]),
        // Those who stay, or come.
        (
            json!({"op": "replace", "path": "members", "value": [{"value": "a"}]}),
            &[],
        ),
        (
            json!({"op": "add", "path": "members", "value": [{"value": "a"}]}),
            &[],
        ),
    ] {
        let uri = format!("{SCIM}prov:patch:full");
        let event = json!({"data": {"Operations": [operation]}});
        let reading = reading(&plain, &payload(ONE, &group, &uri, &event));
        let effects = reading["effects"].as_array().unwrap();
        let mut found: Vec<_> = effects
            .iter()
            .map(|effect| effect["key"].as_str().unwrap().to_owned())
            .collect();
        let mut keys: Vec<_> = expected.iter().map(|id| user(id)).collect();
        found.sort();
        keys.sort();
        assert_eq!(found, keys, "{event}");
        for line in summary(&reading) {
            assert_eq!(line, "user: claimsChange");
        }
        if expected.is_empty() && event["data"]["Operations"][0]["op"] != "add" {
            assert!(notes(&reading).contains(&"unmatchable:group"), "{event}");
        }
    }
}

#[test]
fn exactly_one_of_data_and_attributes() {
    for events in [
        json!({"prov:patch:full": {}}),
        json!({"prov:patch:full": {"attributes": ["active"]}}),
        json!({"prov:patch:notice": {"data": {"active": true}}}),
        json!({"prov:patch:notice": {"attributes": "active"}}),
    ] {
        let named = events.as_object().unwrap().iter().next().unwrap();
        let set = payload(ONE, &resource(), &format!("{SCIM}{}", named.0), named.1);
        assert_eq!(
            reading(&plain(), &set)["err"],
            "invalid_request",
            "{events}"
        );
    }
    // What is said is plain enough to be heeded.
    let both = json!({"data": {"active": false}, "attributes": ["active"]});
    let set = payload(ONE, &resource(), &format!("{SCIM}prov:put:full"), &both);
    let reading = reading(&plain(), &set);
    assert_eq!(notes(&reading), ["memberMalformed:attributes"]);
    assert_eq!(summary(&reading).len(), 2);
}

#[test]
fn the_prefix_of_the_drafts_is_legacy() {
    let uri = "urn:ietf:params:SCIM:event:prov:deactivate";
    let set = payload(ONE, &resource(), uri, &json!({}));
    assert_eq!(
        notes(&reading(&plain(), &set)),
        ["legacyEventType", "unknownEventType"]
    );
    let legacy = configuration(json!({}), json!({"legacy": true}));
    assert_eq!(summary(&reading(&legacy, &set)).len(), 2);
}
