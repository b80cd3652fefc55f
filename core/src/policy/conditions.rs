//! The conditions of one policy, each true, false or unknown for given facts.

pub(crate) mod contexts;
pub(crate) mod devices;
pub(crate) mod guests;
pub(crate) mod identity;
pub(crate) mod ids;
pub(crate) mod levels;
pub(crate) mod locations;
mod name;
pub(crate) mod target;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use super::document::{Notes, configured, is_configured};
use super::facts::{Facts, Identity, InsiderRisk, Target};
use super::location::{Known, NamedLocations, Place};
use super::logic::Truth;
use crate::configuration::Resource;
use crate::configuration::settings::ApplicationGroup;
use crate::json::{Map, Value};
use devices::Devices;
use identity::Identities;
use levels::{
    CLIENT_APP_TYPES, INSIDER_RISK_LEVELS, Levels, PLATFORMS, RISK_LEVELS, TRANSFER_METHODS,
    risk_position,
};
use locations::Locations;
pub use name::{Condition, ConditionSet};
use target::Applications;

/// The conditions of one policy.
#[derive(Clone, Debug)]
pub(crate) struct Conditions {
    pub(crate) identities: Identities,
    pub(crate) applications: Applications,
    pub(crate) platforms: Platforms,
    pub(crate) devices: Devices,
    pub(crate) client_apps: Levels,
    pub(crate) locations: Locations,
    pub(crate) sign_in_risk: Levels,
    pub(crate) user_risk: Levels,
    pub(crate) insider_risk: Levels,
    pub(crate) authentication_flows: Levels,
    pub(crate) service_principal_risk: Levels,
    /// Conditions that are configured and that no fact of this engine decides.
    pub(crate) undecided: ConditionSet,
}

/// Include and exclude lists of platforms.
#[derive(Clone, Debug)]
pub(crate) struct Platforms {
    include: Levels,
    exclude: Levels,
}

impl Platforms {
    pub(crate) fn truth(&self, platform: Option<u8>) -> Truth {
        self.include.truth(platform) & !self.exclude.truth(platform)
    }
}

impl Conditions {
    pub(crate) fn read(
        conditions: &Map<String, Value>,
        known: Known<'_>,
        groups: &BTreeMap<String, ApplicationGroup>,
        notes: &mut Notes,
    ) -> Self {
        let mut undecided = ConditionSet::EMPTY;
        for (name, _) in configured(conditions) {
            // The conditions that are read below; `agents` match no identity of ours (row 13).
            let condition = match name {
                "users"
                | "clientApplications"
                | "applications"
                | "platforms"
                | "devices"
                | "clientAppTypes"
                | "locations"
                | "signInRiskLevels"
                | "userRiskLevels"
                | "insiderRiskLevels"
                | "authenticationFlows"
                | "servicePrincipalRiskLevels"
                | "agents" => continue,
                // Row 9: nobody tells this engine what an administrator's clock says.
                "times" => Condition::Time,
                _ => Condition::InvalidCondition,
            };
            undecided.insert(condition);
            note_members(&format!("conditions.{name}"), conditions.get(name), notes);
        }
        Self {
            identities: Identities::read(conditions, notes),
            applications: Applications::read(conditions, groups, notes),
            platforms: read_platforms(conditions, &mut undecided, notes),
            devices: Devices::read(conditions, notes),
            client_apps: read_levels(conditions, "clientAppTypes", CLIENT_APP_TYPES, notes),
            locations: Locations::read(conditions, known, notes),
            sign_in_risk: read_levels(conditions, "signInRiskLevels", RISK_LEVELS, notes),
            user_risk: read_levels(conditions, "userRiskLevels", RISK_LEVELS, notes),
            insider_risk: read_levels(conditions, "insiderRiskLevels", INSIDER_RISK_LEVELS, notes),
            authentication_flows: read_flows(conditions, &mut undecided, notes),
            service_principal_risk: read_levels(
                conditions,
                "servicePrincipalRiskLevels",
                RISK_LEVELS,
                notes,
            ),
            undecided,
        }
    }

