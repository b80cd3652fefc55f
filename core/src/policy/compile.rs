//! From documents to a set that cannot fail: every fault is reported here, deciding has none left.

mod load;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::conditions::devices::Devices;
use super::conditions::{Condition, ConditionSet, Conditions};
use super::controls::{ContinuousAccessEvaluation, GrantControls, SessionControls};
use super::device::Rule;
use super::document::{self, Item, Notes, configured, object_member, text};
use super::index::Index;
use super::location::{self, Changed, Known, Named, NamedLocation, NamedLocations};
use super::strength::Strengths;
use crate::configuration::settings::ApplicationGroup;
use crate::configuration::{Fault, Faults, Resource, Settings};
use crate::json::{Map, Value};
use crate::time::UnixTime;

/// A document of policies, with the named locations that they refer to.
#[derive(Clone, Copy, Debug)]
pub struct PolicySource<'a> {
    /// One policy, an array of policies, or a Graph list (`{"value": [..]}`).
    pub document: &'a Value,
    /// JSON pointer of the document, for faults.
    pub at: &'a str,
    /// Whether the issuer evaluated these policies when it issued the token: listed under an issuer with
    /// `enforcesPolicies`.
    pub evaluated_by_issuer: bool,
    /// The named locations; `None` if there is no such document, so that `AllTrusted` is unknown.
    pub named_locations: Option<&'a Value>,
    /// JSON pointer of the named locations, for faults.
    pub named_locations_at: &'a str,
}

impl<'a> PolicySource<'a> {
    /// Policies that no issuer evaluated, without named locations.
    #[must_use]
    pub const fn new(document: &'a Value, at: &'a str) -> Self {
        Self {
            document,
            at,
            evaluated_by_issuer: false,
            named_locations: None,
            named_locations_at: "/namedLocations",
        }
    }
}

/// What compiling depends on besides the documents.
#[derive(Clone, Copy, Debug)]
pub struct CompileContext<'a> {
    /// The settings in force.
    pub settings: &'a Settings,
    /// The API that is protected.
    pub resource: &'a Resource,
    /// Whether the issuer of the tokens has `enforcesPolicies`: if not, policies that the resource can never
    /// decide are faults.
    pub enforces_policies: bool,
    /// Whether the operator wrote the setting `undetermined`, so that undecidable policies are no surprise.
    pub undetermined_configured: bool,
}

/// What reading a policy depends on besides the policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    /// The named locations of its source.
    pub(crate) known: Known<'a>,
    /// Members of named application groups, by lower-case name.
    pub(crate) application_groups: &'a BTreeMap<String, ApplicationGroup>,
    /// When policies changed, by lower-case id.
    pub(crate) changed_at: &'a BTreeMap<String, UnixTime>,
    /// Authentication strengths, by lower-case id.
    pub(crate) strengths: &'a Strengths,
}

/// Whether a policy is enforced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PolicyState {
    /// Evaluated and enforced.
    Enabled,
    /// Evaluated and reported, never enforced.
    ReportOnly,
    /// Not evaluated.
    Disabled,
    /// Absent or not understood: never enforced, never ruled out (row 5).
    NotUnderstood,
}

impl PolicyState {
    fn read(policy: &Map<String, Value>) -> Self {
        let is = |name: &str| {
            text(policy, "state").is_some_and(|state| state.eq_ignore_ascii_case(name))
        };
        if is("enabled") {
            Self::Enabled
        } else if is("enabledForReportingButNotEnforced") {
            Self::ReportOnly
        } else if is("disabled") {
            Self::Disabled
        } else {
            Self::NotUnderstood
        }
    }

    /// Graph's name of the state.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::ReportOnly => "enabledForReportingButNotEnforced",
            Self::Disabled => "disabled",
            Self::NotUnderstood => "notUnderstood",
        }
    }
}

/// One compiled policy.
#[derive(Clone, Debug)]
pub struct CompiledPolicy {
    /// Id as written, if it has one.
    pub id: Option<String>,
    /// Position in the set, from 0.
    pub index: usize,
    /// Name given by the administrator.
    pub display_name: Option<String>,
    /// Whether it is enforced.
    pub state: PolicyState,
    /// Whether the issuer evaluated it when it issued the token.
    pub evaluated_by_issuer: bool,
    /// What access requires.
    pub grant: GrantControls,
    /// What holds for the session.
    pub session: SessionControls,
    /// When the policy or a named location it refers to last changed, rounded up to a second; `None` if not known
    /// (`enforcement.md` §6).
    pub changed_at: Option<UnixTime>,
    /// The conditions that facts can decide, `users` and `application` always among them.
    pub reads: ConditionSet,
    /// Whether the location condition depends on the client address.
    pub reads_address: bool,
    /// Whether the location condition depends on the country.
    pub reads_country: bool,
    /// Configured members and values that this engine does not understand, as dotted paths.
    pub not_understood: Vec<String>,
    /// Placeholders, names in place of ids, references to nothing.
    pub warnings: Vec<String>,
    pub(crate) conditions: Conditions,
    /// Why the policy is never looked at: disabled or empty (row 5).
    pub(crate) skipped: Option<Condition>,
}

