//! Each preset on a token of its product's real shape, and the SETs that its product sends about it: what is filed is
//! what the token shows (`enforcement.md` §2).

use super::*;
use crate::configuration::issuer::Preset;
use crate::state::StateKey;
use crate::token::read::read as read_token;

struct Product {
    preset: Preset,
    issuer: &'static str,
    header: Value,
    token: Value,
    /// A subject, and whether it is that of the token.
    subjects: Vec<(Value, bool)>,
}

const TENANT_URL: &str =
    "https://login.microsoftonline.com/aaaaaaaa-1111-1111-1111-111111111111/v2.0";
const OLD_TENANT_URL: &str = "https://sts.windows.net/aaaaaaaa-1111-1111-1111-111111111111/";
const OID: &str = "690222be-ff1a-4d56-abd1-7e4f7d38e474";
const APP: &str = "6731de76-14a6-49ae-97bc-6eba6914391e";

fn iss_sub(iss: &str, sub: &str) -> Value {
    json!({"format": "iss_sub", "iss": iss, "sub": sub})
}

fn opaque(id: &str) -> Value {
    json!({"format": "opaque", "id": id})
}

fn complex(members: Value) -> Value {
    with(members, "format", "complex".into())
}

fn products() -> Vec<Product> {
    let entra = |subject: &str| iss_sub(TENANT_URL, subject);
    std::vec![
        Product {
            preset: Preset::EntraV2,
            issuer: TENANT_URL,
            header: json!({"typ": "JWT", "alg": "RS256", "kid": "k"}),
            token: json!({
                "aud": "api://orders", "iss": TENANT_URL, "iat": NOW, "nbf": NOW, "exp": NOW + 5_000, "azp": APP,
                "azpacr": "0", "oid": OID, "rh": "I", "scp": "access_as_user", "sid": "00aa", "deviceid": "d-1",
                "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", "tid": TENANT, "uti": "fqiBqXLPj0eQa82S-IYFAA",
                "ver": "2.0", "xms_cc": ["cp1"],
            }),
            subjects: std::vec![
                (entra(&OID.to_uppercase()), true),
                (iss_sub(OLD_TENANT_URL, OID), true),
                (entra("HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ"), true),
                (opaque(OID), true),
                (entra(APP), false),
                (complex(json!({"session": opaque("00aa")})), true),
                (complex(json!({"session": opaque("00ab")})), false),
                (complex(json!({"device": opaque("d-1")})), true),
                (complex(json!({"application": opaque(APP)})), true),
                (
                    json!({"format": "jwt_id", "iss": TENANT_URL, "jti": "fqiBqXLPj0eQa82S-IYFAA"}),
                    true
                ),
                (
                    json!({"format": "aliases", "identifiers": [opaque("x"), entra(OID)]}),
                    true
                ),
                (
                    json!({"format": "email", "email": "ann@contoso.com"}),
                    false
                ),
            ],
        },
        Product {
            preset: Preset::EntraV1,
            issuer: OLD_TENANT_URL,
            header: json!({"typ": "JWT", "alg": "RS256", "kid": "k"}),
            token: json!({
                "aud": "api://orders", "iss": OLD_TENANT_URL, "iat": NOW, "nbf": NOW, "exp": NOW + 5_000, "acr": "1",
                "amr": ["pwd", "mfa"], "appid": APP, "appidacr": "0", "ipaddr": "203.0.113.5", "name": "Ann", "oid": OID,
                "scp": "access_as_user", "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", "tid": TENANT,
                "unique_name": "ann@contoso.com", "upn": "ann@contoso.com", "uti": "fqiBqXLPj0eQa82S-IYFAA", "ver": "1.0",
            }),
            subjects: std::vec![
                (iss_sub(OLD_TENANT_URL, OID), true),
                (entra(OID), true),
                (complex(json!({"application": opaque(APP)})), true),
                // Names to sign in with change hands.
                (
                    json!({"format": "email", "email": "ann@contoso.com"}),
                    false
                ),
            ],
        },
        Product {
            preset: Preset::EntraV2,
            issuer: TENANT_URL,
            header: json!({"typ": "JWT", "alg": "RS256", "kid": "k"}),
            token: json!({
                "aud": "api://orders", "iss": TENANT_URL, "iat": NOW, "nbf": NOW, "exp": NOW + 5_000, "azp": APP,
                "azpacr": "1", "idtyp": "app", "oid": OID, "roles": ["Orders.Read.All"], "sub": OID, "tid": TENANT,
                "uti": "u", "ver": "2.0",
            }),
            subjects: std::vec![
                (entra(OID), true),
                (complex(json!({"application": opaque(APP)})), true),
                (complex(json!({"application": opaque(OID)})), true),
                (complex(json!({"application": opaque("other")})), false),
            ],
        },
        Product {
            preset: Preset::Keycloak,
            issuer: KEYCLOAK,
            header: json!({"typ": "JWT", "alg": "RS256", "kid": "k"}),
            token: json!({
                "exp": NOW + 300, "iat": NOW, "jti": "onrtac:b0a6", "iss": KEYCLOAK, "aud": "api://orders",
                "sub": "f4ea8b2a-5c5e-4f2c-9b9e-0a1b2c3d4e5f", "typ": "Bearer", "azp": "shop", "sid": "d5c5a9a1-6d1f",
                "acr": "1", "realm_access": {"roles": ["offline_access"]}, "scope": "openid email profile",
                "email_verified": true, "preferred_username": "ann", "email": "Ann@kc.example",
            }),
            subjects: std::vec![
                (
                    iss_sub(KEYCLOAK, "f4ea8b2a-5c5e-4f2c-9b9e-0a1b2c3d4e5f"),
                    true
                ),
                (
                    complex(
                        json!({"user": iss_sub(KEYCLOAK, "f4ea8b2a-5c5e-4f2c-9b9e-0a1b2c3d4e5f"), "tenant": opaque("a")})
                    ),
                    true
                ),
                (json!({"format": "email", "email": "ann@KC.example"}), true),
                (opaque("d5c5a9a1-6d1f"), true),
                (iss_sub(KEYCLOAK, "ann"), false),
            ],
        },
        Product {
            preset: Preset::Okta,
            issuer: "https://org.okta.example/oauth2/default",
            header: json!({"alg": "RS256", "kid": "k"}),
            token: json!({
                "ver": 1, "jti": "AT.1", "iss": "https://org.okta.example/oauth2/default", "aud": "api://orders", "iat": NOW,
                "exp": NOW + 3_600, "cid": "0oa1", "uid": "00u1", "scp": ["openid", "orders"], "auth_time": NOW - 5,
                "sub": "ann@org.example",
            }),
            subjects: std::vec![
                (iss_sub("https://org.okta.example", "00u1"), true),
                (
                    iss_sub("https://org.okta.example/oauth2/default", "00u1"),
                    true
                ),
                (
                    iss_sub("https://org.okta.example", "ann@org.example"),
                    false
                ),
                (complex(json!({"application": opaque("0oa1")})), true),
                (
                    json!({"format": "email", "email": "ann@org.example"}),
                    false
                ),
            ],
        },
        Product {
            preset: Preset::Google,
            issuer: "https://accounts.google.com",
            header: json!({"alg": "RS256", "kid": "k", "typ": "JWT"}),
            token: json!({
                "iss": "https://accounts.google.com", "azp": "1.apps.googleusercontent.com", "aud": "api://orders",
                "sub": "110169484474386276334", "email": "ann@gmail.example", "email_verified": true, "iat": NOW,
                "exp": NOW + 3_600,
            }),
            subjects: std::vec![
                // With the trailing slash that Google writes in SETs alone.
                (
                    iss_sub("https://accounts.google.com/", "110169484474386276334"),
                    true
                ),
                (
                    iss_sub("https://accounts.google.com", "110169484474386276334"),
                    true
                ),
                (
                    json!({"format": "email", "email": "ann@gmail.example"}),
                    true
                ),
            ],
        },
        Product {
            preset: Preset::Rfc9068,
            issuer: "https://as.example",
            header: json!({"typ": "at+jwt", "alg": "RS256", "kid": "k"}),
            token: json!({
                "iss": "https://as.example", "sub": "5ba552d67", "aud": "api://orders", "exp": NOW + 600, "iat": NOW,
                "jti": "dbe39bf3a3ba4238a513f51d6e1691c4", "client_id": "s6BhdRkqt3", "scope": "openid profile",
                "sid": "s-1",
            }),
            subjects: std::vec![
                (iss_sub("https://as.example", "5ba552d67"), true),
                (iss_sub("https://as.example", "5BA552D67"), false),
                (complex(json!({"session": opaque("s-1")})), true),
                (
                    json!({"format": "jwt_id", "iss": "https://as.example", "jti": "dbe39bf3a3ba4238a513f51d6e1691c4"}),
                    true
                ),
                (complex(json!({"application": opaque("s6BhdRkqt3")})), true),
            ],
        },
    ]
}

