// The common fields of each kind of document, as data: what they are called stands in `text.ts`.

import type { DocumentKind, Json, JsonObject } from "../engine/types.ts";
import type { text } from "../text.ts";
import type { Path } from "./paths.ts";

export type FieldName = keyof typeof text.editor.fields;

export interface Field {
  name: FieldName;
  path: Path;
  /** `list`: one a line; `choices`: any of the options; `json`: whatever it holds. */
  kind: "text" | "number" | "long" | "flag" | "choice" | "choices" | "list" | "json";
  options?: readonly string[] | "namedLocations" | "users" | "clients" | "transmitters" | "issuers" | "devices";
  /** Only of items that say so there. */
  when?: { path: Path; is: readonly string[] };
}

export interface Section {
  name: keyof typeof text.editor.sections;
  fields: Field[];
}

/** A list of things that each have a form. */
export interface Group {
  name: keyof typeof text.editor.groups;
  /** Where the list stands; an object of named things if `named`. */
  path: Path;
  named: boolean;
  title: Path;
  sections: Section[];
  /** What a new one begins with, by its kind. */
  templates: { name: keyof typeof text.editor.templates; value: () => JsonObject }[];
}

export interface Form {
  sections: Section[];
  groups: Group[];
}

const field = (
  name: FieldName,
  path: Path,
  kind: Field["kind"],
  options?: Field["options"],
  when?: Field["when"],
): Field => ({
  name,
  path,
  kind,
  ...(options === undefined ? {} : { options }),
  ...(when === undefined ? {} : { when }),
});

const RISKS = ["low", "medium", "high", "none"];
const PLATFORMS = ["all", "android", "iOS", "windows", "windowsPhone", "macOS", "linux"];
const CLIENT_TYPES = ["all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"];
const CONTROLS = [
  "block",
  "mfa",
  "compliantDevice",
  "domainJoinedDevice",
  "approvedApplication",
  "compliantApplication",
  "passwordChange",
];
const uuid = () => crypto.randomUUID();

const policySections: Section[] = [
  {
    name: "general",
    fields: [
      field("displayName", ["displayName"], "text"),
      field("state", ["state"], "choice", ["enabled", "disabled", "enabledForReportingButNotEnforced"]),
    ],
  },
  {
    name: "users",
    fields: [
      field("includeUsers", ["conditions", "users", "includeUsers"], "list"),
      field("excludeUsers", ["conditions", "users", "excludeUsers"], "list"),
      field("includeGroups", ["conditions", "users", "includeGroups"], "list"),
      field("excludeGroups", ["conditions", "users", "excludeGroups"], "list"),
      field("includeRoles", ["conditions", "users", "includeRoles"], "list"),
      field("excludeRoles", ["conditions", "users", "excludeRoles"], "list"),
    ],
  },
  {
    name: "targets",
    fields: [
      field("includeApplications", ["conditions", "applications", "includeApplications"], "list"),
      field("excludeApplications", ["conditions", "applications", "excludeApplications"], "list"),
      field("includeUserActions", ["conditions", "applications", "includeUserActions"], "choices", [
        "urn:user:registersecurityinfo",
        "urn:user:registerdevice",
      ]),
    ],
  },
  {
    name: "networks",
    fields: [
      field("includeLocations", ["conditions", "locations", "includeLocations"], "choices", "namedLocations"),
      field("excludeLocations", ["conditions", "locations", "excludeLocations"], "choices", "namedLocations"),
    ],
  },
  {
    name: "circumstances",
    fields: [
      field("clientAppTypes", ["conditions", "clientAppTypes"], "choices", CLIENT_TYPES),
      field("includePlatforms", ["conditions", "platforms", "includePlatforms"], "choices", PLATFORMS),
      field("excludePlatforms", ["conditions", "platforms", "excludePlatforms"], "choices", PLATFORMS.slice(1)),
      field("signInRiskLevels", ["conditions", "signInRiskLevels"], "choices", RISKS),
      field("userRiskLevels", ["conditions", "userRiskLevels"], "choices", RISKS),
      field("deviceFilterMode", ["conditions", "devices", "deviceFilter", "mode"], "choice", ["include", "exclude"]),
      field("deviceFilterRule", ["conditions", "devices", "deviceFilter", "rule"], "text"),
    ],
  },
  {
    name: "grant",
    fields: [
      field("operator", ["grantControls", "operator"], "choice", ["AND", "OR"]),
      field("builtInControls", ["grantControls", "builtInControls"], "choices", CONTROLS),
      field("authenticationStrength", ["grantControls", "authenticationStrength", "id"], "choice", [
        "00000000-0000-0000-0000-000000000002",
        "00000000-0000-0000-0000-000000000003",
        "00000000-0000-0000-0000-000000000004",
      ]),
      field("termsOfUse", ["grantControls", "termsOfUse"], "list"),
    ],
  },
  {
    name: "session",
    fields: [
      field("signInFrequencyEnabled", ["sessionControls", "signInFrequency", "isEnabled"], "flag"),
      field("signInFrequencyInterval", ["sessionControls", "signInFrequency", "frequencyInterval"], "choice", [
        "timeBased",
        "everyTime",
      ]),
      field("signInFrequencyType", ["sessionControls", "signInFrequency", "type"], "choice", ["hours", "days"]),
      field("signInFrequencyValue", ["sessionControls", "signInFrequency", "value"], "number"),
      field("persistentBrowserEnabled", ["sessionControls", "persistentBrowser", "isEnabled"], "flag"),
      field("persistentBrowserMode", ["sessionControls", "persistentBrowser", "mode"], "choice", ["always", "never"]),
      field("continuousAccessEvaluation", ["sessionControls", "continuousAccessEvaluation", "mode"], "choice", [
        "strictEnforcement",
        "disabled",
        "strictLocation",
      ]),
    ],
  },
];

