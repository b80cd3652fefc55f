// The form of scenarios: the story, who takes part, and the steps of the timeline.

import { CLIENT_TYPES, CONTROLS, type Field, field, type Form, PLATFORMS, RISKS, uuid } from "./fields.ts";

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

export const scenario: Form = {
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
};
