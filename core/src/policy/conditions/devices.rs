//! The device condition: a filter over the attributes of the device.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use crate::json::{Map, Value};
use crate::policy::device::{Device, Rule};
use crate::policy::document::{Notes, configured, is_configured, text};
use crate::policy::logic::Truth;

/// The device condition of one policy.
#[derive(Clone, Debug, Default)]
pub(crate) enum Devices {
    /// Not configured.
    #[default]
    Any,
    /// Not understood: unknown for every device (row 15).
    Opaque,
    /// A filter.
    Filter(Filter),
}

/// A filter that policies may share.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) rule: Arc<Rule>,
    /// Equal rules have equal numbers, from 0.
    pub(crate) number: usize,
    /// Matching devices are exempt.
    pub(crate) exclude: bool,
}

impl Devices {
    pub(crate) fn read(conditions: &Map<String, Value>, notes: &mut Notes) -> Self {
        let path = "conditions.devices";
        let members = match conditions
            .get("devices")
            .filter(|value| is_configured(value))
        {
            None => return Self::Any,
            Some(Value::Object(members)) => members,
            Some(_) => {
                notes.not_understood(path);
                return Self::Opaque;
            }
        };
        let odd = notes.unknown_members(path, members, &["deviceFilter"]);
        let filter = match members
            .get("deviceFilter")
            .filter(|value| is_configured(value))
        {
            None => return if odd { Self::Opaque } else { Self::Any },
            Some(Value::Object(filter)) => read_filter(filter, notes),
            Some(_) => {
                notes.not_understood(format!("{path}.deviceFilter"));
                None
            }
        };
        match filter {
            Some(filter) if !odd => Self::Filter(filter),
            _ => Self::Opaque,
        }
    }

    pub(crate) fn truth(&self, device: Option<&Device>) -> Truth {
        match self {
            Self::Any => Truth::True,
            Self::Opaque => Truth::Unknown,
            Self::Filter(filter) => filter.applied(filter.rule.truth(device)),
        }
    }

    /// The filter, if there is one that can be asked.
    pub(crate) const fn filter(&self) -> Option<&Filter> {
        match self {
            Self::Filter(filter) => Some(filter),
            Self::Any | Self::Opaque => None,
        }
    }
}

impl Filter {
    /// What the condition comes to where the rule comes to this.
    pub(crate) fn applied(&self, rule: Truth) -> Truth {
        if self.exclude { !rule } else { rule }
    }
}

fn read_filter(filter: &Map<String, Value>, notes: &mut Notes) -> Option<Filter> {
    let path = "conditions.devices.deviceFilter";
    let mut odd = notes.unknown_members(path, filter, &["mode", "rule"]);
    let mode = text(filter, "mode").unwrap_or_default();
    let exclude = mode.eq_ignore_ascii_case("exclude");
    if !exclude && !mode.eq_ignore_ascii_case("include") {
        odd = true;
        notes.not_understood(format!("{path}.mode"));
    }
    let rule = match (
        text(filter, "rule"),
        configured(filter).any(|(name, _)| name == "rule"),
    ) {
        (None, true) => {
            notes.not_understood(format!("{path}.rule"));
            return None;
        }
        (text, _) => Rule::parse(text.unwrap_or_default()),
    };
    match rule {
        Ok(rule) if !odd => Some(Filter {
            rule: Arc::new(rule),
            number: 0,
            exclude,
        }),
        Ok(_) => None,
        Err(error) => {
            notes.not_understood(format!("{path}.rule: {error}"));
            None
        }
    }
}
