//! How long a token lives (`cae.md` §3).

use alloc::string::String;
use alloc::vec::Vec;

use serde_json::json;

use super::*;

#[test]
fn lifetimes_follow_the_session() {
    let frequency = |value: Value| {
        with_session(
            policy("frequency", &json!(null), &json!({})),
            json!({"signInFrequency": value}),
        )
    };
    let hourly = frequency(
        json!({"isEnabled": true, "value": 1, "type": "hours", "frequencyInterval": "timeBased"}),
    );
    let daily = frequency(
        json!({"isEnabled": true, "value": 30, "type": "days", "frequencyInterval": "timeBased"}),
    );
    let always = frequency(json!({"isEnabled": true, "frequencyInterval": "everyTime"}));
    let off = with_session(
        policy("off", &json!(null), &json!({})),
        json!({"continuousAccessEvaluation": {"mode": "disabled"}}),
    );
    let at_home = json!({"includeLocations": ["All"], "excludeLocations": [GERMANY, MFA_TRUSTED]});
    let at_home = policy(
        "home",
        &controls("OR", &["block"]),
        &json!({"locations": at_home}),
    );
    let many: Vec<String> = (0..=5_000)
        .map(|n| alloc::format!("10.{}.{}.0/24", n / 250, n % 250))
        .collect();
    let many: Vec<&str> = many
        .iter()
        .map(String::as_str)
        .chain(["1.1.1.1/32"])
        .collect();
    let locations = json!([
        germany(),
        ip_location(MFA_TRUSTED, &["9.9.9.9/32"]),
        ip_location(OFFICE, &many)
    ]);
    let full = json!({});
    let entra = json!({"profile": "entra"});
    let entra_2020 = json!({"profile": "entra-2020"});
    let incapable = json!({"clientCapabilities": ["cp2"]});
    let prompt = json!({"result": "interactionRequired", "unmet": ["signInFrequency"]});
    let lives = |seconds: u64, rule: &str, enabled: bool| json!({"result": "grant", "lifetimeSeconds": seconds, "enabled": enabled, "lifetime": rule});
    for (what, policies, settings, request, expected) in [
        (
            "the most",
            json!([]),
            &full,
            json!({"random": 28_800}),
            lives(100_800, "longLived", true),
        ),
        (
            "without cp1",
            json!([]),
            &full,
            patched(&incapable, &json!({"random": 1_800})),
            lives(5_400, "default", false),
        ),
        (
            "configured",
            json!([]),
            &full,
            patched(&incapable, &json!({"lifetimePolicy": 600})),
            lives(600, "configured", false),
        ),
        (
            "configured, ignored",
            json!([]),
            &full,
            json!({"lifetimePolicy": 600}),
            lives(72_000, "longLived", true),
        ),
        (
            "turned off",
            json!([off]),
            &full,
            json!({}),
            lives(3_600, "default", false),
        ),
        (
            "hourly prompt",
            json!([hourly]),
            &full,
            json!({}),
            lives(3_600, "signInFrequency", true),
        ),
        (
            "hourly prompt, no cp1",
            json!([hourly]),
            &full,
            patched(&incapable, &json!({"lifetimePolicy": 600})),
            lives(3_600, "default", false),
        ),
        (
            "in time",
            json!([hourly]),
            &full,
            json!({"authTime": NOW - 3_600}),
            lives(3_600, "signInFrequency", true),
        ),
        (
            "too late",
            json!([hourly]),
            &full,
            json!({"authTime": NOW - 3_601}),
            prompt.clone(),
        ),
        (
            "the smallest wins",
            json!([daily, hourly]),
            &full,
            json!({"authTime": NOW - 3_601}),
            prompt.clone(),
        ),
        (
            "monthly prompt",
            json!([daily]),
            &full,
            json!({}),
            lives(72_000, "longLived", true),
        ),
        (
            "every time",
            json!([always]),
            &full,
            json!({"authTime": NOW - 300}),
            lives(3_600, "signInFrequency", true),
        ),
        (
            "every time, late",
            json!([always]),
            &full,
            json!({"authTime": NOW - 301}),
            prompt.clone(),
        ),
        (
            "a workload is never prompted",
            json!([always]),
            &full,
            json!({"user": null, "servicePrincipal": USER, "userType": null}),
            lives(72_000, "longLived", true),
        ),
        (
            "from a country",
            json!([at_home]),
            &full,
            json!({"country": "DE"}),
            lives(3_600, "oneHour", true),
        ),
        (
            "from MFA trusted IPs",
            json!([at_home]),
            &full,
            json!({"ipAddress": "9.9.9.9"}),
            lives(3_600, "oneHour", true),
        ),
        (
            "countries at the resource",
            json!([at_home]),
            &json!({"countryAtResource": true}),
            json!({"country": "DE"}),
            lives(72_000, "longLived", true),
        ),
        (
            "more than 5,000 ranges",
            json!([office_only()]),
            &entra,
            json!({}),
            lives(3_600, "oneHour", true),
        ),
        (
            "which full does not count",
            json!([office_only()]),
            &full,
            json!({}),
            lives(72_000, "longLived", true),
        ),
        (
            "a guest",
            json!([]),
            &entra,
            json!({"userType": "guest"}),
            lives(3_600, "default", false),
        ),
        (
            "a guest who is enforced",
            json!([]),
            &full,
            json!({"userType": "guest"}),
            lives(72_000, "longLived", true),
        ),
        (
            "2020",
            json!([]),
            &entra_2020,
            json!({"random": 7}),
            lives(86_400, "longLived", true),
        ),
        (
            "2020, without cp1",
            json!([]),
            &entra_2020,
            patched(&incapable, &json!({"random": 7})),
            lives(3_600, "default", false),
        ),
        (
            "2020, a tenant with policies",
            json!([daily]),
            &entra_2020,
            json!({"random": 7}),
            lives(3_600, "default", false),
        ),
    ] {
        let mut answer = ask(&engine(&policies, &locations, settings), &request);
        if let Some(Value::Object(session)) = answer.get("continuousAccessEvaluation").cloned() {
            answer.as_object_mut().unwrap().extend(session);
        }
        assert_holds(&answer, &expected, what);
    }
}
