//! Okta's risk events: CAEP's risk-level-change from before there was one, the principal in the name.

use super::caep::{LEVELS, RISK_LEVEL_CHANGE, risk_of};
use super::{EventType, Meaning, Member, Shape, Vocabulary, told};
use crate::state::SubjectKind::{Device, User};

pub(super) static TYPES: &[EventType] = &[
    EventType {
        uri: "https://schemas.okta.com/secevent/okta/event-type/user-risk-change",
        vocabulary: Vocabulary::Okta,
        name: "user-risk-change",
        section: "user-risk-change",
        legacy: true,
        about: &[User],
        members: MEMBERS,
        effect: told(RISK_LEVEL_CHANGE),
        example: told(
            r#"{"current_level":"high","previous_level":"low","event_timestamp":1615304991,"initiating_entity":"policy","reason_admin":{"en":"Impossible travel"}}"#,
        ),
        outcome: told("cut-off: riskLevel, risk: high"),
        meaning: Meaning::One(|payload| risk_of(Some(User), payload)),
    },
    EventType {
        uri: "https://schemas.okta.com/secevent/okta/event-type/device-risk-change",
        vocabulary: Vocabulary::Okta,
        name: "device-risk-change",
        section: "device-risk-change",
        legacy: true,
        about: &[Device],
        members: MEMBERS,
        effect: told(RISK_LEVEL_CHANGE),
        example: told(
            r#"{"current_level":"low","previous_level":"medium","event_timestamp":1615304991}"#,
        ),
        outcome: told("risk: low"),
        meaning: Meaning::One(|payload| risk_of(Some(Device), payload)),
    },
];

const MEMBERS: &[Member] = &[
    Member::required("current_level", Shape::OneOf(LEVELS)),
    Member::decisive("previous_level", Shape::OneOf(LEVELS)),
];
