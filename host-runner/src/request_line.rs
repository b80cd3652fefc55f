//! One line of `cae decide`: a request at the resource, read strictly.

use cae_core::decision::{DirectoryFacts, Request};
use cae_core::json::{self, Limits, Map, Value};
use cae_core::policy::device::Device;
use cae_core::time::UnixTime;

/// A request as the line gives it.
#[derive(Debug)]
pub(crate) struct RequestLine {
    /// `id`, as canonical JSON: it goes into the answer unchanged.
    pub(crate) id: String,
    /// `token`; empty for a request that carried none (`null`).
    pub(crate) token: String,
    /// `confirmed`.
    pub(crate) confirmed: Option<String>,
    now: UnixTime,
    client_ip: Option<String>,
    country: Option<String>,
    scheme: Option<String>,
    path: Option<String>,
    member_of: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    user_type: Option<String>,
    client_app_type: Option<String>,
    platform: Option<String>,
    external_user_type: Option<String>,
    external_tenant: Option<String>,
    device_compliant: Option<bool>,
    device: Option<String>,
    signal_age: Vec<(String, u64)>,
}

/// The lists of a [`RequestLine`], in the form that [`Request`] borrows.
#[derive(Default)]
pub(crate) struct Borrowed<'a> {
    member_of: Option<Vec<&'a str>>,
    roles: Option<Vec<&'a str>>,
    signal_age: Vec<(&'a str, u64)>,
}

impl RequestLine {
    /// Reads one line.
    ///
    /// # Errors
    /// One line that names the member by its JSON pointer.
    pub(crate) fn read(line: &str) -> Result<Self, String> {
        let value =
            json::parse(line.as_bytes(), Limits::EVENT).map_err(|error| not_json(&error))?;
        let mut members = Members::open(value, "")?;
        let id = members
            .take("id")
            .filter(|id| id.is_string() || id.is_u64());
        let id = id.ok_or("/id: must be a string or a whole number; it names the answer")?;
        let mut facts = match members.take("facts") {
            Some(facts) => Members::open(facts, "/facts")?,
            None => Members::default(),
        };
        let mut device = match facts.take("device") {
            Some(device) => Members::open(device, "/facts/device")?,
            None => Members::default(),
        };
        let device_compliant = device.flag("isCompliant")?;
        // Graph's `deviceInfo`: the engine reads it, and what it does not know is a slip of the pen.
        let mut info = Map::new();
        for (name, value) in core::mem::take(&mut device.values) {
            if Device::has_member(&name) {
                info.insert(name, value);
            } else {
                device.values.insert(name, value);
            }
        }
        let line = Self {
            id: json::canonical(&id),
            token: match members.values.remove("token") {
                Some(Value::String(token)) => token,
                Some(Value::Null) => String::new(),
                _ => {
                    return Err(
                        "/token: must be a string, or null for a request without a token"
                            .to_owned(),
                    );
                }
            },
            confirmed: members.text("confirmed")?,
            now: UnixTime::from_secs(members.seconds("now")?),
            client_ip: members.text("clientIp")?,
            country: members.text("country")?,
            scheme: members.text("scheme")?,
            path: members.text("path")?,
            member_of: facts.texts("memberOf")?,
            roles: facts.texts("roles")?,
            user_type: facts.text("userType")?,
            client_app_type: facts.text("clientAppType")?,
            platform: facts.text("platform")?,
            external_user_type: facts.text("externalUserType")?,
            external_tenant: facts.text("externalTenantId")?,
            device_compliant,
            device: (!info.is_empty()).then(|| json::canonical(&Value::Object(info))),
            signal_age: match members.take("signalAge") {
                Some(ages) => Members::open(ages, "/signalAge")?.into_ages()?,
                None => Vec::new(),
            },
        };
        device.close()?;
        facts.close()?;
        members.close()?;
        Ok(line)
    }

    /// The lists that [`RequestLine::request`] needs.
    pub(crate) fn borrow(&self) -> Borrowed<'_> {
        fn texts(texts: &Option<Vec<String>>) -> Option<Vec<&str>> {
            Some(texts.as_ref()?.iter().map(String::as_str).collect())
        }
        Borrowed {
            member_of: texts(&self.member_of),
            roles: texts(&self.roles),
            signal_age: self
                .signal_age
                .iter()
                .map(|(issuer, age)| (issuer.as_str(), *age))
                .collect(),
        }
    }

    /// The request as the engine takes it.
    pub(crate) fn request<'a>(&'a self, borrowed: &'a Borrowed<'a>) -> Request<'a> {
        Request {
            now: self.now,
            client_ip: self.client_ip.as_deref(),
            country: self.country.as_deref(),
            scheme: self.scheme.as_deref(),
            path: self.path.as_deref(),
            facts: DirectoryFacts {
                member_of: borrowed.member_of.as_deref(),
                roles: borrowed.roles.as_deref(),
                user_type: self.user_type.as_deref(),
                client_app_type: self.client_app_type.as_deref(),
                platform: self.platform.as_deref(),
                external_user_type: self.external_user_type.as_deref(),
                external_tenant: self.external_tenant.as_deref(),
                device_compliant: self.device_compliant,
                device: self.device.as_deref(),
            },
            signal_age: &borrowed.signal_age,
        }
    }
}

/// The members of one object that have not been read yet.
#[derive(Debug, Default)]
pub(crate) struct Members {
    values: Map<String, Value>,
    at: &'static str,
}

