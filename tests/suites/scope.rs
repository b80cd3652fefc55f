//! Scope: whatever a transmitter sends, no decision changes about a subject that it may not speak for, and a SET that
//! names somebody else's issuer is refused with `access_denied`.
//!
//! Each case runs twice, once with the intruder's SETs and once without, and compares everything that is answered.
//! `CAE_SEED` and `CAE_HISTORIES` as in `model.rs`.

use cae_core::UnixTime;
use cae_core::decision::Request;
use cae_core::engine::{Conversation as _, Detail, EventReading, SignatureAnswer, Verdict};
use cae_tests::histories::random::Random;
use cae_tests::histories::{DAY, HOUR, cast, events, on_seeds, tokens};
use cae_tests::reference::{Delivery, issuers, subjects, text};
use cae_tests::world::Host;
use serde_json::{Value, json};

/// One case: a configuration, what honest transmitters say, and what the intruder says.
struct Case {
    configuration: Value,
    intruder: Value,
    honest: Vec<Delivery>,
    hostile: Vec<Delivery>,
}

fn draw(seed: u64) -> Case {
    let mut random = Random::new(seed);
    let mut configuration = cast::configuration(&mut random);
    // Whatever a configuration may allow a transmitter is allowed.
    configuration["settings"]["allowTenantWide"] = true.into();
    let transmitters = configuration["transmitters"]
        .as_array_mut()
        .expect("a list");
    let intruder = usize::try_from(random.between(0, 4)).unwrap();
    transmitters[intruder]["legacy"] = true.into();
    transmitters[intruder]["actsForIssuer"] = true.into();
    transmitters[intruder]["unseenMember"] = "failSafe".into();
    let transmitters = transmitters.clone();
    let mut honest = Vec::new();
    for (at, transmitter) in transmitters.iter().enumerate() {
        if at != intruder {
            honest.push(events::draw_from(
                &mut random,
                transmitter,
                None,
                &[],
                DAY,
                100,
            ));
        }
    }
    let hostile = (0..random.between(1, 8))
        .map(|_| {
            let honest = random.of(&[0, 30, 100]);
            let mut set =
                events::draw_from(&mut random, &transmitters[intruder], None, &[], DAY, honest);
            disguise(&mut random, &mut set.payload);
            set
        })
        .collect();
    Case {
        intruder: transmitters[intruder].clone(),
        configuration,
        honest,
        hostile,
    }
}

/// Text that might be taken for something else on the way to a key.
fn disguise(random: &mut Random, payload: &mut Value) {
    if random.chance(70) {
        return;
    }
    let victim = random.of(&cast::USERS);
    let scope = random.of(&[cast::TENANT, cast::KEYCLOAK, cast::PLAIN, cast::TENANTS[0]]);
    let issuer = cast::entra();
    let id = random.of(&[
        format!("{scope}|user|{victim}"),
        format!("{scope}\u{0}{victim}"),
        format!("{issuer}#{victim}"),
        format!("{victim}@{scope}"),
        format!(" {victim}"),
        "*".into(),
    ]);
    let spelled = random.of(&[
        format!("{issuer}/"),
        issuer.to_uppercase(),
        format!("{}/../{}", cast::PLAIN, cast::TENANT),
        format!("{}\u{0}", cast::KEYCLOAK),
        format!("{}?tid={}", cast::PLAIN, cast::TENANT),
        "{tenantid}".into(),
        cast::MULTI_TENANT.into(),
        format!("https://org.okta.com/oauth2/../{}", cast::TENANT),
    ]);
    let token = random.of(&cast::TOKENS);
    payload["sub_id"] = random.of(&[
        json!({"format": "opaque", "id": id}),
        json!({"format": "iss_sub", "iss": spelled, "sub": victim}),
        json!({"format": "jwt_id", "iss": spelled, "jti": token}),
        json!({"format": "complex", "tenant": {"format": "opaque", "id": scope}}),
        json!({"format": "complex", "user": {"format": "opaque", "id": victim},
               "tenant": {"format": "opaque", "id": scope}}),
    ]);
}

