//! The timeline of a scenario file: steps with their times and expectations.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::time::Duration;

use super::expect::ExpectationKey;
use super::model::{
    AccountChange, Action, Authentication, Delivery, Expect, HostFacts, KeyOwner, Mover, Party,
    PolicyChange, ResourceRequest, Scenario, SignsIn, Step,
};
use super::read::{
    LATEST, check_key_ids, free_object, not_found, read_network, required_text, text, texts,
};
use crate::configuration::read::{
    BAD_VALUE, Choice, MISSING_MEMBER, NOT_FOUND, Node, ObjectReader, child,
};
use crate::json::{self, Value};
use crate::time::UnixTime;

/// The kinds of steps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    SignIn,
    Request,
    ClientRetry,
    Event,
    AccountChange,
    PolicyChange,
    StateClear,
    NetworkChange,
    KeyRotation,
    Advance,
}

impl Choice for Kind {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("signIn", Self::SignIn),
        ("request", Self::Request),
        ("clientRetry", Self::ClientRetry),
        ("event", Self::Event),
        ("accountChange", Self::AccountChange),
        ("policyChange", Self::PolicyChange),
        ("stateClear", Self::StateClear),
        ("networkChange", Self::NetworkChange),
        ("keyRotation", Self::KeyRotation),
        ("advance", Self::Advance),
    ];
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum AccountChangeKind {
    Disabled,
    Enabled,
    SessionsRevoked,
    SessionEvent(&'static str),
    MfaEnabled,
    RiskLevel,
}

impl Choice for AccountChangeKind {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("disabled", Self::Disabled),
        ("enabled", Self::Enabled),
        ("sessionsRevoked", Self::SessionsRevoked),
        ("passwordExpired", Self::SessionEvent("passwordExpired")),
        (
            "passwordChanged",
            Self::SessionEvent("passwordChangedByUser"),
        ),
        (
            "passwordResetByUser",
            Self::SessionEvent("passwordResetByUser"),
        ),
        (
            "passwordResetInAzurePortal",
            Self::SessionEvent("passwordResetInAzurePortal"),
        ),
        (
            "passwordResetInEntraAdminCenter",
            Self::SessionEvent("passwordResetInEntraAdminCenter"),
        ),
        ("revokedByUser", Self::SessionEvent("revokedByUser")),
        ("revokedByAdmin", Self::SessionEvent("revokedByAdmin")),
        ("singleSignOut", Self::SessionEvent("singleSignOut")),
        ("mfaEnabled", Self::MfaEnabled),
        ("riskLevel", Self::RiskLevel),
    ];
}

/// What every step may have.
const COMMON: &[&str] = &["step", "after", "at", "note"];
pub(super) const DELIVERY: &[&str] = &["after", "expect"];
pub(super) const FACTS: &[&str] = &[
    "memberOf",
    "roles",
    "userType",
    "clientAppType",
    "platform",
    "deviceCompliant",
    "externalUserType",
    "externalTenantId",
    "device",
];

impl Kind {
    /// What a step of this kind may have besides.
    const fn members(self) -> &'static [&'static str] {
        match self {
            Self::SignIn | Self::ClientRetry => &[
                "expect",
                "user",
                "client",
                "interactive",
                "satisfied",
                "facts",
                "as",
            ],
            Self::Request => &[
                "expect",
                "user",
                "client",
                "token",
                "address",
                "country",
                "scheme",
                "path",
                "confirmed",
                "facts",
                "signalAge",
            ],
            Self::Event => &["expect", "transmitter", "claims", "header", "deliveries"],
            Self::AccountChange => &["expect", "user", "change", "level"],
            Self::PolicyChange => &["expect", "issuer", "policies", "namedLocations", "settings"],
            Self::StateClear => &["expect", "subject", "issuer"],
            Self::NetworkChange => &["user", "client", "network"],
            Self::KeyRotation => &[
                "expect",
                "issuer",
                "transmitter",
                "signingKey",
                "publish",
                "fetched",
            ],
            Self::Advance => &[],
        }
    }

    /// What can be expected of it.
    const fn expectations(self) -> &'static [ExpectationKey] {
        use ExpectationKey as Key;
        match self {
            Self::SignIn => &[
                Key::Issuer,
                Key::IssuerCode,
                Key::Unmet,
                Key::Lifetime,
                Key::TokenClaims,
                Key::Policies,
                Key::SessionControls,
            ],
            Self::Request => &[
                Key::Decision,
                Key::Status,
                Key::Reasons,
                Key::Parameters,
                Key::Claims,
                Key::Undetermined,
                Key::Policies,
                Key::SessionControls,
            ],
            Self::ClientRetry => &[
                Key::Issuer,
                Key::IssuerCode,
                Key::Unmet,
                Key::Lifetime,
                Key::TokenClaims,
                Key::Decision,
                Key::Status,
                Key::Reasons,
                Key::Parameters,
                Key::Claims,
                Key::Undetermined,
            ],
            Self::Event => &[Key::Accepted, Key::Err, Key::Duplicate, Key::Changes],
            Self::AccountChange => &[Key::RefreshTokens],
            Self::PolicyChange => &[Key::Faults, Key::OutdatedTokens],
            Self::KeyRotation => &[Key::Faults],
            Self::StateClear => &[Key::Changes, Key::Faults],
            Self::NetworkChange | Self::Advance => &[],
        }
    }

    pub(super) fn keys(self) -> Vec<&'static str> {
        COMMON.iter().chain(self.members()).copied().collect()
    }
}

