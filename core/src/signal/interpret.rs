//! From the claims of a SET to partial records under keys.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use super::effect::{CutOff, Effect, Reach, Standing};
use super::event::{Event, Initiator};
use super::filing::{Directory, FiledKey, Filing};
use super::notes::Notes;
use super::rejection::Rejection;
use super::rules::Rules;
use super::set::SecurityEventToken;
use super::{logout, time};
use crate::json::Value;
use crate::state::claim::{ClaimName, ClaimValue};
use crate::state::key::{NameSpace, StateKey, SubjectKind};
use crate::state::record::{CutOffScope, Entry, Member, Record, UnseenMember};
use crate::state::retention::RetentionLimits;
use crate::subject::{ComplexSubject, Subject, SubjectIdentifier};
use crate::time::{EventTime, UnixTime};

/// What a SET comes to.
#[derive(Debug)]
pub(super) struct Interpretation<'a> {
    pub(super) set: SecurityEventToken<'a>,
    pub(super) event_time: EventTime,
    pub(super) effects: BTreeMap<StateKey, KeyEffect>,
    pub(super) notes: Notes,
}

/// What a SET does to one key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct KeyEffect {
    pub(super) kind: SubjectKind,
    pub(super) name_space: NameSpace,
    pub(super) record: Record,
}

/// Which kind of JWT tells an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A security event token (RFC 8417).
    SecurityEvent,
    /// A logout token (OpenID Connect Back-Channel Logout 1.0).
    Logout,
}

/// Reads a payload whose issuer, signature and audience were checked.
///
/// # Errors
/// [`Rejection`]; nothing of a rejected SET takes effect.
pub(super) fn interpret<'a>(
    kind: Kind,
    payload: &'a Value,
    directory: Directory<'_>,
    rules: &Rules<'_>,
    received_at: UnixTime,
) -> Result<Interpretation<'a>, Rejection> {
    let set = match kind {
        Kind::SecurityEvent => SecurityEventToken::read(payload, rules.legacy)?,
        Kind::Logout => logout::read(payload, received_at.saturating_sub(rules.skew))?,
    };
    if set.issued.floor() > received_at.saturating_add(rules.skew) {
        return Err(Rejection::invalid_request(
            "`iat` lies in the future by more than the signal skew",
        ));
    }
    let event_time = time::of_event(
        set.event_timestamp,
        set.time_of_event,
        set.issued,
        received_at,
    );
    let mut writer = Writer {
        filing: Filing::new(directory, set.subject.as_ref()),
        rules,
        event_time,
        issued: set.issued.floor(),
        standing_allowed: set.issued.floor()
            >= received_at.saturating_sub(RetentionLimits::TOMBSTONE),
        effects: BTreeMap::new(),
        notes: Notes::default(),
    };
    for member in &set.malformed {
        writer.notes.add(format!("memberMalformed:{member}"));
    }
    if set.not_legacy {
        writer.notes.add("legacyEventType");
    }
    for event in &set.events {
        // Whoever may not speak for a subject is told so whether or not that would have had an effect. The subject of
        // a stream's own events is the stream.
        if let (Some(subject), false) = (
            &set.subject,
            matches!(
                event,
                Event::Verification | Event::StreamUpdated | Event::Unknown
            ),
        ) {
            writer.filing.admit(subject)?;
        }
        let Some(effect) = Effect::of(event, set.initiator, rules) else {
            writer.note_absence(event);
            continue;
        };
        if let Event::MembershipEnd(members) = event {
            for member in members {
                let member = SubjectIdentifier::Opaque(member.clone());
                writer.write_simple(&effect, &member)?;
            }
            continue;
        }
        match &set.subject {
            None => {}
            Some(Subject::Simple(identifier)) => writer.write_simple(&effect, identifier)?,
            Some(Subject::Complex(members)) => {
                writer.write_complex(&effect, members, unseen(event, &set, rules))?;
            }
        }
    }
    let Writer { effects, notes, .. } = writer;
    Ok(Interpretation {
        set,
        event_time,
        effects,
        notes,
    })
}

