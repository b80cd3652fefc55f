//! What a policy protects: applications, or else user actions or authentication contexts.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::identity::IdList;
use crate::configuration::settings::ApplicationGroup;
use crate::json::{Map, Value};
use crate::policy::document::{Notes, entries, is_configured, is_guid};
use crate::policy::facts::{Facts, Target};
use crate::policy::logic::Truth;

/// Groups of applications whose membership Microsoft maintains (row 17), by the name that policies use.
const GROUPS: [&str; 3] = ["Office365", "MicrosoftAdminPortals", "AllAgentIdResources"];

/// One side of the application condition.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApplicationSide {
    all: bool,
    pub(crate) ids: IdList,
    /// Known members of the named groups, sorted.
    pub(crate) members: Vec<Box<str>>,
    /// A group is named.
    grouped: bool,
    /// A group is named whose list may lack members.
    open: bool,
    /// A filter over attributes that nobody tells this engine (row 18).
    filtered: bool,
}

impl ApplicationSide {
    fn read(
        value: Option<&Value>,
        path: &str,
        groups: &BTreeMap<String, ApplicationGroup>,
        notes: &mut Notes,
    ) -> Self {
        let mut side = Self::default();
        for entry in entries(value) {
            match entry {
                Ok(text) if text.eq_ignore_ascii_case("All") => side.all = true,
                Ok(text) if text.eq_ignore_ascii_case("None") => {}
                Ok(text) if GROUPS.iter().any(|group| group.eq_ignore_ascii_case(text)) => {
                    let group = groups.get(&text.to_ascii_lowercase());
                    side.grouped = true;
                    side.open |= group.is_none_or(|group| !group.complete);
                    let ids = group.map_or(&[][..], |group| &group.ids);
                    side.members.extend(
                        ids.iter()
                            .map(|id| id.to_ascii_lowercase().into_boxed_str()),
                    );
                }
                Ok(text) => side.ids.push(text, path, notes),
                Err(_) => side.ids.push_odd(path, notes),
            }
        }
        side.members.sort_unstable();
        side
    }

    fn truth(&self, application: Option<&str>) -> Truth {
        if self.all {
            return Truth::True;
        }
        let listed = self
            .ids
            .truth(application.as_ref().map(core::slice::from_ref));
        let grouped = match application {
            Some(id) if self.is_member(id) => Truth::True,
            Some(id) if self.open && is_guid(id) => Truth::Unknown,
            None if self.grouped => Truth::Unknown,
            _ => Truth::False,
        };
        let filtered = if self.filtered {
            Truth::Unknown
        } else {
            Truth::False
        };
        listed | grouped | filtered
    }

    fn is_member(&self, id: &str) -> bool {
        self.members
            .binary_search_by(|member| (**member).cmp(id))
            .is_ok()
    }

    /// Whether it names any application.
    pub(crate) fn is_named(&self) -> bool {
        self.all || self.grouped || self.filtered || !self.ids.is_empty()
    }
}

/// The application condition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Applications {
    pub(crate) include: ApplicationSide,
    pub(crate) exclude: ApplicationSide,
    /// Something not understood: unknown for every application (row 9).
    opaque: bool,
    /// The lists that name user actions or authentication contexts instead.
    pub(crate) otherwise: Vec<&'static str>,
}

impl Applications {
    pub(crate) fn read(
        conditions: &Map<String, Value>,
        groups: &BTreeMap<String, ApplicationGroup>,
        notes: &mut Notes,
    ) -> Self {
        let path = "conditions.applications";
        let Some(value) = conditions
            .get("applications")
            .filter(|value| is_configured(value))
        else {
            return Self::default();
        };
        let Value::Object(members) = value else {
            notes.not_understood(path);
            return Self {
                opaque: true,
                ..Self::default()
            };
        };
        let mut side = |name: &str| {
            ApplicationSide::read(members.get(name), &format!("{path}.{name}"), groups, notes)
        };
        let (mut include, mut exclude) = (side("includeApplications"), side("excludeApplications"));
        if let Some(filter) = members
            .get("applicationFilter")
            .filter(|value| is_configured(value))
        {
            let mode = filter
                .get("mode")
                .and_then(Value::as_str)
                .unwrap_or_default();
            include.filtered = !mode.eq_ignore_ascii_case("exclude");
            exclude.filtered = !mode.eq_ignore_ascii_case("include");
            notes.not_understood(format!("{path}.applicationFilter"));
        }
        Self {
            include,
            exclude,
            opaque: notes.unknown_members(path, members, &APPLICATIONS),
            otherwise: OTHER_TARGETS
                .into_iter()
                .filter(|name| members.get(*name).is_some_and(is_configured))
                .collect(),
        }
    }

    /// Targets are alternatives: a policy for user actions or contexts alone is false for an application (row 19).
    pub(crate) fn truth(&self, facts: &Facts<'_>) -> Truth {
        match facts.target {
            _ if self.opaque => Truth::Unknown,
            Target::Application(id) => self.include.truth(id) & !self.exclude.truth(id),
            Target::Unknown if self.include.is_named() || !self.otherwise.is_empty() => {
                Truth::Unknown
            }
            Target::Unknown => Truth::False,
        }
    }
}

const OTHER_TARGETS: [&str; 2] = [
    "includeUserActions",
    "includeAuthenticationContextClassReferences",
];

const APPLICATIONS: [&str; 5] = [
    "includeApplications",
    "excludeApplications",
    "applicationFilter",
    "includeUserActions",
    "includeAuthenticationContextClassReferences",
];
