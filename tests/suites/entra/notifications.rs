//! Change notifications: the handshake, secrets, lifecycle, and resource data that is encrypted.

use std::fs;
use std::thread;
use std::time::Duration;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{KeyPair, OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cae_host_runner::signing::SigningKey;
use cae_tests::graph::{CLIENT, TENANT, item};
use cae_tests::service::{ask, certify, wait_for};
use serde_json::{Value, json};

use super::own::{ADELE, BRUNO, Setup, World, date, now};

/// Only what notifications lead to is asked for.
const SLOW: &str = "pollSeconds = 3600\npolicySeconds = 86400\n";

fn block(signals: u16, more: &str) -> String {
    format!(
        "{SLOW}[entra.notifications]\nuri = \"http://127.0.0.1:{signals}/entra/notifications\"\n{more}"
    )
}

fn start(name: &str, more: &str) -> Option<World> {
    let setup = Setup::new(name);
    let block = block(setup.signals, more);
    let world = setup.start(&json!({}), &block)?;
    wait_for("the first round", || world.has_read("users"));
    // The second one is that after the subscription: between the two nobody is notified.
    wait_for("the second round", || {
        world.graph.asked("GET", "/v1.0/users/delta").len() >= 2
    });
    // It was asked for; the answer takes a moment.
    thread::sleep(Duration::from_millis(500));
    Some(world)
}

fn metric(world: &World, result: &str) -> f64 {
    let name = format!("cae_entra_notifications{{result=\"{result}\"}}");
    world.service.metric(&name).unwrap_or(0.0)
}

#[test]
fn a_notification_counts_at_once_and_in_any_order() {
    let Some(world) = start("entra-notified", "") else {
        return;
    };
    let shown = world.graph.subscription().unwrap();
    assert_eq!(
        (&shown["resource"], &shown["changeType"]),
        (&json!("/users"), &json!("updated,deleted"))
    );
    assert!(
        shown["lifecycleNotificationUrl"]
            .as_str()
            .unwrap()
            .ends_with("/lifecycle")
    );
    let (adele, bruno) = (world.token(ADELE), world.token(BRUNO));
    assert_eq!((world.status(&adele), world.status(&bruno)), (200, 200));
    world
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": false}));
    assert_eq!(world.graph.notify("updated", ADELE), [202]);
    wait_for("the refusal", || world.status(&adele) == 401);
    // Enabled again: old and new notifications lead to what is now.
    let later = world.token_with(ADELE, now() + 60, &json!({}));
    assert_eq!(world.status(&later), 403);
    world
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": true}));
    for _ in 0..3 {
        assert_eq!(world.graph.notify("updated", ADELE), [202]);
    }
    wait_for("the way back", || world.status(&later) == 200);
    // Whoever is not there any more is explained by the changes.
    world.graph.state().users.remove(BRUNO, "changed");
    assert_eq!(world.graph.notify("deleted", BRUNO), [202]);
    wait_for("the deletion", || world.status(&bruno) == 401);
    assert!(metric(&world, "accepted") >= 5.0);
}

#[test]
fn only_graph_is_believed() {
    let Some(world) = start("entra-forged", "") else {
        return;
    };
    let adele = world.token(ADELE);
    world
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": false}));
    let asked = || world.graph.asked("GET", "/v1.0/users/").len();
    let before = asked();
    for state in [json!("wrong"), json!(""), Value::Null, json!(7)] {
        let sent = world.graph.send(|id, subscription| {
            let mut item = item(id, subscription, "updated", ADELE);
            item["clientState"] = state.clone();
            json!({"value": [item]})
        });
        assert_eq!(sent, [401], "{state}");
    }
    let sent = world.graph.send(|id, subscription| {
        let mut item = item(id, subscription, "updated", ADELE);
        item["tenantId"] = json!("00000000-0000-0000-0000-000000000000");
        json!({"value": [item]})
    });
    assert_eq!(sent, [401]);
    let post = |path: &str, body: &str| {
        let kind = [("Content-Type", "application/json")];
        ask(world.service.signals, "POST", path, &kind, Some(body)).unwrap()
    };
    for body in [
        "",
        "{",
        "[]",
        "{\"value\": 7}",
        &format!("{}1{}", "[".repeat(100), "]".repeat(100)),
    ] {
        assert_eq!(post("/entra/notifications", body).status, 400, "{body}");
    }
    assert_eq!(
        post("/entra/notifications", &" ".repeat(5 << 20)).status,
        413
    );
    assert_eq!(
        ask(
            world.service.signals,
            "GET",
            "/entra/notifications",
            &[],
            None
        )
        .unwrap()
        .status,
        405
    );
    // The handshake answers with text, and with nothing that is no token.
    let reply = post(
        "/entra/notifications/lifecycle?validationToken=a%3Cb%3E+c",
        "",
    );
    assert_eq!((reply.status, reply.body.as_str()), (200, "a<b> c"));
    assert_eq!(
        reply.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    let long = "a".repeat(3_000);
    assert_eq!(
        post(&format!("/entra/notifications?validationToken={long}"), "").status,
        400
    );
    assert_eq!(
        post("/entra/notifications?validationToken=%zz", "").status,
        400
    );
    thread::sleep(Duration::from_millis(500));
    assert_eq!(
        (asked(), world.status(&adele)),
        (before, 200),
        "nothing was looked at"
    );
    assert!(metric(&world, "refused") >= 10.0);
    // No SET comes in by this name.
    let set = [("Content-Type", "application/secevent+jwt")];
    let reply = ask(
        world.service.signals,
        "POST",
        "/events/entra",
        &set,
        Some("a.b.c"),
    );
    assert_eq!(reply.unwrap().status, 404);
}

#[test]
fn a_subscription_is_renewed_in_time_and_made_again_when_it_is_gone() {
    // It lives for a minute, so that it is renewed after half of that; sooner when Graph asks.
    let Some(mut world) = start("entra-lifecycle", "lifetimeMinutes = 1\n") else {
        return;
    };
    let first = |world: &World| {
        let state = world.graph.state();
        let found = state.subscriptions.iter().next();
        found.map(|(id, it)| (id.clone(), it.renewed))
    };
    let (id, renewed) = first(&world).unwrap();
    assert_eq!(renewed, 0);
    assert_eq!(world.graph.lifecycle("reauthorizationRequired"), [202]);
    wait_for("the renewal", || first(&world) == Some((id.clone(), 1)));
    // Over a restart it is the same.
    world.service.restart(&world.folder);
    wait_for("the users", || world.has_read("users"));
    assert_eq!(world.graph.state().subscriptions.len(), 1);
    assert_eq!(first(&world).unwrap().0, id);
    let adele = world.token(ADELE);
    world
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": false}));
    assert_eq!(
        world.graph.notify("updated", ADELE),
        [202],
        "its secret is known still"
    );
    wait_for("the refusal", || world.status(&adele) == 401);
    // Notifications were lost: the changes tell what they said.
    let bruno = world.token(BRUNO);
    world
        .graph
        .state()
        .users
        .set(BRUNO, &json!({"accountEnabled": false}));
    assert_eq!(world.graph.lifecycle("missed"), [202]);
    wait_for("the refusal", || world.status(&bruno) == 401);
    // It is gone, with what happened before there is another one.
    let sent = world.graph.lifecycle("subscriptionRemoved");
    assert_eq!(sent, [202]);
    world.graph.state().subscriptions.remove(&id);
    world
        .graph
        .state()
        .users
        .set(BRUNO, &json!({"accountEnabled": true}));
    wait_for("another one", || {
        !world.graph.state().subscriptions.is_empty()
    });
    let later = world.token_with(BRUNO, now() + 60, &json!({}));
    wait_for("what happened meanwhile", || world.status(&later) == 200);
    // Graph forgets it without a word: the next renewal finds out.
    world.graph.state().subscriptions.clear();
    wait_for("the one after", || {
        !world.graph.state().subscriptions.is_empty()
    });
    // Nothing but one subscription is there, whatever happened.
    assert_eq!(world.graph.state().subscriptions.len(), 1);
}

#[test]
fn without_a_reachable_endpoint_changes_are_asked_for_all_the_same() {
    let setup = Setup::new("entra-unreachable");
    setup.graph.state().shakes_hands = true;
    let uri = "uri = \"http://127.0.0.1:1/entra/notifications\"\n";
    let Some(world) = setup.start(
        &json!({}),
        &format!("pollSeconds = 1\npolicySeconds = 1\n[entra.notifications]\n{uri}"),
    ) else {
        return;
    };
    wait_for("the first round", || world.has_read("users"));
    let adele = world.token(ADELE);
    world
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": false}));
    wait_for("the refusal", || world.status(&adele) == 401);
    let subscription = world.service.ready().json()["entra"]["subscription"].clone();
    assert!(
        subscription["problem"].as_str().unwrap().contains("400"),
        "{subscription}"
    );
    let asked = world.graph.asked("POST", "/v1.0/subscriptions").len();
    assert!(asked < 6, "{asked} times");
}

/// Encrypts as the page says: <https://learn.microsoft.com/graph/change-notifications-with-resource-data>.
fn encrypted(data: &Value, public_key: &[u8]) -> Value {
    let key = [7_u8; 32];
    let mut bytes = data.to_string().into_bytes();
    let cipher = UnboundCipherKey::new(&AES_256, &key).unwrap();
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).unwrap();
    let vector: [u8; 16] = key[..16].try_into().unwrap();
    let context = EncryptionContext::Iv128(FixedLength::from(&vector));
    cipher.less_safe_encrypt(&mut bytes, context).unwrap();
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &bytes);
    let rsa = PublicEncryptingKey::from_der(public_key).unwrap();
    let rsa = OaepPublicEncryptingKey::new(rsa).unwrap();
    let mut room = vec![0; rsa.ciphertext_size()];
    let wrapped = rsa
        .encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut room, None)
        .unwrap();
    json!({
        "data": STANDARD.encode(&bytes), "dataSignature": STANDARD.encode(signature.as_ref()),
        "dataKey": STANDARD.encode(wrapped), "encryptionCertificateId": "x", "encryptionCertificateThumbprint": "y",
    })
}