const newPolicy = (): JsonObject => ({
  id: uuid(),
  displayName: "",
  state: "enabledForReportingButNotEnforced",
  conditions: {
    clientAppTypes: ["all"],
    users: { includeUsers: ["All"] },
    applications: { includeApplications: ["All"] },
  },
  grantControls: { operator: "OR", builtInControls: ["mfa"] },
});

const IP = ["#microsoft.graph.ipNamedLocation"];
const COUNTRIES = ["#microsoft.graph.countryNamedLocation"];

const newRange = (kind: string): JsonObject => ({ "@odata.type": kind, id: uuid(), displayName: "" });

const STEPS = [
  "signIn",
  "request",
  "clientRetry",
  "event",
  "accountChange",
  "networkChange",
  "policyChange",
  "stateClear",
  "keyRotation",
  "advance",
];
const of = (...kinds: string[]) => ({ path: ["step"], is: kinds });
const asks = of("signIn", "request", "clientRetry");

const stepFields: Field[] = [
  field("stepAt", ["at"], "number"),
  field("stepAfter", ["after"], "number"),
  field("note", ["note"], "long"),
  field(
    "stepUser",
    ["user"],
    "choice",
    "users",
    of("signIn", "request", "clientRetry", "accountChange", "networkChange"),
  ),
  field("stepClient", ["client"], "choice", "clients", of("signIn", "request", "clientRetry", "networkChange")),
  field("interactive", ["interactive"], "flag", undefined, of("signIn", "clientRetry")),
  field("satisfied", ["satisfied"], "list", undefined, of("signIn", "clientRetry")),
  field("tokenName", ["as"], "text", undefined, of("signIn", "clientRetry")),
  field("presents", ["token"], "text", undefined, of("request")),
  field("requestAddress", ["address"], "text", undefined, of("request")),
  field("requestCountry", ["country"], "text", undefined, of("request")),
  field("requestPath", ["path"], "text", undefined, of("request")),
  field("facts", ["facts"], "json", undefined, asks),
  field(
    "accountChange",
    ["change"],
    "choice",
    [
      "disabled",
      "enabled",
      "sessionsRevoked",
      "passwordExpired",
      "passwordChanged",
      "passwordResetByUser",
      "passwordResetInAzurePortal",
      "passwordResetInEntraAdminCenter",
      "revokedByUser",
      "revokedByAdmin",
      "singleSignOut",
      "mfaEnabled",
      "riskLevel",
    ],
    of("accountChange"),
  ),
  field("riskLevel", ["level"], "choice", RISKS, of("accountChange")),
  field("transmitter", ["transmitter"], "choice", "transmitters", of("event", "keyRotation")),
  field("eventClaims", ["claims"], "json", undefined, of("event")),
  field("deliveries", ["deliveries"], "json", undefined, of("event")),
  field("issuerSees", ["network", "issuerSees"], "text", undefined, of("networkChange")),
  field("resourceSees", ["network", "resourceSees"], "text", undefined, of("networkChange")),
  field("newPolicies", ["policies"], "json", undefined, of("policyChange")),
  field("newLocations", ["namedLocations"], "json", undefined, of("policyChange")),
  field("newSettings", ["settings"], "json", undefined, of("policyChange")),
  field("clearedSubject", ["subject"], "text", undefined, of("stateClear")),
  field("signingKey", ["signingKey"], "text", undefined, of("keyRotation")),
  field("publish", ["publish"], "list", undefined, of("keyRotation")),
  field("expect", ["expect"], "json"),
];

const network: Field[] = [
  field("issuerSees", ["network", "issuerSees"], "text"),
  field("resourceSees", ["network", "resourceSees"], "text"),
];

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

