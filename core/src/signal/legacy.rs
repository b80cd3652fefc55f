//! Shapes of before SSF 1.0, read only from transmitters that are configured as `legacy` (`ssf.md` §9).

use alloc::borrow::Cow;

use alloc::string::String;

use crate::json::{Map, Value};

/// The subject that stands inside the event, where `sub_id` is absent: Okta, Google, SSE Implementer's Draft 1.
pub(super) fn subject(events: &Map<String, Value>) -> Option<&Value> {
    let mut subjects = events.values().map(|event| event.get("subject"));
    subjects
        .next()
        .flatten()
        .filter(|_| subjects.next().is_none())
}

/// The subject with the `format` that drafts left out of complex ones: every member is a subject itself.
pub(super) fn with_format(subject: &Value) -> Cow<'_, Value> {
    match subject.as_object() {
        Some(members)
            if !members.contains_key("format") && members.values().all(Value::is_object) =>
        {
            let mut complex = members.clone();
            complex.insert("format".into(), "complex".into());
            Cow::Owned(Value::Object(complex))
        }
        _ => Cow::Borrowed(subject),
    }
}