/// A question to both hosts, answered in full.
fn asked(host: &mut Host, claims: &Value, now: u64) -> Verdict {
    let request = Request {
        now: UnixTime::from_secs(now),
        client_ip: Some("203.0.113.7"),
        ..Request::default()
    };
    host.request(&tokens::compact(claims), &request, Detail::None)
}

#[test]
fn no_transmitter_changes_a_decision_about_subjects_of_others() {
    on_seeds("scope", 1_500, |seed| {
        let case = draw(seed);
        let mut random = Random::new(seed ^ 0x5C09E);
        let mut with = Host::new(&case.configuration).expect("a sound configuration");
        let mut without = Host::new(&case.configuration).expect("a sound configuration");
        let mut deliveries: Vec<(&Delivery, bool)> = case
            .honest
            .iter()
            .map(|delivery| (delivery, true))
            .chain(case.hostile.iter().map(|delivery| (delivery, false)))
            .collect();
        deliveries.sort_by_key(|(delivery, _)| delivery.received_at);
        let times: Vec<u64> = deliveries
            .iter()
            .map(|(delivery, _)| events::time_of(delivery))
            .collect();
        let own = issuers::spoken_for(&case.configuration, &case.intruder);
        for (delivery, honest) in deliveries {
            let set = events::set(delivery);
            with.deliver(&set, delivery.received_at);
            if honest {
                without.deliver(&set, delivery.received_at);
            }
            for _ in 0..4 {
                let now = delivery
                    .received_at
                    .saturating_add(random.between(0, 6 * HOUR));
                let focus = cast::focus(&mut random);
                let claims = tokens::draw(&mut random, focus, &times, now);
                let realm = text(&claims, "iss")
                    .and_then(|iss| issuers::by_url(&case.configuration, iss))
                    .expect("every token has a configured issuer");
                if own.contains(&realm) {
                    continue;
                }
                let (changed, expected) = (
                    asked(&mut with, &claims, now),
                    asked(&mut without, &claims, now),
                );
                assert_eq!(
                    changed, expected,
                    "CAE_SEED={seed}: {} changed a decision about {claims}",
                    case.intruder["issuer"]
                );
            }
        }
    });
}

#[test]
fn whoever_names_a_foreign_issuer_is_denied_access() {
    let refused = std::cell::Cell::new(0_u64);
    on_seeds("foreign issuer", 1_500, |seed| {
        let case = draw(seed);
        let mut host = Host::new(&case.configuration).expect("a sound configuration");
        for delivery in &case.hostile {
            let Some(subject) = delivery.payload.get("sub_id") else {
                continue;
            };
            // The subject of a stream's own events is the stream, a logout token has none that it could choose, and an
            // unknown type is acknowledged and ignored.
            let events = delivery.payload["events"].to_string();
            let kinds = [
                "/ssf/event-type/",
                "/sse/event-type/",
                "example.org",
                "backchannel",
            ];
            let is_about_nobody = kinds.iter().any(|kind| events.contains(kind));
            let subject = subjects::Subject::of(subject);
            let mut identifiers = subject.identifiers();
            // What no JSON text may hold is refused for that (RFC 8259 allows it, this engine does not).
            if delivery.payload.to_string().contains("\\u0000") {
                continue;
            }
            let foreign = identifiers
                .any(|one| subjects::is_foreign(&case.configuration, &case.intruder, one));
            if !foreign || is_about_nobody {
                continue;
            }
            let at = delivery.payload["iat"]
                .as_u64()
                .unwrap()
                .max(delivery.received_at);
            let Ok(reading) = host.engine.read_event(
                &events::set(delivery),
                UnixTime::from_secs(at),
                SignatureAnswer::Valid,
            );
            let EventReading::Rejected(rejected) = reading else {
                panic!("CAE_SEED={seed}: accepted {}", delivery.payload);
            };
            assert_eq!(
                rejected.code, "access_denied",
                "CAE_SEED={seed}: {}",
                delivery.payload
            );
            refused.set(refused.get().saturating_add(1));
        }
    });
    println!("{} SETs refused with access_denied", refused.get());
    assert!(refused.get() > 0, "no case named a foreign issuer");
}