export const FORMS: Record<DocumentKind, Form> = {
  policies: {
    sections: [],
    groups: [
      {
        name: "policies",
        path: [],
        named: false,
        title: ["displayName"],
        sections: policySections,
        templates: [{ name: "policy", value: newPolicy }],
      },
    ],
  },
  namedLocations: {
    sections: [],
    groups: [
      {
        name: "namedLocations",
        path: [],
        named: false,
        title: ["displayName"],
        sections: [
          {
            name: "general",
            fields: [
              field("displayName", ["displayName"], "text"),
              field("isTrusted", ["isTrusted"], "flag", undefined, { path: ["@odata.type"], is: IP }),
              field("ipRanges", ["ipRanges"], "list", undefined, { path: ["@odata.type"], is: IP }),
              field("countriesAndRegions", ["countriesAndRegions"], "list", undefined, {
                path: ["@odata.type"],
                is: COUNTRIES,
              }),
              field("includeUnknown", ["includeUnknownCountriesAndRegions"], "flag", undefined, {
                path: ["@odata.type"],
                is: COUNTRIES,
              }),
              field("countryLookup", ["countryLookupMethod"], "choice", ["clientIpAddress", "authenticatorAppGps"], {
                path: ["@odata.type"],
                is: COUNTRIES,
              }),
            ],
          },
        ],
        templates: [
          {
            name: "ipLocation",
            value: () => ({
              ...newRange("#microsoft.graph.ipNamedLocation"),
              isTrusted: false,
              ipRanges: [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", cidrAddress: "192.0.2.0/24" }],
            }),
          },
          {
            name: "countryLocation",
            value: () => ({
              ...newRange("#microsoft.graph.countryNamedLocation"),
              countriesAndRegions: ["DE"],
              includeUnknownCountriesAndRegions: false,
            }),
          },
        ],
      },
    ],
  },
  scenario: {
    sections: [
      {
        name: "general",
        fields: [
          field("title", ["title"], "text"),
          field("description", ["description"], "long"),
          field("start", ["start"], "number"),
          field("seed", ["seed"], "number"),
        ],
      },
    ],
    groups: [
      {
        name: "timeline",
        path: ["timeline"],
        named: false,
        title: ["step"],
        sections: [{ name: "step", fields: [field("step", ["step"], "choice", STEPS), ...stepFields] }],
        templates: [
          { name: "signIn", value: () => ({ step: "signIn", after: 60 }) },
          { name: "request", value: () => ({ step: "request", after: 60 }) },
          { name: "clientRetry", value: () => ({ step: "clientRetry", after: 5 }) },
          { name: "accountChange", value: () => ({ step: "accountChange", after: 60, change: "sessionsRevoked" }) },
          {
            name: "event",
            value: () => ({
              step: "event",
              after: 0,
              claims: {
                events: { "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {} },
                sub_id: { format: "opaque", id: "" },
              },
            }),
          },
          {
            name: "networkChange",
            value: () => ({
              step: "networkChange",
              after: 60,
              network: { issuerSees: "192.0.2.44", resourceSees: "192.0.2.44" },
            }),
          },
          { name: "advance", value: () => ({ step: "advance", after: 3600 }) },
        ],
      },
      {
        name: "users",
        path: ["users"],
        named: true,
        title: [],
        sections: [
          {
            name: "general",
            fields: [
              field("userIssuer", ["issuer"], "choice", "issuers"),
              field("objectId", ["objectId"], "text"),
              field("email", ["email"], "text"),
              field("userType", ["userType"], "choice", ["member", "guest"]),
              field("groups", ["groups"], "list"),
              field("roles", ["roles"], "list"),
              field("device", ["device"], "choice", "devices"),
              field("satisfies", ["satisfies"], "choices", CONTROLS.slice(1)),
              field("riskLevel", ["riskLevel"], "choice", RISKS),
              ...network,
            ],
          },
        ],
        templates: [
          {
            name: "user",
            value: () => ({
              issuer: "",
              objectId: uuid(),
              network: { issuerSees: "203.0.113.7", resourceSees: "203.0.113.7" },
            }),
          },
        ],
      },
      {
        name: "clients",
        path: ["clients"],
        named: true,
        title: [],
        sections: [
          {
            name: "general",
            fields: [
              field("applicationId", ["applicationId"], "text"),
              field("capabilities", ["capabilities"], "choices", ["cp1"]),
              field("handlesChallenges", ["handlesChallenges"], "flag"),
              field("clientAppType", ["clientAppType"], "choice", CLIENT_TYPES.slice(1)),
              field("scopes", ["scopes"], "list"),
            ],
          },
        ],
        templates: [{ name: "client", value: () => ({ applicationId: uuid(), capabilities: ["cp1"] }) }],
      },
      {
        name: "devices",
        path: ["devices"],
        named: true,
        title: [],
        sections: [
          {
            name: "general",
            fields: [
              field("deviceId", ["id"], "text"),
              field("platform", ["platform"], "choice", PLATFORMS.slice(1)),
              field("isCompliant", ["isCompliant"], "flag"),
              field("attributes", ["attributes"], "json"),
            ],
          },
        ],
        templates: [{ name: "device", value: () => ({ id: uuid(), platform: "windows", isCompliant: true }) }],
      },
    ],
  },
  configuration: {
    sections: configurationSections,
    groups: [issuerGroup(["issuers"]), transmitterGroup(["transmitters"])],
  },
};

/** How the ranges of a named location are written in a list, and read from it. */
export const rangeText = (range: Json): string =>
  typeof range === "object" && range !== null && !Array.isArray(range)
    ? String(range["cidrAddress"] ?? "")
    : String(range);
export const rangeOf = (text: string): Json => ({
  "@odata.type": text.includes(":") ? "#microsoft.graph.iPv6CidrRange" : "#microsoft.graph.iPv4CidrRange",
  cidrAddress: text,
});
