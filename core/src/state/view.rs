//! Records as JSON, for people: explanations of effects, and records set by hand in tests.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::key::{NameSpace, StateKey, SubjectKind};
use super::names::Named;
use super::record::{CutOffScope, Entry, LocationChallenge, Member, Record, TransmitterId};
use crate::configuration::Fault;
use crate::json::{Map, Value};
use crate::time::UnixTime;
use crate::token::subject_keys::subject_key;

/// A record as JSON: only what it knows, times in whole seconds.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a>(pub &'a Record);

impl Serialize for RecordView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.0;
        let mut out = serializer.serialize_struct("Record", 7)?;
        if let Some(entry) = &record.cut_off {
            out.serialize_field("cutOff", &CutOffView::of(entry))?;
        }
        if let Some(entry) = &record.mfa_enabled {
            out.serialize_field("mfaEnabled", &TimeView::of(entry))?;
        }
        if !record.status.is_empty() {
            out.serialize_field("status", &standing(&record.status))?;
        }
        if !record.risk.is_empty() {
            out.serialize_field("risk", &standing(&record.risk))?;
        }
        if !record.compliance.is_empty() {
            out.serialize_field("compliance", &standing(&record.compliance))?;
        }
        if !record.scoped.is_empty() {
            let scoped: Vec<_> = record.scoped.iter().map(ScopedView::of).collect();
            out.serialize_field("scoped", &scoped)?;
        }
        if !record.location_challenges.is_empty() {
            let challenges: Vec<_> = record
                .location_challenges
                .iter()
                .map(PlaceView::of)
                .collect();
            out.serialize_field("locationChallenges", &challenges)?;
        }
        out.end()
    }
}

#[derive(serde::Serialize)]
struct TimeView {
    at: u64,
    issued: u64,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct CutOffView {
    at: u64,
    issued: u64,
    valid_from: u64,
    cause: &'static str,
}

#[derive(serde::Serialize)]
struct StandingView {
    transmitter: String,
    at: u64,
    issued: u64,
    value: &'static str,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopedView {
    members: Vec<MemberView>,
    unseen_member: &'static str,
    at: u64,
    issued: u64,
    valid_from: u64,
    cause: &'static str,
}

#[derive(serde::Serialize)]
struct MemberView {
    kind: &'static str,
    keys: Vec<KeyView>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyView {
    name_space: &'static str,
    key: StateKey,
}

#[derive(serde::Serialize)]
struct PlaceView {
    place: String,
    given: u64,
}

impl TimeView {
    fn of<T>(entry: &Entry<T>) -> Self {
        Self {
            at: entry.at.floor().as_secs(),
            issued: entry.issued.as_secs(),
        }
    }
}

impl CutOffView {
    fn of(entry: &Entry<super::record::Cause>) -> Self {
        Self {
            at: entry.at.floor().as_secs(),
            issued: entry.issued.as_secs(),
            valid_from: entry.at.next_second().as_secs(),
            cause: entry.value.name(),
        }
    }
}

fn standing<T: Named>(entries: &[(TransmitterId, Entry<T>)]) -> Vec<StandingView> {
    let view = |(transmitter, entry): &(TransmitterId, Entry<T>)| StandingView {
        transmitter: transmitter.to_string(),
        at: entry.at.floor().as_secs(),
        issued: entry.issued.as_secs(),
        value: entry.value.name(),
    };
    entries.iter().map(view).collect()
}

impl ScopedView {
    fn of((scope, entry): &(CutOffScope, Entry<super::record::Cause>)) -> Self {
        let CutOffView {
            at,
            issued,
            valid_from,
            cause,
        } = CutOffView::of(entry);
        Self {
            members: scope.members.iter().map(MemberView::of).collect(),
            unseen_member: scope.unseen.name(),
            at,
            issued,
            valid_from,
            cause,
        }
    }
}

impl MemberView {
    fn of(member: &Member) -> Self {
        let key = |(name_space, key): &(NameSpace, StateKey)| KeyView {
            name_space: name_space.name(),
            key: *key,
        };
        Self {
            kind: member.kind.name(),
            keys: member.keys.iter().map(key).collect(),
        }
    }
}

impl PlaceView {
    fn of(challenge: &LocationChallenge) -> Self {
        Self {
            place: TransmitterId(challenge.place).to_string(),
            given: challenge.given.as_secs(),
        }
    }
}

/// The key that a line `{"record": {"scope", "kind", "id", "nameSpace"?, …}}` names.
///
/// # Errors
/// A [`Fault`] that points to the member that is missing or wrong.
pub fn key_from_json(record: &Value) -> Result<StateKey, Fault> {
    let members = Members::of(record, "")?;
    let kind = members.named("kind")?;
    let name_space = match members.get("nameSpace") {
        Some(_) => members.named("nameSpace")?,
        None => NameSpace::Native,
    };
    let (scope, id) = (members.text("scope")?, members.text("id")?);
    Ok(subject_key(scope, kind, name_space, id))
}

impl Record {
    /// Reads what [`RecordView`] writes, as far as whole seconds can say it. `issued` defaults to `at`,
    /// `validFrom` follows from `at`, a transmitter is its issuer URL or its id; `scope`, `kind`, `id` and
    /// `nameSpace` are the key's ([`key_from_json`]).
    ///
    /// # Errors
    /// A [`Fault`] that points to the member that is unknown or wrong.
    pub fn from_json(record: &Value) -> Result<Self, Fault> {
        let members = Members::of(record, "")?;
        members.only(&[
            "scope",
            "kind",
            "id",
            "nameSpace",
            "cutOff",
            "mfaEnabled",
            "status",
            "risk",
            "compliance",
            "scoped",
            "locationChallenges",
        ])?;
        let mut read = Self::default();
        if let Some(cut_off) = members.child("cutOff")? {
            cut_off.only(&["at", "issued", "validFrom", "cause"])?;
            read.cut_off = Some(cut_off.entry(cut_off.named("cause")?)?);
        }
        if let Some(mfa_enabled) = members.child("mfaEnabled")? {
            mfa_enabled.only(&["at", "issued"])?;
            read.mfa_enabled = Some(mfa_enabled.entry(())?);
        }
        read.status = members.standing("status")?;
        read.risk = members.standing("risk")?;
        read.compliance = members.standing("compliance")?;
        let scoped = members.map("scoped", |scoped| {
            scoped.only(&[
                "members",
                "unseenMember",
                "at",
                "issued",
                "validFrom",
                "cause",
            ])?;
            let scope = CutOffScope {
                members: scoped.cut_off_members()?,
                unseen: scoped.named("unseenMember")?,
            };
            Ok((scope, scoped.entry(scoped.named("cause")?)?))
        })?;
        let challenges = members.map("locationChallenges", |challenge| {
            challenge.only(&["place", "given"])?;
            let place = hexadecimal(challenge.text("place")?)
                .ok_or_else(|| challenge.fault("place", "16 lower-case hexadecimal digits"))?;
            let given = UnixTime::from_secs(challenge.seconds("given")?);
            Ok(LocationChallenge { place, given })
        })?;
        // Merging keeps one entry per scope and the latest sixteen places.
        read.merge(&Self {
            scoped,
            location_challenges: challenges,
            ..Self::default()
        });
        Ok(read)
    }
}

/// The members of one object and the place of that object.
struct Members<'a> {
    members: &'a Map<String, Value>,
    at: String,
}

impl<'a> Members<'a> {
    fn of(value: &'a Value, at: &str) -> Result<Self, Fault> {
        let members = value.as_object().ok_or_else(|| fault(at, "an object"))?;
        let at = at.to_string();
        Ok(Self { members, at })
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name)
    }

