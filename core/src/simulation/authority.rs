//! The issuers' side: accounts, sign-in sessions, tokens.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde_json::json;

use super::keys::{KeyRing, SignedToken};
use super::model::{
    AccountChange, Authentication, Client, Mover, Network, Party, Scenario, SignsIn, TokenIssuer,
    User,
};
use super::tokens::Contents;
use crate::challenge;
use crate::issuer;
use crate::json::{self, Limits, Map, Value};
use crate::time::UnixTime;

/// What an issuer knows of an account beside the directory.
#[derive(Clone, Debug)]
struct Account {
    enabled: bool,
    /// Sign-ins before this instant count no more (`signInSessionsValidFromDateTime`).
    sessions_valid_from: Option<UnixTime>,
    /// What happened that ends some kinds of sessions (`cae.md` §2, revocation matrix).
    session_events: Vec<(&'static str, UnixTime)>,
    /// Sign-ins before this instant count only with multi-factor authentication.
    mfa_enabled: Option<UnixTime>,
    risk_level: Option<String>,
}

/// What a client holds after an interactive sign-in, such as a refresh token.
#[derive(Clone, Debug)]
struct Session {
    authenticated: UnixTime,
    satisfied: Vec<String>,
    /// What it gave of itself when it began, kept for its refreshes.
    facts: Map<String, Value>,
}

/// All issuers with the accounts and sessions that they keep.
pub(super) struct Authority<'s> {
    scenario: &'s Scenario,
    pub(super) rings: BTreeMap<&'s str, KeyRing<'s>>,
    accounts: BTreeMap<&'s str, Account>,
    sessions: BTreeMap<Party, Session>,
    networks: BTreeMap<Party, Network>,
}

/// A sign-in under way.
pub(super) struct SignIn<'s> {
    pub(super) issuer_name: &'s str,
    issuer: &'s TokenIssuer,
    client: &'s Client,
    user: Option<&'s User>,
    party: Party,
    session: Session,
    network: Network,
    now: UnixTime,
    random: u64,
    /// The question for the engine's issuer end, as JSON text.
    pub(super) request: String,
}

impl<'s> Authority<'s> {
    pub(super) fn new(scenario: &'s Scenario) -> Self {
        let accounts = scenario.users.iter().map(|(name, user)| {
            let account = Account {
                enabled: true,
                sessions_valid_from: None,
                session_events: Vec::new(),
                mfa_enabled: None,
                risk_level: user.risk_level.clone(),
            };
            (name.as_str(), account)
        });
        let rings = scenario
            .issuers
            .iter()
            .map(|(name, issuer)| (name.as_str(), KeyRing::new(&issuer.keys)));
        Self {
            scenario,
            rings: rings.collect(),
            accounts: accounts.collect(),
            sessions: BTreeMap::new(),
            networks: BTreeMap::new(),
        }
    }

