//! `enforcement.md` §4 and §5: what all facts together mean for one token at one time.

mod status;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::status::status;
use super::effects::{Says, is_at_most};
use super::facts::{self, About, Fact, Member, Order, Reading};
use super::subjects::Role;
use super::tokens::{self, Kind, Name, Token};
use super::{Delivery, policies, text};

/// What becomes of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// `allow`, `challenge` or `deny`.
    pub outcome: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Reason codes.
    pub reasons: BTreeSet<String>,
    /// `error` of the header, if it has one.
    pub error: Option<&'static str>,
    /// `nbf` that the header asks for.
    pub nbf: Option<u64>,
}

/// One thing that speaks against a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// Reason code.
    pub reason: &'static str,
    /// Whether a token issued later could pass, and from when.
    pub weight: Weight,
}

/// What a finding comes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weight {
    /// 401: a token of this time or later could pass.
    Challenge(u64),
    /// 403.
    Deny,
}

/// The whole question: everything that was ever said, this token, now.
#[must_use]
pub fn judge(configuration: &Value, facts: &[Fact], claims: &Value, now: u64) -> Answer {
    let Some(token) = tokens::read(configuration, claims) else {
        return refused("token_issuer");
    };
    if let Some(reason) = unacceptable(configuration, &token, now) {
        return refused(reason);
    }
    let mut findings = cut_offs(&token, facts);
    findings.extend(without_mfa(configuration, &token, facts));
    findings.extend(changed_claims(&token, facts));
    findings.extend(assurance(configuration, &token, facts));
    findings.extend(status(configuration, &token, facts, now));
    findings.extend(policies::findings(configuration, &token, facts, now));
    conclude(configuration, &token, &findings)
}

/// Every fact of a history: each delivery is read from the start, each repeat is dropped.
#[must_use]
pub fn facts_of(configuration: &Value, history: &[Delivery]) -> Vec<Fact> {
    let mut seen = BTreeSet::new();
    let mut facts = Vec::new();
    for delivery in history {
        let repeat = (
            delivery.payload["iss"].to_string(),
            delivery.payload["jti"].to_string(),
        );
        if let Reading::Accepted(said) = facts::read(configuration, delivery)
            && seen.insert(repeat)
        {
            facts.extend(said);
        }
    }
    facts
}

/// Check 1, as far as time goes: it decides alone.
fn unacceptable(configuration: &Value, token: &Token<'_>, now: u64) -> Option<&'static str> {
    let setting = |name: &str, default| configuration["settings"][name].as_u64().unwrap_or(default);
    let skew = setting("clockSkewSeconds", 60);
    let claim = |name: &str| token.claims[name].as_u64();
    let (Some(iat), Some(exp)) = (claim("iat"), claim("exp")) else {
        return Some("token_claims");
    };
    let from = iat.max(claim("nbf").unwrap_or(0));
    if from > now.saturating_add(skew) {
        return Some("token_not_yet_valid");
    }
    if now >= exp.saturating_add(skew) {
        return Some("token_expired");
    }
    let latest = iat.saturating_add(backdated(configuration, token));
    let age_ends = latest.saturating_add(age_cap(configuration, is_capable(token)));
    (now >= age_ends).then_some("token_too_old")
}

fn backdated(configuration: &Value, token: &Token<'_>) -> u64 {
    let issuer = &configuration["issuers"][token.realm.issuer];
    let preset = if super::issuers::is_entra(issuer) {
        300
    } else {
        0
    };
    issuer["issueTimeBackdated"].as_u64().unwrap_or(preset)
}

/// "cap 28 h for capable tokens (`cp1`, `xms_cae`, `xms_ssm`), 24 h otherwise".
fn age_cap(configuration: &Value, capable: bool) -> u64 {
    let cap = &configuration["settings"]["maxTokenAgeSeconds"];
    match capable {
        true => cap["capable"].as_u64().unwrap_or(100_800),
        false => cap["other"].as_u64().unwrap_or(86_400),
    }
}

fn is_capable(token: &Token<'_>) -> bool {
    let marked = |name: &str| matches!(&token.claims[name], Value::String(one) if one == "1");
    handles_challenges(token) || marked("xms_cae") || marked("xms_ssm")
}

pub(super) fn handles_challenges(token: &Token<'_>) -> bool {
    let capabilities = token.claims["xms_cc"].as_array();
    let mut capabilities = capabilities.into_iter().flatten().filter_map(Value::as_str);
    capabilities.any(|capability| capability.eq_ignore_ascii_case("cp1"))
}

/// A value that was said, and when.
type Entry<'f, T> = (Order, &'f str, T);

