//! The other end of the conversation: what a token issuer does with a sign-in or an answered claims challenge.
//!
//! It evaluates the policies that the resource takes to be evaluated by this issuer: those listed under it, where it
//! `enforcesPolicies` (`enforcement.md` §1). To it, a sign-in, a refresh and an answer to a challenge are one thing:
//! facts about the user, the connection and the authentication come in, a grant with its lifetime or a refusal
//! with what is missing goes out.

mod answer;
mod lifetime;
mod policies;
mod request;
mod session;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::time::Duration;

pub use answer::{
    PolicyAnswer, SessionAnswer, SignInAnswer, SignInEvaluation, SignInFaults, SignInResult,
};
pub use lifetime::LifetimeRule;

use crate::configuration::{Configuration, Dialect, Fault, Faults, Settings};
use crate::json::{self, Limits, Map, Value};
use crate::policy::conditions::contexts::context_number;
use crate::token::UserType;
use lifetime::{LifetimeFacts, lifetime};
use policies::{Assessment, Frequency};
use request::{SignIn, SignInPrincipal};

/// Evaluates a sign-in.
///
/// Total: a request that cannot be read gets an answer with all its faults. A policy that is undetermined only because
/// the request lacks facts of the connection or the user counts as applying: a missing fact never widens access. One
/// that holds conditions which this engine does not read is told as `undetermined` and does not count
/// (`policy-semantics.md` row 26), or nobody could sign in; the setting `undetermined` says `deny` where it has to.
#[must_use]
pub fn sign_in(configuration: &Configuration, request: &Value) -> SignInAnswer {
    match request::read(configuration, request) {
        Ok(sign_in) => SignInAnswer::Evaluated(evaluate(&configuration.settings, &sign_in)),
        Err(Faults(faults)) => unreadable(faults),
    }
}

/// [`sign_in`] from JSON text to canonical JSON text.
#[must_use]
pub fn sign_in_json(configuration: &Configuration, request: &str) -> String {
    let answer = match json::parse(request.as_bytes(), Limits::EVENT) {
        Ok(request) => sign_in(configuration, &request),
        Err(error) => unreadable(alloc::vec![Fault {
            at: String::new(),
            code: "sign_in.not_json",
            message: error.to_string(),
        }]),
    };
    json::to_text(&answer)
}

/// Whether one of these events of the revocation matrix ended a session of this kind, by the names of a sign-in request.
#[cfg(feature = "simulation")]
pub(crate) fn is_session_revoked(
    kind: Option<&str>,
    events: &[(&str, crate::time::UnixTime)],
    authenticated: crate::time::UnixTime,
) -> bool {
    let kind = kind.and_then(session::SessionKind::from_name);
    let events = events.iter();
    let session = session::Session {
        kind: kind.unwrap_or_default(),
        events: events
            .filter_map(|(event, at)| Some((session::SessionEvent::from_name(event)?, *at)))
            .collect(),
    };
    session.is_revoked(authenticated)
}

fn unreadable(faults: Vec<Fault>) -> SignInAnswer {
    SignInAnswer::Unreadable(SignInFaults {
        result: SignInResult::Error,
        faults,
    })
}

fn evaluate(settings: &Settings, sign_in: &SignIn<'_>) -> SignInEvaluation {
    // SPEC: cae.md §2, event 1: no new token of any kind for a disabled account; §6: AADSTS50057.
    if !sign_in.account_enabled {
        let refusal = Refusal {
            result: SignInResult::Block,
            error: "invalid_grant",
            code: Some("AADSTS50057"),
            unmet: Vec::new(),
        };
        return refusal.answer(Vec::new());
    }
    let assessment = Assessment::at_issuer(settings, sign_in);
    // SPEC: cae.md §9, "Initial sign-in": nothing of the resource's view is known until it challenges.
    let elsewhere = Assessment::at_resource(settings, sign_in);
    let refused_elsewhere = elsewhere.refuses();
    let strict = assessment.strict_location(settings) || elsewhere.strict_location(settings);
    let mut assessments = alloc::vec![&assessment];
    if strict {
        // SPEC: cae.md §9, strict: "at redirect the issuer evaluates the RP-seen IP and refuses".
        assessments.push(&elsewhere);
    }
    let rows = assessment.answers();
    if let Some(refusal) = Refusal::of(sign_in, &assessments) {
        return refusal.answer(rows);
    }
    let continuous = is_continuous(settings, sign_in, &assessment);
    let (lifetime, rule) = lifetime(&LifetimeFacts {
        profile: settings.profile,
        continuous,
        // SPEC: cae.md §3, "IP variation": standard mode only; a strict refusal was told above.
        location_unenforced: refused_elsewhere
            || assessment.location_is_beyond_the_resource(settings, sign_in),
        configured: sign_in.lifetime_policy,
        prompt_due_in: assessment.frequency().map(|frequency| match frequency {
            Frequency::EveryTime => Duration::ZERO,
            Frequency::TimeBased(interval) => {
                interval.saturating_sub(sign_in.now.since(sign_in.auth_time))
            }
        }),
        random: sign_in.random,
    });
    let not_before = sign_in
        .claims
        .nbf
        .filter(|_| sign_in.issuer.honours_nbf)
        .map(|nbf| nbf.max(sign_in.now).as_secs());
    SignInEvaluation {
        result: SignInResult::Grant,
        error: None,
        code: None,
        unmet: Vec::new(),
        prompts: Vec::new(),
        session_controls: assessment.session_controls(),
        policies: rows,
        lifetime_seconds: Some(lifetime.as_secs()),
        not_before,
        claims: claims(sign_in, continuous, not_before),
        continuous_access_evaluation: Some(SessionAnswer {
            enabled: continuous,
            strict_location: strict,
            location_exempt: continuous && refused_elsewhere,
            lifetime: rule,
        }),
    }
}

