//! Objects of the directory, and what changed of them: <https://learn.microsoft.com/graph/delta-query-overview>.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::error;
use crate::server::Said;

/// One object.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// Its properties, without its id.
    pub properties: Map<String, Value>,
    /// Members by id, each with whether it is a user (else a group).
    pub members: BTreeMap<String, bool>,
    /// Why it is gone: `changed` (it can be restored) or `deleted`.
    pub removed: Option<&'static str>,
    /// When it changed, in the count of the collection.
    changed: u64,
    /// Members that came or went, with when that was.
    member_changes: BTreeMap<String, u64>,
}

/// Objects of one kind.
#[derive(Debug)]
pub struct Collection {
    name: &'static str,
    objects: BTreeMap<String, Object>,
    count: u64,
    /// Delta tokens of before that are too old.
    forgotten: u64,
    /// Whether members are told of groups that hide them.
    pub(super) shows_hidden: bool,
    /// Whether what changed is told last first and twice, as Graph may.
    pub repeats: bool,
}

impl Collection {
    pub(super) const fn new(name: &'static str) -> Self {
        Self {
            name,
            objects: BTreeMap::new(),
            count: 0,
            forgotten: 0,
            shows_hidden: false,
            repeats: false,
        }
    }

    /// Sets properties of an object, which is made if there is none, and is back if it was gone.
    pub fn set(&mut self, id: &str, properties: &Value) {
        self.count += 1;
        let object = self.objects.entry(id.to_owned()).or_default();
        object.removed = None;
        object.changed = self.count;
        for (name, value) in properties.as_object().into_iter().flatten() {
            object.properties.insert(name.clone(), value.clone());
        }
    }

    /// Makes somebody a member (a user, or a group).
    pub fn join(&mut self, id: &str, member: &str, is_user: bool) {
        self.count += 1;
        let object = self.objects.entry(id.to_owned()).or_default();
        object.members.insert(member.to_owned(), is_user);
        object.member_changes.insert(member.to_owned(), self.count);
        object.changed = self.count;
    }

    /// Ends a membership.
    pub fn leave(&mut self, id: &str, member: &str) {
        self.count += 1;
        let object = self.objects.entry(id.to_owned()).or_default();
        object.members.remove(member);
        object.member_changes.insert(member.to_owned(), self.count);
        object.changed = self.count;
    }

    /// Deletes an object.
    pub fn remove(&mut self, id: &str, reason: &'static str) {
        self.count += 1;
        if let Some(object) = self.objects.get_mut(id) {
            object.removed = Some(reason);
            object.changed = self.count;
        }
    }

    /// Forgets what is gone, and lets no delta token of before count.
    pub fn forget(&mut self) {
        self.count += 1;
        self.forgotten = self.count;
        self.objects.retain(|_, object| object.removed.is_none());
    }

    pub(super) fn one(&self, id: &str, parameters: &BTreeMap<String, String>) -> Said {
        let select = select(parameters);
        match self.objects.get(id) {
            Some(object) if object.removed.is_none() => {
                let mut body = properties(id, object, &select);
                body["@odata.context"] = json!(format!("$metadata#{}/$entity", self.name));
                Said::json(&body)
            }
            _ => error(404, "Request_ResourceNotFound"),
        }
    }

