//! Who there is, and what has happened to them.

use std::collections::BTreeMap;

use cae_core::json::Value;
use cae_core::time::UnixTime;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Something that happens to an account.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Happening {
    /// `revoke`, `disable`, `enable`, `reset-password`, `risk`, `device` or `logout`.
    pub(crate) what: String,
    /// The user, client or device.
    pub(crate) user: String,
    /// Of `risk`: `low`, `medium` or `high`; of `device`: `compliant` or `not-compliant`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) level: Option<String>,
}

/// What a refresh token stands for.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) user: String,
    pub(super) client: String,
    pub(super) id: String,
    pub(super) began: u64,
    pub(super) device: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Account {
    disabled: bool,
    /// It is a client that gets tokens for itself: events name it as an application.
    is_workload: bool,
    /// Sessions that began before this second are over.
    valid_from: u64,
    risk: Option<String>,
}

/// All accounts and sessions.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    accounts: BTreeMap<String, Account>,
    /// By refresh token.
    sessions: BTreeMap<String, Session>,
}

impl Accounts {
    /// Signs somebody in; nothing if the account is disabled. Accounts come into being so.
    pub(super) fn sign_in(&mut self, session: Session, refresh_token: &str) -> Option<()> {
        let account = self.accounts.entry(session.user.clone()).or_default();
        if account.disabled {
            return None;
        }
        self.sessions.insert(refresh_token.to_owned(), session);
        Some(())
    }

    /// Lets a client have tokens for itself; `false` if it is disabled. Accounts come into being so, too.
    pub(super) fn admits_workload(&mut self, client: &str) -> bool {
        let account = self.accounts.entry(client.to_owned()).or_default();
        account.is_workload = true;
        !account.disabled
    }

    /// The session of a refresh token, unless it is over.
    pub(super) fn session(&self, refresh_token: &str) -> Option<Session> {
        let session = self.sessions.get(refresh_token)?;
        let account = self.accounts.get(&session.user)?;
        let is_over = account.disabled || session.began < account.valid_from;
        (!is_over).then(|| session.clone())
    }

    /// The id of the latest session of a user.
    pub(super) fn session_of(&self, user: &str) -> Option<String> {
        let sessions = self
            .sessions
            .values()
            .filter(|session| session.user == user);
        sessions
            .max_by_key(|session| session.began)
            .map(|session| session.id.clone())
    }

    /// Changes the account; says which event tells of it, with which members, about which subject.
    pub(super) fn happens(
        &mut self,
        happening: &Happening,
        now: UnixTime,
    ) -> Option<(&'static str, Vec<String>, Value)> {
        let level = happening.level.as_deref();
        if happening.what == "device" {
            let device =
                json!({"format": "complex", "device": {"format": "opaque", "id": happening.user}});
            let (before, after) = match level {
                Some("compliant") => ("not-compliant", "compliant"),
                _ => ("compliant", "not-compliant"),
            };
            let members = vec![
                format!("previous_status={before}"),
                format!("current_status={after}"),
            ];
            return Some(("device-compliance-change", members, device));
        }
        let account = self.accounts.entry(happening.user.clone()).or_default();
        let (user, principal) = if account.is_workload {
            let application = json!({"format": "opaque", "id": happening.user});
            (
                json!({"format": "complex", "application": application}),
                "APPLICATION",
            )
        } else {
            (json!({"format": "iss_sub", "sub": happening.user}), "USER")
        };
        let after = now.as_secs().saturating_add(1);
        match happening.what.as_str() {
            "revoke" | "logout" => {
                account.valid_from = after;
                let members = vec!["initiating_entity=admin".to_owned()];
                Some(("session-revoked", members, user))
            }
            "disable" => {
                account.disabled = true;
                account.valid_from = after;
                Some(("account-disabled", Vec::new(), user))
            }
            "enable" => {
                account.disabled = false;
                Some(("account-enabled", Vec::new(), user))
            }
            "reset-password" => {
                account.valid_from = after;
                let members = [
                    "credential_type=password",
                    "change_type=update",
                    "initiating_entity=admin",
                ];
                Some((
                    "credential-change",
                    members.map(str::to_owned).to_vec(),
                    user,
                ))
            }
            "risk" => {
                let level = level.unwrap_or("high").to_uppercase();
                account.risk = Some(level.clone());
                Some((
                    "risk-level-change",
                    vec![
                        format!("current_level={level}"),
                        format!("principal={principal}"),
                    ],
                    user,
                ))
            }
            _ => None,
        }
    }
}
