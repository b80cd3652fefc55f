//! Records that people write: test lines of `cae decide --signals`.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::configuration::Fault;
use crate::json::{Map, Value};
use crate::state::claim::{ClaimName, ClaimValue};
use crate::state::key::{NameSpace, StateKey, SubjectKind};
use crate::state::names::Named;
use crate::state::record::{
    AssuranceLevel, CutOffScope, Entry, LocationChallenge, Member, MultiFactor, Record,
    TransmitterId,
};
use crate::time::UnixTime;
use crate::token::subject_keys::subject_key;

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
    /// Reads what [`RecordView`](super::RecordView) writes, as far as whole seconds can say it. `issued` defaults to `at`,
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
            "assurance",
            "claims",
            "optOut",
        ])?;
        let mut read = Self::default();
        if let Some(cut_off) = members.child("cutOff")? {
            cut_off.only(&["at", "issued", "validFrom", "cause"])?;
            read.cut_off = Some(cut_off.entry(cut_off.named("cause")?)?);
        }
        if let Some(mfa_enabled) = members.child("mfaEnabled")? {
            mfa_enabled.only(&["at", "issued", "value"])?;
            let value = match mfa_enabled.get("value") {
                Some(_) => mfa_enabled.named("value")?,
                None => MultiFactor::Enabled,
            };
            read.mfa_enabled = Some(mfa_enabled.entry(value)?);
        }
        read.status = members.standing("status")?;
        read.risk = members.standing("risk")?;
        read.compliance = members.standing("compliance")?;
        read.opt_out = members.standing("optOut")?;
        read.assurance = members.by_transmitter("assurance", |entry| {
            let level = AssuranceLevel::new(entry.text("value")?);
            level.ok_or_else(|| entry.fault("value", "the name of a level, of at most 128 bytes"))
        })?;
        let claims = members.map("claims", |claim| {
            claim.only(&["name", "at", "issued", "value"])?;
            let name = ClaimName::new(claim.text("name")?);
            let name = name.map_err(|_| claim.fault("name", "a name of 1 to 256 bytes"))?;
            let value = ClaimValue::from_text(claim.text("value")?.to_string());
            Ok((name, claim.entry(value)?))
        })?;
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
        // Merging keeps one entry per scope and claim, and within their bounds.
        read.merge(&Self {
            scoped,
            location_challenges: challenges,
            claims,
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
        self.by_transmitter(name, |entry| entry.named("value"))
    }

    fn by_transmitter<T: Ord>(
        &self,
        name: &str,
        value: impl Fn(&Self) -> Result<T, Fault>,
    ) -> Result<Vec<(TransmitterId, Entry<T>)>, Fault> {
        let standing = self.map(name, |entry| {
            entry.only(&["transmitter", "at", "issued", "value"])?;
            let transmitter = entry.text("transmitter")?;
            let transmitter = hexadecimal(transmitter)
                .map_or_else(|| TransmitterId::of(transmitter), TransmitterId);
            Ok((transmitter, entry.entry(value(entry)?)?))
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
mod tests;