    /// Tokens hold everything that the first request said: `SINCE.AT.SELECT.FILTER`.
    pub(super) fn delta(
        &mut self,
        url: &str,
        parameters: &BTreeMap<String, String>,
        page: usize,
    ) -> Said {
        let token = |name: &str| {
            let text = parameters.get(name)?;
            let mut parts = text.splitn(4, '.').map(str::to_owned);
            let since: u64 = parts.next()?.parse().ok()?;
            let at: u64 = parts.next()?.parse().ok()?;
            let offset: usize = parts.next()?.parse().ok()?;
            Some((since, at, offset, parts.next().unwrap_or_default()))
        };
        let (since, at, offset, asked) = match (token("$skiptoken"), token("$deltatoken")) {
            (Some(token), _) => token,
            (None, Some((since, _, _, asked))) => (since, self.count, 0, asked),
            (None, None) => {
                let text = |name: &str| parameters.get(name).cloned().unwrap_or_default();
                let asked = format!("{}|{}", text("$select"), text("$filter"));
                (0, self.count, 0, asked)
            }
        };
        let is_first = since == 0;
        // A page that is too old is a bad request, and not gone.
        if offset > 0 && at < self.forgotten {
            return error(400, "Directory_ExpiredPageToken");
        }
        if !is_first && since < self.forgotten {
            return error(410, "syncStateNotFound");
        }
        let (fields, filter) = asked.split_once('|').unwrap_or((&asked, ""));
        let fields: BTreeSet<String> = fields.split(',').map(str::to_owned).collect();
        let wanted = |id: &str| filter.is_empty() || filter.contains(&format!("'{id}'"));
        // Only those of this page are written down: there may be a hundred thousand.
        let mut found: Vec<(&String, &Object, Option<Vec<Value>>)> = Vec::new();
        for (id, object) in &self.objects {
            if !wanted(id) || object.changed <= since || is_first && object.removed.is_some() {
                continue;
            }
            if object.removed.is_some() || !fields.contains("members") {
                found.push((id, object, None));
                continue;
            }
            // Members come in parts, under the same object each time. Whoever hides them has none for most.
            let is_hidden = object.properties.get("visibility") == Some(&json!("HiddenMembership"));
            let changes = match is_hidden && !self.shows_hidden {
                true => Vec::new(),
                false => member_changes(object, since, is_first),
            };
            let parts = changes.chunks(page).map(<[Value]>::to_vec);
            let parts: Vec<Vec<Value>> = parts.collect();
            match parts.is_empty() {
                true => found.push((id, object, Some(Vec::new()))),
                false => found.extend(parts.into_iter().map(|part| (id, object, Some(part)))),
            }
        }
        if self.repeats && !is_first {
            found.reverse();
            found.extend(found.clone());
        }
        let rest = found.get(offset..).unwrap_or_default();
        let written = |(id, object, members): &(&String, &Object, Option<Vec<Value>>)| {
            if let Some(reason) = object.removed {
                return json!({"id": id, "@removed": {"reason": reason}});
            }
            let mut body = properties(id, object, &fields);
            if let Some(members) = members {
                body["members@delta"] = json!(members);
            }
            body
        };
        let value: Vec<Value> = rest.iter().take(page).map(written).collect();
        let mut body = json!({
            "@odata.context": format!("{url}/v1.0/$metadata#{}", self.name),
            "value": value,
        });
        let link = |name: &str, since: u64, offset: usize| {
            let token = encoded(&format!("{since}.{at}.{offset}.{asked}"));
            format!("{url}/v1.0/{}/delta?{name}={token}", self.name)
        };
        if rest.len() > page {
            body["@odata.nextLink"] = json!(link("$skiptoken", since, offset + page));
        } else {
            body["@odata.deltaLink"] = json!(link("$deltatoken", at.max(1), 0));
        }
        Said::json(&body)
    }
}

fn select(parameters: &BTreeMap<String, String>) -> BTreeSet<String> {
    let fields = parameters.get("$select").map(String::as_str);
    let fields = fields.unwrap_or("id").split(',');
    fields.map(str::to_owned).collect()
}

fn properties(id: &str, object: &Object, fields: &BTreeSet<String>) -> Value {
    let known = object.properties.iter();
    let mut body: Map<String, Value> = known
        .filter(|(name, _)| fields.contains(*name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    body.insert("id".to_owned(), json!(id));
    Value::Object(body)
}

fn member_changes(object: &Object, since: u64, is_first: bool) -> Vec<Value> {
    let mut changes = Vec::new();
    for (member, changed) in &object.member_changes {
        if *changed <= since {
            continue;
        }
        match object.members.get(member) {
            Some(is_user) => {
                let kind = if *is_user { "user" } else { "group" };
                let kind = format!("#microsoft.graph.{kind}");
                changes.push(json!({"@odata.type": kind, "id": member}));
            }
            None if is_first => {}
            None => changes.push(json!({
                "@odata.type": "#microsoft.graph.user", "id": member, "@removed": {"reason": "deleted"},
            })),
        }
    }
    changes
}

pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let byte = |byte: u8| match byte {
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
