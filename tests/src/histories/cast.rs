//! Who takes part: issuers of every preset, and transmitters with every setting that changes what an event means.
//!
//! The same text names different people at different issuers on purpose: scopes keep them apart, or nothing does.

use serde_json::{Value, json};

use super::random::Random;
use crate::reference::policies;
use crate::world;

/// The tenant of the single-tenant Entra issuer.
pub const TENANT: &str = "aaaaaaaa-1111-4111-8111-111111111111";
/// The tenants of the multi-tenant one.
pub const TENANTS: [&str; 2] = [
    "bbbbbbbb-2222-4222-8222-222222222222",
    "cccccccc-3333-4333-8333-333333333333",
];
/// User ids, the same at every issuer.
pub const USERS: [&str; 2] = [
    "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "1d2c3b4a-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
];
/// Pairwise identifiers of the same users.
pub const PAIRWISE: [&str; 2] = ["pairwise-1", "pairwise-2"];
/// Addresses of the same users.
pub const EMAILS: [&str; 2] = ["Ana@contoso.example", "bo@contoso.example"];
/// Phone numbers of the same users.
pub const PHONES: [&str; 2] = ["+15551234567", "+15557654321"];
/// Sessions. One has the text of a user id.
pub const SESSIONS: [&str; 3] = ["session-1", "session-2", USERS[1]];
/// Devices.
pub const DEVICES: [&str; 2] = [
    "d0000000-0000-4000-8000-00000000000a",
    "d0000000-0000-4000-8000-00000000000b",
];
/// Client applications.
pub const CLIENTS: [&str; 2] = [
    "9b2d7f8e-1c3a-4b5d-8e6f-7a8b9c0d1e2f",
    "3c4d5e6f-7081-4293-a4b5-c6d7e8f90a1b",
];
/// Their service principals.
pub const PRINCIPALS: [&str; 2] = [
    "5e000000-0000-4000-8000-00000000000a",
    "5e000000-0000-4000-8000-00000000000b",
];
/// Token ids.
pub const TOKENS: [&str; 2] = ["token-1", "token-2"];
/// The API.
pub const AUDIENCE: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
/// The receiver.
pub const RECEIVER: &str = "https://api.example";

/// URL of the single-tenant Entra issuer.
#[must_use]
pub fn entra() -> String {
    format!("https://login.microsoftonline.com/{TENANT}/v2.0")
}

/// Its other URL.
#[must_use]
pub fn entra_v1() -> String {
    format!("https://sts.windows.net/{TENANT}/")
}

