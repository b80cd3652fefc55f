use alloc::string::ToString as _;

use super::*;
use crate::json::{Limits, parse};
use crate::policy::logic::Truth;

fn device(text: &str) -> Device {
    let value = parse(text.as_bytes(), Limits::DOCUMENT).unwrap();
    Device::read(value.as_object().unwrap())
}

fn truth(rule: &str, info: &str) -> Truth {
    Rule::parse(rule)
        .unwrap_or_else(|error| panic!("{rule}: {error}"))
        .truth(Some(&device(info)))
}

const T: Truth = Truth::True;
const F: Truth = Truth::False;
const U: Truth = Truth::Unknown;
const UNREGISTERED: &str = r#"{"deviceId": "", "displayName": "x", "isCompliant": true}"#;

#[test]
fn operators_and_their_negations() {
    let info = r#"{"displayName": "SAW-Ärger", "deviceId": "A1", "trustType": "ServerAD", "ownership": "Company",
        "isCompliant": false, "physicalIds": ["[ZTDId]:1", "[HWID]:h"], "systemLabels": [], "model": ""}"#;
    for (positive, negative, expected) in [
        (
            "displayName -eq \"saw-äRGER\"",
            "displayName -ne \"saw-äRGER\"",
            T,
        ),
        (
            "displayName -eq \"saw\"",
            "displayName notEquals \"saw\"",
            F,
        ),
        (
            "displayName -startsWith 'SAW-'",
            "displayName -notStartsWith 'SAW-'",
            T,
        ),
        (
            "displayName endsWith \"Ger\"",
            "displayName notEndsWith \"Ger\"",
            T,
        ),
        (
            "displayName -contains \"-Ä\"",
            "displayName -notContains \"-Ä\"",
            T,
        ),
        (
            "displayName -in [\"a\", 'saw-ärger']",
            "displayName -notIn [\"a\", 'saw-ärger']",
            T,
        ),
        ("deviceid -in [\"x\"]", "DEVICEID -notin [\"x\"]", F),
        (
            "deviceOwnership -eq \"company\"",
            "deviceOwnership -ne \"company\"",
            T,
        ),
        (
            "trustType -eq \"ServerAD\"",
            "trustType -ne \"ServerAD\"",
            T,
        ),
        ("isCompliant -eq True", "isCompliant -ne true", F),
        (
            "isCompliant Equals \"False\"",
            "isCompliant NotEquals \"False\"",
            T,
        ),
        ("isCompliant -eq null", "isCompliant -ne null", F),
        (
            "physicalIds -contains \"[ztdid]:1\"",
            "physicalIds -notContains \"[ztdid]:1\"",
            T,
        ),
        (
            "physicalIds -contains \"[ZTDId]\"",
            "physicalIds -notContains \"[ZTDId]\"",
            F,
        ),
        (
            "systemLabels -contains \"x\"",
            "systemLabels -notContains \"x\"",
            F,
        ),
        ("displayName -eq null", "displayName -ne null", F),
        ("model -eq null", "model -ne null", T),
        ("model -startsWith \"\"", "model -notStartsWith \"\"", F),
        ("manufacturer -eq null", "manufacturer -ne null", U),
        ("manufacturer -in ['x']", "manufacturer -notIn ['x']", U),
        ("displayName -eq True", "displayName -ne True", F),
    ] {
        let rule = |test| alloc::format!("device.{test}");
        assert_eq!(truth(&rule(positive), info), expected, "{positive}");
        assert_eq!(truth(&rule(negative), info), !expected, "{negative}");
    }
}

#[test]
fn attributes_that_are_not_there() {
    for (rule, expected) in [
        ("device.isCompliant -ne True", T),
        ("device.isCompliant -eq False", F),
        ("device.isCompliant -eq null", T),
        ("device.trustType -eq \"ServerAD\"", F),
        ("device.displayName -notIn [\"a\"]", T),
        ("device.systemLabels -notContains \"a\"", T),
        ("device.extensionAttribute1 -ne \"a\"", T),
        ("-not device.displayName -startsWith \"a\"", T),
    ] {
        assert_eq!(truth(rule, UNREGISTERED), expected, "{rule}");
        assert_eq!(truth(rule, "{}"), U, "{rule}");
        assert_eq!(Rule::parse(rule).unwrap().truth(None), U, "{rule}");
    }
}