/// How a member counts that a token does not show.
fn unseen(event: &Event, set: &SecurityEventToken<'_>, rules: &Rules<'_>) -> UnseenMember {
    rules.unseen_member.unwrap_or(
        if *event == Event::SessionRevoked && set.initiator != Initiator::User {
            UnseenMember::FailSafeSession
        } else {
            UnseenMember::Precise
        },
    )
}

/// A member of a complex subject that SSF 1.0 §3.3 knows.
struct KnownMember {
    kind: SubjectKind,
    /// None if it cannot be filed: no token shows it then, and a cut-off must not reach further for that.
    keys: Vec<FiledKey>,
}

impl KnownMember {
    /// Whether a cut-off can be written under it.
    const fn is_place(&self) -> bool {
        self.identifies() && !self.keys.is_empty()
    }

    /// Whether a token that matches this member alone is meant, rather than merely described.
    const fn identifies(&self) -> bool {
        matches!(
            self.kind,
            SubjectKind::User
                | SubjectKind::Session
                | SubjectKind::Device
                | SubjectKind::Token
                | SubjectKind::ClientApplication
                | SubjectKind::ServicePrincipal
        )
    }
}

struct Writer<'a> {
    filing: Filing<'a>,
    rules: &'a Rules<'a>,
    event_time: EventTime,
    issued: UnixTime,
    standing_allowed: bool,
    effects: BTreeMap<StateKey, KeyEffect>,
    notes: Notes,
}

