//! Check 2: events on any of the token's records (`enforcement.md` §4 and §5).

use alloc::format;

use super::findings::Findings;
use super::reason::ReasonCode;
use super::standing::{Standing, Witnesses};
use super::table::Situation;
use crate::configuration::Issuer;
use crate::state::claim::{self, ClaimValue};
use crate::state::key::SubjectKind;
use crate::state::record::{
    AccountStatus, AssuranceLevel, Cause, CutOffScope, Entry, Member, MultiFactor, OptOut, Record,
    UnseenMember,
};
use crate::token::AccessToken;
use crate::token::claims::Part;

pub(super) fn check(
    token: &AccessToken,
    issuer: &Issuer,
    standing: &Standing<'_>,
    witnesses: Witnesses<'_>,
    findings: &mut Findings,
) {
    for (kind, record) in standing.records() {
        cut_offs(token, issuer, kind, record, findings);
        account(token, kind, record, witnesses, findings);
        mfa_enabled(token, issuer, kind, record, findings);
        claims(token, kind, record, findings);
        assurance(token, issuer, kind, record, witnesses, findings);
        feed(kind, record, witnesses, findings);
    }
    if findings.explaining() {
        for kind in standing.without_record() {
            findings.note("event", "passed", || {
                format!("{}: nothing on record", name_of(kind))
            });
        }
    }
}

/// Plain cut-offs, and scoped ones whose remaining members match the token.
fn cut_offs(
    token: &AccessToken,
    issuer: &Issuer,
    kind: SubjectKind,
    record: &Record,
    findings: &mut Findings,
) {
    let scoped = record
        .scoped
        .iter()
        .filter(|(scope, entry)| !record.is_cleared(entry) && selects(scope, token, issuer))
        .map(|(_, entry)| entry);
    for entry in record.cut_off.iter().chain(scoped) {
        let fact = entry.at.next_second();
        let (refused, code) = match reason_of(entry.value) {
            Some(code) => (token.issued_earliest < fact, code),
            None => continue,
        };
        let result = if refused {
            findings.against(Situation::IssuedBefore { fact }, code, None)
        } else {
            "passed"
        };
        findings.note("event.cut_off", result, || {
            format!(
                "{}: {} valid from {}, token issued at {}",
                name_of(kind),
                code.as_str(),
                fact.as_secs(),
                token.issued_earliest.as_secs()
            )
        });
    }
}

/// Whether the remaining members of a complex subject match what the token shows.
pub(crate) fn selects(scope: &CutOffScope, token: &AccessToken, issuer: &Issuer) -> bool {
    // The record is one of the token's scope, which is that of one tenant where no claim tells tenants apart.
    let one_tenant = issuer.claims.name(Part::Tenant).is_none();
    scope
        .members
        .iter()
        .filter(|member| !(one_tenant && member.kind == SubjectKind::Tenant))
        .all(|member| member_matches(member, scope.unseen, token))
}

fn member_matches(member: &Member, unseen: UnseenMember, token: &AccessToken) -> bool {
    member_shown(member, token).unwrap_or_else(|| counts_unseen(member, unseen))
}

/// Whether the token shows this member, if it shows one of its kind at all.
pub(crate) fn member_shown(member: &Member, token: &AccessToken) -> Option<bool> {
    let mut seen = None;
    for shown in token.keys.iter().filter(|shown| shown.kind == member.kind) {
        for (name_space, key) in &member.keys {
            if *name_space == shown.name_space {
                if *key == shown.key {
                    return Some(true);
                }
                seen = Some(false);
            }
        }
    }
    seen
}

/// Whether a member that the token does not show counts as matching.
pub(crate) fn counts_unseen(member: &Member, unseen: UnseenMember) -> bool {
    match unseen {
        UnseenMember::Precise => false,
        UnseenMember::FailSafeSession => member.kind == SubjectKind::Session,
        UnseenMember::FailSafe => true,
    }
}

/// A disabled or deleted account. A token issued after that is refused for good: a newer one would not pass either.
fn account(
    token: &AccessToken,
    kind: SubjectKind,
    record: &Record,
    witnesses: Witnesses<'_>,
    findings: &mut Findings,
) {
    let Some((entry, lapse)) = witnesses.account(record) else {
        return;
    };
    let code = match entry.value {
        AccountStatus::Enabled => return,
        AccountStatus::Disabled => ReasonCode::AccountDisabled,
        AccountStatus::Purged => ReasonCode::AccountPurged,
    };
    let fact = entry.at.next_second();
    let situation = if token.issued_earliest < fact {
        Situation::IssuedBefore { fact }
    } else {
        Situation::Refused
    };
    let result = findings.against(situation, code, None);
    if let Some(lapse) = lapse {
        findings.revisit(lapse);
    }
    findings.note("event.account_status", result, || {
        format!(
            "{}: {} since {}",
            name_of(kind),
            code.as_str(),
            fact.as_secs()
        )
    });
}

