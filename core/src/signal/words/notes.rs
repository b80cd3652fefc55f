//! What the notes of a reading mean.

use alloc::format;
use alloc::string::{String, ToString as _};

use crate::signal::filing::Directory;
use crate::signal::interpret::Interpretation;

/// The sentence for one note; `None` for one that the other sentences say already.
pub(super) fn sentence(
    note: &str,
    whom: &str,
    interpretation: &Interpretation<'_>,
    directory: Directory<'_>,
) -> Option<String> {
    let (code, detail) = note.split_once(':').unwrap_or((note, ""));
    let event = interpretation
        .set
        .event_types
        .first()
        .copied()
        .unwrap_or_default();
    let name = event.rsplit('/').next().unwrap_or(event);
    Some(match code {
        "unknownEventType" if interpretation.set.not_legacy => return None,
        "unknownEventType" => format!("Nothing: this engine knows no event type `{event}`."),
        "legacyEventType" => format!(
            "Nothing: `{event}` takes effect only from a transmitter that is configured as `legacy`."
        ),
        "memberMalformed" => {
            format!("`{detail}` of the event is not as it should be; nothing depends on it.")
        }
        "informational" => {
            format!("Nothing for {whom}: {name} in this form is news, not an order.")
        }
        "subjectNotUnderstood" => {
            format!("Nothing can be filed under part of the subject: no token shows {whom}.")
        }
        "criticalMemberNotUnderstood" => format!(
            "The event is discarded: its subject has the critical member `{detail}`, which is not understood."
        ),
        "memberIgnored" => {
            format!("The member `{detail}` of the subject is left out: no token shows it.")
        }
        "memberUnseen" => format!(
            "The member `{detail}` of the subject is in a form that no token shows; the subject is no wider for it."
        ),
        "noIdentifyingMember" => format!(
            "Nothing for {whom}: the subject names no user, session, device, token or application."
        ),
        "scopeTooLarge" => format!(
            "The subject has too many identifiers to ask for all of them: each of {whom} is cut off by itself."
        ),
        "tenantWide" => {
            format!("Nothing for {whom}: a whole tenant needs the setting `allowTenantWide`.")
        }
        "opaqueScopeUnknown" => format!(
            "Nothing for {whom}: the transmitter speaks for several issuers or tenants; its `opaqueScope` has to say whose the identifier is."
        ),
        "scopeUnknown" => {
            format!("Nothing for {whom}: no issuer or tenant is there to file it under.")
        }
        "userSignOut" => format!(
            "Nothing for {whom}: the user signed out elsewhere, which `sessionRevokedByUser: ignore` leaves alone."
        ),
        "standingStateTooOld" => {
            "No standing state is set: the SET is more than 30 days old.".to_string()
        }
        "noStandingMember" => {
            format!("No standing state is set: {whom} does not name what it would describe.")
        }
        "unmatchable" => {
            let issuers = match directory {
                Directory::Configured(configuration, transmitter) => {
                    let spoken_for = transmitter.speaks_for.iter();
                    let urls = spoken_for.filter_map(|index| configuration.issuers.get(*index));
                    let urls: alloc::vec::Vec<&str> =
                        urls.map(|issuer| issuer.issuer.as_str()).collect();
                    urls.join(" or ")
                }
                Directory::Unconfigured(issuer) => issuer.to_string(),
            };
            format!(
                "No token of {issuers} can ever show this key ({detail}): it hits nothing as configured."
            )
        }
        _ => return None,
    })
}