    /// The truth of one condition. `Users` stands for whatever identity the facts are about, `Application` for
    /// whatever target.
    pub(crate) fn truth(
        &self,
        condition: Condition,
        facts: &Facts<'_>,
        place: Place<'_>,
        locations: &NamedLocations,
    ) -> Truth {
        if self.undecided.contains(condition) {
            return Truth::Unknown;
        }
        match condition {
            Condition::Users => self.identities.truth(facts),
            Condition::Application => self.applications.truth(facts),
            Condition::DevicePlatform => self.platforms.truth(platform_of(facts)),
            Condition::Devices => self.devices.truth(facts.device),
            Condition::ClientApps => self.client_apps.truth(client_app_type_of(facts)),
            Condition::Location => self.locations.truth(locations, place),
            Condition::SignInRisk => self
                .sign_in_risk
                .truth(facts.sign_in_risk.map(risk_position)),
            Condition::UserRisk => self.user_risk.truth(facts.user_risk.map(risk_position)),
            Condition::InsiderRisk => self
                .insider_risk
                .truth(facts.insider_risk.map(InsiderRisk::position)),
            Condition::AuthenticationFlow => {
                self.authentication_flows.truth(transfer_method_of(facts))
            }
            Condition::ServicePrincipalRisk => self
                .service_principal_risk
                .truth(facts.service_principal_risk.map(risk_position)),
            // Not configured: no restriction.
            Condition::WorkloadIdentities
            | Condition::UserActions
            | Condition::AuthenticationContext
            | Condition::Time
            | Condition::InvalidCondition
            | Condition::InvalidPolicy
            | Condition::PolicyNotEnabled
            | Condition::EmptyPolicy => Truth::True,
        }
    }

    /// The conditions that some fact can make other than true, besides identity and target always those two.
    pub(crate) fn reads(&self, locations: &NamedLocations) -> ConditionSet {
        let place = locations.place(None, None);
        Condition::ALL
            .iter()
            .copied()
            .filter(|condition| {
                // True without any fact stays true with every fact (P4).
                matches!(condition, Condition::Users | Condition::Application)
                    || self.truth(*condition, &Facts::UNKNOWN, place, locations) != Truth::True
            })
            .collect()
    }

    /// The conditions that keep the policy from ever being definite at the resource; empty if a token, the
    /// records and the request can make it apply, or if it never applies at all.
    pub(crate) fn never_definite(
        &self,
        resource: &Resource,
        country_known: bool,
        locations: &NamedLocations,
    ) -> ConditionSet {
        let place = locations.place(None, None);
        let user = Facts {
            identity: Identity::User(None),
            target: Target::Application(resource.application_id.as_deref()),
            ..Facts::UNKNOWN
        };
        let workload = Facts {
            identity: Identity::ServicePrincipal(None),
            ..user
        };
        let truth = |condition, facts: &Facts<'_>| self.truth(condition, facts, place, locations);
        let for_nobody = [user, workload]
            .iter()
            .all(|facts| truth(Condition::Users, facts) == Truth::False);
        // False without any other fact stays false with every fact (P4): the policy never applies.
        let never_applies = Condition::ALL
            .iter()
            .filter(|condition| **condition != Condition::Users)
            .any(|condition| truth(*condition, &user) == Truth::False);
        if for_nobody || never_applies {
            return ConditionSet::EMPTY;
        }
        Condition::ALL
            .iter()
            .copied()
            .filter(|condition| {
                truth(*condition, &user) != Truth::True
                    && (self.undecided.contains(*condition)
                        || !match condition {
                            Condition::Users => self.identities.can_be_true(),
                            Condition::DevicePlatform => {
                                self.platforms.include.can_be_true()
                                    && self.platforms.exclude.can_be_false()
                            }
                            Condition::ClientApps => self.client_apps.can_be_true(),
                            Condition::Devices => self.devices.filter().is_some(),
                            Condition::UserRisk => self.user_risk.can_be_true(),
                            Condition::ServicePrincipalRisk => {
                                self.service_principal_risk.can_be_true()
                            }
                            Condition::Location => self.locations.can_be_true(country_known),
                            // The application is fixed above; nobody tells a resource the risk of a sign-in.
                            _ => false,
                        })
            })
            .collect()
    }
}