impl Writer<'_> {
    fn note_absence(&mut self, event: &Event) {
        match event {
            Event::Unknown => self.notes.add("unknownEventType"),
            Event::Verification | Event::StreamUpdated => {}
            Event::SessionsRevoked | Event::TokensRevoked => self.notes.add("userSignOut"),
            Event::RiskLevelChange { .. } => self.notes.add("subjectNotUnderstood"),
            _ => self.notes.add("informational"),
        }
    }

    fn write_simple(
        &mut self,
        effect: &Effect,
        identifier: &SubjectIdentifier,
    ) -> Result<(), Rejection> {
        let mut keys = self
            .filing
            .keys(effect.stands_for, identifier, &mut self.notes)?;
        let reach = effect.cut_off.map(|cut_off| cut_off.reach);
        if matches!(reach, Some(Reach::SubjectOrSession | Reach::SessionOnly)) {
            for opaque in opaque_identifiers(identifier) {
                keys.extend(
                    self.filing
                        .keys(SubjectKind::Session, opaque, &mut self.notes)?,
                );
            }
        }
        if reach == Some(Reach::SessionOnly) {
            self.drop_sign_out(&mut keys);
        }
        if !keys.is_empty() && !keys.iter().any(|key| key.shown) {
            for key in &keys {
                self.notes.add(key.unmatchable());
            }
        }
        if let Some(cut_off) = effect.cut_off {
            (keys.iter()).for_each(|key| self.write_cut_off(*key, cut_off));
        }
        self.write_standing(&keys, effect);
        Ok(())
    }

    fn write_complex(
        &mut self,
        effect: &Effect,
        subject: &ComplexSubject,
        unseen: UnseenMember,
    ) -> Result<(), Rejection> {
        let Some(members) = self.known_members(subject)? else {
            return Ok(());
        };
        // Where tokens name no tenant, the scope of another member's key implies it.
        let implied = |member: &KnownMember| {
            member.kind == SubjectKind::Tenant && members.iter().any(KnownMember::is_place)
        };
        for member in members.iter().filter(|member| !implied(member)) {
            for key in member.keys.iter().filter(|key| !key.shown) {
                self.notes.add(key.unmatchable());
            }
        }
        let mut candidates = effect.belongs_to.iter();
        let described =
            candidates.find_map(|kind| members.iter().find(|member| member.kind == *kind));
        self.write_standing(described.map_or(&[], |member| &member.keys), effect);
        match (effect.cut_off, described) {
            (None, _) => {}
            // Without that member nobody is described, and so nobody cut off.
            (Some(cut_off), member) if cut_off.reach == Reach::Described => {
                for key in member.into_iter().flat_map(|member| &member.keys) {
                    self.write_cut_off(*key, cut_off);
                }
            }
            (Some(cut_off), _) => self.write_scoped_cut_offs(cut_off, &members, unseen),
        }
        Ok(())
    }

    /// The members of a known kind, sorted by it. `None` if the event has to be discarded.
    fn known_members(
        &mut self,
        subject: &ComplexSubject,
    ) -> Result<Option<Vec<KnownMember>>, Rejection> {
        let mut members: Vec<KnownMember> = Vec::new();
        for (name, identifier) in subject.iter() {
            let stated = kind_of_member(name);
            let keys = match stated {
                Some(kind) => self.filing.keys(kind, identifier, &mut self.notes)?,
                None => Vec::new(),
            };
            let is_new = |kind: &SubjectKind| members.iter().all(|known| known.kind != *kind);
            let filed = keys.first().map(|key| key.kind).filter(is_new);
            let critical = &self.rules.critical_subject_members;
            if filed.is_none() && critical.iter().any(|critical| critical == name) {
                // SPEC: SSF 1.0 §3.6: MUST discard.
                self.notes
                    .add(format!("criticalMemberNotUnderstood:{name}"));
                return Ok(None);
            }
            match (filed, stated.filter(is_new)) {
                (Some(kind), _) => members.push(KnownMember { kind, keys }),
                // Also what names a kind that another member names already, as two tokens do.
                (None, Some(kind)) => {
                    self.notes.add(format!("memberUnseen:{name}"));
                    let keys = Vec::new();
                    members.push(KnownMember { kind, keys });
                }
                (None, None) => self.notes.add(format!("memberIgnored:{name}")),
            }
        }
        members.sort_unstable_by_key(|member| member.kind);
        // Beside a user an application is the client; the service principal is one that signs in itself.
        if members
            .iter()
            .any(|member| member.kind == SubjectKind::User)
        {
            for member in &mut members {
                member
                    .keys
                    .retain(|key| key.kind != SubjectKind::ServicePrincipal);
            }
        }
        Ok(Some(members))
    }

    /// A cut-off under every identifying member, for tokens that match the remaining ones.
    fn write_scoped_cut_offs(
        &mut self,
        cut_off: CutOff,
        members: &[KnownMember],
        unseen: UnseenMember,
    ) {
        let identifying = || members.iter().filter(|member| member.identifies());
        if cut_off.reach == Reach::SessionOnly
            && identifying().all(|member| member.kind == SubjectKind::User)
        {
            self.notes.add("userSignOut");
            return;
        }
        if let [only] = members {
            // Nothing remains to be matched: a plain cut-off, which for a tenant asks for permission.
            if only.identifies() || only.kind == SubjectKind::Tenant {
                for key in &only.keys {
                    self.write_cut_off(*key, cut_off);
                }
                return;
            }
        }
        if !members.iter().any(KnownMember::is_place) {
            self.notes.add("noIdentifyingMember");
            return;
        }
        for member in members.iter().filter(|member| member.is_place()) {
            let remaining = members.iter().filter(|other| other.kind != member.kind);
            let scope = CutOffScope {
                members: remaining.map(remaining_member).collect(),
                unseen,
            };
            // What nobody sends must not fill the records that every request reads: a wider cut-off, but a short one.
            let keys = scope.members.iter().map(|member| member.keys.len());
            if keys.sum::<usize>() > CutOffScope::MOST_KEYS {
                self.notes.add("scopeTooLarge");
                for key in &member.keys {
                    self.write_cut_off(*key, cut_off);
                }
                continue;
            }
            for key in &member.keys {
                let entry = self.entry(cut_off.cause);
                let scoped = alloc::vec![(scope.clone(), entry)];
                self.write(
                    *key,
                    Record {
                        scoped,
                        ..Record::default()
                    },
                );
            }
        }
    }

    /// Leaves out the user keys of what may be an ordinary sign-out.
    fn drop_sign_out(&mut self, keys: &mut Vec<FiledKey>) {
        let all = keys.len();
        keys.retain(|key| key.kind != SubjectKind::User);
        if keys.len() < all {
            self.notes.add("userSignOut");
        }
    }

    fn write_cut_off(&mut self, key: FiledKey, cut_off: CutOff) {
        match key.kind {
            SubjectKind::Tenant if !self.rules.allow_tenant_wide => self.notes.add("tenantWide"),
            SubjectKind::Group | SubjectKind::OrganizationalUnit => {
                self.notes.add("noIdentifyingMember");
            }
            _ => {
                let cut_off = Some(self.entry(cut_off.cause));
                self.write(
                    key,
                    Record {
                        cut_off,
                        ..Record::default()
                    },
                );
            }
        }
    }

    /// What holds from the event on, to the keys of what the event describes.
    fn write_standing(&mut self, keys: &[FiledKey], effect: &Effect) {
        let Some(standing) = &effect.standing else {
            return;
        };
        // SPEC: enforcement §4: beyond the age of tombstones an old SET could undo a newer one.
        if standing.lasts() && !self.standing_allowed {
            self.notes.add("standingStateTooOld");
            return;
        }
        let record = self.record_of(standing);
        let mut described = keys
            .iter()
            .filter(|key| effect.belongs_to.contains(&key.kind))
            .peekable();
        if described.peek().is_none() {
            self.notes.add("noStandingMember");
        }
        described.for_each(|key| self.write(*key, record.clone()));
    }

    fn record_of(&self, standing: &Standing) -> Record {
        let mut record = Record::default();
        let by = self.rules.transmitter;
        match standing {
            Standing::Status(value) => record.status.push((by, self.entry(*value))),
            Standing::Risk(value) => record.risk.push((by, self.entry(*value))),
            Standing::Compliance(value) => record.compliance.push((by, self.entry(*value))),
            Standing::OptOut(value) => record.opt_out.push((by, self.entry(*value))),
            Standing::Assurance(level) => record.assurance.push((by, self.entry(level.clone()))),
            Standing::MultiFactor(value) => record.mfa_enabled = Some(self.entry(*value)),
            Standing::Claims(claims) => {
                let claims = claims.iter();
                let entry = |(name, value): &(ClaimName, ClaimValue)| {
                    (name.clone(), self.entry(value.clone()))
                };
                record.claims = claims.map(entry).collect();
                record.claims.sort_unstable();
            }
        }
        record
    }

    fn write(&mut self, key: FiledKey, record: Record) {
        let effect = self.effects.entry(key.key).or_insert_with(|| KeyEffect {
            kind: key.kind,
            name_space: key.name_space,
            record: Record::default(),
        });
        effect.record.merge(&record);
    }

    fn entry<T>(&self, value: T) -> Entry<T> {
        Entry {
            at: self.event_time,
            issued: self.issued,
            value,
        }
    }
}

fn remaining_member(member: &KnownMember) -> Member {
    let mut keys: Vec<_> = (member.keys.iter())
        .filter(|key| key.kind == member.kind)
        .map(|key| (key.name_space, key.key))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    Member {
        kind: member.kind,
        keys,
    }
}

/// SPEC: SSF 1.0 §3.3.
fn kind_of_member(name: &str) -> Option<SubjectKind> {
    Some(match name {
        "user" => SubjectKind::User,
        "device" => SubjectKind::Device,
        "session" => SubjectKind::Session,
        "application" => SubjectKind::ClientApplication,
        "tenant" => SubjectKind::Tenant,
        "org_unit" => SubjectKind::OrganizationalUnit,
        "group" => SubjectKind::Group,
        _ => return None,
    })
}

fn opaque_identifiers(identifier: &SubjectIdentifier) -> impl Iterator<Item = &SubjectIdentifier> {
    let identifiers = match identifier {
        SubjectIdentifier::Aliases(identifiers) => identifiers.as_slice(),
        one => core::slice::from_ref(one),
    };
    let is_opaque = |one: &&SubjectIdentifier| matches!(one, SubjectIdentifier::Opaque(_));
    identifiers.iter().filter(is_opaque)
}
