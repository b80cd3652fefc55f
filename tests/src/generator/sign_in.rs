//! Random sign-ins: every fact sometimes absent, null, odd or a stranger's.

use serde_json::{Map, Value, json};

use super::mutation::other_letters;
use super::{Random, Vocabulary};

const PLATFORMS: [&str; 8] = [
    "android",
    "iOS",
    "windows",
    "windowsPhone",
    "macOS",
    "linux",
    "",
    "WINDOWS",
];
const CLIENT_APPS: [&str; 6] = [
    "browser",
    "mobileAppsAndDesktopClients",
    "exchangeActiveSync",
    "easSupported",
    "other",
    "Browser",
];
const RISKS: [&str; 5] = ["low", "medium", "high", "none", "High"];
const INSIDER_RISKS: [&str; 4] = ["none", "minor", "moderate", "elevated"];
const FLOWS: [&str; 3] = ["none", "deviceCodeFlow", "authenticationTransfer"];
const GUESTS: [&str; 8] = [
    "internalGuest",
    "b2bCollaborationGuest",
    "b2bCollaborationMember",
    "b2bDirectConnectUser",
    "otherExternalUser",
    "serviceProvider",
    "b2bCollaborationGuest,b2bCollaborationMember",
    "internalGuest, serviceProvider",
];
const CONTROLS: [&str; 8] = [
    "mfa",
    "MFA",
    "compliantDevice",
    "domainJoinedDevice",
    "approvedApplication",
    "compliantApplication",
    "passwordChange",
    "riskRemediation",
];
const ODD: [&str; 6] = [
    "unknownFutureValue",
    "all",
    "hidden",
    "modern",
    "critical",
    "c100",
];
const STRANGERS: [&str; 4] = [
    "5f2c8b1e-9a3d-4e7f-8b6a-0c1d2e3f4a5b",
    "77777777-7777-4777-8777-777777777777",
    "Office365",
    "<Group>",
];

/// Draws the facts of one sign-in.
struct Facts<'r> {
    random: &'r mut Random,
    /// How many of a hundred facts are absent.
    absent: usize,
    members: Map<String, Value>,
}

impl Facts<'_> {
    /// Adds a fact, unless it is absent or null.
    fn add(&mut self, name: &str, fact: impl FnOnce(&mut Random) -> Value) {
        if self.random.percent(self.absent) {
            return;
        }
        let value = if self.random.one_in(40) {
            Value::Null
        } else {
            fact(self.random)
        };
        self.members.insert(name.to_owned(), value);
    }

    /// Adds one of an enumeration, or seldom something odd.
    fn add_one_of(&mut self, name: &str, values: &[&str]) {
        self.add(name, |random| {
            json!(if random.one_in(16) {
                random.pick(&ODD)
            } else {
                random.pick(values)
            })
        });
    }
}

/// A sign-in against policies that name `near`, in a world in which all policies name `far`.
#[must_use]
pub fn sign_in(random: &mut Random, near: &Vocabulary, far: &Vocabulary, id: &str) -> Value {
    let absent = *random.pick(&[0, 0, 0, 2, 5, 20, 50]);
    let mut facts = Facts {
        random,
        absent,
        members: Map::new(),
    };
    facts.add("memberOf", |random| ids(random, &near.groups, &far.groups));
    facts.add("roles", |random| ids(random, &near.roles, &far.roles));
    facts.add_one_of("userType", &["member", "member", "guest", "Guest"]);
    facts.add("satisfied", |random| satisfied(random, &near.controls));
    facts.add("signInIdentity", |random| {
        identity(random, absent, near, far)
    });
    facts.add("signInContext", |random| context(random, absent, near, far));
    facts.add("signInConditions", |random| {
        conditions(random, absent, near, far)
    });
    let mut sign_in = facts.members;
    sign_in.insert("id".to_owned(), json!(id));
    Value::Object(sign_in)
}

/// An id that the policies name, that other policies name, or a stranger's.
fn id(random: &mut Random, near: &[String], far: &[String]) -> String {
    let id = match random.below(10) {
        0..=5 if !near.is_empty() => random.pick(near).clone(),
        0..=7 if !far.is_empty() => random.pick(far).clone(),
        _ => (*random.pick(&STRANGERS)).to_owned(),
    };
    if random.one_in(8) {
        other_letters(random, &id)
    } else {
        id
    }
}

