//! Policies end to end: each row of `policy-semantics.md` in scope, the index against direct evaluation, what is
//! refused at load, and the collected vectors.

mod conditions;
mod index;
mod load;
mod matrix;
mod rows;
mod vectors;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::address::parse_address;
use super::device::Device;
use super::*;
use crate::configuration::settings::{ApplicationGroup, Undetermined};
use crate::configuration::{Faults, Resource, Settings};
use crate::json::{Limits, Value, parse};
use crate::state::record::RiskLevel;
use crate::token::UserType;

pub(super) fn settings() -> Settings {
    Settings {
        application_groups: BTreeMap::from([
            ("office365".into(), group(&[8], false)),
            ("microsoftadminportals".into(), group(&[9], true)),
        ]),
        ..Settings::default()
    }
}

fn group(ids: &[u8], complete: bool) -> ApplicationGroup {
    ApplicationGroup {
        ids: ids.iter().map(|id| guid(*id)).collect(),
        complete,
    }
}

fn guid(number: u8) -> String {
    alloc::format!("0000000a-0000-0000-0000-{number:012x}")
}

/// Writes `$1` to `$9` as GUIDs, so that tables stay readable.
fn expand(text: &str) -> String {
    (1..=9).fold(text.into(), |text: String, number| {
        text.replace(&alloc::format!("${number}"), &guid(number))
    })
}

fn value(text: &str) -> Value {
    parse(expand(text).as_bytes(), Limits::DOCUMENT).unwrap()
}

/// An enabled block policy for everybody and everything, but for the members of `conditions` given.
fn policy(conditions: &str) -> Value {
    let mut policy = value(
        r#"{"id": "p", "state": "enabled", "grantControls": {"builtInControls": ["block"]},
            "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}}}"#,
    );
    let given = value(&alloc::format!("{{{conditions}}}"));
    for (name, value) in given.as_object().unwrap() {
        policy["conditions"][name] = value.clone();
    }
    policy
}

/// A set of one source whose tokens come from an issuer that enforces policies: no load faults of that kind.
fn compile(document: &Value, locations: Option<&Value>) -> Result<PolicySet, Faults> {
    PolicySet::compile(
        &[PolicySource {
            evaluated_by_issuer: true,
            named_locations: locations,
            ..PolicySource::new(document, "/policies")
        }],
        &CompileContext {
            settings: &settings(),
            resource: &Resource::default(),
            enforces_policies: true,
            undetermined_configured: false,
        },
    )
}

/// Facts that own their text.
#[derive(Clone, Debug, Default)]
struct OwnedFacts {
    identity: Option<(bool, Option<String>)>,
    groups: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    user_type: Option<UserType>,
    target: Option<OwnedTarget>,
    client: Option<String>,
    platform: Option<String>,
    address: Option<IpAddr>,
    country: Option<String>,
    user_risk: Option<RiskLevel>,
    sign_in_risk: Option<RiskLevel>,
    service_principal_risk: Option<RiskLevel>,
    insider_risk: Option<InsiderRisk>,
    transfer: Option<String>,
    external: Option<UserKinds>,
    tenant: Option<String>,
    device: Option<Device>,
}

/// What the sign-in is for.
#[derive(Clone, Debug)]
enum OwnedTarget {
    Application(Option<String>),
    Applications(Vec<String>),
    Action(Option<UserAction>),
    Context(Option<String>),
}

impl OwnedFacts {
    /// Reads `user=$1 groups=$2,$3 type=guest app=$4 ip=192.0.2.1`; `user=?` is a user without id, `groups=` none.
    fn read(text: &str) -> Self {
        let mut facts = Self::default();
        for (name, value) in expand(text)
            .split_whitespace()
            .map(|word| word.split_once('=').unwrap())
        {
            let some = (value != "?").then(|| value.to_string());
            let list = value
                .split(',')
                .filter(|id| !id.is_empty())
                .map(Into::into)
                .collect();
            match name {
                "user" => facts.identity = Some((true, some)),
                "sp" => facts.identity = Some((false, some)),
                "groups" => facts.groups = Some(list),
                "roles" => facts.roles = Some(list),
                "type" if value == "guest" => facts.user_type = Some(UserType::Guest),
                "type" => facts.user_type = Some(UserType::Member),
                "app" => facts.target = Some(OwnedTarget::Application(some)),
                "apps" => facts.target = Some(OwnedTarget::Applications(list)),
                "action" => {
                    facts.target = Some(OwnedTarget::Action(UserAction::from_name(value)));
                }
                "context" => facts.target = Some(OwnedTarget::Context(some)),
                "client" => facts.client = some,
                "platform" => facts.platform = some,
                "ip" => facts.address = parse_address(value),
                "country" => facts.country = some,
                "risk" => facts.user_risk = Some(risk(value)),
                "signin" => facts.sign_in_risk = Some(risk(value)),
                "sprisk" => facts.service_principal_risk = Some(risk(value)),
                "insider" => facts.insider_risk = InsiderRisk::from_name(value),
                "flow" => facts.transfer = some,
                "external" => facts.external = UserKinds::external(value),
                "tenant" => facts.tenant = some,
                "device" => facts.device = Some(device(value)),
                _ => panic!("{name}"),
            }
        }
        facts
    }