/// Multi-factor authentication was enabled: older tokens need positive evidence of it.
fn mfa_enabled(
    token: &AccessToken,
    issuer: &Issuer,
    kind: SubjectKind,
    record: &Record,
    findings: &mut Findings,
) {
    let Some(Entry {
        at,
        value: MultiFactor::Enabled,
        ..
    }) = record.mfa_enabled
    else {
        return;
    };
    let fact = at.next_second();
    let refused = token.issued_earliest < fact && token.shows_mfa(issuer) != Some(true);
    let result = if refused {
        findings.against(
            Situation::IssuedBefore { fact },
            ReasonCode::MfaEnabled,
            None,
        )
    } else {
        "passed"
    };
    findings.note("event.mfa_enabled", result, || {
        format!("{}: enabled since {}", name_of(kind), fact.as_secs())
    });
}

/// Claims have new values: older tokens must show them.
fn claims(token: &AccessToken, kind: SubjectKind, record: &Record, findings: &mut Findings) {
    for (name, entry) in &record.claims {
        if record.is_cleared(entry) || entry.value == ClaimValue::default() {
            continue;
        }
        let fact = entry.at.next_second();
        let refused =
            token.issued_earliest < fact && !claim::shows(&token.claims, name, &entry.value);
        let result = if refused {
            let situation = Situation::IssuedBefore { fact };
            findings.against(situation, ReasonCode::ClaimsChanged, None)
        } else {
            "passed"
        };
        findings.note("event.claim", result, || {
            format!(
                "{}: `{}` is {} since {}",
                name_of(kind),
                name.as_str(),
                entry.value.as_str(),
                fact.as_secs()
            )
        });
    }
}

/// Assurance fell: older tokens must not be able to claim more than that.
fn assurance(
    token: &AccessToken,
    issuer: &Issuer,
    kind: SubjectKind,
    record: &Record,
    witnesses: Witnesses<'_>,
    findings: &mut Findings,
) {
    let counted = record.assurance.iter();
    for (_, entry) in counted.filter(|(by, _)| witnesses.counts(*by)) {
        if entry.value == AssuranceLevel::default() {
            continue;
        }
        let fact = entry.at.next_second();
        let shown = token.assurance_level(issuer);
        // SPEC: enforcement §4: "not known to be" at most the level.
        let holds = shown
            .as_ref()
            .and_then(|shown| shown.is_at_most(&entry.value))
            .unwrap_or(false);
        let refused = token.issued_earliest < fact && !holds;
        let result = if refused {
            let situation = Situation::IssuedBefore { fact };
            findings.against(situation, ReasonCode::AssuranceDecreased, None)
        } else {
            "passed"
        };
        findings.note("event.assurance", result, || {
            format!(
                "{}: {} since {}, the token shows {}",
                name_of(kind),
                entry.value.as_str(),
                fact.as_secs(),
                shown.as_ref().map_or("none", AssuranceLevel::as_str)
            )
        });
    }
}

/// Silence about an account that left the feed says nothing.
fn feed(kind: SubjectKind, record: &Record, witnesses: Witnesses<'_>, findings: &mut Findings) {
    for (by, entry) in &record.opt_out {
        let says = match entry.value {
            OptOut::OptedIn => continue,
            OptOut::Initiated => "soon sends no events",
            OptOut::OptedOut => "sends no events",
        };
        if let Some(url) = witnesses.url_of(*by) {
            findings.note("event.feed", "reported", || {
                let since = entry.at.floor().as_secs();
                format!("{}: {url} {says} about it since {since}", name_of(kind))
            });
        }
    }
}

/// `None` for a cut-off that an operator cleared.
pub(crate) const fn reason_of(cause: Cause) -> Option<ReasonCode> {
    Some(match cause {
        Cause::Cleared => return None,
        Cause::ClaimsChange => ReasonCode::ClaimsChanged,
        Cause::SessionRevoked => ReasonCode::SessionRevoked,
        Cause::CredentialChange => ReasonCode::CredentialChanged,
        Cause::IdentifierChange => ReasonCode::IdentifierChanged,
        Cause::PasswordChange => ReasonCode::PasswordChanged,
        Cause::CredentialChangeRequired => ReasonCode::CredentialChangeRequired,
        Cause::CredentialCompromise => ReasonCode::CredentialCompromised,
        Cause::RiskLevel => ReasonCode::RiskLevelHigh,
        Cause::DeviceCompliance => ReasonCode::DeviceNotCompliant,
        Cause::AccountDisabled => ReasonCode::AccountDisabled,
        Cause::AccountPurged => ReasonCode::AccountPurged,
    })
}

pub(crate) const fn name_of(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::User => "user",
        SubjectKind::Session => "session",
        SubjectKind::Device => "device",
        SubjectKind::Token => "token",
        SubjectKind::ClientApplication => "client application",
        SubjectKind::ServicePrincipal => "service principal",
        SubjectKind::Tenant => "tenant",
        SubjectKind::Group => "group",
        SubjectKind::OrganizationalUnit => "organisational unit",
    }
}