/// Few ids; none is known to be none.
fn ids(random: &mut Random, near: &[String], far: &[String]) -> Value {
    let count = *random.pick(&[0, 1, 1, 2, 5]);
    (0..count).map(|_| json!(id(random, near, far))).collect()
}

/// Mostly one application.
fn applications(random: &mut Random, near: &Vocabulary, far: &Vocabulary) -> Value {
    if random.one_in(6) {
        return ids(random, &near.applications, &far.applications);
    }
    json!([id(random, &near.applications, &far.applications)])
}

fn satisfied(random: &mut Random, near: &[String]) -> Value {
    let share = *random.pick(&[10, 50, 90, 100]);
    let mut satisfied = random.some(near, share);
    let everyday: Vec<String> = CONTROLS.iter().map(|name| (*name).to_owned()).collect();
    satisfied.extend(random.some(&everyday, share / 2));
    satisfied.retain(|name| !name.eq_ignore_ascii_case("block"));
    random.shuffle(&mut satisfied);
    json!(satisfied)
}

fn identity(random: &mut Random, absent: usize, near: &Vocabulary, far: &Vocabulary) -> Value {
    let share = if near.principals.is_empty() { 6 } else { 40 };
    let kind = *if random.percent(share) {
        random.pick(&[
            "#microsoft.graph.servicePrincipalSignIn",
            "#microsoft.graph.servicePrincipalSignIn",
            "#microsoft.graph.ServicePrincipalSignIn",
            "#microsoft.graph.agentSignIn",
        ])
    } else {
        random.pick(&[
            "#microsoft.graph.userSignIn",
            "#microsoft.graph.userSignIn",
            "microsoft.graph.usersignin",
        ])
    };
    let mut facts = Facts {
        random,
        absent,
        members: Map::new(),
    };
    facts.add("@odata.type", |_| json!(kind));
    if kind.ends_with("ervicePrincipalSignIn") {
        facts.add("servicePrincipalId", |random| {
            json!(id(random, &near.principals, &far.principals))
        });
    } else {
        facts.add("userId", |random| {
            json!(id(random, &near.users, &far.users))
        });
        if facts.random.one_in(3) {
            facts.add("externalTenantId", |random| {
                json!(id(random, &near.tenants, &far.tenants))
            });
        }
        if facts.random.one_in(3) {
            facts.add_one_of("externalUserType", &GUESTS);
        }
    }
    Value::Object(facts.members)
}

fn context(random: &mut Random, absent: usize, near: &Vocabulary, far: &Vocabulary) -> Value {
    // Of the kinds of targets mostly one that the policies have.
    let choice = match random.below(10) {
        0 => random.below(12),
        1..=3 if !near.actions.is_empty() => 8,
        1..=5 if !near.contexts.is_empty() => 10,
        _ => 0,
    };
    let mut facts = Facts {
        random,
        absent,
        members: Map::new(),
    };
    match choice {
        0..=7 => {
            facts.add("@odata.type", |_| {
                json!("#microsoft.graph.applicationContext")
            });
            facts.add("includeApplications", |random| {
                applications(random, near, far)
            });
        }
        8..=9 => {
            facts.add("@odata.type", |_| {
                json!("#microsoft.graph.userActionContext")
            });
            facts.add_one_of(
                "userAction",
                &[
                    "registerSecurityInformation",
                    "registerOrJoinDevices",
                    "urn:user:registerdevice",
                    "URN:user:registerSecurityInfo",
                ],
            );
        }
        10 => {
            facts.add("@odata.type", |_| json!("#microsoft.graph.authContext"));
            facts.add("authenticationContextValue", |random| {
                let near = if random.one_in(3) || near.contexts.is_empty() {
                    &far.contexts
                } else {
                    &near.contexts
                };
                json!(if near.is_empty() || random.one_in(4) {
                    "c7"
                } else {
                    random.pick(near)
                })
            });
        }
        _ => facts.add("@odata.type", |_| {
            json!("#microsoft.graph.unheardOfContext")
        }),
    }
    Value::Object(facts.members)
}

