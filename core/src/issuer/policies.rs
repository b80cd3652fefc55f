//! What the issuer's policies make of one sign-in.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::request::{SignIn, SignInPrincipal};
use crate::configuration::Settings;
use crate::configuration::settings::{LocationEnforcement, Undetermined};
use crate::json::Value;
use crate::policy::conditions::contexts::context_number;
use crate::policy::conditions::devices::Devices;
use crate::policy::conditions::levels::{
    CLIENT_APP_TYPES, Enumeration, PLATFORMS, TRANSFER_METHODS,
};
use crate::policy::controls::{ContinuousAccessEvaluation, GrantControl, SignInInterval};
use crate::policy::location::{Kind, MFA_TRUSTED_IPS, NamedLocation};
use crate::policy::outcome::{Outcome, PolicyAnswer};
use crate::policy::session;
use crate::policy::{
    Applicability, CompiledPolicy, Condition, ConditionSet, Facts, Identity, PolicyState, Target,
};

/// Policies of an issuer, judged for one sign-in as seen from one address.
pub(super) struct Assessment<'a> {
    judgements: Vec<Judgement<'a>>,
    is_user: bool,
}

struct Judgement<'a> {
    outcome: Outcome<'a>,
    enforced: bool,
}

/// How often a user has to sign in; the smaller, the more often.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Frequency {
    /// For every token.
    EveryTime,
    /// At this interval.
    TimeBased(Duration),
}

impl<'a> Assessment<'a> {
    /// Every policy, with the facts that the issuer has.
    pub(super) fn at_issuer(settings: &Settings, sign_in: &SignIn<'a>) -> Self {
        let country = sign_in.country.as_deref();
        let judge =
            |policy, applicability| Some(Judgement::of(settings, sign_in, policy, applicability));
        Self::with(sign_in, sign_in.ip_address, country, judge)
    }

    /// The policies that definitely apply because of the address that the resource saw (`xms_rp_ipaddr`).
    ///
    /// Where the country of that address matters, nothing is definite: the resource does not enforce it either.
    pub(super) fn at_resource(settings: &Settings, sign_in: &SignIn<'a>) -> Self {
        match sign_in.claims.rp_ip_address {
            Some(address) if Some(address) != sign_in.ip_address => {
                Self::with(sign_in, Some(address), None, |policy, applicability| {
                    let definite = matches!(applicability, Applicability::Applies);
                    (definite && policy.reads.contains(Condition::Location))
                        .then(|| Judgement::of(settings, sign_in, policy, applicability))
                })
            }
            _ => Self {
                judgements: Vec::new(),
                is_user: sign_in.principal.is_user(),
            },
        }
    }