/// URL of the multi-tenant Entra issuer for one of its tenants.
#[must_use]
pub fn entra_of(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

/// As it is configured.
pub const MULTI_TENANT: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
/// URL of the Keycloak realm.
pub const KEYCLOAK: &str = "https://keycloak.example/realms/main";
/// URL of the Okta authorization server.
pub const OKTA: &str = "https://org.okta.com/oauth2/default";
/// URL of the RFC 9068 issuer.
pub const PLAIN: &str = "https://as.example";
/// An alias of it.
pub const PLAIN_ALIAS: &str = "https://old.as.example";
/// URL of the Google issuer.
pub const GOOGLE: &str = "https://accounts.google.com";

/// The issuers as they are configured, in the order of the configuration.
#[must_use]
pub fn issuer(at: usize) -> String {
    [&entra(), MULTI_TENANT, KEYCLOAK, OKTA, PLAIN, GOOGLE][at].into()
}

/// Draws the issuer that most of a history is about.
pub fn focus(random: &mut Random) -> usize {
    random.of(&[0, 0, 0, 1, 2, 2, 3, 4, 4, 5])
}

/// Every URL under which a configured issuer speaks, and some that are nobody's.
#[must_use]
pub fn issuer_urls() -> Vec<String> {
    vec![
        entra(),
        entra_v1(),
        entra_of(TENANTS[0]),
        entra_of(TENANTS[1]),
        KEYCLOAK.into(),
        OKTA.into(),
        "https://org.okta.com".into(),
        "https://org.okta.com/oauth2/aus7".into(),
        PLAIN.into(),
        PLAIN_ALIAS.into(),
        GOOGLE.into(),
        format!("{GOOGLE}/"),
        format!("{PLAIN}/"),
        "https://evil.example".into(),
        "https://login.microsoftonline.com/dddddddd-4444-4444-8444-444444444444/v2.0".into(),
    ]
}

/// Draws a configuration.
pub fn configuration(random: &mut Random) -> Value {
    let mut settings = json!({});
    if random.chance(30) {
        settings["allowTenantWide"] = true.into();
    }
    if random.chance(30) {
        settings["unseenMember"] = random.of(&["precise", "failSafe"]).into();
    }
    if random.chance(30) {
        settings["criticalRiskLevel"] = random.of(&["medium", "high", "low"]).into();
    }
    json!({
        "resource": {
            "audiences": [AUDIENCE], "applicationId": AUDIENCE,
            "authorizationUri": "https://login.microsoftonline.com/common/oauth2/authorize", "realm": "",
        },
        "issuers": issuers(random),
        "transmitters": transmitters(random),
        "settings": settings,
    })
}

fn issuers(random: &mut Random) -> Value {
    let mut all = vec![
        json!({"issuer": entra(), "claims": "entra-v2"}),
        json!({"issuer": MULTI_TENANT, "claims": "entra-v2", "tenants": TENANTS}),
        json!({"issuer": KEYCLOAK, "claims": "keycloak"}),
        json!({"issuer": OKTA, "claims": "okta"}),
        json!({
            "issuer": PLAIN,
            "claims": {"preset": "rfc9068", "device": "device_id"},
            "issuerAliases": [PLAIN_ALIAS],
            "assuranceLevels": {"urn:loa:1": "nist-aal1", "urn:loa:2": "nist-aal2", "urn:loa:3": "nist-aal3"},
            "acrValues": {"mfa": "urn:loa:2"},
        }),
        json!({"issuer": GOOGLE, "claims": "google"}),
    ];
    for issuer in &mut all {
        issuer["algorithms"] = json!(["EdDSA"]);
        issuer["jwks"] = world::jwks();
        if random.chance(25) {
            issuer["emailIsStable"] = true.into();
        }
        if random.chance(50) {
            let users = USERS.iter().zip(EMAILS.iter().zip(PHONES));
            issuer["aliases"] = users
                .filter(|_| random.chance(70))
                .map(|(user, (email, phone))| ((*user).to_string(), json!([email, phone])))
                .collect::<serde_json::Map<_, _>>()
                .into();
        }
    }
    if random.chance(50) {
        let levels = random.of(&[&["high"][..], &["medium", "high"], &["low"]]);
        let mut policies = vec![policies::require_compliant_device(
            "c0000000-0000-4000-8000-000000000001",
        )];
        policies.push(policies::block_at_risk(
            "c0000000-0000-4000-8000-000000000002",
            levels,
        ));
        all[0]["policies"] = policies.into();
    }
    all.into()
}

fn transmitters(random: &mut Random) -> Value {
    let hub: Vec<&str> = [MULTI_TENANT, KEYCLOAK, OKTA, PLAIN, GOOGLE]
        .into_iter()
        .filter(|_| random.chance(50))
        .chain([PLAIN])
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    let legacy = random.of(&[OKTA, GOOGLE, PLAIN, KEYCLOAK]);
    let mut all = vec![
        json!({"issuer": "https://signals.example", "speaksFor": [entra()]}),
        json!({"issuer": KEYCLOAK, "speaksFor": [KEYCLOAK]}),
        json!({"issuer": "https://hub.example", "speaksFor": hub}),
        json!({"issuer": "https://legacy.example", "speaksFor": [legacy], "legacy": true}),
        json!({"issuer": entra_v1(), "speaksFor": [entra()]}),
    ];
    if random.chance(50) && hub.contains(&PLAIN) {
        all[2]["opaqueScope"] = PLAIN.into();
    }
    for transmitter in &mut all {
        transmitter["audience"] = RECEIVER.into();
        transmitter["algorithms"] = json!(["EdDSA"]);
        transmitter["jwks"] = world::jwks();
        if random.chance(25) {
            transmitter["actsForIssuer"] = random.chance(50).into();
        }
        if random.chance(40) {
            transmitter["sessionRevokedByUser"] = random.of(&["ignore", "revoke"]).into();
        }
        if random.chance(40) {
            transmitter["mfaEnabledByUser"] = true.into();
        }
        if random.chance(25) {
            transmitter["unseenMember"] = random.of(&["precise", "failSafe"]).into();
        }
        if random.chance(25) {
            transmitter["standingStateMaxAgeSeconds"] = random.of(&[86_400, 864_000]).into();
        }
        if random.chance(20) {
            let critical = ["user", "session", "device", "group", "tenant", "org_unit"];
            transmitter["criticalSubjectMembers"] = json!([random.of(&critical)]);
        }
    }
    all.into()
}
