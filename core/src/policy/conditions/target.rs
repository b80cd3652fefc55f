//! What a policy protects: applications, user actions or authentication contexts.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::contexts::{Contexts, context_number};
use super::identity::filtered_sides;
use super::ids::IdList;
use super::levels::{Levels, USER_ACTIONS};
use crate::configuration::settings::ApplicationGroup;
use crate::json::{Map, Value};
use crate::policy::document::{Notes, entries, is_configured, is_guid};
use crate::policy::facts::{Facts, Target, UserAction};
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

/// The condition on what is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Applications {
    pub(crate) include: ApplicationSide,
    pub(crate) exclude: ApplicationSide,
    /// User actions.
    pub(crate) user_actions: Levels,
    /// Authentication contexts.
    pub(crate) contexts: Contexts,
    /// Something not understood: unknown for every target (row 9).
    opaque: bool,
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
            (include.filtered, exclude.filtered) = filtered_sides(filter);
            notes.not_understood(format!("{path}.applicationFilter"));
        }
        Self {
            include,
            exclude,
            user_actions: Levels::read(
                members.get(ACTIONS),
                &format!("{path}.{ACTIONS}"),
                USER_ACTIONS,
                notes,
            ),
            contexts: Contexts::read(members.get(CONTEXTS), &format!("{path}.{CONTEXTS}"), notes),
            opaque: notes.unknown_members(path, members, &APPLICATIONS),
        }
    }

    /// Targets are alternatives: a policy for user actions or contexts alone is false for an application (row 19).
    pub(crate) fn truth(&self, facts: &Facts<'_>) -> Truth {
        match facts.target {
            _ if self.opaque => Truth::Unknown,
            Target::Application(id) => self.application_truth(id),
            // No application is one unknown application.
            Target::Applications([]) => self.application_truth(None),
            Target::Applications(ids) => ids.iter().fold(Truth::False, |truth, id| {
                truth | self.application_truth(Some(id))
            }),
            Target::UserAction(action) => self.user_actions.truth(action.map(UserAction::position)),
            Target::AuthenticationContext(context) => {
                self.contexts.truth(context.and_then(context_number))
            }
            Target::Unknown if self.names_something() => Truth::Unknown,
            Target::Unknown => Truth::False,
        }
    }

    fn application_truth(&self, id: Option<&str>) -> Truth {
        self.include.truth(id) & !self.exclude.truth(id)
    }

    /// Whether it covers every application, without exception.
    pub(crate) fn covers_everything(&self) -> bool {
        self.include.all && !self.exclude.is_named() && !self.opaque
    }

    fn names_something(&self) -> bool {
        self.include.is_named() || !self.user_actions.is_empty() || !self.contexts.is_empty()
    }
}

const ACTIONS: &str = "includeUserActions";
const CONTEXTS: &str = "includeAuthenticationContextClassReferences";

const APPLICATIONS: [&str; 5] = [
    "includeApplications",
    "excludeApplications",
    "applicationFilter",
    ACTIONS,
    CONTEXTS,
];
