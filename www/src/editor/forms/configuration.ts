// The form of engine configurations.

import type { Path } from "../paths.ts";
import { field, type Form, type Group, type Section } from "./fields.ts";

const configurationSections: Section[] = [
  {
    name: "resource",
    fields: [
      field("audiences", ["resource", "audiences"], "list"),
      field("applicationId", ["resource", "applicationId"], "text"),
      field("authorizationUri", ["resource", "authorizationUri"], "text"),
      field("realm", ["resource", "realm"], "text"),
    ],
  },
  {
    name: "settings",
    fields: [
      field("profile", ["settings", "profile"], "choice", ["full", "entra", "entra-2020"]),
      field("clockSkewSeconds", ["settings", "clockSkewSeconds"], "number"),
      field("locationEnforcement", ["settings", "locationEnforcement"], "choice", ["standard", "strict"]),
      field("criticalRiskLevel", ["settings", "criticalRiskLevel"], "choice", ["low", "medium", "high"]),
      field("enforceGuests", ["settings", "enforceGuests"], "flag"),
      field("enforceIncapableClients", ["settings", "enforceIncapableClients"], "flag"),
      field("onError", ["settings", "onError"], "choice", ["deny", "allow"]),
      field("onStaleSignals", ["settings", "onStaleSignals"], "choice", ["report", "shortTokens", "deny"]),
      field("maxSignalAgeSeconds", ["settings", "maxSignalAgeSeconds"], "number"),
      field("unseenMember", ["settings", "unseenMember"], "choice", ["precise", "failSafe"]),
      field("policyChangeGraceSeconds", ["settings", "policyChangeGraceSeconds"], "number"),
      field("countryAtResource", ["settings", "countryAtResource"], "flag"),
      field("privateAddresses", ["settings", "privateAddresses"], "choice", ["missing", "ordinary"]),
      field("requiredScopes", ["settings", "requiredScopes"], "json"),
      field("requiredAuthenticationContexts", ["settings", "requiredAuthenticationContexts"], "json"),
    ],
  },
];

const PRESETS = ["entra-v1", "entra-v2", "keycloak", "okta", "auth0", "rfc9068"];

const issuerGroup = (path: Path): Group => ({
  name: "issuers",
  path,
  named: false,
  title: ["issuer"],
  sections: [
    {
      name: "general",
      fields: [
        field("issuer", ["issuer"], "text"),
        field("claimsPreset", ["claims"], "choice", PRESETS),
        field("challenge", ["challenge"], "choice", ["entra", "oauth"]),
        field("algorithms", ["algorithms"], "list"),
        field("audiences", ["audiences"], "list"),
        field("jwksUri", ["jwksUri"], "text"),
        field("jwks", ["jwks"], "json"),
        field("policies", ["policies"], "json"),
        field("namedLocationsOf", ["namedLocations"], "json"),
      ],
    },
  ],
  templates: [
    {
      name: "issuer",
      value: () => ({
        issuer: "https://login.example",
        claims: "rfc9068",
        algorithms: ["RS256"],
        challenge: "oauth",
        jwks: { keys: [] },
      }),
    },
  ],
});

const transmitterGroup = (path: Path): Group => ({
  name: "transmitters",
  path,
  named: false,
  title: ["issuer"],
  sections: [
    {
      name: "general",
      fields: [
        field("issuer", ["issuer"], "text"),
        field("audience", ["audience"], "text"),
        field("speaksFor", ["speaksFor"], "list"),
        field("algorithms", ["algorithms"], "list"),
        field("jwksUri", ["jwksUri"], "text"),
        field("jwks", ["jwks"], "json"),
      ],
    },
  ],
  templates: [
    {
      name: "transmitter",
      value: () => ({
        issuer: "https://signals.example",
        audience: "https://api.example",
        speaksFor: [],
        jwks: { keys: [] },
      }),
    },
  ],
});

export const configuration: Form = {
  sections: configurationSections,
  groups: [issuerGroup(["issuers"]), transmitterGroup(["transmitters"])],
};
