//! A tenant, and the host of its reader, in a time of their own.

use std::cell::{Cell, RefCell};

use cae_core::state::Record;
use cae_core::state::record::{AccountStatus, Entry};
use cae_core::time::UnixTime;
use serde_json::{Value, json};
use ureq::http::{HeaderMap, HeaderValue, StatusCode};

use super::super::*;
use super::{BY, HOUR, MINUTE, USER};
use crate::entra::directory::Wanted;
use crate::entra::facts::{About, Fact, What};
use crate::entra::host::NotKept;
use crate::entra::time::in_seconds;
use crate::serve::client::{Ask, NoReply, Reply};

/// How Graph answers at a time.
pub(super) type Weather = fn(Duration) -> Sky;

pub(super) enum Sky {
    Clear,
    /// 403 where the path contains this.
    Forbidding(&'static str),
    /// Each page names itself as the next one.
    Circling,
    /// Links of before are refused with this status and code, for good.
    Refusing(u16, &'static str),
    /// The first page of everything is fine, and the second one is too old, each time.
    Breaking,
    /// Two pages name one another.
    Swinging,
    /// The token endpoint has a pause, and says for how long; or it does not know us, at length.
    TokenPause(u64),
    TokenRefusal,
    /// Nothing is answered.
    Out,
    /// 429, with or without a time to wait.
    Throttling(Option<u64>),
}

/// A world in which time passes only while somebody waits.
pub(super) struct Simulated {
    pub(super) elapsed: Cell<Duration>,
    pub(super) weather: Weather,
    /// What was asked of Graph, when, and the status of the answer.
    pub(super) asked: RefCell<Vec<(Duration, String, u16)>>,
    /// When the user was disabled.
    pub(super) disabled_at: Duration,
    pub(super) enabled_at: Duration,
    pub(super) facts: RefCell<Vec<(Duration, Fact)>>,
    pub(super) told: RefCell<Vec<String>>,
    pub(super) notes: RefCell<BTreeMap<String, Vec<u8>>>,
    /// Whether nothing can be kept, or no note.
    pub(super) full: Cell<bool>,
    pub(super) deaf: Cell<bool>,
    /// How far the clock was set back.
    pub(super) set_back: Cell<u64>,
    pub(super) wanted: Wanted,
}

impl Simulated {
    pub(super) fn new(weather: Weather, disabled_at: Duration) -> Self {
        Self {
            elapsed: Cell::new(Duration::ZERO),
            weather,
            asked: RefCell::default(),
            disabled_at,
            enabled_at: Duration::MAX,
            facts: RefCell::default(),
            told: RefCell::default(),
            notes: RefCell::default(),
            full: Cell::new(false),
            deaf: Cell::new(false),
            set_back: Cell::new(0),
            wanted: Wanted::default(),
        }
    }

    fn answer(&self, url: &str) -> Value {
        let path = url.strip_prefix("https://graph.example").unwrap_or(url);
        if path.ends_with("/token") {
            return json!({"access_token": "a.b.c", "expires_in": 3_599});
        }
        if path.contains("/subscriptions") {
            // Twenty minutes, whatever is asked for.
            let expires = in_seconds(self.now().saturating_add(20 * MINUTE));
            return json!({"id": "made", "expirationDateTime": expires, "value": []});
        }
        // Before, while and after the user is disabled.
        let now = self.elapsed.get();
        let state = [self.disabled_at, self.enabled_at];
        let state = state.iter().filter(|at| **at <= now).count();
        let begin = path.split('?').next().unwrap();
        let delta = format!("https://graph.example{begin}?$deltatoken={state}");
        let value = match path {
            // Everything, then what changed: Graph says it until somebody goes on from there.
            _ if path.ends_with(&format!("$deltatoken={state}")) => json!([]),
            _ if begin == "/v1.0/users/delta" => {
                json!([{"id": USER, "accountEnabled": state != 1, "userType": "Member"}])
            }
            _ if begin == "/v1.0/servicePrincipals/delta" => {
                json!([{"id": "0b000000-0000-4000-8000-0000000000d5", "appId": USER}])
            }
            _ => json!([]),
        };
        json!({"value": value, "@odata.deltaLink": delta})
    }

    pub(super) fn asks_between(
        &self,
        from: Duration,
        to: Duration,
    ) -> Vec<(Duration, String, u16)> {
        let asked = self.asked.borrow();
        asked
            .iter()
            .filter(|(at, ..)| (from..to).contains(at))
            .cloned()
            .collect()
    }

    /// Lets the reader work for so long.
    pub(super) fn live(&self, reader: &mut Reader, time: Duration) {
        let end = self.elapsed.get() + time;
        reader.run(self, |wait| {
            let now = self.elapsed.get();
            // Work takes no time here, but waiting for nothing at all would be a loop without end.
            self.elapsed.set(now + wait.max(Duration::from_millis(1)));
            Mail {
                stopped: self.elapsed.get() >= end,
                ..Mail::default()
            }
        });
    }
}

impl Host for Simulated {
    fn send(&self, ask: Ask<'_>) -> Result<Reply, NoReply> {
        let now = self.elapsed.get();
        let (status, headers, body) = match (self.weather)(now) {
            Sky::Out => (0, HeaderMap::new(), Value::Null),
            Sky::Throttling(wait) => {
                let mut headers = HeaderMap::new();
                if let Some(wait) = wait {
                    headers.insert("retry-after", HeaderValue::from(wait));
                }
                (429, headers, json!({"error": {"code": "TooManyRequests"}}))
            }
            Sky::Circling if !ask.url.ends_with("/token") => {
                let page = json!({"value": [], "@odata.nextLink": ask.url});
                (200, HeaderMap::new(), page)
            }
            Sky::Forbidding(part) if ask.url.contains(part) => {
                let denied = json!({"error": {"code": "Authorization_RequestDenied"}});
                (403, HeaderMap::new(), denied)
            }
            Sky::TokenPause(wait) if ask.url.ends_with("/token") => {
                let mut headers = HeaderMap::new();
                headers.insert("retry-after", HeaderValue::from(wait));
                (503, headers, Value::Null)
            }
            Sky::TokenRefusal if ask.url.ends_with("/token") => {
                let codes = vec![7_000_215; 1_000];
                let refusal = json!({"error": "x".repeat(100_000), "error_codes": codes});
                (401, HeaderMap::new(), refusal)
            }
            Sky::Refusing(status, code) if ask.url.contains("deltatoken") => {
                (status, HeaderMap::new(), json!({"error": {"code": code}}))
            }
            Sky::Breaking if ask.url.contains("second") => {
                let gone = json!({"error": {"code": "syncStateNotFound"}});
                (410, HeaderMap::new(), gone)
            }
            Sky::Breaking | Sky::Swinging if ask.url.contains("/delta?") => {
                let is_second = ask.url.ends_with("second");
                let begin = ask.url.split('?').next().unwrap();
                let next = format!("{begin}?{}", if is_second { "first" } else { "second" });
                let page = json!({"value": [{"id": "x"}], "@odata.nextLink": next});
                (200, HeaderMap::new(), page)
            }
            Sky::Forbidding(_)
            | Sky::Refusing(..)
            | Sky::TokenPause(_)
            | Sky::TokenRefusal
            | Sky::Breaking
            | Sky::Swinging
            | Sky::Circling
            | Sky::Clear => (200, HeaderMap::new(), self.answer(ask.url)),
        };
        self.asked
            .borrow_mut()
            .push((now, ask.url.to_owned(), status));
        if status == 0 {
            return Err(NoReply("no route to host".to_owned()));
        }
        Ok(Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.to_string().into_bytes(),
        })
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_secs(1_800_000_000 + self.elapsed.get().as_secs() - self.set_back.get())
    }

    fn elapsed(&self) -> Duration {
        self.elapsed.get()
    }

    fn pause(&self, time: Duration) -> bool {
        self.elapsed.set(self.elapsed.get() + time);
        false
    }

    fn record(&self, about: &About) -> Record {
        let mut record = Record::default();
        for (_, fact) in self
            .facts
            .borrow()
            .iter()
            .filter(|(_, it)| it.about == *about)
        {
            let value = match fact.what {
                What::Disabled => AccountStatus::Disabled,
                What::Purged => AccountStatus::Purged,
                What::Enabled => AccountStatus::Enabled,
                _ => continue,
            };
            let entry = Entry {
                at: fact.at,
                issued: fact.at.floor(),
                value,
            };
            record.merge(&Record {
                status: vec![(BY, entry)],
                ..Record::default()
            });
        }
        record
    }

    fn keep(&self, facts: &[Fact]) -> Result<(), NotKept> {
        if self.full.get() && !facts.is_empty() {
            return Err(NotKept);
        }
        let now = self.elapsed.get();
        self.facts
            .borrow_mut()
            .extend(facts.iter().map(|fact| (now, fact.clone())));
        Ok(())
    }

    fn note(&self, name: &str, value: Vec<u8>) -> Result<(), NotKept> {
        if self.deaf.get() {
            return Err(NotKept);
        }
        self.notes.borrow_mut().insert(name.to_owned(), value);
        Ok(())
    }

    fn wanted(&self) -> Wanted {
        self.wanted.clone()
    }

    fn tell(&self, what: &str) {
        self.told.borrow_mut().push(what.to_owned());
    }

    fn count(&self, _: u16) {}

    fn alive(&self) {}

    fn longest_token(&self) -> Duration {
        28 * HOUR
    }
}