    fn fault(&self, name: &str, expected: &str) -> Fault {
        fault(&format!("{}/{name}", self.at), expected)
    }

    fn only(&self, known: &[&str]) -> Result<(), Fault> {
        match self
            .members
            .keys()
            .find(|name| !known.contains(&name.as_str()))
        {
            Some(unknown) => Err(self.fault(unknown, "no such member")),
            None => Ok(()),
        }
    }

    fn text(&self, name: &str) -> Result<&'a str, Fault> {
        let text = self.get(name).and_then(Value::as_str);
        text.ok_or_else(|| self.fault(name, "a string"))
    }

    fn seconds(&self, name: &str) -> Result<u64, Fault> {
        let seconds = self.get(name).and_then(Value::as_u64);
        seconds.ok_or_else(|| self.fault(name, "whole seconds since 1970"))
    }

    fn named<T: Named>(&self, name: &str) -> Result<T, Fault> {
        let known = T::from_name(self.text(name)?);
        known.ok_or_else(|| {
            let names: Vec<_> = T::ALL.iter().map(|(.., name)| *name).collect();
            self.fault(name, &format!("one of {}", names.join(", ")))
        })
    }

    fn entry<T>(&self, value: T) -> Result<Entry<T>, Fault> {
        let at = UnixTime::from_secs(self.seconds("at")?);
        let issued = match self.get("issued") {
            Some(_) => UnixTime::from_secs(self.seconds("issued")?),
            None => at,
        };
        Ok(Entry {
            at: at.into(),
            issued,
            value,
        })
    }

    fn child(&self, name: &str) -> Result<Option<Self>, Fault> {
        let at = format!("{}/{name}", self.at);
        let child = self.get(name).map(|value| Self::of(value, &at));
        child.transpose()
    }

    /// The elements of a list in canonical order; an absent list is empty, a repeated element a fault.
    fn map<T: Ord>(
        &self,
        name: &str,
        element: impl Fn(&Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let list = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(list) => list.as_array().ok_or_else(|| self.fault(name, "a list"))?,
        };
        let mut elements = Vec::with_capacity(list.len());
        for (n, value) in list.iter().enumerate() {
            elements.push(element(&Self::of(
                value,
                &format!("{}/{name}/{n}", self.at),
            )?)?);
        }
        elements.sort();
        elements.dedup();
        Ok(elements)
    }

    fn standing<T: Named + Ord>(
        &self,
        name: &str,
    ) -> Result<Vec<(TransmitterId, Entry<T>)>, Fault> {
        let standing = self.map(name, |entry| {
            entry.only(&["transmitter", "at", "issued", "value"])?;
            let transmitter = entry.text("transmitter")?;
            let transmitter = hexadecimal(transmitter)
                .map_or_else(|| TransmitterId::of(transmitter), TransmitterId);
            Ok((transmitter, entry.entry(entry.named("value")?)?))
        })?;
        if standing
            .windows(2)
            .any(|pair| matches!(pair, [(a, _), (b, _)] if a == b))
        {
            return Err(self.fault(name, "one entry per transmitter"));
        }
        Ok(standing)
    }

    fn cut_off_members(&self) -> Result<Vec<Member>, Fault> {
        let members = self.map("members", Members::member)?;
        if members
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if a.kind == b.kind))
        {
            return Err(self.fault("members", "one member per kind"));
        }
        Ok(members)
    }

    fn member(&self) -> Result<Member, Fault> {
        self.only(&["kind", "keys"])?;
        let keys = self.map("keys", |key| {
            key.only(&["nameSpace", "key"])?;
            let parsed = key.text("key")?.parse();
            let parsed =
                parsed.map_err(|_| key.fault("key", "32 lower-case hexadecimal digits"))?;
            Ok((key.named("nameSpace")?, parsed))
        })?;
        if keys.is_empty() {
            return Err(self.fault("keys", "at least one key"));
        }
        let kind: SubjectKind = self.named("kind")?;
        Ok(Member { kind, keys })
    }
}

