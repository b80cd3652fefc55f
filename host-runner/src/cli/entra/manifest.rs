//! `cae entra manifest`.

use cae_core::json::Value;
use cae_core::token::claims::Part;
use cae_core::token::inspect::WANTED;
use serde_json::json;

use super::super::output::Output;
use super::super::problem::note;
use crate::text::ASKS;

pub(super) const HELP: &str = "\
The fragment goes into the manifest of the API's app registration (Entra admin center,
App registrations, Manifest). Clients declare that they take claims challenges
themselves (`cp1`); the claim only lets the API see it. `cae token inspect` says which
claims a token lacks.

The fragment asks for tokens of version 2.0 (`requestedAccessTokenVersion`). For an API that
gets version 1.0 (the setting is null or 1) that is a change of its own, which is told below
the fragment and, with --json, on standard error: make it on both ends at once, or leave
`api` out.

Exit status: 0.

Example:
  cae entra manifest --json > claims.json";

/// Optional claims by what they are to enforcement.
/// SPEC: <https://learn.microsoft.com/entra/identity-platform/optional-claims-reference>.
const CLAIMS: [(Part, &str); 7] = [
    (Part::Capabilities, "xms_cc"),
    (Part::Acrs, "acrs"),
    (Part::Session, "sid"),
    (Part::Address, "ipaddr"),
    (Part::AuthTime, "auth_time"),
    (Part::UserType, "acct"),
    // Only with `groupMembershipClaims`, which says which groups.
    (Part::Groups, "groups"),
];

/// Claims that are asked for in another way, or tell something else.
const FURTHER: [(&str, &str); 2] = [
    (
        "wids",
        "directory roles are unknown: policies for roles are undetermined unless [entra] reads them",
    ),
    (
        "idtyp",
        "an application's own token is told from a user's by its other claims alone",
    ),
];

/// The version of tokens that is asked for.
const REQUESTED: &str = "With requestedAccessTokenVersion 2, where it was null or 1";
/// What the version of tokens changes.
/// SPEC: <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>.
const VERSION: [(&str, &str); 3] = [
    (
        "iss",
        "is https://login.microsoftonline.com/{tenant}/v2.0, no more https://sts.windows.net/{tenant}/: the issuer has \
         `claims` \"entra-v2\"",
    ),
    (
        "aud",
        "is the client id of the API, never its application id URI: `audiences` needs the client id",
    ),
    (
        "amr",
        "is no more: that a sign-in used multifactor authentication shows in `acrs` alone, by an authentication context that \
         requires it and that `acrValues` of the issuer names",
    ),
];

pub(super) fn run(out: &mut Output) {
    let claim = |name: &str| json!({"name": name, "source": null, "essential": false, "additionalProperties": []});
    let names = CLAIMS.iter().map(|(_, name)| *name).chain(["idtyp"]);
    let claims: Vec<Value> = names.map(claim).collect();
    let fragment = json!({
        // Groups and, as `wids`, directory roles.
        "groupMembershipClaims": "All",
        "optionalClaims": {"accessToken": claims, "idToken": [], "saml2Token": []},
        "api": {"requestedAccessTokenVersion": 2},
    });
    if out.json() {
        out.line(fragment);
        let changes = VERSION.map(|(name, change)| format!("`{name}` {change}"));
        note(format_args!("{REQUESTED}: {}", changes.join("; ")));
        return;
    }
    out.line(format_args!("{fragment:#}"));
    out.line("");
    out.line("Without a claim:");
    for (part, loss) in WANTED {
        let known = CLAIMS.iter().find(|(known, _)| known == part);
        let name = known.map_or(part.name(), |(_, name)| *name);
        out.line(format_args!("{ASKS}{name}{ASKS:#}: {loss}"));
    }
    for (name, loss) in FURTHER {
        out.line(format_args!("{ASKS}{name}{ASKS:#}: {loss}"));
    }
    out.line("");
    out.line(format_args!("{REQUESTED}:"));
    for (name, change) in VERSION {
        out.line(format_args!("{ASKS}{name}{ASKS:#} {change}"));
    }
}