#[test]
fn precedence_and_forms() {
    let info = r#"{"displayName": "a\"b'c", "model": "m"}"#;
    for (rule, expected) in [
        (
            "device.model -eq \"x\" -and device.model -eq \"x\" -or device.model -eq \"m\"",
            T,
        ),
        (
            "device.model -eq \"m\" -or device.model -eq \"x\" -and device.model -eq \"x\"",
            T,
        ),
        (
            "(device.model -eq \"m\" -or device.model -eq \"x\") -and device.model -eq \"x\"",
            F,
        ),
        ("-not device.model -eq \"m\" -or device.model -eq \"m\"", T),
        (
            "-not (device.model -eq \"m\" -or device.model -eq \"m\")",
            F,
        ),
        (
            "not not device.model eq \"M\" AND not device.model eq \"x\"",
            T,
        ),
        ("Device.Model -EQ 'm'", T),
        ("device.displayName -eq \"a`\"b'c\"", T),
        ("device.displayName -eq 'a\"b''c'", T),
        (
            "device.model -eq \"x\" -and device.manufacturer -eq \"y\"",
            F,
        ),
        (
            "device.model -eq \"m\" -or device.manufacturer -eq \"y\"",
            T,
        ),
        (
            "device.model -eq \"m\" -and device.manufacturer -eq \"y\"",
            U,
        ),
    ] {
        assert_eq!(truth(rule, info), expected, "{rule}");
    }
}

#[test]
fn extension_attributes_count_for_managed_devices_only() {
    let rule = "device.extensionAttribute15 -eq \"x\"";
    for (info, expected) in [
        (r#""isCompliant": true"#, T),
        (r#""isCompliant": false, "trustType": "serverad""#, T),
        (
            r#""isCompliant": false, "trustType": "AzureAD", "mdmAppId": "0000000A-0000-0000-C000-000000000000""#,
            T,
        ),
        (
            r#""isCompliant": false, "trustType": "AzureAD", "mdmAppId": """#,
            F,
        ),
        (r#""isCompliant": false"#, U),
    ] {
        let info = alloc::format!("{{\"extensionAttribute15\": \"X\", {info}}}");
        assert_eq!(truth(rule, &info), expected, "{info}");
    }
    // The same whether or not it is usable.
    let other = r#"{"extensionAttribute15": "y"}"#;
    assert_eq!(truth(rule, other), F);
    assert_eq!(
        truth(
            rule,
            r#"{"isCompliant": false, "trustType": "", "mdmAppId": ""}"#
        ),
        F
    );
}

#[test]
fn faults_have_columns() {
    for (rule, expected) in [
        (
            "",
            "column 1: the rule ends where a property such as `device.trustType` is due",
        ),
        (
            "device.model",
            "column 13: the rule ends where an operator such as `-eq` is due",
        ),
        (
            "device.model -eq",
            "column 17: the rule ends where a value: quoted text, `True`, `False`, `null` or a list is due",
        ),
        (
            "device.colour -eq \"x\"",
            "column 1: `device.colour` is no property of device filters",
        ),
        (
            "device.extensionAttribute16 -eq \"x\"",
            "column 1: `device.extensionAttribute16` is no property of device filters",
        ),
        (
            "device.model -in []",
            "column 19: expected a quoted text, found `]`",
        ),
        (
            "device.ownership -eq \"x\"",
            "column 1: `device.ownership` is no property of device filters",
        ),
        (
            "user.model -eq \"x\"",
            "column 1: expected a property such as `device.trustType`, found `user.model`",
        ),
        (
            "device.model -match \"x\"",
            "column 14: `-match` is no operator of device filters",
        ),
        (
            "device.trustType -startsWith \"x\"",
            "column 18: `-startsWith` cannot be used with `device.trustType`",
        ),
        (
            "device.physicalIds -eq null",
            "column 20: `-eq` cannot be used with `device.physicalIds`",
        ),
        (
            "device.model -startsWith null",
            "column 26: `device.model -startsWith` cannot take this value",
        ),
        (
            "device.isCompliant -eq \"maybe\"",
            "column 24: `device.isCompliant -eq` cannot take this value",
        ),
        (
            "device.model -in \"x\"",
            "column 18: `device.model -in` cannot take this value",
        ),
        (
            "device.model -in [\"x\"",
            "column 22: the rule ends where `,` or `]` is due",
        ),
        (
            "device.model -in [\"x\",]",
            "column 23: expected a quoted text, found `]`",
        ),
        (
            "device.model -eq \"x",
            "column 18: the quote is never closed",
        ),
        (
            "device.model -eq x",
            "column 18: expected a value: quoted text, `True`, `False`, `null` or a list, found `x`",
        ),
        (
            "(device.model -eq \"é\"",
            "column 22: the rule ends where `)` is due",
        ),
        (
            "device.model -eq \"é\" device",
            "column 22: expected `-and`, `-or` or the end, found `device`",
        ),
        (
            "device.model == \"x\"",
            "column 14: `=` has no place in a rule",
        ),
    ] {
        assert_eq!(Rule::parse(rule).unwrap_err().to_string(), expected);
    }
    let nested = |depth: usize| {
        alloc::format!(
            "{}device.model -eq \"x\"{}",
            "(".repeat(depth),
            ")".repeat(depth)
        )
    };
    assert!(Rule::parse(&nested(64)).is_ok());
    assert!(Rule::parse(&nested(100_000)).is_err());
}