    fn with<R>(&self, use_them: impl FnOnce(&Facts<'_>) -> R) -> R {
        use_them(&Facts {
            identity: match &self.identity {
                None => Identity::Unknown,
                Some((true, id)) => Identity::User(id.as_deref()),
                Some((false, id)) => Identity::ServicePrincipal(id.as_deref()),
            },
            member_of: self.groups.as_deref(),
            roles: self.roles.as_deref(),
            user_type: self.user_type,
            external_user_type: self.external,
            external_tenant: self.tenant.as_deref(),
            target: match &self.target {
                None => Target::Unknown,
                Some(OwnedTarget::Application(id)) => Target::Application(id.as_deref()),
                Some(OwnedTarget::Applications(ids)) => Target::Applications(ids),
                Some(OwnedTarget::Action(action)) => Target::UserAction(*action),
                Some(OwnedTarget::Context(context)) => {
                    Target::AuthenticationContext(context.as_deref())
                }
            },
            device: self.device.as_ref(),
            client_app_type: self.client.as_deref(),
            platform: self.platform.as_deref(),
            address: self.address,
            country: self.country.as_deref(),
            user_risk: self.user_risk,
            sign_in_risk: self.sign_in_risk,
            service_principal_risk: self.service_principal_risk,
            insider_risk: self.insider_risk,
            transfer_method: self.transfer.as_deref(),
        })
    }
}

/// `none` is an unregistered device; else `NAME:VALUE` pairs of Graph's `deviceInfo`, separated by `;`.
fn device(text: &str) -> Device {
    if text == "none" {
        return Device::unregistered();
    }
    let pairs = text.split(';').filter(|pair| !pair.is_empty());
    let info = pairs.map(|pair| {
        let (name, value) = pair.split_once(':').unwrap();
        let value = match value {
            "true" | "false" => Value::Bool(value == "true"),
            text => Value::from(text),
        };
        (name.to_string(), value)
    });
    Device::read(&info.collect())
}

fn risk(name: &str) -> RiskLevel {
    match name {
        "none" => RiskLevel::None,
        "low" => RiskLevel::Low,
        "medium" => RiskLevel::Medium,
        _ => RiskLevel::High,
    }
}

/// `yes`, `no CONDITION` or `unknown CONDITION,CONDITION`.
fn show(applicability: Applicability) -> String {
    match applicability {
        Applicability::Applies => "yes".into(),
        Applicability::DoesNotApply(condition) => alloc::format!("no {}", condition.as_str()),
        Applicability::Undetermined(unknown) => {
            let names: Vec<&str> = unknown.iter().map(Condition::as_str).collect();
            alloc::format!("unknown {}", names.join(","))
        }
    }
}

/// What the first policy comes to, asked directly, and through the index when all facts are there at once.
fn outcome(set: &PolicySet, facts: &OwnedFacts) -> String {
    facts.with(|facts| {
        let direct = set.evaluate_all(facts)[0].1;
        let candidates = set.candidates(facts);
        let indexed = set.evaluate(&candidates, facts).next().map(|row| row.1);
        match direct {
            Applicability::DoesNotApply(_) => {
                assert!(!matches!(
                    indexed,
                    Some(Applicability::Applies | Applicability::Undetermined(_))
                ));
            }
            other => assert_eq!(indexed, Some(other)),
        }
        show(direct)
    })
}

#[test]
fn sources_keep_their_own_named_locations() {
    let document = Value::Array(vec![policy(r#""locations": {"includeLocations": ["$1"]}"#)]);
    let here = value(r#"[{"id": "$1", "ipRanges": [{"cidrAddress": "192.0.2.0/24"}]}]"#);
    let there = value(r#"[{"id": "$1", "ipRanges": [{"cidrAddress": "198.51.100.0/24"}]}]"#);
    let source = |locations, evaluated_by_issuer| PolicySource {
        evaluated_by_issuer,
        named_locations: locations,
        ..PolicySource::new(&document, "/policies")
    };
    let (settings, resource) = (settings(), Resource::default());
    let context = CompileContext {
        settings: &settings,
        resource: &resource,
        enforces_policies: true,
        undetermined_configured: false,
    };
    let sources = [
        source(Some(&here), false),
        source(Some(&there), true),
        source(None, true),
    ];
    let set = PolicySet::compile(&sources, &context).unwrap();
    let facts = OwnedFacts::read("user=$1 app=$2 ip=198.51.100.7");
    let shown: Vec<String> = facts.with(|facts| {
        set.evaluate_all(facts)
            .into_iter()
            .map(|(_, applicability)| show(applicability))
            .collect()
    });
    assert_eq!(shown, ["no location", "yes", "unknown location"]);
    let flags: Vec<bool> = set
        .policies()
        .iter()
        .map(|policy| policy.evaluated_by_issuer)
        .collect();
    assert_eq!(flags, [false, true, true]);
    assert_eq!(set.policies()[2].index, 2);
    assert!(set.named_locations().holds("192.0.2.9".parse().unwrap()));
    assert!(!set.named_locations().holds("192.0.3.9".parse().unwrap()));
}
