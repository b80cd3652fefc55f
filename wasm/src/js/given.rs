//! What a host says about a request besides the frequent arguments, read member by member.
//!
//! A member that is `undefined` or `null` is as absent as one that is not there; one of another type than the declared
//! one throws.

use cae_core::engine::Detail;
use js_sys::{Array, Reflect, TypeError};
use wasm_bindgen::prelude::*;

use super::whole;

/// `MoreAboutRequest` of the declarations.
#[derive(Default)]
pub(super) struct MoreAboutRequest {
    pub(super) scheme: Option<String>,
    pub(super) confirmed: Option<String>,
    pub(super) facts: Facts,
    pub(super) signal_age: Vec<(String, u64)>,
    pub(super) detail: Detail,
}

/// `DirectoryFacts` of the declarations.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) member_of: Option<Vec<String>>,
    pub(super) roles: Option<Vec<String>>,
    pub(super) user_type: Option<String>,
    pub(super) external_user_type: Option<String>,
    pub(super) external_tenant: Option<String>,
    pub(super) client_app_type: Option<String>,
    pub(super) platform: Option<String>,
    pub(super) device_compliant: Option<bool>,
    pub(super) device: Option<String>,
}

impl MoreAboutRequest {
    pub(super) fn read(given: &JsValue) -> Result<Self, JsValue> {
        if given.is_undefined() {
            return Ok(Self::default());
        }
        let given = Given::object(given, "more")?;
        Ok(Self {
            scheme: given.text("scheme")?,
            confirmed: given.text("confirmed")?,
            facts: match given.member("facts")? {
                Some(facts) => Facts::read(&facts)?,
                None => Facts::default(),
            },
            signal_age: given.list("signalAge", signal_age)?.unwrap_or_default(),
            detail: detail(given.text("detail")?.as_deref())?,
        })
    }
}

impl Facts {
    fn read(given: &JsValue) -> Result<Self, JsValue> {
        let given = Given::object(given, "facts")?;
        let id = |value: &JsValue| value.as_string();
        Ok(Self {
            member_of: given.list("memberOf", id)?,
            roles: given.list("roles", id)?,
            user_type: given.text("userType")?,
            external_user_type: given.text("externalUserType")?,
            external_tenant: given.text("externalTenant")?,
            client_app_type: given.text("clientAppType")?,
            platform: given.text("platform")?,
            device_compliant: given.typed("deviceCompliant", JsValue::as_bool)?,
            device: given.text("device")?,
        })
    }
}

fn signal_age(given: &JsValue) -> Option<(String, u64)> {
    let given = Given::object(given, "signalAge").ok()?;
    let seconds = |value: &JsValue| value.as_f64().and_then(whole);
    Some((
        given.text("issuer").ok()??,
        given.typed("seconds", seconds).ok()??,
    ))
}

/// How much JSON is asked for; none unless said otherwise.
pub(super) fn detail(name: Option<&str>) -> Result<Detail, JsValue> {
    match name {
        None | Some("none") => Ok(Detail::None),
        Some("decision") => Ok(Detail::Decision),
        Some("explain") => Ok(Detail::Explain),
        Some(_) => Err(TypeError::new("detail is none, decision or explain").into()),
    }
}

/// An object that was handed in.
struct Given<'a>(&'a JsValue);

impl<'a> Given<'a> {
    fn object(value: &'a JsValue, name: &str) -> Result<Self, JsValue> {
        if value.is_object() {
            Ok(Self(value))
        } else {
            Err(wrong(name))
        }
    }

    fn member(&self, name: &str) -> Result<Option<JsValue>, JsValue> {
        let value = Reflect::get(self.0, &name.into())?;
        Ok((!value.is_undefined() && !value.is_null()).then_some(value))
    }

    fn typed<T>(
        &self,
        name: &str,
        read: impl Fn(&JsValue) -> Option<T>,
    ) -> Result<Option<T>, JsValue> {
        self.member(name)?
            .map(|value| read(&value).ok_or_else(|| wrong(name)))
            .transpose()
    }

    fn text(&self, name: &str) -> Result<Option<String>, JsValue> {
        self.typed(name, JsValue::as_string)
    }

    fn list<T>(
        &self,
        name: &str,
        read: impl Fn(&JsValue) -> Option<T>,
    ) -> Result<Option<Vec<T>>, JsValue> {
        self.typed(name, |value| {
            let list = value.dyn_ref::<Array>()?;
            list.iter().map(|member| read(&member)).collect()
        })
    }
}

fn wrong(name: &str) -> JsValue {
    TypeError::new(&format!("{name} does not have the declared type")).into()
}
