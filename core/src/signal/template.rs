//! What an event of each type looks like: the members of its payload, and the JWT around it.
//!
//! Reading tolerates what specifications tell receivers to tolerate; this table is for writing, so it knows the
//! values that are defined and which members are required.

/// The form of one event type.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// Short name of the vocabulary.
    pub vocabulary: &'static str,
    /// Short name of the event type, unique within the vocabulary.
    pub name: &'static str,
    /// The member of `events`.
    pub uri: &'static str,
    /// The JWT around it.
    pub shape: Shape,
    /// Where the time of the event stands.
    pub time: EventTimeAt,
    /// Members of the payload that are defined.
    pub members: &'static [Member],
}

/// How a JWT says whom an event is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// `sub_id` beside `events` (SSF 1.0 §3.1).
    Set,
    /// The same, and the stream itself is the subject (SSF 1.0 §8.1.4.1).
    Stream,
    /// `sub_id` of the format `scim` (RFC 9967 §2.1).
    Scim,
    /// `subject` inside the event, with `subject_type` in place of `format`: SSE Implementer's Draft 1, Google.
    SubjectType,
    /// `subject` inside the event, its members subjects without a `format` around them: Okta.
    BareComplex,
    /// `sub` and `sid` of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
    Logout,
}

impl Shape {
    /// `typ` of the JOSE header.
    #[must_use]
    pub const fn typ(self) -> &'static str {
        match self {
            Self::Logout => "logout+jwt",
            _ => "secevent+jwt",
        }
    }

    /// Whether a transmitter has to be configured as `legacy` for the shape to be read.
    #[must_use]
    pub const fn is_legacy(self) -> bool {
        matches!(self, Self::SubjectType | Self::BareComplex)
    }
}

/// Where the time of an event stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EventTimeAt {
    /// `event_timestamp` of the payload.
    Member,
    /// The claim `toe` (RFC 8417 §2.2), where it differs from `iat`.
    Toe,
    /// `iat` alone.
    Issued,
}

/// One member of a payload.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it may hold.
    pub rule: Rule,
    /// Whether the event needs it.
    pub required: bool,
    /// What is written unless somebody says otherwise; empty for nothing.
    pub default: &'static str,
}

/// What a member may hold.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// One of these.
    OneOf(&'static [&'static str]),
    /// One of these, or a string that both parties agreed on.
    Agreed(&'static [&'static str]),
    /// Any string.
    Text,
    /// Texts by language tag.
    Texts,
    /// An object with members.
    Object,
    /// A list.
    List,
}

const fn required(name: &'static str, rule: Rule, default: &'static str) -> Member {
    Member {
        name,
        rule,
        required: true,
        default,
    }
}

const fn optional(name: &'static str, rule: Rule) -> Member {
    Member {
        name,
        rule,
        required: false,
        default: "",
    }
}

/// SPEC: CAEP 1.0 §2.
const INITIATOR: Member = optional(
    "initiating_entity",
    Rule::OneOf(&["admin", "user", "policy", "system"]),
);
const REASON_ADMIN: Member = optional("reason_admin", Rule::Texts);
const REASON_USER: Member = optional("reason_user", Rule::Texts);

