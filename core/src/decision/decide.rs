//! `decide`: total, pure, one pass over the checks of design §5.

use alloc::format;
use alloc::string::String;
use core::net::IpAddr;
use core::time::Duration;

use super::evaluation::Evaluation;
use super::events;
use super::facts::{self, HostIds};
use super::findings::{Findings, refuse};
use super::policies::PolicyCheck;
use super::reason::ReasonCode;
use super::request::{Answers, Request};
use super::route;
use super::signals;
use super::standing::{Standing, Witnesses};
use super::table::Voice;
use crate::configuration::{Configuration, Dialect, Issuer};
use crate::engine::Detail;
use crate::engine::handles::same_secret;
use crate::policy::Candidates;
use crate::token::{AccessToken, Confirmation, Fact, UserType};

/// Decides one request with a token whose signature was verified. `address` is the client address of the request,
/// parsed.
///
/// Total: every input has an answer, so there is no `Result`. A fact that is missing or unusable never widens
/// access and is named in the reasons. Same arguments, same answer, on every target.
pub(crate) fn decide(
    configuration: &Configuration,
    token: &AccessToken,
    candidates: &Candidates,
    request: &Request<'_>,
    address: Option<IpAddr>,
    answers: &Answers<'_>,
    detail: Detail,
) -> Evaluation {
    let (resource, settings) = (&configuration.resource, &configuration.settings);
    let Some(issuer) = configuration.issuers.get(token.issuer) else {
        return refuse(
            ReasonCode::TokenIssuer,
            "the issuer is not configured",
            resource,
        );
    };
    let skew = Duration::from_secs(settings.clock_skew);
    if let Err(out) = token.check_time(request.now, skew) {
        return Evaluation {
            revisit_at: out.good_from,
            ..refuse(out.code, out.what, resource)
        };
    }
    if let Err((code, why)) = check_proof(token, request, answers) {
        return refuse(code, why, resource);
    }

    let mut findings = Findings::new(Voice::of(issuer.dialect, token.capable), detail);
    explain_token(issuer, token, &mut findings);
    findings.revisit(token.good_until.saturating_add(skew));
    if let Some(report) = findings.report() {
        report.keys = token.keys.iter().map(|key| key.key).collect();
    }
    let witnesses = Witnesses::new(configuration, token.issuer, request.now);
    let Ok(standing) = Standing::read(token, answers.records, witnesses) else {
        findings.missing(ReasonCode::MissingRecord);
        return findings.conclude(resource);
    };

    if let Some(why) = exemption(configuration, issuer, token) {
        findings.note("event", "notApplicable", || String::from(why));
        findings.note("policy", "notApplicable", || String::from(why));
    } else {
        events::check(token, issuer, &standing, witnesses, &mut findings);
        let host = HostIds::new(request);
        let user_risk = witnesses.risk(standing.user()).map(|(entry, lapse)| {
            findings.revisit(lapse);
            entry.value
        });
        let service_principal_risk = witnesses.workload_risk(&standing).map(|(entry, lapse)| {
            findings.revisit(lapse);
            entry.value
        });
        let compliance = witnesses.compliance(standing.device());
        if let Some((_, lapse)) = compliance {
            findings.revisit(lapse);
        }
        let asked = candidates.reads_device() || request.facts.device.is_some();
        let device = asked.then(|| {
            let compliance = compliance.map(|(entry, _)| entry.value);
            facts::device(token, issuer, request, compliance)
        });
        let mut facts = facts::of_request(
            token,
            issuer,
            configuration,
            request,
            address,
            &host,
            device.as_ref(),
        );
        facts.user_risk = user_risk;
        facts.service_principal_risk = service_principal_risk;
        let check = PolicyCheck {
            token,
            issuer,
            settings,
            standing: &standing,
            witnesses,
            request,
            facts: &facts,
        };
        check.run(candidates, &mut findings);
    }
    route::check(token, issuer, settings, request.path, &mut findings);
    signals::check(configuration, token, request, &mut findings);
    findings.conclude(resource)
}

/// Check 1 has passed: what it looked at, one line each.
fn explain_token(issuer: &Issuer, token: &AccessToken, findings: &mut Findings) {
    findings.note("token.form", "passed", String::new);
    findings.note("token.issuer", "passed", || token.issuer_url.clone());
    findings.note("token.algorithm", "passed", String::new);
    findings.note("token.audience", "passed", || issuer.audiences.join(" or "));
    findings.note("token.signature", "passed", String::new);
    findings.note("token.times", "passed", || {
        format!(
            "issued at {}, expires at {}, good until {}",
            token.issued_at.as_secs(),
            token.expires.as_secs(),
            token.good_until.as_secs()
        )
    });
    let proof = match token.confirmation {
        Some(_) => "passed",
        None => "notApplicable",
    };
    findings.note("token.proof", proof, String::new);
}

/// Check 1, as far as the presenter changes its answer: the scheme, and the proof of possession.
fn check_proof(
    token: &AccessToken,
    request: &Request<'_>,
    answers: &Answers<'_>,
) -> Result<(), (ReasonCode, &'static str)> {
    let bound_by_proof = match request.scheme {
        None => false,
        Some(scheme) if scheme.eq_ignore_ascii_case("Bearer") => false,
        Some(scheme) if scheme.eq_ignore_ascii_case("DPoP") => true,
        Some(_) => {
            return Err((
                ReasonCode::RequestMalformed,
                "the scheme is neither Bearer nor DPoP",
            ));
        }
    };
    match &token.confirmation {
        // RFC 9449 §7.1: under the DPoP scheme the token has to be bound to the proof's key.
        None if bound_by_proof => Err((
            ReasonCode::TokenUnproven,
            "DPoP with a token that is not bound to a key",
        )),
        None => Ok(()),
        Some(Confirmation::Jkt(thumbprint) | Confirmation::X5tS256(thumbprint))
            if answers
                .confirmed
                .is_some_and(|confirmed| same_secret(confirmed, thumbprint)) =>
        {
            Ok(())
        }
        Some(_) => Err((
            ReasonCode::TokenUnproven,
            "possession of the key in `cnf` was not proved",
        )),
    }
}

/// Whom the profile leaves to token expiry (`enforcement.md` §8): scopes and the token itself are still checked.
fn exemption(
    configuration: &Configuration,
    issuer: &Issuer,
    token: &AccessToken,
) -> Option<&'static str> {
    let settings = &configuration.settings;
    if !settings.enforce_guests && token.user_type == Fact::Known(UserType::Guest) {
        return Some("guests are not enforced");
    }
    // Only this dialect has clients that declare a capability; of others none would be left to enforce.
    let may_be_capable = issuer.dialect == Dialect::Entra;
    if !settings.enforce_incapable_clients && may_be_capable && !token.capable {
        return Some("clients without cp1 are not enforced");
    }
    if !settings.enforce_tenants_with_policies && !issuer.policies.policies().is_empty() {
        return Some("tenants with policies are not enforced");
    }
    None
}
