//! Liveness of the signals that a decision rests on (`enforcement.md` §7).

use alloc::format;
use core::time::Duration;

use super::findings::Findings;
use super::reason::ReasonCode;
use super::request::Request;
use super::table::Situation;
use crate::configuration::Configuration;
use crate::configuration::settings::OnStaleSignals;
use crate::token::AccessToken;

/// "Short" is one hour: the world before continuous access evaluation.
const SHORT: Duration = Duration::from_secs(3_600);

pub(super) fn check(
    configuration: &Configuration,
    token: &AccessToken,
    request: &Request<'_>,
    findings: &mut Findings,
) {
    let settings = &configuration.settings;
    let Some(limit) = settings.max_signal_age else {
        findings.note("signals", "notApplicable", || {
            "no maxSignalAgeSeconds".into()
        });
        return;
    };
    for transmitter in &configuration.transmitters {
        if !transmitter.speaks_for.contains(&token.issuer) {
            continue;
        }
        let age = request
            .signal_age
            .iter()
            .filter(|(issuer, _)| *issuer == transmitter.issuer)
            .map(|(_, age)| *age)
            .max();
        match age {
            Some(age) if age <= limit => {
                let left = Duration::from_secs(limit.saturating_sub(age).saturating_add(1));
                findings.revisit(request.now.saturating_add(left));
                findings.note("signals", "passed", || {
                    format!("{}: {age} s old", transmitter.issuer)
                });
            }
            None if settings.on_stale_signals != OnStaleSignals::Report => {
                findings.missing(ReasonCode::MissingSignalAge);
            }
            _ => stale(
                settings.on_stale_signals,
                token,
                request,
                &transmitter.issuer,
                findings,
            ),
        }
    }
}

fn stale(
    setting: OnStaleSignals,
    token: &AccessToken,
    request: &Request<'_>,
    transmitter: &str,
    findings: &mut Findings,
) {
    let result = match setting {
        OnStaleSignals::Report => {
            findings.remark(ReasonCode::SignalsStale);
            "reported"
        }
        OnStaleSignals::Deny => {
            findings.against(Situation::MissingFact, ReasonCode::SignalsStale, None)
        }
        OnStaleSignals::ShortTokens => {
            let fact = request.now.saturating_sub(SHORT);
            if token.issued_earliest < fact {
                findings.against(
                    Situation::IssuedBefore { fact },
                    ReasonCode::SignalsStale,
                    None,
                )
            } else {
                findings.revisit(
                    token
                        .issued_earliest
                        .saturating_add(SHORT)
                        .saturating_add(Duration::from_secs(1)),
                );
                "passed"
            }
        }
    };
    findings.note("signals", result, || {
        format!("{transmitter} has been silent too long")
    });
}