    /// Prepares a sign-in, a refresh, or the answer to the challenge in `header`. `None` only for parties that the
    /// file does not define.
    pub(super) fn sign_in(
        &mut self,
        party: &Party,
        authentication: &Authentication,
        header: Option<&str>,
        now: UnixTime,
        random: u64,
    ) -> Option<SignIn<'s>> {
        let client = self.scenario.clients.get(&party.client)?;
        let user = match &party.user {
            Some(user) => Some(self.scenario.users.get(user)?),
            None => None,
        };
        let issuer_name = match (&client.signs_in, user) {
            (_, Some(user)) => &user.issuer,
            (SignsIn::Itself { issuer, .. }, None) => issuer,
            (SignsIn::Users, None) => return None,
        };
        let (issuer_name, issuer) = self.scenario.issuers.get_key_value(issuer_name)?;
        let session = self.session(party, user, authentication, now);
        let network = self.network(party);
        let mut sign_in = SignIn {
            issuer_name,
            issuer,
            client,
            user,
            party: party.clone(),
            session,
            network,
            now,
            random,
            request: String::new(),
        };
        let account = party
            .user
            .as_deref()
            .and_then(|user| self.accounts.get(user));
        let mut request = self.request(&sign_in, account, header);
        if let Some(members) = request.as_object_mut() {
            members.extend(sign_in.session.facts.clone());
            members.extend(authentication.facts.clone());
        }
        sign_in.request = json::canonical(&request);
        Some(sign_in)
    }

    /// Issues the token that the engine's issuer end granted in `answer`, if it did.
    pub(super) fn issue(&mut self, sign_in: &SignIn<'s>, answer: &Value) -> Option<SignedToken> {
        let lifetime = answer.get("lifetimeSeconds")?.as_u64()?;
        let none = Map::new();
        let contents = Contents {
            issuer: sign_in.issuer,
            client: sign_in.client,
            user: sign_in.user,
            device: self.device(sign_in.user),
            address: sign_in.network.issuer_sees.as_deref(),
            issued: sign_in.now,
            lifetime,
            authenticated: sign_in.session.authenticated,
            satisfied: &sign_in.session.satisfied,
            granted: answer
                .get("claims")
                .and_then(Value::as_object)
                .unwrap_or(&none),
            id: sign_in.random,
        };
        let ring = self.rings.get(sign_in.issuer_name)?;
        let token = ring.sign(contents.header(), &contents.claims());
        self.sessions
            .insert(sign_in.party.clone(), sign_in.session.clone());
        Some(token)
    }

    /// Changes an account; says whether what the user signed in with is still good, `None` if there is nothing.
    pub(super) fn change(
        &mut self,
        user: &str,
        change: &AccountChange,
        now: UnixTime,
    ) -> Option<bool> {
        let account = self.accounts.get_mut(user)?;
        match change {
            AccountChange::Disabled => account.enabled = false,
            AccountChange::Enabled => account.enabled = true,
            AccountChange::SessionsRevoked => account.sessions_valid_from = Some(after(now)),
            AccountChange::SessionEvent(event) => account.session_events.push((event, after(now))),
            AccountChange::MfaEnabled => account.mfa_enabled = Some(after(now)),
            AccountChange::RiskLevel(level) => account.risk_level = Some(level.clone()),
        }
        let account = &*account;
        let mut sessions = self
            .sessions
            .iter()
            .filter(|(party, _)| party.user.as_deref() == Some(user))
            .peekable();
        sessions.peek()?;
        Some(sessions.all(|(_, session)| {
            let valid_from = account.valid_from(session);
            account.enabled
                && valid_from.is_none_or(|from| from <= session.authenticated)
                && !issuer::is_session_revoked(
                    session.facts.get("session").and_then(Value::as_str),
                    &account.session_events,
                    session.authenticated,
                )
        }))
    }

    pub(super) fn relocate(&mut self, who: &Mover, to: &Network) {
        let moved = |network: &Network| Network {
            issuer_sees: to.issuer_sees.clone().or(network.issuer_sees.clone()),
            resource_sees: to.resource_sees.clone().or(network.resource_sees.clone()),
        };
        // A user is where all the user's clients are.
        let parties: Vec<_> = match who {
            Mover::User(user) => self
                .scenario
                .clients
                .keys()
                .map(|client| Party {
                    user: Some(user.clone()),
                    client: client.clone(),
                })
                .collect(),
            Mover::Client(client) => alloc::vec![Party {
                user: None,
                client: client.clone(),
            }],
        };
        for party in parties {
            let network = moved(&self.network(&party));
            self.networks.insert(party, network);
        }
    }

    /// Where a party is now.
    pub(super) fn network(&self, party: &Party) -> Network {
        if let Some(network) = self.networks.get(party) {
            return network.clone();
        }
        let user = party.user.as_ref();
        match user.and_then(|user| self.scenario.users.get(user)) {
            Some(user) => user.network.clone(),
            None => match self
                .scenario
                .clients
                .get(&party.client)
                .map(|it| &it.signs_in)
            {
                Some(SignsIn::Itself { network, .. }) => network.clone(),
                _ => Network::default(),
            },
        }
    }

    /// The authentication that this sign-in rests on.
    fn session(
        &self,
        party: &Party,
        user: Option<&User>,
        authentication: &Authentication,
        now: UnixTime,
    ) -> Session {
        let kept = self.sessions.get(party);
        match (user, kept) {
            (Some(_), Some(session)) if !authentication.interactive => session.clone(),
            (Some(user), _) if authentication.interactive => Session {
                authenticated: now,
                satisfied: authentication
                    .satisfied
                    .clone()
                    .unwrap_or_else(|| user.satisfies.clone()),
                facts: authentication.facts.clone(),
            },
            // Nobody there and nothing kept: older than every sign-in that counts.
            (Some(_), _) => Session {
                authenticated: UnixTime::default(),
                satisfied: Vec::new(),
                facts: Map::new(),
            },
            (None, _) => Session {
                authenticated: now,
                satisfied: authentication.satisfied.clone().unwrap_or_default(),
                facts: authentication.facts.clone(),
            },
        }
    }

    fn request(
        &self,
        sign_in: &SignIn<'_>,
        account: Option<&Account>,
        header: Option<&str>,
    ) -> Value {
        let device = self.device(sign_in.user);
        let mut request = json!({
            "issuer": sign_in.issuer.issuer,
            "now": sign_in.now.as_secs(),
            "authTime": sign_in.session.authenticated.as_secs(),
            "satisfied": sign_in.session.satisfied,
            "clientApplication": sign_in.client.application_id,
            "clientCapabilities": sign_in.client.capabilities,
            "clientAppType": sign_in.client.client_app_type,
            "ipAddress": sign_in.network.issuer_sees,
            "random": sign_in.random,
        });
        let identity = match (sign_in.user, &sign_in.client.signs_in) {
            (Some(user), _) => json!({
                "user": user.object_id,
                "userType": user.user_type.as_str(),
                "memberOf": user.groups,
                "roles": user.roles,
                "userRisk": account.and_then(|account| account.risk_level.as_deref()),
                "accountEnabled": account.map(|account| account.enabled),
                "sessionsValidFrom": account
                    .and_then(|account| account.valid_from(&sign_in.session))
                    .map(UnixTime::as_secs),
                "sessionEvents": account.filter(|account| !account.session_events.is_empty()).map(|account| {
                    let events = account.session_events.iter();
                    events
                        .map(|(event, at)| json!({"event": event, "at": at.as_secs()}))
                        .collect::<Value>()
                }),
                "platform": device.and_then(|device| device.platform.as_deref()),
                "deviceCompliant": device.and_then(|device| device.is_compliant),
                "device": device.map(|device| {
                    let mut info = device.attributes.clone();
                    info.insert("deviceId".into(), device.id.as_str().into());
                    info
                }),
            }),
            (
                None,
                SignsIn::Itself {
                    service_principal_id,
                    ..
                },
            ) => {
                json!({ "servicePrincipal": service_principal_id })
            }
            (None, SignsIn::Users) => Value::Null,
        };
        let mut members = Map::new();
        for part in [request.as_object_mut(), identity.clone().as_object_mut()] {
            members.append(part.unwrap_or(&mut Map::new()));
        }
        if let Some(header) = header {
            add_challenge(&mut members, header);
        }
        members.retain(|_, value| !value.is_null());
        Value::Object(members)
    }

    fn device(&self, user: Option<&User>) -> Option<&'s super::model::Device> {
        self.scenario.devices.get(user?.device.as_ref()?)
    }
}