/// "later event time, then later SET `iat`, then the stricter value".
fn latest<'f, T: Clone + Ord>(entries: impl Iterator<Item = Entry<'f, T>>) -> Option<Entry<'f, T>> {
    entries.max_by(|(order, _, value), (other, _, other_value)| {
        (order, value).cmp(&(other, other_value))
    })
}

/// Order of causes where two events are of the same microsecond and SETs of the same second.
fn severity(cause: &str) -> usize {
    const CAUSES: [&str; 11] = [
        "claims_changed",
        "session_revoked",
        "credential_changed",
        "identifier_changed",
        "password_changed",
        "credential_change_required",
        "credential_compromised",
        "risk_level_high",
        "device_not_compliant",
        "account_disabled",
        "account_purged",
    ];
    let known = CAUSES.iter().position(|known| *known == cause);
    known.unwrap_or(CAUSES.len())
}

/// A cut-off as it competes: its cause is the value.
type Cut = ((usize, &'static str), u64);

/// Every cut-off that the token is older than.
fn cut_offs(token: &Token<'_>, facts: &[Fact]) -> Vec<Finding> {
    let mut groups: BTreeMap<String, Vec<Entry<'_, Cut>>> = BTreeMap::new();
    for fact in facts {
        let Says::CutOff(cause) = fact.says else {
            continue;
        };
        let cut = ((severity(cause), cause), fact.valid_from());
        let entry = (fact.order, fact.transmitter.as_str(), cut);
        match &fact.about {
            About::Name(name) if token.names.contains(name) => {
                // The user keys of a token are merged below; every other key speaks for itself.
                groups.entry(format!("{name:?}")).or_default().push(entry);
            }
            About::Name(_) => {}
            About::Members(members) => {
                for (key, rest) in matches(token, members) {
                    groups
                        .entry(format!("{key:?} {rest}"))
                        .or_default()
                        .push(entry);
                }
            }
        }
    }
    let by_name = |name: &Name| {
        let entries = groups.get(&format!("{name:?}")).cloned();
        latest(entries.into_iter().flatten())
    };
    let user = merged(token, by_name, |new, old| new.1 > old.1);
    let is_user = |group: &&String| {
        let mut users = user_names(token);
        users.any(|name| **group == format!("{name:?}"))
    };
    let others = groups.iter().filter(|(group, _)| !is_user(group));
    let others = others.filter_map(|(_, entries)| latest(entries.iter().cloned()));
    others
        .chain(user)
        .filter(|(_, _, (_, valid_from))| token.earliest < *valid_from)
        .map(|(_, _, ((_, reason), valid_from))| Finding {
            reason,
            weight: Weight::Challenge(valid_from),
        })
        .collect()
}

fn user_names<'t>(token: &'t Token<'_>) -> impl Iterator<Item = &'t Name> {
    let is_user = |name: &&Name| matches!(name.kind, Kind::User | Kind::Email | Kind::Phone);
    token.names.iter().filter(is_user)
}

/// "merge the stable ones first (`iss_sub`, `oid`, `opaque`); a value from another key replaces the result only if it
/// is later in the order of §4 *and* stricter".
fn merged<'f, T: Clone + Ord>(
    token: &Token<'_>,
    value_of: impl Fn(&Name) -> Option<Entry<'f, T>>,
    is_stricter: impl Fn(&T, &T) -> bool,
) -> Option<Entry<'f, T>> {
    let unstable = |name: &&Name| facts::is_unstable(name.kind);
    let stable = user_names(token).filter(|name| !unstable(name));
    let mut result = latest(stable.filter_map(&value_of));
    for value in user_names(token).filter(unstable).filter_map(&value_of) {
        let replaces = result
            .as_ref()
            .is_none_or(|result| value.0 > result.0 && is_stricter(&value.2, &result.2));
        if replaces {
            result = Some(value);
        }
    }
    result
}

/// The names of the token by which a complex subject finds it, each with the rest of the subject as text; none unless
/// every member matches.
fn matches(token: &Token<'_>, members: &[Member]) -> Vec<(Name, String)> {
    let bears = |member: &Member| member.names.iter().any(|name| token.names.contains(name));
    // All subjects of a scope are of one tenant where tokens do not tell tenants apart (`ssf.md` §11: Keycloak names
    // one in every complex subject).
    let implied = |member: &Member| member.role == Role::Tenant && token.realm.tenant.is_none();
    let agrees = |member: &Member| {
        bears(member) || implied(member) || !can_show(token, member) && member.fail_safe
    };
    if !members.iter().all(agrees) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, member) in members.iter().enumerate() {
        if !member.role.is_identifying() {
            continue;
        }
        let rest: Vec<String> = members
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .map(|(_, member)| {
                let names: BTreeSet<&Name> = member.names.iter().collect();
                format!("{:?} {names:?} {}", member.role, member.fail_safe)
            })
            .collect();
        let named = member
            .names
            .iter()
            .filter(|name| token.names.contains(name));
        found.extend(named.map(|name| (name.clone(), rest.join(" + "))));
    }
    found
}

