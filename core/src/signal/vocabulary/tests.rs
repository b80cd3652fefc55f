//! That the table says what happens.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::ToString as _;
use std::string::String;

use super::*;
use crate::json::{Limits, parse};
use crate::signal::effect::Effect;
use crate::signal::event::Initiator;
use crate::signal::rules::Rules;

fn example(row: &EventType) -> Value {
    parse(row.example.as_bytes(), Limits::EVENT).expect(row.uri)
}

fn read(
    row: &EventType,
    event: &Value,
    legacy: bool,
) -> Result<(Vec<Event>, Vec<String>), Rejection> {
    let mut malformed = Vec::new();
    let events = row.read(&Payload::of(event).unwrap(), legacy, &mut malformed)?;
    Ok((events, malformed))
}

fn with(mut event: Value, member: &str, value: Value) -> Value {
    event[member] = value;
    event
}

#[test]
fn every_example_comes_to_the_outcome_of_its_row() {
    let rules = Rules::unconfigured("https://idp.example");
    for row in event_types() {
        let event = example(row);
        let (events, malformed) = read(row, &event, false).expect(row.uri);
        assert_eq!(malformed, [""; 0], "{}", row.uri);
        let initiator = Payload::of(&event).unwrap().initiator().unwrap();
        let outcomes: Vec<_> = events
            .iter()
            .map(|event| match Effect::of(event, initiator, &rules) {
                Some(effect) => effect.to_string(),
                None => "none".to_string(),
            })
            .collect();
        assert_eq!(outcomes.join("\n"), row.outcome, "{}", row.uri);
        assert!(
            row.effect.starts_with("None") || row.outcome != "none",
            "{}",
            row.uri
        );
    }
}

#[test]
fn vocabularies_are_complete() {
    let count = |vocabulary, legacy| {
        let of = |row: &&EventType| row.vocabulary == vocabulary && row.legacy == legacy;
        event_types().filter(of).count()
    };
    for (vocabulary, expected) in [
        (Vocabulary::Caep, 8),
        (Vocabulary::Risc, 14),
        (Vocabulary::Ssf, 2),
        (Vocabulary::BackChannelLogout, 1),
        (Vocabulary::Scim, 12),
        (Vocabulary::OAuth, 0),
        (Vocabulary::Okta, 0),
    ] {
        assert_eq!(count(vocabulary, false), expected, "{vocabulary:?}");
    }
    let uris: BTreeSet<_> = event_types().map(|row| row.uri).collect();
    assert_eq!(uris.len(), event_types().count(), "no type has two rows");
    for row in event_types() {
        assert!(row.uri.ends_with(row.name), "{}", row.uri);
        assert!(core::ptr::eq(EventType::of(row.uri).unwrap(), row));
    }
}

#[test]
fn members_are_held_to_what_the_row_says() {
    for row in event_types() {
        let event = example(row);
        for member in COMMON_MEMBERS.iter().chain(row.members) {
            let place = format!("{} {}", row.uri, member.name);
            let mut without = event.clone();
            without.as_object_mut().unwrap().remove(member.name);
            assert_eq!(
                read(row, &without, false).is_err(),
                member.required,
                "{place}"
            );
            // From before SSF 1.0 only what matters is asked for.
            let asked = member.required && member.decisive;
            assert_eq!(read(row, &without, true).is_err(), asked, "{place}");

            let odd = with(event.clone(), member.name, Value::Null);
            match read(row, &odd, false) {
                Err(rejection) => {
                    assert!(member.required || member.decisive, "{place}");
                    assert!(rejection.description.contains(member.name), "{rejection}");
                }
                Ok((_, malformed)) => {
                    assert!(!member.required && !member.decisive, "{place}");
                    assert_eq!(malformed, [member.name], "{place}");
                }
            }
            let text = |text: &str| with(event.clone(), member.name, text.into());
            match member.shape {
                Shape::OneOf(names) => {
                    for name in names {
                        read(row, &text(name), false).expect(&place);
                        read(row, &text(&name.to_uppercase()), false).expect(&place);
                    }
                    let unheard_of = read(row, &text("unheard of"), false);
                    assert!(unheard_of.is_err(), "{place}");
                }
                Shape::Open(names) => {
                    for name in names.iter().chain(&["unheard of"]) {
                        read(row, &text(name), false).expect(&place);
                    }
                }
                _ => {}
            }
        }
    }
}

#[test]
fn an_initiator_that_nobody_has_heard_of_is_not_the_user() {
    for (entity, expected) in [
        ("user", Initiator::User),
        ("USER", Initiator::User),
        ("admin", Initiator::NotTheUser),
        ("policy", Initiator::NotTheUser),
        ("system", Initiator::NotTheUser),
        ("unheard of", Initiator::NotTheUser),
    ] {
        let event = serde_json::json!({"initiating_entity": entity});
        let payload = Payload::of(&event).unwrap();
        assert_eq!(payload.initiator().unwrap(), expected, "{entity}");
    }
}