impl Account {
    /// From when on a sign-in must be to count. The epoch stands for no sign-in at all, which never does.
    fn valid_from(&self, session: &Session) -> Option<UnixTime> {
        let with_mfa = session.satisfied.iter().any(|control| control == "mfa");
        let mfa = self.mfa_enabled.filter(|_| !with_mfa);
        let never = session.authenticated == UnixTime::default();
        let any = never.then_some(UnixTime::from_secs(1));
        any.max(self.sessions_valid_from).max(mfa)
    }
}

/// A revocation voids what was signed in within the same second.
fn after(now: UnixTime) -> UnixTime {
    crate::time::EventTime::from(now).next_second()
}

/// What a client does with a challenge: it forwards what was asked for (`cae.md` §5, RFC 9470 §4).
fn add_challenge(members: &mut Map<String, Value>, header: &str) {
    let parsed = challenge::parse(header);
    let claims = parsed
        .claims
        .and_then(|claims| json::parse(claims.as_bytes(), Limits::TOKEN).ok());
    if let Some(claims) = claims {
        members.insert("claims".to_string(), claims);
    }
    if !parsed.acr_values.is_empty() {
        members.insert("acrValues".to_string(), parsed.acr_values.into());
    }
    if let Some(max_age) = parsed.max_age {
        members.insert("maxAge".to_string(), max_age.into());
    }
}
