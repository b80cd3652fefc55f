//! `enforcement.md` §3 and §4: a delivery read as facts, each about somebody and from some time on.

use serde_json::Value;

use super::effects::{self, Says};
use super::issuers;
use super::shapes;
use super::subjects::{self, Role, Speaker, Subject};
use super::tokens::{Kind, Name};
use super::{Delivery, text};

/// When something was said: later event time, then later `iat` of the SET.
pub type Order = (u64, u64);

/// One fact.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Event time in microseconds, then `iat` in seconds.
    pub order: Order,
    /// Issuer URL of the transmitter.
    pub transmitter: String,
    /// Whom it is about.
    pub about: About,
    /// What it says.
    pub says: Says,
}

impl Fact {
    /// "the first whole second after its time"
    #[must_use]
    pub const fn valid_from(&self) -> u64 {
        (self.order.0 / MICROS).saturating_add(1)
    }
}

/// Whom a fact is about.
#[derive(Clone, Debug, PartialEq)]
pub enum About {
    /// Everything that bears this name.
    Name(Name),
    /// What bears a name of every member, as far as it can be seen.
    Members(Vec<Member>),
}

/// A member of a complex subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// What it is.
    pub role: Role,
    /// Its names; none if no token can show it.
    pub names: Vec<Name>,
    /// Whether a token that cannot show it counts as matching.
    pub fail_safe: bool,
}