/// Whether the token belongs to a session that the resource evaluates continuously.
fn is_continuous(settings: &Settings, sign_in: &SignIn<'_>, assessment: &Assessment<'_>) -> bool {
    let unenforced_guest = !settings.enforce_guests
        && matches!(
            sign_in.principal,
            SignInPrincipal::User {
                kind: Some(UserType::Guest) | None,
                ..
            }
        );
    sign_in.capable
        // The capability travels in a claims request, which only this dialect has.
        && sign_in.issuer.dialect == Dialect::Entra
        // SPEC: cae.md §10, "Customize continuous access evaluation".
        && !assessment.disables_continuous_access_evaluation()
        // SPEC: cae.md §12, "Tenants": in 2020 only those without policies.
        && (settings.enforce_tenants_with_policies || assessment.is_empty())
        // SPEC: cae.md §8, "Guest users": not enforced at once, so no long-lived token either; nor for somebody who
        // may be a guest.
        && !unenforced_guest
}

/// Why no token is issued.
struct Refusal {
    result: SignInResult,
    error: &'static str,
    code: Option<&'static str>,
    unmet: Vec<String>,
}

impl Refusal {
    /// SPEC: policy-semantics row 26: a block beats everything, and then only `block` is unmet.
    fn of(sign_in: &SignIn<'_>, assessments: &[&Assessment<'_>]) -> Option<Self> {
        if assessments.iter().any(|assessment| assessment.blocks()) {
            return Some(Self {
                result: SignInResult::Block,
                error: "invalid_grant",
                code: None,
                unmet: alloc::vec!["block".into()],
            });
        }
        let mut unmet: BTreeSet<String> = assessments
            .iter()
            .flat_map(|assessment| assessment.unmet())
            .collect();
        unmet.extend(contexts(sign_in, assessments));
        if assessments
            .iter()
            .any(|assessment| is_prompt_due(sign_in, assessment))
        {
            unmet.insert("signInFrequency".into());
        }
        let only_step_up = unmet.is_empty();
        unmet.extend(step_up(sign_in));
        // SPEC: cae.md §2, event 4, and §7.1 step 6: the user authenticates again; §6: AADSTS50173.
        let revoked = sign_in
            .sessions_valid_from
            .is_some_and(|valid_from| valid_from > sign_in.auth_time)
            || sign_in.session.is_revoked(sign_in.auth_time);
        if revoked {
            unmet.insert("signIn".into());
        }
        if unmet.is_empty() {
            return None;
        }
        let (error, code) = if revoked {
            ("invalid_grant", Some("AADSTS50173"))
        } else if only_step_up {
            // SPEC: RFC 9470 §5.
            ("unmet_authentication_requirements", None)
        } else {
            ("interaction_required", None)
        };
        Some(Self {
            result: SignInResult::InteractionRequired,
            error,
            code,
            unmet: unmet.into_iter().collect(),
        })
    }

    fn answer(self, policies: Vec<PolicyAnswer>) -> SignInEvaluation {
        SignInEvaluation {
            result: self.result,
            error: Some(self.error),
            code: self.code,
            prompts: match self.result {
                SignInResult::InteractionRequired => prompts(&self.unmet),
                _ => Vec::new(),
            },
            unmet: self.unmet,
            session_controls: BTreeMap::new(),
            policies,
            lifetime_seconds: None,
            not_before: None,
            claims: Map::new(),
            continuous_access_evaluation: None,
        }
    }
}