fn keys_of_token(configuration: &Configuration, header: &Value, token: &Value) -> Vec<StateKey> {
    let compact = compact(header, token);
    let reading = read_token(&compact, configuration, UnixTime::from_secs(NOW)).unwrap();
    reading.token.keys.iter().map(|key| key.key).collect()
}

#[test]
fn every_product_is_matched_by_its_own_words() {
    for product in products() {
        let document = json!({
            "resource": {"audiences": ["api://orders"]},
            "issuers": [{"issuer": product.issuer, "claims": product.preset.name(), "jwks": jwks()}],
            "transmitters": [{"issuer": ONE, "audience": AUDIENCE, "speaksFor": [product.issuer], "jwks": jwks()}],
        });
        let configuration = Configuration::read(&document.to_string()).unwrap();
        let keys = keys_of_token(&configuration, &product.header, &product.token);
        for (subject, expected) in product.subjects {
            let uri = format!("{CAEP}session-revoked");
            let reading = reading(&configuration, &payload(ONE, &subject, &uri, &json!({})));
            let effects = reading["effects"].as_array().unwrap();
            let filed: Vec<StateKey> = effects
                .iter()
                .map(|effect| effect["key"].as_str().unwrap().parse().unwrap())
                .collect();
            let found = filed.iter().any(|key| keys.contains(key));
            assert_eq!(found, expected, "{:?}: {subject}", product.preset);
        }
    }
}

