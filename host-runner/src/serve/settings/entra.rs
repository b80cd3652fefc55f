//! `[entra]` of `cae.toml`: the tenant that events and policies are read from, and how.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cae_core::configuration::read::{BAD_VALUE, Choice, MISSING_MEMBER, ObjectReader};
use cae_core::token::issuer_match::is_guid;

use super::reading::{count, file, url};

pub(super) const KEYS: &[&str] = &[
    "tenant",
    "clientId",
    "clientSecretFile",
    "certificateFile",
    "privateKeyFile",
    "cloud",
    "loginUri",
    "graphUri",
    "issuer",
    "features",
    "pollSeconds",
    "policySeconds",
    "notifications",
    "mostUsers",
    "mostMemberships",
];
pub(super) const NOTIFICATION_KEYS: &[&str] = &[
    "uri",
    "lifetimeMinutes",
    "encryptionCertificateFile",
    "encryptionPrivateKeyFile",
];

/// Longest life of a subscription to users, in minutes.
/// SPEC: <https://learn.microsoft.com/graph/api/resources/subscription#subscription-lifetime>.
const LONGEST_LIFE: u64 = 41_760;

/// A tenant as the source of events and policies.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entra {
    /// The tenant's id, in lower case.
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) credential: Credential,
    /// Base URL of the token endpoint, without a slash at its end.
    pub(crate) login: String,
    /// Base URL of the tenant's issuer, likewise.
    pub(crate) issuers: String,
    /// Base URL of Graph, likewise.
    pub(crate) graph: String,
    /// The issuer in the engine configuration whose users these are; found by the tenant if it is not named.
    pub(crate) issuer: Option<String>,
    pub(crate) features: Vec<Feature>,
    pub(crate) poll_every: Duration,
    pub(crate) policies_every: Duration,
    pub(crate) notifications: Option<Notifications>,
    pub(crate) most_users: usize,
    pub(crate) most_memberships: usize,
}

/// How the application proves who it is. Files are read when they are used.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Credential {
    Secret(PathBuf),
    Certificate {
        certificate: PathBuf,
        private_key: PathBuf,
    },
}

/// Change notifications.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Notifications {
    /// The public URL of `/entra/notifications` on the signals listener.
    pub(crate) uri: String,
    pub(crate) lifetime: Duration,
    /// Certificate and private key for resource data; without them notifications carry an id alone.
    pub(crate) encryption: Option<(PathBuf, PathBuf)>,
}

/// What is read from the tenant.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Feature {
    Policies,
    Users,
    UserRisk,
    SecondFactors,
    Applications,
    ApplicationRisk,
    Groups,
    Roles,
}

impl Choice for Feature {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("policies", Self::Policies),
        ("users", Self::Users),
        ("userRisk", Self::UserRisk),
        ("secondFactors", Self::SecondFactors),
        ("applications", Self::Applications),
        ("applicationRisk", Self::ApplicationRisk),
        ("groups", Self::Groups),
        ("roles", Self::Roles),
    ];
}

impl Feature {
    /// All of them, in the order in which they are named.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.iter().map(|(_, feature)| *feature)
    }

    /// Its name in `features`.
    pub(crate) fn name(self) -> &'static str {
        let mut names = Self::NAMES.iter();
        let found = names.find(|(_, feature)| *feature == self);
        found.map_or("", |(name, _)| name)
    }

    fn named(name: &str) -> Option<Self> {
        let mut names = Self::NAMES.iter();
        names
            .find(|(known, _)| *known == name)
            .map(|(_, feature)| *feature)
    }
}

/// Where a cloud has its endpoints.
/// SPEC: <https://learn.microsoft.com/graph/deployments>.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Cloud {
    #[default]
    Global,
    UsGovernment,
    UsGovernmentDod,
    China,
}

impl Choice for Cloud {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("global", Self::Global),
        ("usGovernment", Self::UsGovernment),
        ("usGovernmentDod", Self::UsGovernmentDod),
        ("china", Self::China),
    ];
}

impl Cloud {
    const fn login(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGovernment | Self::UsGovernmentDod => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// What the issuers of tenants begin with, which need not be where tokens are asked for.
    const fn issuers(self) -> &'static str {
        match self {
            // SPEC: <https://login.partner.microsoftonline.cn/common/v2.0/.well-known/openid-configuration>, `issuer`.
            Self::China => "https://login.partner.microsoftonline.cn",
            Self::Global | Self::UsGovernment | Self::UsGovernmentDod => self.login(),
        }
    }

    const fn graph(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGovernment => "https://graph.microsoft.us",
            Self::UsGovernmentDod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }
}

