//! The module for JavaScript hosts: the class `Engine`, typed by `js/types.rs`, and the tools if they are wanted.
//!
//! The call that happens on every request, `decide`, takes numbers and short strings; whatever is rare goes into one
//! optional object. An argument that the declared types do not allow throws a `TypeError`, never decides.
#![expect(
    clippy::missing_errors_doc,
    reason = "these comments become those of the TypeScript declarations, where errors are thrown"
)]

mod answer;
mod given;
#[cfg(feature = "prepared")]
pub mod prepared;
#[cfg(feature = "simulation")]
pub mod simulation;
#[cfg(feature = "tools")]
pub mod tools;
mod types;

use cae_core::decision::{Answers, DirectoryFacts, RecordAnswer, Request};
use cae_core::engine::{self, Conversation as _, Handle, SignatureAnswer};
use cae_core::time::UnixTime;
use js_sys::{Array, JSON, TypeError, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::convert::{faults, reached, texts};
use given::MoreAboutRequest;
use types::ConfigurationError;

/// One engine with its configuration and the tokens it knows by handle.
///
/// After a `RuntimeError` (a fault in the engine) discard the whole module instance: nothing else is affected.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine(Held);

#[cfg(not(feature = "prepared"))]
type Held = engine::Engine;
/// An instance of a module for the edge holds one engine and goes with it: the code that drops one is left out.
#[cfg(feature = "prepared")]
type Held = std::mem::ManuallyDrop<engine::Engine>;

#[cfg(not(feature = "prepared"))]
const fn held(engine: engine::Engine) -> Held {
    engine
}
#[cfg(feature = "prepared")]
const fn held(engine: engine::Engine) -> Held {
    Held::new(engine)
}

#[wasm_bindgen]
impl Engine {
    /// Reads an engine configuration (JSON) and compiles its policies.
    ///
    /// `seed` only seeds hash tables: give each instance its own random number.
    ///
    /// Throws a `ConfigurationError` that lists every fault.
    #[wasm_bindgen(constructor)]
    pub fn new(configuration: &str, seed: u64) -> Result<Self, JsValue> {
        made(configuration, seed)
    }

    /// Reads a token and says what its decision needs. `now` is in seconds since the epoch; `detail` is how much
    /// JSON a refusal carries.
    ///
    /// Throws a `TypeError` if `now` is not a time.
    #[wasm_bindgen(unchecked_return_type = "Begun")]
    pub fn begin(
        &mut self,
        token: &str,
        now: f64,
        #[wasm_bindgen(unchecked_optional_param_type = "Detail")] detail: Option<String>,
    ) -> Result<JsValue, JsValue> {
        let detail = given::detail(detail.as_deref())?;
        let begun = self.0.begin(token, time(now)?, detail);
        Ok(answer::begun(reached(begun)))
    }

    /// Decides one request with a token that began before.
    ///
    /// `signature` says whether it verifies, if that was asked; `records` holds one answer per needed record, in the
    /// order of the needs.
    ///
    /// Throws a `TypeError` if `now` is not a time, or `more` does not have the declared shape.
    #[expect(
        clippy::too_many_arguments,
        reason = "numbers and short strings cross the boundary far cheaper than an object that holds them"
    )]
    #[wasm_bindgen(unchecked_return_type = "Decided")]
    pub fn decide(
        &mut self,
        handle: f64,
        now: f64,
        #[wasm_bindgen(js_name = clientIp)] client_ip: Option<String>,
        country: Option<String>,
        path: Option<String>,
        signature: Option<bool>,
        #[wasm_bindgen(unchecked_param_type = "readonly RecordAnswer[]")] records: &Array,
        #[wasm_bindgen(unchecked_optional_param_type = "MoreAboutRequest")] more: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let now = time(now)?;
        let more = MoreAboutRequest::read(more)?;
        let facts = &more.facts;
        let member_of = facts.member_of.as_deref().map(texts);
        let roles = facts.roles.as_deref().map(texts);
        let signal_age: Vec<(&str, u64)> = more
            .signal_age
            .iter()
            .map(|(issuer, seconds)| (issuer.as_str(), *seconds))
            .collect();
        let request = Request {
            now,
            client_ip: client_ip.as_deref(),
            country: country.as_deref(),
            scheme: more.scheme.as_deref(),
            path: path.as_deref(),
            facts: DirectoryFacts {
                member_of: member_of.as_deref(),
                roles: roles.as_deref(),
                user_type: facts.user_type.as_deref(),
                external_user_type: facts.external_user_type.as_deref(),
                external_tenant: facts.external_tenant.as_deref(),
                client_app_type: facts.client_app_type.as_deref(),
                platform: facts.platform.as_deref(),
                device_compliant: facts.device_compliant,
                device: facts.device.as_deref(),
            },
            signal_age: &signal_age,
        };
        let records: Vec<StoreAnswer> = (0..records.length())
            .map(|place| StoreAnswer::read(records, place))
            .collect();
        let records: Vec<RecordAnswer<'_>> = records.iter().map(StoreAnswer::lend).collect();
        let answers = Answers {
            signature,
            confirmed: more.confirmed.as_deref(),
            records: &records,
        };
        let decided = self
            .0
            .decide(handle_of(handle), &request, &answers, more.detail);
        Ok(answer::decided(reached(decided)))
    }

    /// Who presents a token that passed; `undefined` if the handle names none.
    #[wasm_bindgen(unchecked_return_type = "Presenter | undefined")]
    pub fn presenter(&mut self, handle: f64) -> JsValue {
        let presenter = self.0.presenter(handle_of(handle));
        presenter.map_or(JsValue::UNDEFINED, |it| answer::presenter(&it))
    }

    /// Reads a security event token (compact JWS) that was received at `receivedAt`, in seconds since the epoch.
    /// `signature` is the answer to `needsSignature` or `needsKey`.
    ///
    /// Throws a `TypeError` if `receivedAt` is not a time, or `signature` is none of the declared answers.
    #[wasm_bindgen(js_name = readEvent, unchecked_return_type = "EventReading")]
    pub fn read_event(
        &mut self,
        set: &str,
        #[wasm_bindgen(js_name = receivedAt)] received_at: f64,
        #[wasm_bindgen(unchecked_optional_param_type = "SignatureAnswer")] signature: Option<
            String,
        >,
    ) -> Result<JsValue, JsValue> {
        let signature = signature_answer(signature.as_deref())?;
        let reading = self.0.read_event(set, time(received_at)?, signature);
        Ok(answer::event_reading(&reached(reading)))
    }

    /// Replaces the key set (RFC 7517) of an issuer or transmitter. No faults: it took.
    #[wasm_bindgen(js_name = setKeys, unchecked_return_type = "Fault[]")]
    pub fn set_keys(&mut self, issuer: &str, jwks: &str) -> JsValue {
        parsed(&reached(self.0.set_keys(issuer, jwks)))
    }

    /// Replaces the configuration, all or nothing. No faults: it took.
    #[wasm_bindgen(unchecked_return_type = "Fault[]")]
    pub fn reconfigure(&mut self, configuration: &str) -> JsValue {
        parsed(&reached(self.0.reconfigure(configuration)))
    }

    /// How many of the tokens that the engine knows the configuration in force may turn away because of what changed in
    /// it: ask after `reconfigure`. Every known token is looked at.
    ///
    /// Throws a `TypeError` if `now` is not a time.
    #[wasm_bindgen(js_name = outdatedTokens)]
    pub fn outdated_tokens(&mut self, now: f64) -> Result<u32, JsValue> {
        Ok(reached(self.0.outdated_tokens(time(now)?)))
    }
}