#[test]
fn configured_aliases_lead_to_the_user() {
    let document = json!({
        "resource": {"audiences": ["api://orders"]},
        "issuers": [{
            "issuer": "https://as.example", "claims": "rfc9068", "jwks": jwks(),
            "aliases": {"5ba552d67": ["Ann@corp.example", "+12065550123"]},
        }],
        "transmitters": [{"issuer": ONE, "audience": AUDIENCE, "speaksFor": ["https://as.example"], "jwks": jwks()}],
    });
    let configuration = Configuration::read(&document.to_string()).unwrap();
    let product = products().pop().unwrap();
    let keys = keys_of_token(&configuration, &product.header, &product.token);
    for (subject, expected) in [
        (
            json!({"format": "email", "email": "ann@CORP.example"}),
            true,
        ),
        (
            json!({"format": "phone_number", "phone_number": "+1 206 555-0123"}),
            true,
        ),
        (
            json!({"format": "email", "email": "bob@corp.example"}),
            false,
        ),
    ] {
        let set = payload(
            ONE,
            &subject,
            &format!("{RISC}identifier-recycled"),
            &json!({}),
        );
        let reading = reading(&configuration, &set);
        let key: StateKey = reading["effects"][0]["key"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(keys.contains(&key), expected, "{subject}");
    }
}

proptest! {
    /// No event of a transmitter reaches a subject that it may not speak for, whatever it says.
    #[test]
    fn a_transmitter_reaches_only_whom_it_may_speak_for(
        id in proptest::sample::select(std::vec![OID, "u", "ann@contoso.com", APP, "00aa", "d-1", TENANT, "fqiBqXLPj0eQa82S-IYFAA"]),
        iss in proptest::sample::select(std::vec![TENANT_URL, OLD_TENANT_URL, KEYCLOAK, ONE]),
        shape in 0..9_usize,
        row in any::<proptest::sample::Index>(),
        allow_tenant_wide in any::<bool>(),
    ) {
        // [`ONE`] speaks for Keycloak alone; the token is of the Entra tenant.
        let configuration = configuration(
            json!({"allowTenantWide": allow_tenant_wide}),
            json!({"legacy": true}),
        );
        let entra = products().remove(0);
        let victim = keys_of_token(&configuration, &entra.header, &entra.token);
        let rows: Vec<_> = vocabulary::event_types().collect();
        let row = rows[row.index(rows.len())];
        let subject = match shape {
            0 => iss_sub(iss, id),
            1 => opaque(id),
            2 => json!({"format": "email", "email": "ann@contoso.com"}),
            3 => json!({"format": "jwt_id", "iss": iss, "jti": id}),
            4 => complex(json!({"user": iss_sub(iss, id), "tenant": opaque(TENANT)})),
            5 => complex(json!({"tenant": opaque(TENANT), "session": opaque(id), "device": opaque(id)})),
            6 => json!({"format": "aliases", "identifiers": [opaque(id), iss_sub(iss, id)]}),
            7 => json!({"format": "scim", "uri": format!("/Users/{id}"), "externalId": id}),
            _ => complex(json!({"application": iss_sub(iss, id), "tenant": iss_sub(iss, TENANT)})),
        };
        let event: Value = serde_json::from_str(row.example).unwrap();
        let reading = reading(&configuration, &payload(ONE, &subject, row.uri, &event));
        for effect in reading["effects"].as_array().into_iter().flatten() {
            let key: StateKey = effect["key"].as_str().unwrap().parse().unwrap();
            prop_assert!(!victim.contains(&key), "{subject} {}", row.uri);
        }
    }
}