fn fault(at: &str, expected: &str) -> Fault {
    Fault {
        at: at.to_string(),
        code: "record.invalid",
        message: format!("expected {expected}"),
    }
}

/// The 8 bytes that 16 lower-case hexadecimal digits stand for.
fn hexadecimal(text: &str) -> Option<[u8; 8]> {
    let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 16 || !text.bytes().all(lower_hex) {
        return None;
    }
    u64::from_str_radix(text, 16).map(u64::to_be_bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::super::record::Cause;
    use super::super::samples::{any_record, entry};
    use super::*;
    use crate::json::{Limits, parse, to_text};
    use proptest::prelude::*;

    fn json(text: &str) -> Value {
        parse(text.as_bytes(), Limits::EVENT).unwrap()
    }

    #[test]
    fn a_line_sets_a_record() {
        let line = json(
            r#"{"scope":"t","kind":"user","id":"u","cutOff":{"at":10,"cause":"passwordChange"},
                "status":[{"transmitter":"https://idp.example","at":20,"value":"disabled"}]}"#,
        );
        assert_eq!(
            key_from_json(&line),
            Ok(subject_key("t", SubjectKind::User, NameSpace::Native, "u"))
        );
        let record = Record::from_json(&line).unwrap();
        assert_eq!(record.cut_off, Some(entry(10, 10, Cause::PasswordChange)));
        assert_eq!(record.status[0].0, TransmitterId::of("https://idp.example"));
    }

    #[test]
    fn faults_point_to_the_member() {
        for (line, at, message) in [
            (r#"[]"#, "", "an object"),
            (r#"{"cutoff":{}}"#, "/cutoff", "no such member"),
            (
                r#"{"cutOff":{"at":-1,"cause":"cleared"}}"#,
                "/cutOff/at",
                "whole seconds",
            ),
            (
                r#"{"cutOff":{"at":1,"cause":"x"}}"#,
                "/cutOff/cause",
                "one of cleared",
            ),
            (
                r#"{"risk":[{"transmitter":"t","at":1,"value":"HIGH"}]}"#,
                "/risk/0/value",
                "one of none",
            ),
            (
                r#"{"risk":[{"transmitter":"t","at":1,"value":"high"},{"transmitter":"t","at":2,"value":"low"}]}"#,
                "/risk",
                "one entry per transmitter",
            ),
        ] {
            let fault = Record::from_json(&json(line)).unwrap_err();
            assert_eq!(fault.at, at, "{line}");
            assert!(fault.message.contains(message), "{fault}");
        }
        assert_eq!(
            key_from_json(&json(r#"{"kind":"user","scope":"t"}"#))
                .unwrap_err()
                .at,
            "/id"
        );
    }

    proptest! {
        #[test]
        fn a_view_leads_back_to_whole_seconds(record in any_record()) {
            let text = to_text(&RecordView(&record));
            let read = Record::from_json(&json(&text)).unwrap();
            prop_assert_eq!(to_text(&RecordView(&read)), text);
        }
    }
}
