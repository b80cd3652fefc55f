//! Why a decision came out as it did: stable codes.

use alloc::borrow::Cow;
use alloc::string::String;

/// Which check gave a reason.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Check {
    /// Form, signature, issuer, audience, times, proof.
    Token,
    /// Events on the token's records.
    Event,
    /// Conditional Access policies.
    Policy,
    /// Scopes and authentication contexts of the route.
    Route,
    /// Signals and other facts of the host.
    Host,
}

/// One reason of a decision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reason {
    /// What was found.
    pub code: ReasonCode,
    /// The policy it comes from: its id, or its position if it has none.
    pub policy: Option<String>,
}

macro_rules! reason_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal in $check:ident),+ $(,)?) => {
        /// Stable codes; scripts and logs rely on them.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum ReasonCode {
            $($(#[doc = $doc])+ $variant),+
        }

        impl ReasonCode {
            /// All codes, in the order of their check.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as written in answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim()),+ }
            }

            /// The check that gives it.
            #[must_use]
            pub const fn check(self) -> Check {
                match self { $(Self::$variant => Check::$check),+ }
            }
        }
    };
}

reason_codes! {
    /// No token was presented.
    TokenMissing = "token_missing" in Token,
    /// More than one token, or a request that cannot be read.
    RequestMalformed = "request_malformed" in Token,
    /// Not a compact JWS with a JSON header and payload, or larger or deeper than allowed.
    TokenMalformed = "token_malformed" in Token,
    /// `typ` names another kind of JWT, or the payload has the shape of one.
    TokenType = "token_type" in Token,
    /// Algorithm outside the issuer's allow-list, or not the key's.
    TokenAlgorithm = "token_algorithm" in Token,
    /// A `crit` header extension that is not understood.
    TokenCritical = "token_critical_header" in Token,
    /// No key of the issuer fits.
    TokenKeyUnknown = "token_key_unknown" in Token,
    /// The signature does not verify.
    TokenSignature = "token_signature" in Token,
    /// `iss` is not configured, or does not agree with `tid`.
    TokenIssuer = "token_issuer" in Token,
    /// `aud` does not name this resource.
    TokenAudience = "token_audience" in Token,
    /// A required claim is missing or has the wrong type.
    TokenClaims = "token_claims" in Token,
    /// Past `exp`.
    TokenExpired = "token_expired" in Token,
    /// Before `nbf`, or `iat` in the future.
    TokenNotYetValid = "token_not_yet_valid" in Token,
    /// Older than the age cap.
    TokenTooOld = "token_too_old" in Token,
    /// Bound to a key whose possession was not proved.
    TokenUnproven = "token_unproven" in Token,
    /// The account was disabled.
    AccountDisabled = "account_disabled" in Event,
    /// The account was purged or deleted.
    AccountPurged = "account_purged" in Event,
    /// Sessions or tokens were revoked.
    SessionRevoked = "session_revoked" in Event,
    /// Password or PIN changed or reset.
    PasswordChanged = "password_changed" in Event,
    /// Another credential was revoked or deleted.
    CredentialChanged = "credential_changed" in Event,
    /// A credential has to be changed.
    CredentialChangeRequired = "credential_change_required" in Event,
    /// A credential was found compromised.
    CredentialCompromised = "credential_compromised" in Event,
    /// An address or number of the user changed, or belongs to somebody else now.
    IdentifierChanged = "identifier_changed" in Event,
    /// Multi-factor authentication was enabled after the token was issued.
    MfaEnabled = "mfa_enabled" in Event,
    /// A claim of the token, or a group or role behind it, changed after the token was issued.
    ClaimsChanged = "claims_changed" in Event,
    /// Assurance fell after the token was issued, and the token may claim more.
    AssuranceDecreased = "assurance_level_decreased" in Event,
    /// Risk rose to the critical level.
    RiskLevelHigh = "risk_level_high" in Event,
    /// The device stopped being compliant.
    DeviceNotCompliant = "device_not_compliant" in Event,
    /// A policy blocks.
    PolicyBlock = "policy_block" in Policy,
    /// A policy refuses the network location.
    PolicyLocation = "policy_location" in Policy,
    /// A policy's grant control is not met.
    PolicyControl = "policy_control_unmet" in Policy,
    /// The last authentication is too old for a policy's sign-in frequency.
    PolicySignInFrequency = "policy_sign_in_frequency" in Policy,
    /// A policy changed after the token was issued.
    PolicyChanged = "policy_changed" in Policy,
    /// A policy could not be told and the setting is `deny`.
    PolicyUndetermined = "policy_undetermined" in Policy,
    /// The route requires a scope that the token lacks.
    ScopeMissing = "scope_missing" in Route,
    /// The route requires an authentication context that the token lacks.
    AuthenticationContextMissing = "authentication_context_missing" in Route,
    /// The client address is missing or unusable.
    MissingClientAddress = "missing_fact:clientIp" in Host,
    /// The path of the request is missing.
    MissingPath = "missing_fact:path" in Host,
    /// The country is missing.
    MissingCountry = "missing_fact:country" in Host,
    /// A record could not be fetched or read.
    MissingRecord = "missing_fact:records" in Host,
    /// The signature was not checked.
    MissingSignature = "missing_fact:signature" in Host,
    /// The age of the signals is not known.
    MissingSignalAge = "missing_fact:signalAge" in Host,
    /// Signals are older than allowed.
    SignalsStale = "signals_stale" in Host,
    /// The engine failed.
    EngineFault = "engine_fault" in Host,
}

impl Check {
    /// The name of the check in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Event => "event",
            Self::Policy => "policy",
            Self::Route => "route",
            Self::Host => "host",
        }
    }
}

impl From<ReasonCode> for Cow<'static, str> {
    fn from(code: ReasonCode) -> Self {
        Cow::Borrowed(code.as_str())
    }
}