impl Members {
    pub(crate) fn open(value: Value, at: &'static str) -> Result<Self, String> {
        match value {
            Value::Object(values) => Ok(Self { values, at }),
            _ => Err(format!(
                "{}: must be an object",
                if at.is_empty() { "/" } else { at }
            )),
        }
    }

    /// A member; `null` is as good as absent, which is "unknown" to the engine.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.fault(name, "a string")),
        }
    }

    pub(crate) fn seconds(&mut self, name: &str) -> Result<u64, String> {
        let seconds = self.take(name).and_then(|value| value.as_u64());
        seconds.ok_or_else(|| self.fault(name, "whole seconds since 1970, as a number"))
    }

    /// Refuses what nobody asked for: a misspelt member must not pass for an absent one.
    pub(crate) fn close(self) -> Result<(), String> {
        match self.values.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("{}/{}: unknown member", self.at, escape(name))),
        }
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.fault(name, "true or false")),
        }
    }

    fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, String> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let texts = value.as_array().and_then(|texts| {
            let texts = texts.iter().map(|text| text.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>()
        });
        texts
            .map(Some)
            .ok_or_else(|| self.fault(name, "a list of strings"))
    }

    fn into_ages(self) -> Result<Vec<(String, u64)>, String> {
        let age = |(issuer, age): (String, Value)| match age.as_u64() {
            Some(age) => Ok((issuer, age)),
            None => Err(format!(
                "{}/{}: must be whole seconds, as a number",
                self.at,
                escape(&issuer)
            )),
        };
        self.values.into_iter().map(age).collect()
    }

    fn fault(&self, name: &str, expected: &str) -> String {
        format!("{}/{name}: must be {expected}", self.at)
    }
}

/// Why a line is no JSON. It is one line to the parser too, whose number would be taken for the line's own.
pub(crate) fn not_json(error: &json::JsonError) -> String {
    let error = error.to_string();
    format!(
        "not JSON: {}",
        error.strip_prefix("line 1 ").unwrap_or(&error)
    )
}

/// A member name within a JSON pointer (RFC 6901 §4).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_reaches_the_request() {
        let line = RequestLine::read(
            r#"{"id":7,"token":"t","now":5,"clientIp":"192.0.2.1","country":"DE","scheme":"DPoP","path":"/x",
                "confirmed":"k","facts":{"memberOf":["g"],"roles":["r"],"userType":"guest","clientAppType":"browser",
                "platform":"linux","device":{"isCompliant":true}},"signalAge":{"https://ssf.example":9}}"#,
        )
        .unwrap();
        assert_eq!((line.id.as_str(), line.token.as_str()), ("7", "t"));
        assert_eq!(line.confirmed.as_deref(), Some("k"));
        let borrowed = line.borrow();
        let request = line.request(&borrowed);
        assert_eq!(request.now, UnixTime::from_secs(5));
        assert_eq!(request.client_ip, Some("192.0.2.1"));
        assert_eq!(
            (request.country, request.scheme, request.path),
            (Some("DE"), Some("DPoP"), Some("/x"))
        );
        assert_eq!(request.facts.member_of, Some(["g"].as_slice()));
        assert_eq!(request.facts.roles, Some(["r"].as_slice()));
        assert_eq!(request.facts.user_type, Some("guest"));
        assert_eq!(request.facts.client_app_type, Some("browser"));
        assert_eq!(request.facts.platform, Some("linux"));
        assert_eq!(request.facts.device_compliant, Some(true));
        assert_eq!(request.signal_age, [("https://ssf.example", 9)]);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, error) in [
            (r#"[]"#, "/: must be an object"),
            (r#"{"id":"a","token":"t"}"#, "/now: must be"),
            (r#"{"id":"a","token":"t","now":-1}"#, "/now: must be"),
            (r#"{"id":"a","token":"t","now":1.5}"#, "/now: must be"),
            (r#"{"id":"a","now":1}"#, "/token: must be"),
            (r#"{"id":{},"token":"t","now":1}"#, "/id: must be"),
            (
                r#"{"id":"a","token":"t","now":1,"clientIP":"x"}"#,
                "/clientIP: unknown member",
            ),
            (
                r#"{"id":"a","token":"t","now":1,"a/b":1}"#,
                "/a~1b: unknown member",
            ),
            (
                r#"{"id":"a","token":"t","now":1,"facts":{"groups":[]}}"#,
                "/facts/groups: unknown member",
            ),
            (
                r#"{"id":"a","token":"t","now":1,"facts":{"roles":[1]}}"#,
                "/facts/roles: must be a list",
            ),
            (
                r#"{"id":"a","token":"t","now":1,"facts":{"device":{"x":1}}}"#,
                "/facts/device/x: unknown member",
            ),
            (
                r#"{"id":"a","token":"t","now":1,"signalAge":{"i":"x"}}"#,
                "/signalAge/i: must be",
            ),
            (
                r#"{"id":"a","id":"b","token":"t","now":1}"#,
                "repeated member `id`",
            ),
            (r#"{"id":"a""#, "not JSON: column"),
        ] {
            let found = RequestLine::read(line).unwrap_err();
            assert!(found.contains(error), "{line}: {found}");
        }
    }

    #[test]
    fn a_request_without_a_token_says_so() {
        let line = RequestLine::read(r#"{"id":"a","token":null,"now":1}"#).unwrap();
        assert_eq!(line.token, "");
    }
}
