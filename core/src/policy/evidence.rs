//! The one table from claims to controls: what a token can show of a grant control (`enforcement.md` §1 and §6).
//!
//! A present claim without the value says no; an absent claim says nothing, unless the issuer's `alwaysPresent` says
//! otherwise. `acrValues` of an issuer adds rows: the control is shown by `acr`, or by an entry of `acrs`, that equals the
//! configured value.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use serde::Serialize;

use crate::json;

/// One row: a control, and the values of a claim that show it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct EvidenceRow {
    /// Graph's name of the control.
    pub control: &'static str,
    /// The part that the claim plays (`claims` of an issuer), or what else is asked.
    pub claim: &'static str,
    /// Values, any one of which shows the control; empty where the value itself is judged.
    pub values: &'static [&'static str],
    /// Why.
    pub meaning: &'static str,
}

/// Every row. Controls that are not listed leave no trace in tokens.
pub const TABLE: &[EvidenceRow] = &[
    EvidenceRow {
        control: MFA,
        claim: "amr",
        values: &["mfa", "ngcmfa"],
        meaning: "RFC 8176 §2, and Entra's name of the same for keys of a device",
    },
    EvidenceRow {
        control: COMPLIANT_DEVICE,
        claim: "signinState",
        values: &["dvc_cmp"],
        meaning: "the device was compliant at sign-in; a device-compliance-change event or the host's device facts are newer",
    },
    EvidenceRow {
        control: HYBRID_JOINED_DEVICE,
        claim: "signinState",
        values: &["dvc_dmjd"],
        meaning: "the device is joined to a domain",
    },
    EvidenceRow {
        control: "authenticationStrength:00000000-0000-0000-0000-000000000002",
        claim: "amr",
        values: &["mfa", "ngcmfa"],
        meaning: "any multi-factor authentication meets the built-in multi-factor strength",
    },
    EvidenceRow {
        control: "authenticationStrength",
        claim: "amr",
        values: &[],
        meaning: "met if the methods can only mean an allowed combination, unmet if they rule out every one, else unknown",
    },
    EvidenceRow {
        control: "signInFrequency",
        claim: "authTime",
        values: &[],
        meaning: "the time of the last authentication",
    },
    EvidenceRow {
        control: "authenticationContext",
        claim: "acrs",
        values: &[],
        meaning: "the context itself, where a route requires it",
    },
];

pub(crate) const MFA: &str = "mfa";
pub(crate) const COMPLIANT_DEVICE: &str = "compliantDevice";
pub(crate) const HYBRID_JOINED_DEVICE: &str = "domainJoinedDevice";

/// The values of `claim` that show `control`.
pub(crate) fn values(control: &str, claim: &str) -> &'static [&'static str] {
    TABLE
        .iter()
        .find(|row| row.control == control && row.claim == claim)
        .map_or(&[], |row| row.values)
}

/// One line of canonical JSON for each row.
pub fn lines() -> impl Iterator<Item = String> {
    TABLE.iter().map(json::to_text)
}

/// The page of the documentation.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(PAGE);
    for row in TABLE {
        let values = row.values.iter().map(|value| format!("`{value}`"));
        let values = match values.collect::<alloc::vec::Vec<_>>().join(", ") {
            none if none.is_empty() => String::from("judged itself"),
            values => values,
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {values} | {} |",
            row.control, row.claim, row.meaning
        );
    }
    page
}

const PAGE: &str = "\
# What tokens show

Written by `cae policy evidence --markdown` from the table by which the engine looks for evidence of grant controls,
session controls and authentication contexts; a test compares the two.

A claim that is there without such a value says no. A claim that is not there says nothing, unless the issuer's
`alwaysPresent` names it; then, of an issuer that enforces policies, the control is taken as seen to at issue, and of any
other as unmet. `claims` of an issuer says under which name its tokens carry each claim. An issuer's `acrValues` adds rows: a
control is shown by an `acr`, or an entry of `acrs`, that equals the value configured for it. Controls that are not in the
table (approved and protected apps, a password change, risk remediation, terms of use, custom factors) leave no trace in
tokens: they count as met in a token that is not older than what asks for them.

| control | claim | values | meaning |
|---|---|---|---|
";

/// `authenticationMethodModes`, Graph's names of authentication methods.
pub(crate) const METHODS: [&str; 17] = [
    "password",
    "voice",
    "hardwareOath",
    "softwareOath",
    "sms",
    "fido2",
    "windowsHelloForBusiness",
    "microsoftAuthenticatorPush",
    "deviceBasedPush",
    "temporaryAccessPassOneTime",
    "temporaryAccessPassMultiUse",
    "email",
    "x509CertificateSingleFactor",
    "x509CertificateMultiFactor",
    "federatedSingleFactor",
    "federatedMultiFactor",
    "qrCodePin",
];

/// Values of `amr` (RFC 8176 §2, `access-token.md` §2.2), and the methods that each may stand for.
const AMR: &[(&str, &[&str])] = &[
    ("pwd", &["password"]),
    ("sms", &["sms"]),
    ("tel", &["voice"]),
    ("fido", &["fido2"]),
    ("otp", &["softwareOath", "hardwareOath", "sms", "email"]),
    (
        "rsa",
        &[
            "microsoftAuthenticatorPush",
            "deviceBasedPush",
            "windowsHelloForBusiness",
            "x509CertificateSingleFactor",
            "x509CertificateMultiFactor",
        ],
    ),
    (
        "ngcmfa",
        &["windowsHelloForBusiness", "fido2", "deviceBasedPush"],
    ),
    ("hwk", &["fido2", "windowsHelloForBusiness"]),
    ("swk", &["windowsHelloForBusiness", "deviceBasedPush"]),
    (
        "sc",
        &["x509CertificateSingleFactor", "x509CertificateMultiFactor"],
    ),
    ("fed", &["federatedSingleFactor", "federatedMultiFactor"]),
    ("wia", &["federatedSingleFactor"]),
    (
        "wiaormfa",
        &["federatedSingleFactor", "federatedMultiFactor"],
    ),
];

/// The values of `amr` that may stand for a method, each with everything that it may stand for.
pub(crate) fn amr_of(
    method: &str,
) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    AMR.iter()
        .filter(move |(_, methods)| methods.contains(&method))
        .copied()
}
