//! What proxies are answered, and what API owners get from configuration alone.

use cae_tests::service::{Connection, Folder, Issuer, Service, ask};
use serde_json::{Value, json};

use super::own::{ISSUER, Own, PUSHED, SET, start};

/// The claims request of a challenge.
pub(crate) fn claims_of(challenge: &str) -> Value {
    let answer = cae_core::tools::parse_challenge(challenge);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    serde_json::from_str(answer["claims"].as_str().unwrap()).unwrap()
}

#[test]
fn a_proxy_is_told_who_it_is_or_nothing() {
    let Some((_folder, own, service)) = start("identity", &json!({}), &json!([])) else {
        return;
    };
    let reply = service.authorize(&own.token("Zoë\u{7}", &json!({})), "/orders");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-cae-subject"), Some("Zo%C3%AB%07"));
    assert_eq!(reply.header("x-cae-client"), Some("app"));
    assert_eq!(
        reply.header("x-cae-tenant"),
        Some(""),
        "sent even if empty, so that none from outside survives"
    );
    assert_eq!(reply.header("x-cae-session-controls"), Some(""));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    // What is no token of ours is nobody's.
    let port = service.authorization;
    let nobody = ask(port, "GET", "/authorize", &[], None).unwrap();
    assert_eq!(
        (nobody.status, nobody.header("www-authenticate")),
        (401, Some("Bearer"))
    );
    for (name, headers) in [
        (
            "two credentials",
            vec![("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
        ),
        (
            "two paths",
            vec![("X-Original-URI", "/a"), ("X-Original-URI", "/b")],
        ),
    ] {
        let reply = ask(port, "GET", "/authorize", &headers, None).unwrap();
        assert_eq!(reply.status, 403, "{name}");
        assert_eq!(reply.header("x-cae-subject"), None);
    }
    for bad in ["a", "a.b.c", &"x".repeat(70_000)] {
        let reply = service.authorize(bad, "/");
        assert_eq!(reply.status, 401, "{}", bad.len());
        assert!(
            reply
                .header("www-authenticate")
                .unwrap()
                .contains("invalid_token")
        );
    }
    assert_eq!(ask(port, "GET", "/nothing", &[], None).unwrap().status, 404);
    let forged = own.token("adele", &json!({}));
    let (front, back) = forged.split_at(forged.len() - 20);
    let other = if back.starts_with('A') { "B" } else { "A" };
    let rest: String = back.chars().skip(1).collect();
    let forged = format!("{front}{other}{rest}");
    assert_eq!(service.authorize(&forged, "/").status, 401);
    // The same on one connection, again and again: the engine knows the token by then.
    let mut connection = Connection::open(port).unwrap();
    let bearer = format!("Bearer {}", own.token("adele", &json!({})));
    for _ in 0..50 {
        let headers = [("Authorization", bearer.as_str())];
        assert_eq!(
            connection
                .send("GET", "/authorize", &headers, None)
                .unwrap()
                .status,
            200
        );
    }
}

#[test]
fn sensitive_routes_ask_for_more() {
    let settings = json!({
        "requiredScopes": {"/admin": ["admin"]},
        "requiredAuthenticationContexts": {"/payments": ["c1"]},
    });
    let Some((_folder, own, service)) = start("step-up", &settings, &json!([])) else {
        return;
    };
    let token = own.token("adele", &json!({"acrs": []}));
    assert_eq!(service.authorize(&token, "/orders").status, 200);
    assert_eq!(service.authorize(&token, "/admin/users?x=1").status, 403);
    let reply = service.authorize(&token, "/payments/7");
    assert_eq!(reply.status, 401);
    let claims = claims_of(reply.header("www-authenticate").unwrap());
    assert_eq!(claims["access_token"]["acrs"]["value"], "c1");
    let stronger = own.token("adele", &json!({"acrs": ["c1"]}));
    assert_eq!(service.authorize(&stronger, "/payments/7").status, 200);
    // A path that is not told could be any.
    let bearer = format!("Bearer {token}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("X-Forwarded-For", "203.0.113.9"),
    ];
    assert_eq!(
        ask(service.authorization, "GET", "/authorize", &headers, None)
            .unwrap()
            .status,
        403
    );
}

#[test]
fn the_network_is_the_clients_not_the_proxys() {
    let office = "00000000-0000-0000-0000-00000000000f";
    let policy = json!([{
        "id": "11111111-1111-1111-1111-111111111111", "displayName": "Only from the office", "state": "enabled",
        "conditions": {
            "users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]},
            "locations": {"includeLocations": ["All"], "excludeLocations": [office]},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    }]);
    let folder = Folder::new("network");
    let own = Own::new();
    let mut engine = own.engine(&json!({}), &policy);
    engine["issuers"][0]["namedLocations"] = json!([{
        "@odata.type": "#microsoft.graph.ipNamedLocation", "id": office, "displayName": "Office", "isTrusted": true,
        "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}],
    }]);
    folder.write("engine.json", &engine.to_string());
    let Some(mut service) = Service::start(&folder, PUSHED) else {
        return;
    };
    let token = own.token("adele", &json!({}));
    assert_eq!(
        service.authorize_from(&token, "/", "203.0.113.9").status,
        200
    );
    // What the client wrote stands before what the proxy appended.
    assert_eq!(
        service
            .authorize_from(&token, "/", "203.0.113.9, 198.51.100.7")
            .status,
        401
    );
    let outside = service.authorize_from(&token, "/", "198.51.100.7");
    assert_eq!(outside.status, 401);
    let claims = claims_of(outside.header("www-authenticate").unwrap());
    assert_eq!(
        claims["access_token"]["xms_rp_ipaddr"]["value"],
        "198.51.100.7"
    );
    let asked = &claims["access_token"]["nbf"]["value"];
    // The moment of the first challenge is remembered: also after a kill the same is asked for.
    service.restart(&folder);
    let again = service.authorize_from(&token, "/", "198.51.100.7");
    let claims = claims_of(again.header("www-authenticate").unwrap());
    assert_eq!(&claims["access_token"]["nbf"]["value"], asked);
    // Nobody says where it comes from: that is a fact the host owes.
    assert_eq!(service.authorize_from(&token, "/", "unknown").status, 403);
}

#[test]
fn decisions_as_json_and_explanations_for_operators() {
    let Some((_folder, own, service)) = start("json", &json!({}), &json!([])) else {
        return;
    };
    let token = own.token("adele", &json!({}));
    let kind = ("Content-Type", "application/json");
    let question = |explain: bool| {
        json!({"id": "r1", "token": token, "clientIp": "203.0.113.9", "explain": explain})
            .to_string()
    };
    let decide = |port, body: &str| ask(port, "POST", "/v1/decide", &[kind], Some(body)).unwrap();
    let reply = decide(service.authorization, &question(false));
    assert_eq!(reply.status, 200);
    assert_eq!(
        (&reply.json()["id"], &reply.json()["decision"]),
        (&json!("r1"), &json!("allow"))
    );
    assert_eq!(decide(service.authorization, &question(true)).status, 403);
    let explained = decide(service.administration, &question(true)).json();
    assert!(
        explained["checks"]
            .as_array()
            .is_some_and(|checks| !checks.is_empty()),
        "{explained}"
    );
    for (body, at) in [
        ("{", "line 1"),
        ("[]", "/"),
        (r#"{"token":1}"#, "/token"),
        (r#"{"token":null,"x":1}"#, "/x"),
    ] {
        let reply = decide(service.authorization, body);
        assert_eq!(reply.status, 400, "{body}");
        assert!(
            reply.json()["error"].as_str().unwrap().contains(at),
            "{body}: {}",
            reply.body
        );
    }
    let document = ask(service.administration, "GET", "/openapi.json", &[], None)
        .unwrap()
        .json();
    assert!(
        document["paths"]["/v1/decide"]["post"].is_object()
            && document["paths"]["/authorize"].is_object()
            && document["paths"]["/v1/entra/sync"]["post"].is_object()
    );
}

/// A client that takes every challenge to the issuer by itself sees a 200 again, or has to ask its user.
#[test]
fn the_whole_loop_with_an_issuer() {
    let folder = Folder::new("loop");
    let Some(issuer) = Issuer::start(
        &folder,
        &[
            "--write-config",
            folder.path().join("dev.toml").to_str().unwrap(),
        ],
    ) else {
        return;
    };
    let configuration = std::fs::read_to_string(folder.path().join("dev.toml")).unwrap();
    let service = Service::start(&folder, &configuration).unwrap();
    cae_tests::service::wait_for("the stream", || {
        service.ready().status == 200
            && service.ready().json()["transmitters"][0]["status"] == "enabled"
    });

    let (token, refresh) = issuer.sign_in("adele");
    assert_eq!(service.authorize(&token, "/").status, 200);
    issuer.happens("reset-password", "adele");
    cae_tests::service::wait_for("the challenge", || {
        service.authorize(&token, "/").status == 401
    });
    let challenge = service.authorize(&token, "/");
    let claims = claims_of(challenge.header("www-authenticate").unwrap()).to_string();
    let silent = issuer.token(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh),
        ("client_id", "app"),
        ("claims", &claims),
    ]);
    assert_eq!(
        (silent.status, &silent.json()["error"]),
        (400, &json!("invalid_grant")),
        "the user has to sign in"
    );
    let (fresh, _) = issuer.sign_in("adele");
    cae_tests::service::wait_for("a token of after it", || {
        service.authorize(&fresh, "/").status == 200
            || service.authorize(&issuer.sign_in("adele").0, "/").status == 200
    });

    // A workload has nobody to ask: it brings the claims and gets a token of after the event.
    let workload = |claims: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "nightly"),
            ("claims", claims),
        ];
        issuer.token(&form).json()["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let token = workload(cae_tests::service::CAPABLE);
    assert_eq!(service.authorize(&token, "/").status, 200);
    issuer.happens("disable", "adele");
    cae_tests::service::wait_for("the account to be refused", || {
        service.authorize(&fresh, "/").status != 200
    });
    assert_eq!(
        service.authorize(&token, "/").status,
        200,
        "nothing happened to it"
    );
    let own = Own::new();
    let stranger = own.token("adele", &json!({"iss": ISSUER}));
    assert_eq!(
        service.authorize(&stranger, "/").status,
        401,
        "another issuer's"
    );
    let set = own.revoked("adele");
    let reply = ask(service.signals, "POST", "/events/dev", &[SET], Some(&set)).unwrap();
    assert_eq!(
        (reply.status, &reply.json()["err"]),
        (400, &json!("invalid_issuer"))
    );
}