    fn with(
        sign_in: &SignIn<'a>,
        address: Option<IpAddr>,
        country: Option<&str>,
        judge: impl Fn(&'a CompiledPolicy, Applicability) -> Option<Judgement<'a>>,
    ) -> Self {
        let user = Facts {
            member_of: Some(&sign_in.member_of),
            roles: Some(&sign_in.roles),
            ..Facts::UNKNOWN
        };
        let identity = match &sign_in.principal {
            SignInPrincipal::User {
                id,
                kind,
                external_kind,
                external_tenant,
            } => Facts {
                identity: Identity::User(Some(id)),
                user_type: *kind,
                external_user_type: *external_kind,
                external_tenant: external_tenant.as_deref(),
                ..user
            },
            SignInPrincipal::ServicePrincipal { id } => Facts {
                identity: Identity::ServicePrincipal(Some(id)),
                ..user
            },
        };
        let facts = Facts {
            client_app_type: sign_in.client_app_type.as_deref(),
            platform: sign_in.platform.as_deref(),
            device: sign_in.device.as_ref(),
            address,
            country,
            user_risk: sign_in.user_risk,
            sign_in_risk: sign_in.sign_in_risk,
            service_principal_risk: sign_in.service_principal_risk,
            insider_risk: sign_in.insider_risk,
            transfer_method: Some(&sign_in.transfer_method),
            target: match sign_in.user_action {
                Some(action) => Target::UserAction(Some(action)),
                None => Target::Application(sign_in.application.as_deref()),
            },
            ..identity
        };
        let policies = &sign_in.issuer.policies;
        let mut evaluated = policies.evaluate_all(&facts);
        // SPEC: cae.md §5: a claims request for a context is evaluated beside the application that is asked for.
        for context in &sign_in.claims.acrs {
            let of_context = policies.evaluate_all(&Facts {
                target: Target::AuthenticationContext(Some(context)),
                ..facts
            });
            for ((_, known), (_, found)) in evaluated.iter_mut().zip(of_context) {
                if rank(found) > rank(*known) {
                    *known = found;
                }
            }
        }
        let judgements = evaluated
            .into_iter()
            .filter(|(policy, _)| policy.evaluated_by_issuer)
            .filter_map(|(policy, applicability)| judge(policy, applicability))
            .collect();
        Self {
            judgements,
            is_user: sign_in.principal.is_user(),
        }
    }

    /// Whether a policy blocks.
    pub(super) fn blocks(&self) -> bool {
        self.enforced()
            .any(|judgement| judgement.policy().grant.blocks())
    }

    /// The controls that the enforced policies miss, each once (policy-semantics row 26).
    pub(super) fn unmet(&self) -> BTreeSet<String> {
        self.enforced()
            .flat_map(|judgement| &judgement.outcome.missing)
            .map(|control| control.name().into_owned())
            .collect()
    }

    /// Whether some policy in force is for this authentication context, so that the policies decide it.
    pub(super) fn decides_context(&self, context: &str) -> bool {
        let number = context_number(context);
        self.judgements
            .iter()
            .map(Judgement::policy)
            .filter(|policy| policy.state == PolicyState::Enabled && policy.skipped.is_none())
            .any(|policy| {
                let contexts = policy.conditions.applications.contexts;
                number.is_some_and(|number| contexts.lists(number))
            })
    }

    /// The session controls of the enforced policies, merged (policy-semantics row 27).
    pub(super) fn session_controls(&self) -> BTreeMap<String, Value> {
        let enforced = self.enforced();
        session::merge(enforced.map(|judgement| &judgement.policy().session))
    }

    /// Whether a policy blocks or misses a control.
    pub(super) fn refuses(&self) -> bool {
        self.enforced()
            .any(|judgement| !judgement.outcome.missing.is_empty())
    }

    /// Whether there is no policy at all.
    pub(super) fn is_empty(&self) -> bool {
        self.judgements.is_empty()
    }

    /// Whether location is enforced strictly (`enforcement.md` §6: a policy that says so always means it).
    pub(super) fn strict_location(&self, settings: &Settings) -> bool {
        settings.location_enforcement == LocationEnforcement::Strict
            || self.modes().any(ContinuousAccessEvaluation::is_strict)
    }

    /// Whether a policy turns continuous access evaluation off. A mode that is not understood does so too: the
    /// token must not outlive what is understood.
    pub(super) fn disables_continuous_access_evaluation(&self) -> bool {
        self.enforced().map(Judgement::policy).any(|policy| {
            match &policy.session.continuous_access_evaluation {
                Some(ContinuousAccessEvaluation::Disabled) => {
                    policy.may_disable_continuous_access_evaluation()
                }
                Some(ContinuousAccessEvaluation::NotUnderstood(_)) => true,
                _ => false,
            }
        })
    }

    /// The sign-in frequency in force: of several the shortest (conditional-access.md §5, "Merging").
    ///
    /// Frequencies of the second factor alone count too: the issuer is told one authentication time. Nobody can
    /// prompt a workload (`enforcement.md` §6).
    pub(super) fn frequency(&self) -> Option<Frequency> {
        self.enforced()
            .filter(|_| self.is_user)
            .filter_map(|judgement| judgement.policy().session.sign_in_frequency)
            .map(|frequency| match frequency.interval {
                SignInInterval::Every(interval) => Frequency::TimeBased(interval),
                // What cannot be read must not let a sign-in grow old.
                SignInInterval::EveryTime | SignInInterval::NotUnderstood => Frequency::EveryTime,
            })
            .min()
    }

    /// Whether the resource cannot follow where this session goes.
    ///
    /// SPEC: cae.md §3: the user "signs in from country/region location, MFA trusted IP, or a trusted location that
    /// contains MFA trusted IPs", or location policies hold more ranges than the resource takes.
    pub(super) fn location_is_beyond_the_resource(
        &self,
        settings: &Settings,
        sign_in: &SignIn<'_>,
    ) -> bool {
        let policies = &sign_in.issuer.policies;
        let locations = policies.named_locations();
        let place = locations.place(sign_in.ip_address, sign_in.country.as_deref());
        let is_unseen = |location: &NamedLocation| match location.kind {
            Kind::Country { .. } => !settings.country_at_resource,
            Kind::Ip { .. } => location.id.as_deref() == Some(MFA_TRUSTED_IPS),
            Kind::Unseen(_) | Kind::NotUnderstood => true,
        };
        policies.location_ranges_exceeded()
            || self
                .judgements
                .iter()
                .filter(|judgement| judgement.depends_on_location())
                .flat_map(|judgement| {
                    let location = &judgement.policy().conditions.locations;
                    location.holding(locations, place)
                })
                .any(is_unseen)
    }

    /// Every policy with what it came to.
    pub(super) fn answers(&self) -> Vec<PolicyAnswer> {
        self.judgements
            .iter()
            .map(|judgement| judgement.outcome.answer().into_owned())
            .collect()
    }

    fn enforced(&self) -> impl Iterator<Item = &Judgement<'a>> {
        self.judgements
            .iter()
            .filter(|judgement| judgement.enforced)
    }