/// Reads steps one after the other: each knows the time of the one before and the tokens named so far.
struct Timeline<'s> {
    scenario: &'s Scenario,
    time: UnixTime,
    tokens: BTreeSet<String>,
}

pub(super) fn read_timeline(mut node: Node<'_, '_>, scenario: &Scenario) -> Vec<Step> {
    let mut timeline = Timeline {
        scenario,
        time: scenario.start,
        tokens: BTreeSet::new(),
    };
    node.elements(|step| timeline.read_step(step))
}

impl Timeline<'_> {
    fn read_step(&mut self, mut node: Node<'_, '_>) -> Option<Step> {
        let kind = read_kind(&mut node)?;
        let mut object = node.object(&kind.keys());
        self.read_time(&mut object);
        let expect = read_expect(&mut object, kind);
        Some(Step {
            time: self.time,
            note: text(&mut object, "note"),
            action: self.read_action(&mut object, kind, &expect)?,
            expect,
        })
    }

    fn read_time(&mut self, object: &mut ObjectReader<'_, '_>) {
        let after = Duration::from_secs(object.integer("after", 0..=LATEST, 0));
        let time = if object.has("at") {
            if object.has("after") {
                object.fault(
                    "after",
                    BAD_VALUE,
                    "stands beside `at`; give one of the two",
                );
            }
            let at = Duration::from_secs(object.integer("at", 0..=LATEST, 0));
            self.scenario.start.saturating_add(at)
        } else {
            self.time.saturating_add(after)
        };
        if time < self.time {
            object.fault("at", BAD_VALUE, "lies before the step before it");
        }
        self.time = self.time.max(time);
    }

    fn read_action(
        &mut self,
        object: &mut ObjectReader<'_, '_>,
        kind: Kind,
        expect: &Expect,
    ) -> Option<Action> {
        Some(match kind {
            Kind::SignIn => Action::SignIn {
                party: self.read_party(object),
                authentication: self.read_authentication(object, true),
            },
            Kind::ClientRetry => Action::ClientRetry {
                party: self.read_party(object),
                authentication: self.read_authentication(object, false),
            },
            Kind::Request => Action::Request(Box::new(self.read_request(object))),
            Kind::Event => self.read_event(object, expect),
            Kind::AccountChange => self.read_account_change(object)?,
            Kind::PolicyChange => self.read_policy_change(object),
            Kind::StateClear => read_state_clear(object),
            Kind::NetworkChange => self.read_network_change(object),
            Kind::KeyRotation => self.read_key_rotation(object)?,
            Kind::Advance => Action::Advance,
        })
    }

    fn read_party(&self, object: &mut ObjectReader<'_, '_>) -> Party {
        let user = text(object, "user");
        let client = required_text(object, "client", "the name of a client");
        if let Some(user) = &user
            && !self.scenario.users.contains_key(user)
        {
            object.fault("user", NOT_FOUND, not_found(user, "a user"));
        }
        match self.scenario.clients.get(&client).map(|it| &it.signs_in) {
            None if client.is_empty() => {}
            None => object.fault("client", NOT_FOUND, not_found(&client, "a client")),
            Some(SignsIn::Users) if user.is_none() => {
                let message = "`user` is missing; this client signs in for users";
                object.fault("user", MISSING_MEMBER, message);
            }
            Some(SignsIn::Itself { .. }) if user.is_some() => {
                object.fault("user", BAD_VALUE, "this client signs in for itself");
            }
            Some(_) => {}
        }
        Party { user, client }
    }

    fn read_authentication(
        &mut self,
        object: &mut ObjectReader<'_, '_>,
        interactive: bool,
    ) -> Authentication {
        let token_name = text(object, "as");
        if let Some(name) = &token_name
            && !self.tokens.insert(name.clone())
        {
            object.fault("as", BAD_VALUE, "names an earlier token; give another name");
        }
        Authentication {
            interactive: object.flag("interactive", interactive),
            satisfied: texts(object, "satisfied"),
            facts: free_object(object, "facts"),
            token_name,
        }
    }

    fn read_request(&self, object: &mut ObjectReader<'_, '_>) -> ResourceRequest {
        let token = text(object, "token");
        if let Some(token) = &token
            && !self.tokens.contains(token)
        {
            object.fault(
                "token",
                NOT_FOUND,
                not_found(token, "a token issued before"),
            );
        }
        let signal_age = object.get("signalAge").map(|mut ages| {
            ages.members(|issuer, mut age| Some((issuer.to_owned(), age.integer(0..=LATEST)?)))
        });
        ResourceRequest {
            party: self.read_party(object),
            token,
            address: any_text(object, "address"),
            country: any_text(object, "country"),
            scheme: any_text(object, "scheme"),
            path: any_text(object, "path"),
            confirmed: any_text(object, "confirmed"),
            facts: read_facts(&mut object.object("facts", FACTS)),
            signal_age: signal_age.unwrap_or_default(),
        }
    }

    fn read_event(&self, object: &mut ObjectReader<'_, '_>, expect: &Expect) -> Action {
        let transmitter = required_text(object, "transmitter", "the name of a transmitter");
        if !transmitter.is_empty() && !self.scenario.transmitters.contains_key(&transmitter) {
            let message = not_found(&transmitter, "a transmitter");
            object.fault("transmitter", NOT_FOUND, message);
        }
        object.require("claims", "the claims of the SET");
        let time = self.time;
        if object.has("deliveries") && object.has("expect") {
            let message = "stands beside `deliveries`; expect something of each delivery";
            object.fault("expect", BAD_VALUE, message);
        }
        let deliveries = object.get("deliveries").map(|mut deliveries| {
            deliveries.elements(|delivery| {
                let mut delivery = delivery.object(DELIVERY);
                let after = Duration::from_secs(delivery.integer("after", 0..=LATEST, 0));
                Some(Delivery {
                    time: time.saturating_add(after),
                    expect: read_expect(&mut delivery, Kind::Event),
                })
            })
        });
        let at_once = || {
            let expect = expect.clone();
            vec![Delivery { time, expect }]
        };
        Action::Event {
            transmitter,
            claims: free_object(object, "claims"),
            header: free_object(object, "header"),
            deliveries: deliveries.unwrap_or_else(at_once),
        }
    }

    fn read_account_change(&self, object: &mut ObjectReader<'_, '_>) -> Option<Action> {
        let user = required_text(object, "user", "the name of a user");
        if !user.is_empty() && !self.scenario.users.contains_key(&user) {
            object.fault("user", NOT_FOUND, not_found(&user, "a user"));
        }
        let change = object
            .require("change", "what happens to the account")?
            .choice()?;
        let level = text(object, "level");
        let change = match change {
            AccountChangeKind::Disabled => AccountChange::Disabled,
            AccountChangeKind::Enabled => AccountChange::Enabled,
            AccountChangeKind::SessionsRevoked => AccountChange::SessionsRevoked,
            AccountChangeKind::SessionEvent(event) => AccountChange::SessionEvent(event),
            AccountChangeKind::MfaEnabled => AccountChange::MfaEnabled,
            AccountChangeKind::RiskLevel => {
                object.require("level", "the new risk level");
                AccountChange::RiskLevel(level.unwrap_or_default())
            }
        };
        Some(Action::AccountChange { user, change })
    }

    fn read_policy_change(&self, object: &mut ObjectReader<'_, '_>) -> Action {
        let issuer = text(object, "issuer");
        if let Some(issuer) = &issuer
            && !self.scenario.issuers.contains_key(issuer)
        {
            object.fault("issuer", NOT_FOUND, not_found(issuer, "an issuer"));
        }
        let mut list = |key| {
            let mut node = object.get(key)?;
            node.elements(|_| Some(()));
            Some(node.value().clone())
        };
        Action::PolicyChange(PolicyChange {
            issuer,
            policies: list("policies"),
            named_locations: list("namedLocations"),
            settings: object
                .has("settings")
                .then(|| free_object(object, "settings").into()),
        })
    }

    fn read_network_change(&self, object: &mut ObjectReader<'_, '_>) -> Action {
        let (user, client) = (text(object, "user"), text(object, "client"));
        object.require("network", "the new addresses");
        let who = match (user, client) {
            (Some(user), None) => {
                if !self.scenario.users.contains_key(&user) {
                    object.fault("user", NOT_FOUND, not_found(&user, "a user"));
                }
                Mover::User(user)
            }
            (_, Some(client)) if !object.has("user") => {
                let known = self.scenario.clients.get(&client);
                if !known.is_some_and(|it| matches!(it.signs_in, SignsIn::Itself { .. })) {
                    let what = "a client that signs in for itself";
                    object.fault("client", NOT_FOUND, not_found(&client, what));
                }
                Mover::Client(client)
            }
            _ => {
                object.fault("user", MISSING_MEMBER, "give either `user` or `client`");
                Mover::User(String::new())
            }
        };
        Action::NetworkChange {
            who,
            network: read_network(object),
        }
    }

    fn read_key_rotation(&self, object: &mut ObjectReader<'_, '_>) -> Option<Action> {
        let (issuer, transmitter) = (text(object, "issuer"), text(object, "transmitter"));
        let (owner, keys, member, what) = match (issuer, transmitter) {
            (Some(name), None) => {
                let keys = self.scenario.issuers.get(&name).map(|it| &it.keys);
                (KeyOwner::Issuer(name), keys, "issuer", "an issuer")
            }
            (None, Some(name)) => {
                let keys = self.scenario.transmitters.get(&name).map(|it| &it.keys);
                (
                    KeyOwner::Transmitter(name),
                    keys,
                    "transmitter",
                    "a transmitter",
                )
            }
            _ => {
                let message = "give either `issuer` or `transmitter`";
                object.fault("issuer", MISSING_MEMBER, message);
                return None;
            }
        };
        let (signing, published) = (text(object, "signingKey"), texts(object, "publish"));
        match keys {
            Some(keys) => {
                let published = published.as_deref().unwrap_or_default();
                check_key_ids(object, keys, signing.as_ref(), published);
            }
            None => {
                let (KeyOwner::Issuer(name) | KeyOwner::Transmitter(name)) = &owner;
                object.fault(member, NOT_FOUND, not_found(name, what));
            }
        }
        Some(Action::KeyRotation {
            owner,
            signing,
            published,
            fetched: object.flag("fetched", true),
        })
    }
}