/// What a delivery comes to.
#[derive(Clone, Debug)]
pub enum Reading {
    /// Not accepted, with the code of RFC 8935 if the page names one.
    Refused(Option<&'static str>),
    /// Accepted, with what it says.
    Accepted(Vec<Fact>),
}

const MICROS: u64 = 1_000_000;
const TOMBSTONE_SECONDS: u64 = 30 * 86_400;

/// Reads one delivery.
#[must_use]
pub fn read(configuration: &Value, delivery: &Delivery) -> Reading {
    let payload = &delivery.payload;
    let transmitters = configuration["transmitters"].as_array();
    let sender = transmitters
        .into_iter()
        .flatten()
        .find(|transmitter| transmitter["issuer"] == payload["iss"]);
    let (Some(transmitter), Some(iat)) = (sender, payload["iat"].as_u64()) else {
        return Reading::Refused(None);
    };
    let skew = configuration["settings"]["signalSkewSeconds"]
        .as_u64()
        .unwrap_or(300);
    if iat > delivery.received_at.saturating_add(skew) {
        return Reading::Refused(None);
    }
    // OpenID Connect Back-Channel Logout 1.0 §2.6: a logout token expires as an ID token does.
    let expires = payload["exp"].as_u64();
    if expires.is_some_and(|expires| expires.saturating_add(skew) <= delivery.received_at) {
        return Reading::Refused(None);
    }
    let Some(mut event) = shapes::read(transmitter, delivery) else {
        return Reading::Refused(None);
    };
    // The subject of these is the stream itself.
    if event.kind.starts_with("ssf/") {
        return Reading::Accepted(Vec::new());
    }
    let mut identifiers = event.subject.identifiers();
    if identifiers.any(|one| subjects::is_foreign(configuration, transmitter, one)) {
        return Reading::Refused(Some("access_denied"));
    }
    drop(identifiers);
    let as_sent = event.subject.clone();
    let speaker = Speaker::about(configuration, transmitter, &as_sent);
    let Some(subject) = understood(speaker, &event.subject) else {
        return Reading::Accepted(Vec::new());
    };
    event.subject = subject;
    let time = event_time(delivery, &event.payload, iat);
    let too_old_to_stand = delivery.received_at.saturating_sub(iat) > TOMBSTONE_SECONDS;
    let facts = effects::effects(configuration, transmitter, &event)
        .into_iter()
        .filter(|(_, says)| !(too_old_to_stand && is_standing_value(says)))
        .flat_map(|(role, says)| {
            about(speaker, &event, role, &says)
                .into_iter()
                .map(move |about| (about, says.clone()))
        })
        .map(|(about, says)| Fact {
            order: (time, iat),
            transmitter: text(transmitter, "issuer").unwrap_or_default().into(),
            about,
            says,
        })
        .collect();
    Reading::Accepted(facts)
}

/// "a SET whose own `iat` is older than that sets no standing value": what lasts beyond all tokens of its time.
const fn is_standing_value(says: &Says) -> bool {
    matches!(
        says,
        Says::Status(_) | Says::Risk(_) | Says::Compliant(_) | Says::Assurance(_)
    )
}

/// "`event_timestamp`, else `toe`, else `iat` of the SET; values of 10^11 or more are milliseconds; then the minimum
/// of that, the SET's `iat` and the time of its first acceptance".
fn event_time(delivery: &Delivery, event: &Value, iat: u64) -> u64 {
    let stated = [&event["event_timestamp"], &delivery.payload["toe"]]
        .into_iter()
        .find_map(micros);
    let seconds = |seconds: u64| seconds.saturating_mul(MICROS);
    stated
        .unwrap_or(seconds(iat))
        .min(seconds(iat))
        .min(seconds(delivery.received_at))
}

/// A JSON number of seconds or milliseconds, digit by digit.
fn micros(value: &Value) -> Option<u64> {
    let digits = value.as_number()?.to_string();
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let whole: u64 = whole.parse().ok()?;
    let fraction: u64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    match whole >= 100_000_000_000 {
        true => Some(whole.saturating_mul(1_000)),
        false => Some(whole.saturating_mul(MICROS).saturating_add(fraction)),
    }
}

/// The subject without the members that nobody here understands; `None` if one of these is critical.
///
/// SSF 1.0 §3.6: best effort for all members, but an event with a critical one that cannot be processed is discarded.
fn understood(speaker: Speaker<'_>, subject: &Subject) -> Option<Subject> {
    let Subject::Complex(members) = subject else {
        return Some(subject.clone());
    };
    let (known, unknown): (Vec<_>, Vec<_>) = members
        .iter()
        .cloned()
        .partition(|(name, _)| Role::of_member(name) != Role::Other);
    // "A remaining member that the token cannot show" remains: only what the vocabulary does not have is left out.
    let understood = |(name, member): &&(String, Value)| {
        let role = Role::of_member(name);
        role != Role::Other && !speaker.names(member, role).is_empty()
    };
    let critical = speaker.transmitter["criticalSubjectMembers"].as_array();
    let mut critical = critical.into_iter().flatten().filter_map(Value::as_str);
    let discarded = critical.any(|critical| {
        let mut members = known.iter().chain(&unknown);
        members.any(|member| member.0 == critical && !understood(&member))
    });
    (!discarded).then_some(Subject::Complex(known))
}

/// Whether this is what `sessionRevokedByUser: ignore` is for: a sign-out that the user caused.
///
/// A logout token says that somebody signed out, not that anything is wrong with the account.
fn is_sign_out(speaker: Speaker<'_>, event: &shapes::Event) -> bool {
    let by_user = match event.kind.as_str() {
        "logout" => true,
        "caep/session-revoked" => text(&event.payload, "initiating_entity") == Some("user"),
        _ => false,
    };
    by_user && text(speaker.transmitter, "sessionRevokedByUser") == Some("ignore")
}

/// Whom a fact is about.
fn about(speaker: Speaker<'_>, event: &shapes::Event, role: Role, says: &Says) -> Vec<About> {
    let configuration = speaker.configuration;
    let named = |identifier: &Value, role| -> Vec<About> {
        let names = speaker.names(identifier, role);
        names.into_iter().map(About::Name).collect()
    };
    let tenant_wide = configuration["settings"]["allowTenantWide"] == true;
    match &event.subject {
        Subject::Simple(identifier) => {
            let mut about = named(identifier, role);
            // "For `session-revoked` a simple `opaque` is filed under user **and** session."
            if event.kind == "caep/session-revoked" {
                let opaque = subjects::one_by_one(identifier).into_iter();
                let opaque = opaque.filter(|one| text(one, "format") == Some("opaque"));
                about.extend(opaque.flat_map(|one| named(one, Role::Session)));
            }
            // An ordinary sign-out ends the session that it names, and nothing else of the user.
            let is_user = |about: &About| match about {
                About::Name(name) => name.kind == Kind::User || is_unstable(name.kind),
                About::Members(_) => false,
            };
            about.retain(|about| !(is_sign_out(speaker, event) && is_user(about)));
            // "`tenant` alone only with `allowTenantWide`"
            about.retain(|about| match about {
                About::Name(name) => tenant_wide || name.kind != Kind::Tenant,
                About::Members(_) => true,
            });
            about
        }
        // "Standing state goes only to the member it describes", and "`not-compliant` also cuts off tokens that carry
        // that device id", whatever else they carry.
        Subject::Complex(members)
            if says.stands() || *says == Says::CutOff("device_not_compliant") =>
        {
            members
                .iter()
                .filter(|(name, _)| Role::of_member(name) == role)
                .filter(|_| role != Role::Tenant || tenant_wide)
                .flat_map(|(_, member)| named(member, role))
                .collect()
        }
        Subject::Complex(members) => {
            let members: Vec<Member> = members
                .iter()
                .map(|(name, member)| {
                    let role = Role::of_member(name);
                    Member {
                        role,
                        names: speaker.names(member, role),
                        fail_safe: is_fail_safe(speaker, event, role),
                    }
                })
                .collect();
            let mut identifying = members.iter().filter(|member| member.role.is_identifying());
            if is_sign_out(speaker, event) && identifying.all(|member| member.role == Role::User) {
                return Vec::new();
            }
            match members.as_slice() {
                [] => Vec::new(),
                [only] if only.role == Role::Tenant && !tenant_wide => Vec::new(),
                [only] => only.names.iter().cloned().map(About::Name).collect(),
                _ => vec![About::Members(members)],
            }
        }
    }
}

/// "`precise` (default) no match; `failSafe`, default for an unseen `session` in `session-revoked` whose initiator
/// is not the user: counts as matching".
fn is_fail_safe(speaker: Speaker<'_>, event: &shapes::Event, role: Role) -> bool {
    let settings = &speaker.configuration["settings"];
    let set = text(speaker.transmitter, "unseenMember").or_else(|| text(settings, "unseenMember"));
    match set {
        Some(set) => set == "failSafe",
        None => {
            role == Role::Session
                && event.kind == "caep/session-revoked"
                && text(&event.payload, "initiating_entity") != Some("user")
        }
    }
}

/// Whether an issuer URL of the token's issuer is the transmitter's own, or the configuration says that its word is
/// the issuer's.
#[must_use]
pub fn acts_for(configuration: &Value, url: &str, realm: &issuers::Realm) -> bool {
    let transmitters = configuration["transmitters"].as_array();
    let sender = transmitters
        .into_iter()
        .flatten()
        .find(|transmitter| text(transmitter, "issuer") == Some(url));
    match sender.and_then(|transmitter| transmitter["actsForIssuer"].as_bool()) {
        Some(acts) => acts,
        None => issuers::is_called(configuration, realm, url),
    }
}

/// Kinds of names by which a user is known that may pass to another person.
#[must_use]
pub const fn is_unstable(kind: Kind) -> bool {
    matches!(kind, Kind::Email | Kind::Phone)
}