    fn modes(&self) -> impl Iterator<Item = &ContinuousAccessEvaluation> {
        self.enforced().filter_map(|judgement| {
            judgement
                .policy()
                .session
                .continuous_access_evaluation
                .as_ref()
        })
    }
}

impl<'a> Judgement<'a> {
    fn of(
        settings: &Settings,
        sign_in: &SignIn<'_>,
        policy: &'a CompiledPolicy,
        applicability: Applicability,
    ) -> Self {
        let is_met = |control: &GrantControl| {
            let name = control.name().to_ascii_lowercase();
            let by_methods = matches!(control, GrantControl::AuthenticationStrength(Some(_)))
                && policy
                    .grant
                    .strength
                    .as_ref()
                    .is_some_and(|strength| strength.is_met_by(&sign_in.methods));
            by_methods || sign_in.satisfied.contains(&name)
        };
        let outcome = Outcome::new(policy, applicability, is_met);
        let enforced = match applicability {
            Applicability::Undetermined(unknown) => {
                policy.state == PolicyState::Enabled
                    && counts_undetermined(settings, sign_in, policy, unknown)
            }
            Applicability::Applies | Applicability::DoesNotApply(_) => outcome.is_enforced(),
        };
        Self { outcome, enforced }
    }

    fn policy(&self) -> &'a CompiledPolicy {
        self.outcome.policy
    }

    /// Whether the policy is enforced in some place, as far as the other conditions go.
    fn depends_on_location(&self) -> bool {
        let ruled_out = match self.outcome.applicability {
            Applicability::DoesNotApply(condition) => condition != Condition::Location,
            Applicability::Applies | Applicability::Undetermined(_) => false,
        };
        self.policy().state == PolicyState::Enabled && !ruled_out
    }
}

/// SPEC: policy-semantics row 26: an undetermined policy never counts, unless the operator says `deny`; but what the
/// caller leaves out widens nothing, unless the operator said so of this very policy.
fn counts_undetermined(
    settings: &Settings,
    sign_in: &SignIn<'_>,
    policy: &CompiledPolicy,
    unknown: ConditionSet,
) -> bool {
    let id = policy.id.as_ref().map(|id| id.to_ascii_lowercase());
    match id.and_then(|id| settings.undetermined_by_policy.get(&id)) {
        Some(setting) => *setting == Undetermined::Deny,
        None => {
            settings.undetermined == Undetermined::Deny
                || unknown
                    .iter()
                    .all(|condition| lacks(sign_in, policy, condition))
        }
    }
}

/// The more a policy concerns a sign-in, the higher.
const fn rank(applicability: Applicability) -> u8 {
    match applicability {
        Applicability::Applies => 2,
        Applicability::Undetermined(_) => 1,
        Applicability::DoesNotApply(_) => 0,
    }
}

/// Whether the request lacks, or names in a way that nobody understands, the fact that a condition asks for.
fn lacks(sign_in: &SignIn<'_>, policy: &CompiledPolicy, condition: Condition) -> bool {
    let odd = |fact: Option<&str>, known: Enumeration| {
        fact.and_then(|fact| known.position(fact)).is_none()
    };
    match condition {
        Condition::Users => matches!(sign_in.principal, SignInPrincipal::User { kind: None, .. }),
        Condition::Application => sign_in.application.is_none() && sign_in.user_action.is_none(),
        // Absent, or without the attributes that the filter asks for.
        Condition::Devices => {
            matches!(policy.conditions.devices, Devices::Filter(_))
        }
        Condition::AuthenticationFlow => odd(Some(&sign_in.transfer_method), TRANSFER_METHODS),
        Condition::InsiderRisk => sign_in.insider_risk.is_none(),
        Condition::ServicePrincipalRisk => sign_in.service_principal_risk.is_none(),
        Condition::DevicePlatform => odd(sign_in.platform.as_deref(), PLATFORMS),
        Condition::ClientApps => odd(sign_in.client_app_type.as_deref(), CLIENT_APP_TYPES),
        Condition::Location => sign_in.ip_address.is_none() || sign_in.country.is_none(),
        Condition::SignInRisk => sign_in.sign_in_risk.is_none(),
        Condition::UserRisk => sign_in.user_risk.is_none(),
        _ => false,
    }
}
