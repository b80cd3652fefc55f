//! What is kept about transmitters: brakes, events that wait, events that hit nothing.

use cae_core::configuration::transmitter::Brake;
use cae_core::state::record::{AccountStatus, TransmitterId};
use serde_json::json;

use super::*;

const SSF: &str = "https://ssf.example";

fn key_of(subject: u8) -> StateKey {
    StateKey::from_bytes([subject; 16])
}

/// A SET of `by` about the subject with this number that changes its record.
fn event(by: &str, subject: u8, jti: &str, record: &Record, notes: &[&str]) -> EventReading {
    let json = json!({"status": "valid", "subject": {"format": "opaque", "id": subject.to_string()}, "notes": notes});
    EventReading::Accepted(AcceptedEvent {
        transmitter: by.to_owned(),
        jti: jti.to_owned(),
        changes: vec![Change {
            key: key_of(subject),
            record: record.to_bytes(),
        }],
        json: json.to_string(),
    })
}

fn disabled() -> Record {
    let entry = Entry {
        at: EventTime::from_micros(5),
        issued: UnixTime::from_secs(5),
        value: AccountStatus::Disabled,
    };
    Record {
        status: vec![(TransmitterId::of(SSF), entry)],
        ..Record::default()
    }
}

fn brake(hold: bool) -> Vec<(String, Brake)> {
    let brake = Brake {
        subjects_per_minute: 2,
        hold,
    };
    vec![(SSF.to_owned(), brake)]
}

/// Reads all of them at one moment; what became of each, by the name of its variant.
fn read_all(session: &mut Session<Script>, count: usize) -> Vec<&'static str> {
    let read = |_| match session
        .read_event("a.b.c", UnixTime::from_secs(100))
        .unwrap()
    {
        EventOutcome::Accepted(_) => "accepted",
        EventOutcome::Held(_) => "held",
        EventOutcome::Repeated(_) => "repeated",
        EventOutcome::Rejected(_) => "rejected",
    };
    (0..count).map(read).collect()
}

/// Four subjects, one of them twice, another one disabled, and one by somebody else.
fn flood() -> Script {
    Script {
        events: vec![
            event(SSF, 1, "1", &record(), &[]),
            event(SSF, 2, "2", &record(), &[]),
            event(SSF, 1, "3", &record(), &[]),
            event(SSF, 3, "4", &record(), &[]),
            event(SSF, 4, "5", &disabled(), &[]),
            event(SSF, 1, "6", &record(), &[]),
            event(SSF, 3, "4", &record(), &[]),
            event("https://other.example", 5, "1", &record(), &[]),
        ],
        ..Script::default()
    }
}

#[test]
fn a_brake_that_holds_keeps_events_until_they_are_released() {
    let mut session = session(flood()).braking(brake(true));
    assert_eq!(
        read_all(&mut session, 8),
        [
            "accepted", "accepted", "accepted", "held", "accepted", "held", "repeated", "accepted"
        ]
    );
    let alarms = session.take_alarms();
    assert_eq!(alarms.len(), 1);
    assert_eq!(
        (alarms[0].transmitter.as_str(), alarms[0].at.as_secs()),
        (SSF, 100)
    );
    assert!(session.take_alarms().is_empty());
    assert!(session.state().get(&key_of(3)).is_none(), "held back");
    assert_eq!(
        session.state().get(&key_of(4)),
        Some(disabled()),
        "an account event never waits"
    );
    assert_eq!(session.held().count(), 2);

    assert_eq!(session.release("https://nobody.example"), Ok(0));
    assert_eq!(session.release(SSF), Ok(2));
    assert_eq!(
        session.state().get(&key_of(3)),
        Some(record()),
        "with its own times"
    );
    assert_eq!(session.held().count(), 0);
    assert_eq!(session.release(SSF), Ok(0));
    session.engine().events = vec![event(SSF, 6, "7", &record(), &[])];
    assert_eq!(read_all(&mut session, 1), ["accepted"]);
}

#[test]
fn a_brake_that_only_warns_holds_nothing() {
    let mut session = session(flood()).braking(brake(false));
    assert!(
        read_all(&mut session, 6)
            .iter()
            .all(|outcome| *outcome == "accepted")
    );
    assert_eq!(session.take_alarms().len(), 1);
    assert_eq!(session.state().len(), 4);
    // Without a brake nobody counts.
    let mut session = super::session(flood());
    assert!(
        read_all(&mut session, 6)
            .iter()
            .all(|outcome| *outcome == "accepted")
    );
    assert!(session.take_alarms().is_empty());
}

#[test]
fn events_without_effect_touch_nobody() {
    let without_effect =
        |subject: u8| match event(SSF, subject, &subject.to_string(), &record(), &[]) {
            EventReading::Accepted(event) => EventReading::Accepted(AcceptedEvent {
                changes: Vec::new(),
                ..event
            }),
            other => other,
        };
    let script = Script {
        events: (0..9).map(without_effect).collect(),
        ..Script::default()
    };
    let mut session = session(script).braking(brake(true));
    assert!(
        read_all(&mut session, 9)
            .iter()
            .all(|outcome| *outcome == "accepted")
    );
    assert!(session.take_alarms().is_empty());
}

#[test]
fn a_session_goes_on_where_another_one_ended() {
    let mut first = session(flood()).braking(brake(true));
    read_all(&mut first, 8);
    assert!(first.take_changed() && !first.take_changed());
    let held: Vec<HeldEvent> = first.held().cloned().collect();
    for brake_first in [true, false] {
        let script = Script {
            events: vec![
                event(SSF, 3, "4", &record(), &[]),
                event(SSF, 9, "9", &record(), &[]),
            ],
            ..Script::default()
        };
        let (state, held) = (first.state().clone(), held.clone());
        let mut second = if brake_first {
            session(script).braking(brake(true)).resuming(state, held)
        } else {
            session(script).resuming(state, held).braking(brake(true))
        };
        assert!(!second.take_changed());
        assert_eq!(
            read_all(&mut second, 2),
            ["repeated", "held"],
            "it still holds"
        );
        assert!(second.take_changed());
        assert_eq!(second.release(SSF), Ok(3));
        assert!(second.take_changed());
    }
}

#[test]
fn events_that_can_hit_no_token_are_counted() {
    let script = Script {
        events: vec![
            event(SSF, 1, "1", &record(), &["unmatchable:device"]),
            event(
                SSF,
                2,
                "2",
                &record(),
                &["unmatchable:device", "unmatchable:user/email"],
            ),
            event(SSF, 2, "2", &record(), &["unmatchable:device"]),
            event(
                "https://other.example",
                3,
                "1",
                &record(),
                &["informational"],
            ),
        ],
        ..Script::default()
    };
    let mut session = session(script);
    read_all(&mut session, 4);
    let counted: Vec<_> = session.unmatchable().collect();
    assert_eq!(counted, [(SSF, "device", 2), (SSF, "user/email", 1)]);
}

#[test]
fn brakes_come_from_the_configuration() {
    let configuration = json!({"transmitters": [
        {"issuer": SSF, "brake": {"subjectsPerMinute": 2, "hold": true}},
        {"issuer": "https://calm.example", "brake": {"subjectsPerMinute": 9}},
        {"issuer": "https://other.example"},
    ]});
    let calm = Brake {
        subjects_per_minute: 9,
        hold: false,
    };
    let expected = [
        brake(true).remove(0),
        ("https://calm.example".to_owned(), calm),
    ];
    assert_eq!(brakes(&configuration.to_string()), expected);
    assert!(brakes("").is_empty());
}