impl CompiledPolicy {
    /// Its id, or its position if it has none.
    #[must_use]
    pub fn label(&self) -> String {
        self.id.clone().unwrap_or_else(|| self.index.to_string())
    }

    /// Whether the policy may turn continuous access evaluation off.
    ///
    /// SPEC: cae.md §10: "Disable" works only with all resources and without conditions; whom it is for is free.
    #[must_use]
    pub fn may_disable_continuous_access_evaluation(&self) -> bool {
        self.conditions.applications.covers_everything()
            && self
                .reads
                .iter()
                .all(|condition| matches!(condition, Condition::Users | Condition::Application))
    }

    /// Whether its device filter asks for compliance.
    #[must_use]
    pub fn reads_compliance(&self) -> bool {
        let filter = self.conditions.devices.filter();
        filter.is_some_and(|filter| filter.rule.reads_compliance())
    }

    /// Reads the policies of a document, each with its JSON pointer.
    pub(crate) fn read_all(
        document: &Value,
        at: &str,
        reading: &Reading<'_>,
        faults: &mut Vec<Fault>,
    ) -> Vec<(String, Self)> {
        document::items(document, at, faults)
            .into_iter()
            .enumerate()
            .map(|(index, item)| {
                let policy = Self::read(&item, index, reading, faults);
                (item.at, policy)
            })
            .collect()
    }

    fn read(item: &Item<'_>, index: usize, reading: &Reading<'_>, faults: &mut Vec<Fault>) -> Self {
        let nothing = Map::new();
        let mut notes = Notes::default();
        let conditions = object_member(item, "conditions", faults).unwrap_or(&nothing);
        let mut conditions = Conditions::read(
            conditions,
            reading.known,
            reading.application_groups,
            &mut notes,
        );
        let grant = object_member(item, "grantControls", faults)
            .map(|controls| GrantControls::read(controls, reading.strengths, &mut notes))
            .unwrap_or_default();
        let session = object_member(item, "sessionControls", faults)
            .map(|controls| SessionControls::read(controls, &mut notes))
            .unwrap_or_default();
        let misspelt = note_misspelt(item.members, &mut notes);
        if misspelt {
            conditions.undecided.insert(Condition::InvalidPolicy);
        }
        let state = PolicyState::read(item.members);
        if state == PolicyState::NotUnderstood {
            conditions.undecided.insert(Condition::PolicyNotEnabled);
            notes.not_understood("state");
        }
        let skipped = if state == PolicyState::Disabled {
            Some(Condition::PolicyNotEnabled)
        } else if grant.is_empty() && session.is_empty() && !misspelt {
            Some(Condition::EmptyPolicy)
        } else {
            None
        };
        let id = text(item.members, "id").map(String::from);
        Self {
            changed_at: changed_at(
                id.as_deref(),
                item,
                conditions.locations.changed.max(grant.changed()),
                reading.changed_at,
            ),
            id,
            index,
            display_name: text(item.members, "displayName").map(Into::into),
            state,
            evaluated_by_issuer: false,
            grant,
            session,
            reads: ConditionSet::EMPTY,
            reads_address: conditions.locations.reads_address,
            reads_country: conditions.locations.reads_country,
            not_understood: notes.not_understood,
            warnings: notes.warnings,
            conditions,
            skipped,
        }
    }
}

/// A compiled set of policies: one bit for each, in the order of their documents.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    pub(crate) policies: Vec<CompiledPolicy>,
    pub(crate) locations: NamedLocations,
    pub(crate) index: Index,
    location_ranges_exceeded: bool,
}

