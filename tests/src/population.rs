//! State of a size that a large organisation has.

use cae_core::UnixTime;
use cae_core::state::key::{Identifier, NameSpace};
use cae_core::state::record::{Cause, DeviceCompliance, Entry, TransmitterId};
use cae_core::state::{Record, StateKey, StateTable, SubjectKind};

use crate::world;

/// Users with a cut-off.
pub const USERS: u32 = 1_000_000;
/// Devices that are not compliant.
pub const DEVICES: u32 = 100_000;
/// Sessions that were revoked.
pub const SESSIONS: u32 = 100_000;

/// The key of the subject with this number.
#[must_use]
pub fn key(kind: SubjectKind, number: u32) -> StateKey {
    let text = format!("40000000-0000-4000-8000-{number:012}");
    let identifier = Identifier {
        name_space: NameSpace::Native,
        text: &text,
    };
    StateKey::new(world::TENANT, kind, identifier)
}

/// An entry of that second.
#[must_use]
pub fn entry<T>(at: u64, value: T) -> Entry<T> {
    Entry {
        at: UnixTime::from_secs(at).into(),
        issued: UnixTime::from_secs(at),
        value,
    }
}

/// All of them, each as an event of its own would leave it.
#[must_use]
pub fn table() -> StateTable {
    let mut table = StateTable::default();
    let transmitter = TransmitterId::of(world::TRANSMITTER);
    let at = |number: u32| world::START.saturating_sub(u64::from(number % 86_400));
    let cut_off = |number, cause| Record {
        cut_off: Some(entry(at(number), cause)),
        ..Record::default()
    };
    for number in 0..USERS {
        let record = cut_off(number, Cause::PasswordChange);
        table.merge(&key(SubjectKind::User, number), &record);
    }
    for number in 0..SESSIONS {
        let record = cut_off(number, Cause::SessionRevoked);
        table.merge(&key(SubjectKind::Session, number), &record);
    }
    for number in 0..DEVICES {
        let entry = entry(at(number), DeviceCompliance::NotCompliant);
        let record = Record {
            compliance: vec![(transmitter, entry)],
            ..Record::default()
        };
        table.merge(&key(SubjectKind::Device, number), &record);
    }
    table
}
