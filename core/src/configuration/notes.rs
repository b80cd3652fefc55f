//! Things said at load: nothing is wrong, but less happens than the words suggest.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::fault::Fault;
use super::read::quoted;
use super::settings::{LocationEnforcement, OnStaleSignals};
use super::{Configuration, Issuer, Transmitter};
use crate::json::Value;
use crate::signal::vocabulary::event_types;
use crate::state::key::{NameSpace, SubjectKind};
use crate::token::claims::Part;
use crate::token::subject_keys::shows;

/// Standard location enforcement that amounts to strict.
const STANDARD_IS_STRICT: &str = "configuration.standard_is_strict";
/// An Entra issuer whose URL names no tenant.
const NO_TENANT: &str = "configuration.no_tenant";
/// Guests whose home tenant nobody speaks for.
const GUESTS: &str = "configuration.guests_by_resource_tenant";
/// Issuers that file the same users apart.
const SCOPES_APART: &str = "configuration.scopes_apart";
/// Events that no token of the issuer can match.
const UNMATCHABLE: &str = "configuration.unmatchable_event";
/// Signals that are never stale.
const NEVER_STALE: &str = "configuration.signals_never_stale";
/// Events meant for somebody else would be accepted.
const ANY_AUDIENCE: &str = "configuration.any_audience";

pub(super) fn of(configuration: &Configuration, document: &Value) -> Vec<Fault> {
    let mut notes = Vec::new();
    for (index, issuer) in configuration.issuers.iter().enumerate() {
        let at = format!("/issuers/{index}");
        let has_policies = [String::new(), at.clone()].iter().any(|parent| {
            let policies = document.pointer(&format!("{parent}/policies"));
            policies.is_some_and(|policies| *policies != Value::Array(Vec::new()))
        });
        of_issuer(configuration, issuer, has_policies, &at, &mut notes);
        scopes_apart(configuration, issuer, &at, &mut notes);
    }
    let settings = &configuration.settings;
    if settings.max_signal_age.is_none() && settings.on_stale_signals != OnStaleSignals::Report {
        let message = "does nothing: without `maxSignalAgeSeconds` no signal is ever stale";
        notes.push(note("/settings/onStaleSignals", NEVER_STALE, message));
    }
    for (index, transmitter) in configuration.transmitters.iter().enumerate() {
        let at = format!("/transmitters/{index}");
        if transmitter.audiences.is_empty() {
            let message = "accepts events for any receiver; give the `audience` that its events bear for this API";
            notes.push(note(&at, ANY_AUDIENCE, message));
        }
        for issuer in &transmitter.speaks_for {
            if let Some(issuer) = configuration.issuers.get(*issuer) {
                unmatchable(transmitter, issuer, &at, &mut notes);
            }
        }
    }
    notes
}

fn of_issuer(
    configuration: &Configuration,
    issuer: &Issuer,
    has_policies: bool,
    at: &str,
    notes: &mut Vec<Fault>,
) {
    let settings = &configuration.settings;
    let standard = settings.location_enforcement == LocationEnforcement::Standard;
    // SPEC: enforcement.md §6: an answered challenge exempts only where the issuer evaluates the policy again.
    if standard && !issuer.enforces_policies && has_policies {
        let message = "does not evaluate the policies itself (`enforcesPolicies`), so that standard location \
                       enforcement is strict for its tokens";
        notes.push(note(at, STANDARD_IS_STRICT, message));
    }
    if issuer.preset.is_entra() && !issuer.names_tenant() {
        let message = "accepts no token: an Entra issuer URL holds the tenant id, or `{tenantid}` with `tenants`";
        notes.push(note(&format!("{at}/issuer"), NO_TENANT, message));
    }
    if settings.enforce_guests && issuer.preset.is_entra() {
        let message = "guests are hit by events of this tenant only; events of their home tenants need a \
                       transmitter and a mapping of their own";
        notes.push(note(at, GUESTS, message));
    }
}

/// Two issuers of one product instance (servers of an Okta org, say) have the same users, and an event that names the
/// instance is filed once.
fn scopes_apart(configuration: &Configuration, issuer: &Issuer, at: &str, notes: &mut Vec<Fault>) {
    let scope = |issuer: &'_ Issuer| issuer.scope.clone().unwrap_or(issuer.issuer.clone());
    let implied = issuer.preset.aliases_of(&issuer.issuer);
    let given_up = implied.iter().find(|alias| !issuer.is_called(alias));
    let Some(shared) = given_up.filter(|_| !issuer.preset.is_entra()) else {
        return;
    };
    let apart = configuration.issuers.iter().find(|other| {
        let means =
            other.is_called(shared) || other.preset.aliases_of(&other.issuer).contains(shared);
        means && scope(other) != scope(issuer)
    });
    if let Some(other) = apart {
        let message = format!(
            "has the users of {}, but an event about them reaches the tokens of one of the two; give both the same `scope`",
            quoted(&other.issuer)
        );
        notes.push(note(at, SCOPES_APART, message));
    }
}

/// `enforcement.md` §2: event kinds whose keys the claim map can never yield.
fn unmatchable(transmitter: &Transmitter, issuer: &Issuer, at: &str, notes: &mut Vec<Fault>) {
    let native = |kind| shows(issuer, kind, NameSpace::Native);
    for (kind, what, part) in [
        (SubjectKind::User, "events about one user", Part::User),
        (
            SubjectKind::Session,
            "events about one session",
            Part::Session,
        ),
        (SubjectKind::Device, "events about one device", Part::Device),
        (
            SubjectKind::Token,
            "events about one token, by its `jti`,",
            Part::TokenId,
        ),
        (
            SubjectKind::ClientApplication,
            "events about one application",
            Part::Client,
        ),
    ] {
        if native(kind) {
            continue;
        }
        // Types that are never about anything else that tokens show.
        let never = event_types().filter(|row| {
            (transmitter.legacy || !row.legacy)
                && row.about.first() == Some(&kind)
                && !row.about.iter().any(|about| native(*about))
        });
        let names: Vec<_> = never.map(|row| row.name).collect();
        let events = match names.as_slice() {
            [] => what.into(),
            names => format!("{} and other {what}", names.join(", ")),
        };
        let message = format!(
            "{events} match no token of {}, which shows no {part}; name the claim in `claims` if there is one",
            quoted(&issuer.issuer),
            part = part.name(),
        );
        notes.push(note(at, UNMATCHABLE, message));
    }
    let contact = |name_space| shows(issuer, SubjectKind::User, name_space);
    if !contact(NameSpace::Email) && !contact(NameSpace::PhoneNumber) {
        // SPEC: RISC 1.0 §2.5–2.6: their subject is an e-mail address or a phone number.
        let message = format!(
            "identifier-changed, identifier-recycled and other events about an e-mail address or phone number match no token \
             of {}, which shows none that is verified; name the claims in `claims`, or list `aliases`",
            quoted(&issuer.issuer)
        );
        notes.push(note(at, UNMATCHABLE, message));
    }
}

fn note(at: &str, code: &'static str, message: impl Into<String>) -> Fault {
    Fault {
        at: at.into(),
        code,
        message: message.into(),
    }
}