/// SPEC: CAEP 1.0 §3.3.
const CREDENTIAL_TYPE: Rule = Rule::Agreed(&[
    "password",
    "pin",
    "x509",
    "fido2-platform",
    "fido2-roaming",
    "fido-u2f",
    "verifiable-credential",
    "phone-voice",
    "phone-sms",
    "app",
]);
const LEVELS: Rule = Rule::OneOf(&["LOW", "MEDIUM", "HIGH"]);
const OKTA_LEVELS: Rule = Rule::OneOf(&["low", "medium", "high"]);
const STATUSES: Rule = Rule::OneOf(&["compliant", "not-compliant"]);
const COMMON: &[Member] = &[INITIATOR, REASON_ADMIN, REASON_USER];
const OKTA_RISK: &[Member] = &[
    required("current_level", OKTA_LEVELS, "high"),
    required("previous_level", OKTA_LEVELS, "low"),
    INITIATOR,
    REASON_ADMIN,
];
const VERIFICATION: &[Member] = &[optional("state", Rule::Text)];
const STREAM_UPDATED: &[Member] = &[
    required(
        "status",
        Rule::OneOf(&["enabled", "paused", "disabled"]),
        "paused",
    ),
    optional("reason", Rule::Text),
];
const DISABLED: &[Member] = &[optional(
    "reason",
    Rule::Agreed(&["hijacking", "bulk-account"]),
)];
/// SPEC: RFC 9967 §2.4: `data` holds the values (`full`), `attributes` only their names (`notice`).
const SCIM_FULL: &[Member] = &[
    required("data", Rule::Object, r#"{"active":true}"#),
    optional("version", Rule::Text),
];
const SCIM_NOTICE: &[Member] = &[
    required("attributes", Rule::List, r#"["active"]"#),
    optional("version", Rule::Text),
];

macro_rules! templates {
    ($($vocabulary:literal $base:literal $shape:ident $time:ident {
        $($name:literal $suffix:literal $members:expr;)+
    })+) => {
        /// Every event type that can be written.
        pub const TEMPLATES: &[Template] = &[$($(Template {
            vocabulary: $vocabulary,
            name: $name,
            uri: concat!($base, $suffix),
            shape: Shape::$shape,
            time: EventTimeAt::$time,
            members: $members,
        }),+),+];
    };
}

templates! {
    "caep" "https://schemas.openid.net/secevent/caep/event-type/" Set Member {
        "session-revoked" "session-revoked" COMMON;
        "token-claims-change" "token-claims-change" &[
            required("claims", Rule::Object, ""), INITIATOR, REASON_ADMIN, REASON_USER,
        ];
        "credential-change" "credential-change" &[
            required("credential_type", CREDENTIAL_TYPE, "password"),
            required("change_type", Rule::OneOf(&["create", "revoke", "update", "delete"]), "update"),
            optional("friendly_name", Rule::Text),
            optional("x509_issuer", Rule::Text),
            optional("x509_serial", Rule::Text),
            optional("fido2_aaguid", Rule::Text),
            INITIATOR, REASON_ADMIN, REASON_USER,
        ];
        "assurance-level-change" "assurance-level-change" &[
            required("namespace", Rule::Agreed(&[
                "RFC8176", "RFC6711", "ISO-IEC-29115", "NIST-IAL", "NIST-AAL", "NIST-FAL",
            ]), "NIST-AAL"),
            required("current_level", Rule::Text, "nist-aal1"),
            optional("previous_level", Rule::Text),
            Member {
                required: false,
                ..required("change_direction", Rule::OneOf(&["increase", "decrease"]), "decrease")
            },
            INITIATOR, REASON_ADMIN, REASON_USER,
        ];
        "device-compliance-change" "device-compliance-change" &[
            required("previous_status", STATUSES, "compliant"),
            required("current_status", STATUSES, "not-compliant"),
            INITIATOR, REASON_ADMIN, REASON_USER,
        ];
        "session-established" "session-established" &[
            optional("fp_ua", Rule::Text), optional("acr", Rule::Text), optional("amr", Rule::List),
            optional("ext_id", Rule::Text), INITIATOR, REASON_ADMIN, REASON_USER,
        ];
        "session-presented" "session-presented" &[
            optional("fp_ua", Rule::Text), optional("ext_id", Rule::Text), INITIATOR, REASON_ADMIN, REASON_USER,
        ];
        "risk-level-change" "risk-level-change" &[
            required("principal", Rule::Agreed(&[
                "USER", "DEVICE", "SESSION", "TENANT", "ORG_UNIT", "GROUP", "APPLICATION",
            ]), "USER"),
            required("current_level", LEVELS, "HIGH"),
            optional("previous_level", LEVELS),
            optional("risk_reason", Rule::Text), INITIATOR, REASON_ADMIN, REASON_USER,
        ];
    }
    "risc" "https://schemas.openid.net/secevent/risc/event-type/" Set Toe {
        "account-credential-change-required" "account-credential-change-required" &[];
        "account-purged" "account-purged" &[];
        "account-disabled" "account-disabled" DISABLED;
        "account-enabled" "account-enabled" &[];
        "identifier-changed" "identifier-changed" &[optional("new-value", Rule::Text)];
        "identifier-recycled" "identifier-recycled" &[];
        "credential-compromise" "credential-compromise" &[
            required("credential_type", CREDENTIAL_TYPE, "password"), REASON_ADMIN, REASON_USER,
        ];
        "opt-in" "opt-in" &[];
        "opt-out-initiated" "opt-out-initiated" &[];
        "opt-out-cancelled" "opt-out-cancelled" &[];
        "opt-out-effective" "opt-out-effective" &[];
        "recovery-activated" "recovery-activated" &[];
        "recovery-information-changed" "recovery-information-changed" &[];
        "sessions-revoked" "sessions-revoked" COMMON;
    }
    "ssf" "https://schemas.openid.net/secevent/ssf/event-type/" Stream Toe {
        "verification" "verification" VERIFICATION;
        "stream-updated" "stream-updated" STREAM_UPDATED;
    }
    "logout" "http://schemas.openid.net/event/" Logout Issued {
        "backchannel-logout" "backchannel-logout" &[];
    }
    "scim" "urn:ietf:params:scim:event:" Scim Toe {
        "feed-add" "feed:add" &[];
        "feed-remove" "feed:remove" &[];
        "create-full" "prov:create:full" SCIM_FULL;
        "create-notice" "prov:create:notice" SCIM_NOTICE;
        "patch-full" "prov:patch:full" SCIM_FULL;
        "patch-notice" "prov:patch:notice" SCIM_NOTICE;
        "put-full" "prov:put:full" SCIM_FULL;
        "put-notice" "prov:put:notice" SCIM_NOTICE;
        "delete" "prov:delete" &[];
        "activate" "prov:activate" &[];
        "deactivate" "prov:deactivate" &[];
        "asyncresp" "misc:asyncresp" &[];
    }
    "sse" "https://schemas.openid.net/secevent/sse/event-type/" Stream Toe {
        "verification" "verification" VERIFICATION;
        "stream-updated" "stream-updated" STREAM_UPDATED;
    }
    "id1" "https://schemas.openid.net/secevent/caep/event-type/" SubjectType Member {
        "token-claims-changed" "token-claims-changed" &[required("claims", Rule::Object, ""), INITIATOR];
        "session-revoked/v1" "session-revoked/v1" &[INITIATOR];
    }
    "google" "https://schemas.openid.net/secevent/" SubjectType Issued {
        "sessions-revoked" "risc/event-type/sessions-revoked" &[];
        "tokens-revoked" "oauth/event-type/tokens-revoked" &[];
        "token-revoked" "oauth/event-type/token-revoked" &[];
        "account-disabled" "risc/event-type/account-disabled" DISABLED;
        "account-enabled" "risc/event-type/account-enabled" &[];
        "account-credential-change-required" "risc/event-type/account-credential-change-required" &[];
        "verification" "risc/event-type/verification" VERIFICATION;
    }
    "oauth" "https://schemas.openid.net/secevent/oauth/event-type/" SubjectType Issued {
        "token-issued" "token-issued" &[];
        "client-disabled" "client-disabled" &[];
        "client-enabled" "client-enabled" &[];
        "client-credential-changed" "client-credential-changed" &[];
    }
    "okta" "https://schemas.okta.com/secevent/okta/event-type/" BareComplex Member {
        "user-risk-change" "user-risk-change" OKTA_RISK;
        "device-risk-change" "device-risk-change" OKTA_RISK;
    }
}
