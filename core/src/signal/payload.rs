//! The payload of one event.

use alloc::format;
use alloc::string::String;

use super::event::Initiator;
use super::rejection::Rejection;
use super::time::instant;
use crate::json::{Map, Value};
use crate::time::EventTime;

/// The members of one event, read by name.
#[derive(Clone, Copy)]
pub(super) struct Payload<'a>(&'a Map<String, Value>);

impl<'a> Payload<'a> {
    pub(super) fn of(value: &'a Value) -> Result<Self, Rejection> {
        let members = value.as_object().map(Self);
        members.ok_or_else(|| not("events", "an object whose members are objects"))
    }

    pub(super) fn get(&self, member: &str) -> Option<&'a Value> {
        self.0.get(member)
    }

    /// A member that has to be a string, any string.
    pub(super) fn text(&self, member: &str) -> Result<&'a str, Rejection> {
        let text = self.optional_text(member)?;
        text.ok_or_else(|| not(member, "present in this event"))
    }

    /// A member that is a string if it is there.
    pub(super) fn optional_text(&self, member: &str) -> Result<Option<&'a str>, Rejection> {
        match self.0.get(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(not(member, "a string")),
        }
    }

    /// A member that has to be one of some names, compared without case.
    pub(super) fn choice<T: Copy>(
        &self,
        member: &str,
        names: &[(&str, T)],
    ) -> Result<T, Rejection> {
        let text = self.text(member)?;
        let mut names = names.iter();
        match names.find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            Some((_, value)) => Ok(*value),
            None => Err(not(member, "a value of this event")),
        }
    }

    /// As [`Payload::choice`], for a member that may be absent.
    pub(super) fn optional_choice<T: Copy>(
        &self,
        member: &str,
        names: &[(&str, T)],
    ) -> Result<Option<T>, Rejection> {
        if self.0.contains_key(member) {
            self.choice(member, names).map(Some)
        } else {
            Ok(None)
        }
    }

    pub(super) fn event_timestamp(&self) -> Result<Option<EventTime>, Rejection> {
        match self.0.get("event_timestamp") {
            None => Ok(None),
            Some(time) => match instant(time) {
                None => Err(not("event_timestamp", "a NumericDate")),
                found => Ok(found),
            },
        }
    }

    /// An entity that CAEP does not name is somebody else, not the user.
    pub(super) fn initiator(&self) -> Result<Initiator, Rejection> {
        Ok(match self.optional_text("initiating_entity")? {
            Some(entity) if entity.eq_ignore_ascii_case("user") => Initiator::User,
            _ => Initiator::NotTheUser,
        })
    }
}

/// A claim or member that is not what it has to be.
pub(super) fn not(name: &str, expected: &str) -> Rejection {
    Rejection::invalid_request(format!("`{name}` is not {expected}"))
}