fn made(configuration: &str, seed: u64) -> Result<Engine, JsValue> {
    engine::Engine::new(configuration, seed)
        .map(|engine| Engine(held(engine)))
        .map_err(|found| {
            let error = ConfigurationError::new(&found.to_string());
            error.set_name("ConfigurationError");
            error.set_faults(parsed(&faults(&found)));
            error.into()
        })
}

/// What a store said about one key, with the bytes copied out of JavaScript.
enum StoreAnswer {
    Found(Vec<u8>),
    None,
    Failed,
}

impl StoreAnswer {
    /// Only `null` says that there is no record: a forgotten answer (`undefined`) is one that failed.
    ///
    /// Where the next `null` stands is a number, which crosses for less than the answer itself; most answers are `null`.
    fn read(answers: &Array, place: u32) -> Self {
        let next = answers.index_of(&JsValue::NULL, place.cast_signed());
        if u32::try_from(next) == Ok(place) {
            return Self::None;
        }
        match answers.get(place).dyn_ref::<Uint8Array>() {
            Some(bytes) => Self::Found(bytes.to_vec()),
            None => Self::Failed,
        }
    }

    fn lend(&self) -> RecordAnswer<'_> {
        match self {
            Self::Found(bytes) => RecordAnswer::Found(bytes),
            Self::None => RecordAnswer::None,
            Self::Failed => RecordAnswer::Failed,
        }
    }
}

/// The merge of two records; `undefined` if one of them cannot be read.
#[wasm_bindgen(js_name = mergeRecords)]
#[must_use]
pub fn merge_records(
    #[wasm_bindgen(unchecked_param_type = "Uint8Array")] a: &[u8],
    #[wasm_bindgen(unchecked_param_type = "Uint8Array")] b: &[u8],
) -> Option<Vec<u8>> {
    cae_core::state::merge_bytes(a, b)
}

/// Decodes the value of a `WWW-Authenticate` header (canonical JSON).
#[wasm_bindgen(js_name = parseChallenge)]
#[must_use]
pub fn parse_challenge(header: &str) -> String {
    cae_core::tools::parse_challenge(header)
}

/// The version of the engine.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

fn signature_answer(answer: Option<&str>) -> Result<SignatureAnswer, JsValue> {
    match answer {
        None => Ok(SignatureAnswer::NotChecked),
        Some("valid") => Ok(SignatureAnswer::Valid),
        Some("invalid") => Ok(SignatureAnswer::Invalid),
        Some("keyUnknown") => Ok(SignatureAnswer::KeyUnknown),
        Some(_) => Err(TypeError::new("signature is valid, invalid or keyUnknown").into()),
    }
}

/// A canonical JSON answer as a JavaScript value.
fn parsed(json: &str) -> JsValue {
    JSON::parse(json).unwrap_or(JsValue::UNDEFINED)
}

/// Seconds since the epoch; a fraction is cut off.
fn time(seconds: f64) -> Result<UnixTime, JsValue> {
    whole(seconds.floor())
        .map(UnixTime::from_secs)
        .ok_or_else(|| TypeError::new("a time is a number of seconds since 1970-01-01").into())
}

/// What is no handle of ours names no token: the answer is `stale`.
fn handle_of(handle: f64) -> Handle {
    Handle(whole(handle).unwrap_or(u64::MAX))
}

/// A number that is a non-negative integer which JavaScript holds exactly.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the only way from f64 to u64; exact within the checked range"
)]
fn whole(number: f64) -> Option<u64> {
    let exact = (0.0..=js_sys::Number::MAX_SAFE_INTEGER).contains(&number) && number.fract() == 0.0;
    exact.then_some(number as u64)
}
