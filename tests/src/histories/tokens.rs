//! Random access tokens of every preset's shape.

use serde_json::{Value, json};

use super::cast::{
    self, AUDIENCE, CLIENTS, DEVICES, EMAILS, PAIRWISE, PHONES, PRINCIPALS, SESSIONS, TOKENS, USERS,
};
use super::random::Random;
use super::{DAY, HOUR};
use crate::world;

/// Claims of a token that is presented at `now`: mostly of the issuer at `focus`, issued near one of the `times`.
pub fn draw(random: &mut Random, focus: usize, times: &[u64], now: u64) -> Value {
    let issued = issue_time(random, times, now);
    let mut claims = json!({
        "aud": AUDIENCE, "iat": issued, "exp": issued.saturating_add(DAY).saturating_add(4 * HOUR),
    });
    let user = usize::try_from(random.between(0, 1)).unwrap_or(0);
    let app_only = random.chance(15);
    let issuer = match random.chance(80) {
        true => focus,
        false => cast::focus(random),
    };
    match issuer {
        0 => {
            let issuer = random.of(&[cast::entra(), cast::entra(), cast::entra_v1()]);
            entra(random, &mut claims, &issuer, cast::TENANT, user, app_only);
        }
        1 => {
            let tenant = random.of(&cast::TENANTS);
            let issuer = cast::entra_of(tenant);
            entra(random, &mut claims, &issuer, tenant, user, app_only);
        }
        2 => keycloak(random, &mut claims, user),
        3 => okta(random, &mut claims, user, app_only),
        4 => plain(random, &mut claims, user, app_only),
        _ => google(random, &mut claims, user),
    }
    if !app_only {
        addresses(random, &mut claims, user);
    }
    for (claim, values) in [("role", ["admin", "reader"]), ("department", ["a", "b"])] {
        if random.chance(50) {
            claims[claim] = random.of(&values).into();
        }
    }
    if random.chance(70) {
        claims["xms_cc"] = json!([random.of(&["cp1", "CP1"])]);
    }
    methods(random, &mut claims);
    claims
}

/// The compact form of a token with these claims.
#[must_use]
pub fn compact(claims: &Value) -> String {
    let typ = match claims.get("client_id") {
        Some(_) => "at+jwt",
        None => "JWT",
    };
    world::compact(&json!({"alg": "EdDSA", "kid": "k", "typ": typ}), claims)
}

fn issue_time(random: &mut Random, times: &[u64], now: u64) -> u64 {
    let near: Vec<u64> = times
        .iter()
        .copied()
        .filter(|time| *time <= now.saturating_add(400) && *time > now.saturating_sub(20 * HOUR))
        .collect();
    let issued = if near.is_empty() || random.chance(25) {
        now.saturating_sub(random.between(0, 23 * HOUR))
    } else {
        let reach = random.of(&[2, 400, 4_000]);
        let earliest = random.of(&near).saturating_sub(reach);
        random.between(
            earliest,
            earliest.saturating_add(reach).saturating_add(reach),
        )
    };
    issued.min(now)
}

fn entra(
    random: &mut Random,
    claims: &mut Value,
    issuer: &str,
    tenant: &str,
    user: usize,
    app_only: bool,
) {
    let v1 = issuer.starts_with("https://sts.windows.net");
    let client = random.between(0, 1);
    let client = usize::try_from(client).unwrap_or(0);
    claims["iss"] = issuer.into();
    claims["tid"] = tenant.into();
    claims["ver"] = if v1 { "1.0" } else { "2.0" }.into();
    claims[if v1 { "appid" } else { "azp" }] = CLIENTS[client].into();
    claims["uti"] = random.of(&TOKENS).into();
    if app_only {
        claims["oid"] = PRINCIPALS[client].into();
        claims["sub"] = PRINCIPALS[client].into();
        claims["roles"] = json!(["orders.read.all"]);
        if random.chance(50) {
            claims["idtyp"] = "app".into();
        }
    } else {
        claims["oid"] = USERS[user].into();
        claims["sub"] = PAIRWISE[user].into();
        claims["scp"] = "orders.read".into();
        optional(random, claims, "sid", &SESSIONS, 70);
        optional(random, claims, "deviceid", &DEVICES, 50);
    }
    let issued = claims["iat"].as_u64().unwrap_or(0);
    claims["nbf"] = issued.into();
    if random.chance(30) {
        // Later than `iat`, as after a challenge, but never later than the request (which is at or after `iat`).
        claims["nbf"] = issued.saturating_add(random.between(0, 60)).into();
    }
}

fn keycloak(random: &mut Random, claims: &mut Value, user: usize) {
    claims["iss"] = cast::KEYCLOAK.into();
    claims["sub"] = USERS[user].into();
    claims["azp"] = random.of(&CLIENTS).into();
    claims["jti"] = random.of(&TOKENS).into();
    optional(random, claims, "sid", &SESSIONS, 70);
}

fn okta(random: &mut Random, claims: &mut Value, user: usize, app_only: bool) {
    let client = random.of(&CLIENTS);
    claims["iss"] = cast::OKTA.into();
    claims["cid"] = client.into();
    claims["jti"] = random.of(&TOKENS).into();
    claims["scp"] = json!(["orders.read"]);
    if app_only {
        claims["sub"] = client.into();
    } else {
        claims["uid"] = USERS[user].into();
        claims["sub"] = EMAILS[user].into();
    }
}

fn plain(random: &mut Random, claims: &mut Value, user: usize, app_only: bool) {
    let client = random.of(&CLIENTS);
    claims["iss"] = cast::PLAIN.into();
    claims["client_id"] = client.into();
    claims["jti"] = random.of(&TOKENS).into();
    claims["sub"] = if app_only { client } else { USERS[user] }.into();
    if !app_only {
        optional(random, claims, "sid", &SESSIONS, 60);
        optional(random, claims, "device_id", &DEVICES, 50);
    }
    let levels = ["urn:loa:1", "urn:loa:2", "urn:loa:3", "urn:other"];
    optional(random, claims, "acr", &levels, 70);
}

fn google(random: &mut Random, claims: &mut Value, user: usize) {
    claims["iss"] = cast::GOOGLE.into();
    claims["sub"] = USERS[user].into();
    claims["azp"] = random.of(&CLIENTS).into();
}

fn addresses(random: &mut Random, claims: &mut Value, user: usize) {
    if random.chance(50) {
        let spelled = random.of(&[EMAILS[user].to_string(), EMAILS[user].to_uppercase()]);
        claims["email"] = spelled.into();
        if random.chance(70) {
            let verified = random.chance(70);
            claims["email_verified"] = verified.into();
            claims["xms_edov"] = verified.into();
        }
    }
    if random.chance(30) {
        claims["phone_number"] = PHONES[user].into();
        if random.chance(70) {
            claims["phone_number_verified"] = random.chance(70).into();
        }
    }
}

fn methods(random: &mut Random, claims: &mut Value) {
    let methods = [
        json!(["pwd"]),
        json!(["pwd", "mfa"]),
        json!(["rsa", "ngcmfa"]),
        json!([]),
    ];
    if random.chance(60) {
        claims["amr"] = random.of(&methods);
    }
}

fn optional(random: &mut Random, claims: &mut Value, claim: &str, values: &[&str], percent: u64) {
    if random.chance(percent) {
        claims[claim] = random.of(values).into();
    }
}