/// Whether the token shows anything that could be this member: a name of the same kind.
fn can_show(token: &Token<'_>, member: &Member) -> bool {
    let kinds: BTreeSet<Kind> = member.names.iter().map(|name| name.kind).collect();
    token.names.iter().any(|name| kinds.contains(&name.kind))
}

/// The latest entry of this sort about each name of the token, by transmitter.
fn standing<'f, T: Clone + Ord>(
    facts: &'f [Fact],
    name: &Name,
    value: impl Fn(&'f Says) -> Option<T>,
) -> BTreeMap<&'f str, Entry<'f, T>> {
    let mut by_transmitter: BTreeMap<&str, Vec<Entry<'_, T>>> = BTreeMap::new();
    for fact in facts {
        let about = matches!(&fact.about, About::Name(about) if about == name);
        if let Some(value) = value(&fact.says).filter(|_| about) {
            let transmitter = fact.transmitter.as_str();
            let entry = (fact.order, transmitter, value);
            by_transmitter.entry(transmitter).or_default().push(entry);
        }
    }
    by_transmitter
        .into_iter()
        .filter_map(|(transmitter, entries)| Some((transmitter, latest(entries.into_iter())?)))
        .collect()
}

/// As [`merged`] for values of which neither is the stricter: none replaces another, so every one counts.
fn together<'f, T: Clone + Ord>(
    token: &Token<'_>,
    value_of: impl Fn(&Name) -> Option<Entry<'f, T>>,
) -> Vec<Entry<'f, T>> {
    let (unstable, stable): (Vec<&Name>, Vec<&Name>) =
        user_names(token).partition(|name| facts::is_unstable(name.kind));
    let stable = latest(stable.into_iter().filter_map(&value_of));
    let unstable = unstable.into_iter().filter_map(&value_of);
    stable.into_iter().chain(unstable).collect()
}

/// The entries that count for the user of a token, of every transmitter that may speak for its issuer.
pub(super) fn of_user<'f, T: Clone + Ord>(
    configuration: &'f Value,
    token: &Token<'_>,
    facts: &'f [Fact],
    value: impl Fn(&'f Says) -> Option<T> + Copy,
) -> Vec<Entry<'f, T>> {
    let of = |transmitter: &str| {
        merged(
            token,
            |name| standing(facts, name, value).remove(transmitter),
            |new, old| new > old,
        )
    };
    transmitters_of(configuration, token)
        .into_iter()
        .filter_map(of)
        .collect()
}

/// The entries about any other name of a token.
pub(super) fn of_names<'f, T: Clone + Ord>(
    configuration: &'f Value,
    token: &Token<'_>,
    facts: &'f [Fact],
    kinds: &[Kind],
    value: impl Fn(&'f Says) -> Option<T> + Copy,
) -> Vec<Entry<'f, T>> {
    let names = token.names.iter().filter(|name| kinds.contains(&name.kind));
    let may_speak = transmitters_of(configuration, token);
    names
        .flat_map(|name| standing(facts, name, value).into_values())
        .filter(|(_, transmitter, _)| may_speak.contains(transmitter))
        .collect()
}

fn transmitters_of<'c>(configuration: &'c Value, token: &Token<'_>) -> Vec<&'c str> {
    let transmitters = configuration["transmitters"].as_array();
    transmitters
        .into_iter()
        .flatten()
        .filter(|transmitter| {
            super::issuers::spoken_for(configuration, transmitter)
                .iter()
                .any(|realm| realm.issuer == token.realm.issuer)
        })
        .filter_map(|transmitter| text(transmitter, "issuer"))
        .collect()
}

const fn first_whole_second_after(order: Order) -> u64 {
    (order.0 / 1_000_000).saturating_add(1)
}

