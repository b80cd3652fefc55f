// What Microsoft Graph's policies and named locations look like, for completion: the engine reads them and names faults.

import type { DocumentKind, Json, JsonObject } from "../engine/types.ts";

const list = (items: Json): JsonObject => ({ type: "array", items });
const oneOf = (...values: string[]): JsonObject => ({ enum: values });
const object = (properties: JsonObject): JsonObject => ({ type: "object", properties });
const texts = list({ type: "string" });

const PLATFORMS = list(oneOf("all", "android", "iOS", "windows", "windowsPhone", "macOS", "linux"));
const RISKS = list(oneOf("low", "medium", "high", "none", "hidden"));
const EVERYBODY = list(oneOf("All", "None", "GuestsOrExternalUsers"));

const policy = object({
  id: {},
  displayName: {},
  state: oneOf("enabled", "disabled", "enabledForReportingButNotEnforced"),
  createdDateTime: {},
  modifiedDateTime: {},
  conditions: object({
    users: object({
      includeUsers: EVERYBODY,
      excludeUsers: EVERYBODY,
      includeGroups: texts,
      excludeGroups: texts,
      includeRoles: texts,
      excludeRoles: texts,
      includeGuestsOrExternalUsers: object({ guestOrExternalUserTypes: {}, externalTenants: {} }),
      excludeGuestsOrExternalUsers: object({ guestOrExternalUserTypes: {}, externalTenants: {} }),
    }),
    clientApplications: object({
      includeServicePrincipals: list(oneOf("ServicePrincipalsInMyTenant")),
      excludeServicePrincipals: texts,
      servicePrincipalFilter: object({ mode: oneOf("include", "exclude"), rule: {} }),
    }),
    applications: object({
      includeApplications: list(oneOf("All", "None", "Office365", "MicrosoftAdminPortals")),
      excludeApplications: texts,
      includeUserActions: list(oneOf("urn:user:registersecurityinfo", "urn:user:registerdevice")),
      includeAuthenticationContextClassReferences: texts,
      applicationFilter: object({ mode: oneOf("include", "exclude"), rule: {} }),
    }),
    clientAppTypes: list(oneOf("all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other")),
    locations: object({
      includeLocations: list(oneOf("All", "AllTrusted")),
      excludeLocations: list(oneOf("AllTrusted")),
    }),
    platforms: object({ includePlatforms: PLATFORMS, excludePlatforms: PLATFORMS }),
    devices: object({ deviceFilter: object({ mode: oneOf("include", "exclude"), rule: {} }) }),
    signInRiskLevels: RISKS,
    userRiskLevels: RISKS,
    servicePrincipalRiskLevels: RISKS,
    insiderRiskLevels: oneOf("minor", "moderate", "elevated"),
    authenticationFlows: object({
      transferMethods: oneOf("deviceCodeFlow", "authenticationTransfer", "deviceCodeFlow,authenticationTransfer"),
    }),
  }),
  grantControls: object({
    operator: oneOf("AND", "OR"),
    builtInControls: list(
      oneOf(
        "block",
        "mfa",
        "compliantDevice",
        "domainJoinedDevice",
        "approvedApplication",
        "compliantApplication",
        "passwordChange",
      ),
    ),
    customAuthenticationFactors: texts,
    termsOfUse: texts,
    authenticationStrength: object({
      id: oneOf(
        "00000000-0000-0000-0000-000000000002",
        "00000000-0000-0000-0000-000000000003",
        "00000000-0000-0000-0000-000000000004",
      ),
      displayName: {},
    }),
  }),
  sessionControls: object({
    signInFrequency: object({
      isEnabled: { type: "boolean" },
      type: oneOf("hours", "days"),
      value: {},
      frequencyInterval: oneOf("timeBased", "everyTime"),
      authenticationType: oneOf("primaryAndSecondaryAuthentication", "secondaryAuthentication"),
    }),
    persistentBrowser: object({ isEnabled: { type: "boolean" }, mode: oneOf("always", "never") }),
    continuousAccessEvaluation: object({ mode: oneOf("strictEnforcement", "disabled", "strictLocation") }),
    applicationEnforcedRestrictions: object({ isEnabled: { type: "boolean" } }),
    cloudAppSecurity: object({
      isEnabled: { type: "boolean" },
      cloudAppSecurityType: oneOf("mcasConfigured", "monitorOnly", "blockDownloads"),
    }),
    disableResilienceDefaults: { type: "boolean" },
  }),
});

const location = object({
  "@odata.type": oneOf("#microsoft.graph.ipNamedLocation", "#microsoft.graph.countryNamedLocation"),
  id: {},
  displayName: {},
  isTrusted: { type: "boolean" },
  ipRanges: list(
    object({
      "@odata.type": oneOf("#microsoft.graph.iPv4CidrRange", "#microsoft.graph.iPv6CidrRange"),
      cidrAddress: {},
    }),
  ),
  countriesAndRegions: texts,
  includeUnknownCountriesAndRegions: { type: "boolean" },
  countryLookupMethod: oneOf("clientIpAddress", "authenticatorAppGps"),
});

/** A list, alone or in `value`. */
const exported = (item: JsonObject): JsonObject => ({ anyOf: [object({ value: list(item) }), list(item), item] });

export const GRAPH: Record<Extract<DocumentKind, "policies" | "namedLocations">, JsonObject> = {
  policies: exported(policy),
  namedLocations: exported(location),
};
