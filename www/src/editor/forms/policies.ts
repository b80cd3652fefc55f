// The form of Conditional Access policies.

import type { JsonObject } from "../../engine/types.ts";
import { CLIENT_TYPES, CONTROLS, field, type Form, PLATFORMS, RISKS, type Section, uuid } from "./fields.ts";

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

export const policies: Form = {
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
};