fn conditions(random: &mut Random, absent: usize, near: &Vocabulary, far: &Vocabulary) -> Value {
    let mut facts = Facts {
        random,
        absent,
        members: Map::new(),
    };
    facts.add_one_of("devicePlatform", &PLATFORMS);
    facts.add_one_of("clientAppType", &CLIENT_APPS);
    facts.add_one_of("signInRiskLevel", &RISKS);
    facts.add_one_of("userRiskLevel", &RISKS);
    facts.add_one_of("servicePrincipalRiskLevel", &RISKS);
    facts.add_one_of("insiderRiskLevel", &INSIDER_RISKS);
    facts.add("authenticationFlow", |random| {
        let mut facts = Facts {
            random,
            absent,
            members: Map::new(),
        };
        facts.add_one_of("transferMethod", &FLOWS);
        Value::Object(facts.members)
    });
    facts.add("country", |random| json!(country(random, near)));
    facts.add("ipAddress", |random| json!(address(random, near)));
    facts.add("deviceInfo", |random| device(random, absent, near, far));
    Value::Object(facts.members)
}

fn country(random: &mut Random, near: &Vocabulary) -> String {
    match random.below(10) {
        0..=5 if !near.countries.is_empty() => random.pick(&near.countries).clone(),
        6 => String::new(),
        7 => "ZZ".to_owned(),
        _ => (*random.pick(&["DE", "de", "SE", "BR", "Atlantis"])).to_owned(),
    }
}

fn address(random: &mut Random, near: &Vocabulary) -> String {
    match random.below(10) {
        0..=6 if !near.addresses.is_empty() => {
            let address = random.pick(&near.addresses).clone();
            // IPv4 as a dual-stack socket shows it.
            if random.one_in(8) && !address.contains(':') {
                format!("::ffff:{address}")
            } else {
                address
            }
        }
        7 => (*random.pick(&[
            "203.0.113.300",
            "fe80::1%eth0",
            "",
            "203.0.113.7:443",
            "203.0.113.7/32",
        ]))
        .to_owned(),
        _ => (*random.pick(&["8.8.8.8", "2606:4700::1111", "10.1.2.3", "::1"])).to_owned(),
    }
}

/// A device of which some attributes may be those that rules ask for.
fn device(random: &mut Random, absent: usize, near: &Vocabulary, far: &Vocabulary) -> Value {
    const TEXTS: [&str; 6] = [
        "displayName",
        "enrollmentProfileName",
        "manufacturer",
        "model",
        "operatingSystem",
        "operatingSystemVersion",
    ];
    let mut facts = Facts {
        random,
        absent,
        members: Map::new(),
    };
    for name in TEXTS {
        facts.add(name, |random| json!(text(random, near, far)));
    }
    for number in [1, 2, 3, 9, 15] {
        facts.add(&format!("extensionAttribute{number}"), |random| {
            json!(text(random, near, far))
        });
    }
    facts.add("deviceId", |random| {
        json!(if random.one_in(5) {
            String::new()
        } else {
            text(random, near, far)
        })
    });
    facts.add("mdmAppId", |random| {
        let ids = [
            "0000000a-0000-0000-c000-000000000000",
            "0000000A-0000-0000-C000-000000000000",
            "",
        ];
        json!(if random.one_in(3) {
            text(random, near, far)
        } else {
            (*random.pick(&ids)).to_owned()
        })
    });
    facts.add("isCompliant", |random| json!(random.one_in(2)));
    facts.add("ownership", |random| {
        json!(random.pick(&["Company", "Personal", "company", ""]))
    });
    facts.add("profileType", |random| {
        json!(random.pick(&["RegisteredDevice", "SecureVM", "Printer", "Shared", "IoT"]))
    });
    facts.add("trustType", |random| {
        json!(random.pick(&["AzureAD", "ServerAD", "Workplace", "serverad", ""]))
    });
    for name in ["physicalIds", "systemLabels"] {
        facts.add(name, |random| {
            let count = random.below(3);
            (0..count).map(|_| json!(text(random, near, far))).collect()
        });
    }
    Value::Object(facts.members)
}

/// A text of a rule, more or less of it, or any other.
fn text(random: &mut Random, near: &Vocabulary, far: &Vocabulary) -> String {
    let texts = if near.texts.is_empty() || random.one_in(4) {
        &far.texts
    } else {
        &near.texts
    };
    if texts.is_empty() || random.one_in(8) {
        return (*random.pick(&["", "Contoso", "écran 7", "x"])).to_owned();
    }
    let text = random.pick(texts);
    match random.below(8) {
        0 => format!("{text}-7"),
        1 => format!("my {text}"),
        2 => text.chars().skip(1).collect(),
        3 => other_letters(random, text),
        _ => text.clone(),
    }
}