pub(super) fn read(mut object: ObjectReader<'_, '_>, folder: &Path) -> Option<Entra> {
    let mut id = |key: &str, what: &str, form: &'static str| {
        let node = object.require(key, what);
        node.and_then(|mut node| node.parse(form, guid))
    };
    let tenant = id(
        "tenant",
        "the id of the tenant",
        "the id of a tenant: a GUID, not a domain",
    );
    let client_id = id(
        "clientId",
        "the id of the application that reads the tenant",
        "the id of an application: a GUID",
    );
    let credential = credential(&mut object, folder);
    let cloud = object.choice("cloud", Cloud::default());
    let mut base = |key: &str| {
        let given = url(&mut object, key);
        given.map(|text| text.trim_end_matches('/').to_owned())
    };
    let login = base("loginUri");
    // Another place is another one for all that it says.
    let issuers = login.clone();
    let issuers = issuers.unwrap_or_else(|| cloud.issuers().to_owned());
    let login = login.unwrap_or_else(|| cloud.login().to_owned());
    let graph = base("graphUri").unwrap_or_else(|| cloud.graph().to_owned());
    let issuer = object
        .get("issuer")
        .and_then(|mut node| node.string())
        .map(str::to_owned);
    let what = "one of policies, users, userRisk, secondFactors, applications, applicationRisk, groups and roles";
    let features = object.list("features", what, Feature::named);
    let poll_every = Duration::from_secs(object.integer("pollSeconds", 1..=3_600, 60));
    let policies_every = Duration::from_secs(object.integer("policySeconds", 1..=86_400, 600));
    let most_users = count(object.integer("mostUsers", 1..=10_000_000, 1_000_000));
    let most_memberships = count(object.integer("mostMemberships", 1..=100_000_000, 5_000_000));
    let notifications = object
        .has("notifications")
        .then(|| notifications(object.object("notifications", NOTIFICATION_KEYS), folder));
    let notifications = match notifications {
        Some(notifications) => Some(notifications?),
        None => None,
    };
    Some(Entra {
        tenant: tenant?,
        client_id: client_id?,
        credential: credential?,
        login,
        issuers,
        graph,
        issuer,
        features: features.unwrap_or_else(|| Feature::all().collect()),
        poll_every,
        policies_every,
        notifications,
        most_users,
        most_memberships,
    })
}

fn guid(text: &str) -> Option<String> {
    is_guid(text).then(|| text.to_ascii_lowercase())
}

fn credential(object: &mut ObjectReader<'_, '_>, folder: &Path) -> Option<Credential> {
    let secret = file(object, "clientSecretFile", folder);
    let certificate = file(object, "certificateFile", folder);
    let private_key = file(object, "privateKeyFile", folder);
    match (secret, certificate, private_key) {
        (Some(secret), None, None) => Some(Credential::Secret(secret)),
        (None, Some(certificate), Some(private_key)) => Some(Credential::Certificate {
            certificate,
            private_key,
        }),
        (Some(_), _, _) => {
            object.fault(
                "clientSecretFile",
                BAD_VALUE,
                "stands beside a certificate; remove one of the two",
            );
            None
        }
        (None, Some(_), None) => {
            let what = "is missing: the private key of `certificateFile`, in PEM";
            object.fault("privateKeyFile", MISSING_MEMBER, what);
            None
        }
        (None, None, Some(_)) => {
            let what = "is missing: the certificate of `privateKeyFile`, in PEM";
            object.fault("certificateFile", MISSING_MEMBER, what);
            None
        }
        (None, None, None) => {
            let what = "is missing: the file that holds the client secret; or give `certificateFile` and `privateKeyFile`";
            object.fault("clientSecretFile", MISSING_MEMBER, what);
            None
        }
    }
}

fn notifications(mut object: ObjectReader<'_, '_>, folder: &Path) -> Option<Notifications> {
    let what = "the public URL of /entra/notifications on the signals listener";
    let uri = object.require("uri", what).and_then(|mut node| {
        node.parse(super::reading::URL, |text| {
            let sound = super::is_url(text) && !text.contains(['?', '#']);
            sound.then(|| text.trim_end_matches('/').to_owned())
        })
    });
    let lifetime = object.integer("lifetimeMinutes", 1..=LONGEST_LIFE, 4_230);
    let certificate = file(&mut object, "encryptionCertificateFile", folder);
    let private_key = file(&mut object, "encryptionPrivateKeyFile", folder);
    let encryption = match (certificate, private_key) {
        (Some(certificate), Some(private_key)) => Some((certificate, private_key)),
        (None, None) => None,
        (Some(_), None) => {
            let what = "is missing: the private key of `encryptionCertificateFile`, in PEM";
            object.fault("encryptionPrivateKeyFile", MISSING_MEMBER, what);
            None
        }
        (None, Some(_)) => {
            let what = "is missing: the certificate of `encryptionPrivateKeyFile`, in PEM";
            object.fault("encryptionCertificateFile", MISSING_MEMBER, what);
            None
        }
    };
    Some(Notifications {
        uri: uri?,
        lifetime: Duration::from_secs(lifetime.saturating_mul(60)),
        encryption,
    })
}

#[cfg(test)]
impl Entra {
    /// A tenant that nobody can reach.
    pub(crate) fn example() -> Self {
        Self {
            tenant: "aaaabbbb-0000-cccc-1111-dddd2222eeee".to_owned(),
            client_id: "00001111-aaaa-2222-bbbb-3333cccc4444".to_owned(),
            credential: Credential::Secret(PathBuf::new()),
            login: String::new(),
            issuers: String::new(),
            graph: String::new(),
            issuer: None,
            features: Vec::new(),
            poll_every: Duration::from_secs(60),
            policies_every: Duration::from_secs(60),
            notifications: None,
            most_users: 10,
            most_memberships: 10,
        }
    }
}