/// "MFA enabled: tokens issued before it without positive MFA evidence are challenged".
fn without_mfa(configuration: &Value, token: &Token<'_>, facts: &[Fact]) -> Vec<Finding> {
    if tokens::shows_mfa(configuration, token) {
        return Vec::new();
    }
    let said = |name: &Name| {
        let about = |fact: &&Fact| {
            fact.says == Says::MfaEnabled
                && matches!(&fact.about, About::Name(about) if about == name)
        };
        let entries = facts.iter().filter(about);
        latest(entries.map(|fact| (fact.order, "", fact.valid_from())))
    };
    // Factors are a user's: an event about one token or device says nothing here.
    merged(token, said, |new, old| new > old)
        .into_iter()
        .filter(|(_, _, valid_from)| token.earliest < *valid_from)
        .map(|(_, _, valid_from)| Finding {
            reason: "mfa_enabled",
            weight: Weight::Challenge(valid_from),
        })
        .collect()
}

/// "tokens issued before it whose named claim is absent or differs from the new value are challenged".
fn changed_claims(token: &Token<'_>, facts: &[Fact]) -> Vec<Finding> {
    let claims: BTreeSet<&String> = facts
        .iter()
        .filter_map(|fact| match &fact.says {
            Says::Claim(claim, _) => Some(claim),
            _ => None,
        })
        .collect();
    let mut findings = Vec::new();
    for claim in claims {
        let said = |name: &Name| {
            let entries = facts
                .iter()
                .filter_map(|fact| match (&fact.says, &fact.about) {
                    (Says::Claim(changed, value), About::Name(about))
                        if changed == claim && about == name =>
                    {
                        Some((fact.order, "", value.to_string()))
                    }
                    _ => None,
                });
            latest(entries)
        };
        let user = together(token, said);
        let is_user = |name: &&Name| user_names(token).any(|user| user == *name);
        let others = token.names.iter().filter(|name| !is_user(name));
        for (order, _, value) in others.filter_map(said).chain(user) {
            let valid_from = first_whole_second_after(order);
            let shown = token.claims.get(claim).map(ToString::to_string);
            if token.earliest < valid_from && shown.as_ref() != Some(&value) {
                findings.push(Finding {
                    reason: "claims_changed",
                    weight: Weight::Challenge(valid_from),
                });
            }
        }
    }
    findings
}

/// "tokens issued before it whose mapped level is not known to be ≤ `current_level` are challenged".
fn assurance(configuration: &Value, token: &Token<'_>, facts: &[Fact]) -> Vec<Finding> {
    fn value(says: &Says) -> Option<&str> {
        match says {
            Says::Assurance(level) => Some(level.as_str()),
            _ => None,
        }
    }
    let levels = &configuration["issuers"][token.realm.issuer]["assuranceLevels"];
    let shown = text(token.claims, "acr").and_then(|acr| text(levels, acr));
    let sessions = of_names(configuration, token, facts, &[Kind::Session], value);
    let of_user = |transmitter: &str| {
        together(token, |name| {
            standing(facts, name, value).remove(transmitter)
        })
    };
    transmitters_of(configuration, token)
        .into_iter()
        .flat_map(of_user)
        .chain(sessions)
        .filter_map(|(order, _, level)| {
            let valid_from = first_whole_second_after(order);
            let enough = shown.is_some_and(|shown| is_at_most(shown, level));
            (!enough && token.earliest < valid_from).then_some(Finding {
                reason: "assurance_level_decreased",
                weight: Weight::Challenge(valid_from),
            })
        })
        .collect()
}

/// The table of §5, as far as events go.
fn conclude(configuration: &Value, token: &Token<'_>, findings: &[Finding]) -> Answer {
    let reasons = findings
        .iter()
        .map(|finding| finding.reason.to_string())
        .collect();
    let denies = findings
        .iter()
        .any(|finding| finding.weight == Weight::Deny);
    let times = findings.iter().filter_map(|finding| match finding.weight {
        Weight::Challenge(time) => Some(time),
        Weight::Deny => None,
    });
    let nbf = times.max();
    if denies || nbf.is_none() {
        let (outcome, status) = if denies {
            ("deny", 403)
        } else {
            ("allow", 200)
        };
        return Answer {
            outcome,
            status,
            reasons,
            error: None,
            nbf: None,
        };
    }
    let entra = super::issuers::is_entra(&configuration["issuers"][token.realm.issuer]);
    let claims = entra && handles_challenges(token);
    Answer {
        outcome: "challenge",
        status: 401,
        reasons,
        error: Some(if claims {
            "insufficient_claims"
        } else {
            "invalid_token"
        }),
        nbf: nbf.filter(|_| claims),
    }
}

fn refused(reason: &str) -> Answer {
    Answer {
        outcome: "deny",
        status: 401,
        reasons: BTreeSet::from([reason.to_string()]),
        error: Some("invalid_token"),
        nbf: None,
    }
}