/// What is missing, in the order in which the user is asked for it.
///
/// SPEC: conditional-access.md §3, "Order of prompting": multi-factor authentication, device compliance, hybrid join,
/// approved app, app protection, password change, terms of use, custom; a new sign-in comes before them, and a strength
/// stands where multi-factor authentication does.
fn prompts(unmet: &[String]) -> Vec<String> {
    const ORDER: [&str; 13] = [
        "signIn",
        "signInFrequency",
        "maxAge",
        "mfa",
        "authenticationStrength:",
        "acr:",
        "authenticationContext:",
        "compliantDevice",
        "domainJoinedDevice",
        "approvedApplication",
        "compliantApplication",
        "passwordChange",
        "riskRemediation",
    ];
    const LAST: [&str; 2] = ["termsOfUse:", "customAuthenticationFactor:"];
    let rank = |name: &str| {
        ORDER
            .iter()
            .chain(&LAST)
            .position(|known| name == *known || known.ends_with(':') && name.starts_with(known))
            .unwrap_or(usize::MAX)
    };
    let mut prompts = unmet.to_vec();
    prompts.sort_by_key(|name| rank(name));
    prompts
}

/// Whether a policy asks for a more recent sign-in than there was.
///
/// SPEC: conditional-access.md §4: the clock runs from the authentication time; `everyTime` allows five minutes.
fn is_prompt_due(sign_in: &SignIn<'_>, assessment: &Assessment<'_>) -> bool {
    let age = sign_in.now.since(sign_in.auth_time);
    match assessment.frequency() {
        None => false,
        Some(Frequency::EveryTime) => age > Duration::from_secs(300),
        Some(Frequency::TimeBased(interval)) => age > interval,
    }
}

/// Authentication contexts that the claims request asks for and that neither the sign-in meets by itself nor the
/// policies for them, whose missing controls stand beside.
fn contexts<'s>(
    sign_in: &'s SignIn<'_>,
    assessments: &'s [&Assessment<'_>],
) -> impl Iterator<Item = String> + 's {
    let asked = sign_in.claims.acrs.iter();
    asked
        .filter(|context| !is_satisfied(sign_in, context))
        .filter(|context| {
            !assessments
                .iter()
                .any(|assessment| assessment.decides_context(context))
        })
        .map(|context| format!("authenticationContext:{context}"))
}

/// What an RFC 9470 step-up asks for and the sign-in does not meet.
fn step_up(sign_in: &SignIn<'_>) -> impl Iterator<Item = String> {
    let class = match sign_in.acr_values.first() {
        Some(preferred) if class_met(sign_in).is_none() => Some(format!("acr:{preferred}")),
        _ => None,
    };
    let age = sign_in.now.since(sign_in.auth_time);
    let too_old = sign_in.max_age.is_some_and(|max_age| age > max_age);
    class.into_iter().chain(too_old.then(|| "maxAge".into()))
}

/// The first requested class that the sign-in meets, by itself or through the control that the issuer maps to it.
fn class_met<'s>(sign_in: &'s SignIn<'_>) -> Option<&'s String> {
    sign_in.acr_values.iter().find(|class| {
        let mut controls = sign_in.issuer.acr_values.iter();
        is_satisfied(sign_in, class)
            || controls.any(|(control, acr)| acr == *class && is_satisfied(sign_in, control))
    })
}

fn is_satisfied(sign_in: &SignIn<'_>, control: &str) -> bool {
    sign_in.satisfied.contains(&control.to_ascii_lowercase())
}

/// The claims by which the token shows what was decided here.
fn claims(sign_in: &SignIn<'_>, continuous: bool, not_before: Option<u64>) -> Map<String, Value> {
    let mut claims = Map::new();
    let contexts: BTreeSet<String> = sign_in
        .satisfied
        .iter()
        .filter(|control| context_number(control).is_some())
        .chain(&sign_in.claims.acrs)
        .cloned()
        .collect();
    if !contexts.is_empty() {
        claims.insert("acrs".into(), contexts.into_iter().collect());
    }
    if let Some(class) = class_met(sign_in) {
        claims.insert("acr".into(), class.as_str().into());
    }
    if let Some(not_before) = not_before {
        claims.insert("nbf".into(), not_before.into());
    }
    // SPEC: cae.md §4: the one known value is echoed to the client that asked, whatever the session is.
    if sign_in.capable && sign_in.issuer.dialect == Dialect::Entra {
        claims.insert("xms_cc".into(), Value::from_iter(["cp1"]));
    }
    if continuous {
        claims.insert("xms_ssm".into(), "1".into());
    }
    claims
}

#[cfg(test)]
mod tests;
