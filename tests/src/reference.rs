//! What `enforcement.md` says about events, written down a second time: slowly, literally, and from the page alone.
//!
//! The engine keeps records, merges them and looks them up by hashed keys. This interpreter keeps nothing: it holds
//! the history of deliveries as it is, and for every question it goes through **all** of it, event by event, and
//! compares strings. Where the two differ, one of them has misread the page; `tests/suites/model.rs` asks both.
//!
//! | file | rules |
//! |---|---|
//! | [`issuers`] | §2: whose name an issuer URL is, in which scope its subjects stand |
//! | [`tokens`] | §2, §3: the names that a token bears, its two issue times |
//! | [`subjects`] | §2: the names that an event uses, and which of them its transmitter may use |
//! | [`shapes`] | `ssf.md` §5, §9, RFC 9967, back-channel logout: what is read out of a delivery |
//! | [`effects`] | §4: what each type of event says |
//! | [`facts`] | §3, §4: a delivery read as facts |
//! | [`judgement`] | §4, §5: what all facts together mean for one token |
//! | [`policies`] | §6: the two policies that ask for what events say |

pub mod effects;
pub mod facts;
pub mod issuers;
pub mod judgement;
pub mod policies;
pub mod shapes;
pub mod subjects;
pub mod tokens;

use serde_json::Value;

/// What one SET said and when it was first accepted.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Seconds since 1970.
    pub received_at: u64,
    /// JOSE `typ`.
    pub typ: &'static str,
    /// The claims of the SET.
    pub payload: Value,
}

/// Text of a member, if it is text.
#[must_use]
pub fn text<'v>(object: &'v Value, member: &str) -> Option<&'v str> {
    object.get(member).and_then(Value::as_str)
}