impl PolicySet {
    /// Compiles the policies of all sources, in order.
    ///
    /// # Errors
    /// Every fault: what is no policy or named location at all, lists that go on elsewhere and, for issuers
    /// without `enforcesPolicies`, enabled policies that the resource can never decide (`enforcement.md` §6).
    pub fn compile(
        sources: &[PolicySource<'_>],
        context: &CompileContext<'_>,
    ) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let mut locations: Vec<NamedLocation> = Vec::new();
        let (mut policies, mut pointers) = (Vec::new(), Vec::new());
        for source in sources {
            let own = source
                .named_locations
                .map(|document| location::read(document, source.named_locations_at, &mut faults));
            let named = own.as_deref().map(Named::new);
            let reading = Reading {
                known: Known {
                    named: named.as_ref(),
                    offset: locations.len(),
                },
                application_groups: &context.settings.application_groups,
                changed_at: &context.settings.policy_changed_at,
                strengths: &context.settings.authentication_strengths,
            };
            let read = CompiledPolicy::read_all(source.document, source.at, &reading, &mut faults);
            for (at, policy) in read {
                policies.push(CompiledPolicy {
                    index: policies.len(),
                    evaluated_by_issuer: source.evaluated_by_issuer,
                    ..policy
                });
                pointers.push(at);
            }
            drop(named);
            locations.extend(own.into_iter().flatten());
        }
        let locations = NamedLocations::new(locations);
        for (policy, at) in policies.iter_mut().zip(&pointers) {
            policy.reads = policy.conditions.reads(&locations);
            warn_of_disabling(policy);
            load::check(policy, at, &locations, context, &mut faults);
        }
        number_device_filters(&mut policies);
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        let ranges = policies
            .iter()
            .filter(|policy| policy.state == PolicyState::Enabled)
            .fold(0_usize, |sum, policy| {
                sum.saturating_add(policy.conditions.locations.ranges)
            });
        let most = context.settings.max_location_ranges;
        Ok(Self {
            index: Index::new(&policies),
            policies,
            locations,
            location_ranges_exceeded: most.is_some_and(|most| ranges > most),
        })
    }

    /// The policies, in the order of their documents.
    #[must_use]
    pub fn policies(&self) -> &[CompiledPolicy] {
        &self.policies
    }

    /// The named locations of all sources.
    #[must_use]
    pub const fn named_locations(&self) -> &NamedLocations {
        &self.locations
    }

    /// Whether the enabled location policies hold more IP ranges than `maxLocationRanges`: location is then not
    /// enforced (`cae.md` §3).
    #[must_use]
    pub const fn location_ranges_exceeded(&self) -> bool {
        self.location_ranges_exceeded
    }
}

/// A policy that says `disabled` where Microsoft would not let it.
pub(super) fn warn_of_disabling(policy: &mut CompiledPolicy) {
    let disabled =
        policy.session.continuous_access_evaluation == Some(ContinuousAccessEvaluation::Disabled);
    if disabled && !policy.may_disable_continuous_access_evaluation() {
        policy.warnings.push(
            "sessionControls.continuousAccessEvaluation: `disabled` works only with all resources and without \
             conditions; it is not honoured"
                .into(),
        );
    }
}

/// Gives equal device filters one number, so that each is asked once in a decision.
fn number_device_filters(policies: &mut [CompiledPolicy]) {
    let mut numbers: HashMap<Arc<Rule>, usize, FixedState> = HashMap::default();
    for policy in policies {
        if let Devices::Filter(filter) = &mut policy.conditions.devices {
            let next = numbers.len();
            filter.number = *numbers.entry(Arc::clone(&filter.rule)).or_insert(next);
        }
    }
}

/// Row 9: a configured member whose name is right but for case.
fn note_misspelt(policy: &Map<String, Value>, notes: &mut Notes) -> bool {
    const NAMES: [&str; 6] = [
        "state",
        "conditions",
        "grantControls",
        "sessionControls",
        "displayName",
        "id",
    ];
    let before = notes.not_understood.len();
    for (name, _) in configured(policy) {
        if !NAMES.contains(&name) && NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            notes.not_understood(name);
        }
    }
    notes.not_understood.len() > before
}

/// `enforcement.md` §6: as the host says, else the latest date of the policy and of what it refers to.
fn changed_at(
    id: Option<&str>,
    item: &Item<'_>,
    referred: Changed,
    changed_at: &BTreeMap<String, UnixTime>,
) -> Option<UnixTime> {
    let told = id.and_then(|id| changed_at.get(&id.to_ascii_lowercase()));
    if let Some(time) = told {
        return Some(*time);
    }
    let own = Changed::read(item.members);
    // Of a policy without dates nothing is known, however old the places are that it refers to.
    if own == Changed::Unsaid {
        return None;
    }
    match own.max(referred) {
        Changed::At(time) => Some(time),
        Changed::Unsaid | Changed::Unreadable => None,
    }
}

fn list(names: impl Iterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{}`", name.as_ref())).collect();
    names.join(", ")
}
