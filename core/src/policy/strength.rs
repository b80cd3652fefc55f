//! Authentication strengths: which combinations of methods they accept, and what a token shows of them.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::document::{self, Notes, entries, is_configured, text};
use super::evidence::{METHODS, amr_of};
use super::location::Changed;
use super::logic::Truth;
use crate::json::{Map, Value};

/// Id of the built-in strength that any multi-factor authentication meets.
pub const MULTI_FACTOR: &str = "00000000-0000-0000-0000-000000000002";
/// Id of the built-in strength without passwords.
pub const PASSWORDLESS: &str = "00000000-0000-0000-0000-000000000003";
/// Id of the built-in strength that phishing cannot defeat.
pub const PHISHING_RESISTANT: &str = "00000000-0000-0000-0000-000000000004";

/// An authentication strength.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuthenticationStrength {
    /// Combinations of methods, any one of which is enough; each a sorted set of Graph's names.
    pub combinations: Vec<Vec<String>>,
    /// Some combinations are restricted further (certain keys, certain certificates), which no token shows.
    pub restricted: bool,
    /// When it last changed.
    pub(crate) changed: Changed,
}

/// Strengths by lower-case id.
pub type Strengths = BTreeMap<String, AuthenticationStrength>;

impl AuthenticationStrength {
    /// Reads the combinations of a strength object; `None` if it lists none.
    pub(crate) fn read(
        strength: &Map<String, Value>,
        path: &str,
        notes: &mut Notes,
    ) -> Option<Self> {
        let mut combinations = Vec::new();
        for entry in entries(strength.get("allowedCombinations")) {
            let Ok(text) = entry else {
                notes.not_understood(format!("{path}.allowedCombinations"));
                continue;
            };
            let combination = combination(text);
            for method in &combination {
                if !METHODS.contains(&method.as_str()) {
                    notes.not_understood(format!("{path}.allowedCombinations[{method}]"));
                }
            }
            combinations.push(combination);
        }
        (!combinations.is_empty()).then(|| Self {
            combinations,
            restricted: strength
                .get("combinationConfigurations")
                .is_some_and(is_configured),
            changed: Changed::read(strength),
        })
    }

    /// Whether these methods, by Graph's names in lower case, cover a combination.
    #[must_use]
    pub fn is_met_by(&self, methods: &[String]) -> bool {
        let covers = |combination: &Vec<String>| {
            combination
                .iter()
                .all(|method| methods.iter().any(|used| used.eq_ignore_ascii_case(method)))
        };
        self.combinations.iter().any(covers)
    }

    /// What the methods of a token (`amr`) say: true if they can only mean one of the combinations, false if they
    /// rule out every one of them.
    #[must_use]
    pub fn shown_by(&self, amr: &[String]) -> Truth {
        let shown = self
            .combinations
            .iter()
            .fold(Truth::False, |truth, combination| {
                let all = combination.iter().fold(Truth::True, |truth, method| {
                    truth & method_shown(method, amr)
                });
                truth | all
            });
        match shown {
            Truth::True if self.restricted => Truth::Unknown,
            shown => shown,
        }
    }
}

/// Whether `amr` shows a method: certainly, if a value means nothing else; perhaps, if a value may mean it or no value
/// could.
fn method_shown(method: &str, amr: &[String]) -> Truth {
    let (mut certain, mut possible, mut visible) = (false, false, false);
    for (value, methods) in amr_of(method) {
        visible = true;
        let present = amr.iter().any(|shown| shown == value);
        certain |= present && methods.len() == 1;
        possible |= present;
    }
    match (certain, possible || !visible) {
        (true, _) => Truth::True,
        (false, true) => Truth::Unknown,
        (false, false) => Truth::False,
    }
}

/// The built-in strengths.
#[must_use]
pub fn built_in() -> Strengths {
    let of = |combinations: &[&str]| AuthenticationStrength {
        combinations: combinations.iter().map(|text| combination(text)).collect(),
        ..AuthenticationStrength::default()
    };
    let [phishing_resistant, rest] = [&BUILT_IN[..3], &BUILT_IN[3..4]];
    let passwordless: Vec<&str> = phishing_resistant.iter().chain(rest).copied().collect();
    BTreeMap::from([
        (MULTI_FACTOR.to_owned(), of(&BUILT_IN)),
        (PASSWORDLESS.to_owned(), of(&passwordless)),
        (PHISHING_RESISTANT.to_owned(), of(phishing_resistant)),
    ])
}