fn read_kind(node: &mut Node<'_, '_>) -> Option<Kind> {
    let Some(kind) = node.value().get("step") else {
        let kinds: Vec<_> = Kind::NAMES.iter().map(|(name, _)| *name).collect();
        let message = format!("`step` is missing; give one of {}", kinds.join(", "));
        node.fault(MISSING_MEMBER, message);
        return None;
    };
    let at = child(node.pointer(), "step");
    Node::at(kind, at, node.faults()).choice()
}

/// A string, the empty one too: what a client sends is judged by the engine, not by this reader.
fn any_text(object: &mut ObjectReader<'_, '_>, key: &str) -> Option<String> {
    object.get(key)?.string().map(ToOwned::to_owned)
}

fn read_state_clear(object: &mut ObjectReader<'_, '_>) -> Action {
    let issuer = text(object, "issuer");
    let subject = object.require("subject", "whose state is cleared");
    let subject = match subject.as_ref().map(Node::value) {
        Some(Value::String(subject)) => subject.clone(),
        Some(identifier) => json::canonical(identifier),
        None => String::new(),
    };
    Action::StateClear { subject, issuer }
}

fn read_facts(facts: &mut ObjectReader<'_, '_>) -> HostFacts {
    HostFacts {
        member_of: texts(facts, "memberOf"),
        roles: texts(facts, "roles"),
        user_type: any_text(facts, "userType"),
        client_app_type: any_text(facts, "clientAppType"),
        platform: any_text(facts, "platform"),
        device_compliant: facts
            .get("deviceCompliant")
            .and_then(|mut node| node.flag()),
        external_user_type: any_text(facts, "externalUserType"),
        external_tenant: any_text(facts, "externalTenantId"),
        device: facts
            .has("device")
            .then(|| json::canonical(&free_object(facts, "device").into())),
    }
}

fn read_expect(object: &mut ObjectReader<'_, '_>, kind: Kind) -> Expect {
    let keys = kind.expectations();
    let names: Vec<_> = keys.iter().map(|key| key.as_str()).collect();
    let Some(node) = object.get("expect") else {
        return Expect::new();
    };
    let value = node.value();
    let _ = node.object(&names);
    keys.iter()
        .filter_map(|key| Some((*key, value.get(key.as_str())?.clone())))
        .collect()
}