/// The position of the platform that the facts name.
pub(crate) fn platform_of(facts: &Facts<'_>) -> Option<u8> {
    facts.platform.and_then(|name| PLATFORMS.position(name))
}

/// The position of the client app type that the facts name.
pub(crate) fn client_app_type_of(facts: &Facts<'_>) -> Option<u8> {
    facts
        .client_app_type
        .and_then(|name| CLIENT_APP_TYPES.position(name))
}

/// The position of the transfer method that the facts name.
pub(crate) fn transfer_method_of(facts: &Facts<'_>) -> Option<u8> {
    facts
        .transfer_method
        .and_then(|name| TRANSFER_METHODS.position(name))
}

/// The name under which the condition on identity or target is reported for these facts (rows 13 and 19).
pub(crate) const fn reported(condition: Condition, facts: &Facts<'_>) -> Condition {
    match (condition, facts.identity, facts.target) {
        (Condition::Users, Identity::ServicePrincipal(_), _) => Condition::WorkloadIdentities,
        (Condition::Application, _, Target::UserAction(_)) => Condition::UserActions,
        (Condition::Application, _, Target::AuthenticationContext(_)) => {
            Condition::AuthenticationContext
        }
        _ => condition,
    }
}

fn read_levels(
    conditions: &Map<String, Value>,
    name: &str,
    enumeration: levels::Enumeration,
    notes: &mut Notes,
) -> Levels {
    let levels = Levels::read(
        conditions.get(name),
        &format!("conditions.{name}"),
        enumeration,
        notes,
    );
    if levels.is_empty() {
        Levels::ANY
    } else {
        levels
    }
}

fn read_flows(
    conditions: &Map<String, Value>,
    undecided: &mut ConditionSet,
    notes: &mut Notes,
) -> Levels {
    let path = "conditions.authenticationFlows";
    let members = match conditions
        .get("authenticationFlows")
        .filter(|value| is_configured(value))
    {
        None => return Levels::ANY,
        Some(Value::Object(members)) => members,
        Some(_) => {
            undecided.insert(Condition::AuthenticationFlow);
            notes.not_understood(path);
            return Levels::ANY;
        }
    };
    if notes.unknown_members(path, members, &["transferMethods"]) {
        undecided.insert(Condition::AuthenticationFlow);
    }
    // `none` adds nothing (row 8): alone it is configured, and no flow is one of none.
    Levels::read(
        members.get("transferMethods"),
        &format!("{path}.transferMethods"),
        TRANSFER_METHODS,
        notes,
    )
}

fn read_platforms(
    conditions: &Map<String, Value>,
    undecided: &mut ConditionSet,
    notes: &mut Notes,
) -> Platforms {
    let path = "conditions.platforms";
    let any = Platforms {
        include: Levels::ANY,
        exclude: Levels::default(),
    };
    let members = match conditions
        .get("platforms")
        .filter(|value| is_configured(value))
    {
        None => return any,
        Some(Value::Object(members)) => members,
        Some(_) => {
            undecided.insert(Condition::DevicePlatform);
            notes.not_understood(path);
            return any;
        }
    };
    if notes.unknown_members(path, members, &["includePlatforms", "excludePlatforms"]) {
        undecided.insert(Condition::DevicePlatform);
    }
    let mut side = |name: &str| {
        Levels::read(
            members.get(name),
            &format!("{path}.{name}"),
            PLATFORMS,
            notes,
        )
    };
    let (include, exclude) = (side("includePlatforms"), side("excludePlatforms"));
    Platforms {
        // Row 23: an exclude list alone excludes from every platform.
        include: if include.is_empty() {
            Levels::ANY
        } else {
            include
        },
        exclude,
    }
}

/// Names what is configured inside a condition that this engine does not decide.
fn note_members(path: &str, value: Option<&Value>, notes: &mut Notes) {
    match value {
        Some(Value::Object(members)) => {
            for (name, _) in configured(members) {
                notes.not_understood(format!("{path}.{name}"));
            }
        }
        _ => notes.not_understood(path),
    }
}