/// Combinations of the built-in strengths as Graph exports them: three resist phishing, four need no password, all are
/// multi-factor.
const BUILT_IN: [&str; 17] = [
    "windowsHelloForBusiness",
    "fido2",
    "x509CertificateMultiFactor",
    "deviceBasedPush",
    "temporaryAccessPassOneTime",
    "temporaryAccessPassMultiUse",
    "password,microsoftAuthenticatorPush",
    "password,softwareOath",
    "password,hardwareOath",
    "password,sms",
    "password,voice",
    "federatedMultiFactor",
    "microsoftAuthenticatorPush,federatedSingleFactor",
    "softwareOath,federatedSingleFactor",
    "hardwareOath,federatedSingleFactor",
    "sms,federatedSingleFactor",
    "voice,federatedSingleFactor",
];

fn combination(text: &str) -> Vec<String> {
    let mut methods: Vec<String> = text
        .split(',')
        .map(str::trim)
        .filter(|method| !method.is_empty())
        .map(|method| {
            let known = METHODS
                .iter()
                .find(|known| known.eq_ignore_ascii_case(method));
            known.map_or(method, |known| *known).to_owned()
        })
        .collect();
    methods.sort_unstable();
    methods.dedup();
    methods
}

/// The strengths of a document of Graph's, by id; what has no id is left out.
pub(crate) fn read(document: &Value) -> Strengths {
    let mut notes = Notes::default();
    let items = document::items(document, "", &mut Vec::new());
    items
        .iter()
        .filter_map(|item| {
            let id = text(item.members, "id")?.to_ascii_lowercase();
            let strength = AuthenticationStrength::read(item.members, "", &mut notes)?;
            Some((id, strength))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse};

    fn shown(id: &str, amr: &[&str]) -> Truth {
        let amr: Vec<String> = amr.iter().map(|value| (*value).to_owned()).collect();
        built_in()[id].shown_by(&amr)
    }

    #[test]
    fn methods_of_a_token_prove_rule_out_or_leave_open() {
        for (id, amr, expected) in [
            (PHISHING_RESISTANT, &["fido"][..], Truth::True),
            (PHISHING_RESISTANT, &["pwd", "mfa"], Truth::False),
            (PHISHING_RESISTANT, &["rsa", "mfa"], Truth::Unknown),
            (PHISHING_RESISTANT, &["ngcmfa"], Truth::Unknown),
            (PHISHING_RESISTANT, &["pwd"], Truth::False),
            (PASSWORDLESS, &["fido", "pwd"], Truth::True),
            (MULTI_FACTOR, &["pwd", "sms"], Truth::True),
            // A temporary access pass shows in no value.
            (MULTI_FACTOR, &["pwd"], Truth::Unknown),
            (MULTI_FACTOR, &["pwd", "otp"], Truth::Unknown),
        ] {
            assert_eq!(shown(id, amr), expected, "{id} by {amr:?}");
        }
    }

    #[test]
    fn methods_used_cover_a_combination_or_not() {
        let strength = &built_in()[MULTI_FACTOR];
        let methods = |list: &[&str]| -> Vec<String> {
            list.iter().map(|method| method.to_lowercase()).collect()
        };
        assert!(strength.is_met_by(&methods(&["sms", "password", "email"])));
        assert!(strength.is_met_by(&methods(&["fido2"])));
        assert!(!strength.is_met_by(&methods(&["password"])));
        assert!(!strength.is_met_by(&methods(&["sms", "voice"])));
    }

    #[test]
    fn strengths_are_read_with_what_restricts_them() {
        let document = parse(
            br#"{"value": [{"id": "A", "allowedCombinations": ["fido2", "Password, SMS"]},
                {"id": "b", "allowedCombinations": ["fido2"], "combinationConfigurations": [{"allowedAAGUIDs": ["x"]}]},
                {"id": "c"}, {"allowedCombinations": ["fido2"]}]}"#,
            Limits::DOCUMENT,
        )
        .unwrap();
        let strengths = read(&document);
        assert_eq!(strengths.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(strengths["a"].combinations[1], ["password", "sms"]);
        let amr = ["fido".to_owned()];
        assert_eq!(strengths["a"].shown_by(&amr), Truth::True);
        assert_eq!(strengths["b"].shown_by(&amr), Truth::Unknown);
    }
}