#[test]
fn resource_data_is_believed_if_graph_vouches_for_it() {
    let setup = Setup::new("entra-rich");
    if !certify(&setup.folder) {
        return;
    }
    let publisher = SigningKey::generate(Some("RS256"), Some("ms")).unwrap();
    setup.graph.state().publisher = publisher.jwks().unwrap();
    let pem = fs::read(setup.folder.path().join("key.pem")).unwrap();
    let text = String::from_utf8(pem).unwrap();
    let der: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = KeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    let public: aws_lc_rs::encoding::PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let public = public.as_ref().to_vec();
    let files =
        "encryptionCertificateFile = \"certificate.pem\"\nencryptionPrivateKeyFile = \"key.pem\"\n";
    let block = block(setup.signals, files);
    let Some(world) = setup.start(&json!({}), &block) else {
        return;
    };
    wait_for("the first round", || world.has_read("users"));
    wait_for("the subscription", || {
        !world.graph.state().subscriptions.is_empty()
    });
    let shown = world.graph.subscription().unwrap();
    assert_eq!(shown["includeResourceData"], true);
    assert!(!shown["encryptionCertificate"].as_str().unwrap().is_empty());
    let (adele, bruno) = (world.token(ADELE), world.token(BRUNO));
    let claims = |azp: &str, aud: &str| {
        json!({
            "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "tid": TENANT, "aud": aud, "azp": azp,
            "iat": now(), "nbf": now(), "exp": now() + 3_600,
        })
    };
    const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";
    let send = |user: &str, inside: &Value, vouchers: &Value| {
        world.graph.send(|id, subscription| {
            let mut item = item(id, subscription, "updated", user);
            item["encryptedContent"] = encrypted(inside, &public);
            json!({"value": [item], "validationTokens": vouchers})
        })
    };
    let voucher = |azp: &str, aud: &str| publisher.sign("JWT", &claims(azp, aud)).unwrap();
    let other = SigningKey::generate(Some("RS256"), Some("ms")).unwrap();
    // Graph itself cannot be asked for anybody, so that only what is inside can tell.
    world.graph.state().next.clear();
    world.graph.state().forbidden.push("/users");
    let revoked = |user: &str| json!({"id": user, "accountEnabled": true, "signInSessionsValidFromDateTime": date(now() - 2)});
    for vouchers in [
        json!([]),
        json!([voucher("11111111-4a52-48df-9a82-234910c4a086", CLIENT)]),
        json!([voucher(PUBLISHER, "another")]),
        json!([other.sign("JWT", &claims(PUBLISHER, CLIENT)).unwrap()]),
        json!([voucher(PUBLISHER, CLIENT), "a.b.c"]),
    ] {
        assert_eq!(send(ADELE, &revoked(ADELE), &vouchers), [202]);
        thread::sleep(Duration::from_millis(300));
        assert_eq!(world.status(&adele), 200, "{vouchers}");
    }
    let good = json!([voucher(PUBLISHER, CLIENT)]);
    // What is inside is about somebody else.
    assert_eq!(send(ADELE, &revoked(BRUNO), &good), [202]);
    thread::sleep(Duration::from_millis(300));
    assert_eq!((world.status(&adele), world.status(&bruno)), (200, 200));
    assert_eq!(send(ADELE, &revoked(ADELE), &good), [202]);
    wait_for("the revocation", || world.status(&adele) == 401);
    assert_eq!(world.status(&bruno), 200);
}
