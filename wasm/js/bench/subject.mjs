// What is measured: a tenant's worth of policies, and a token that some of them concern.

import { World, seconds } from "../test/world.mjs";

/** In the first named location. */
export const ADDRESS = "20.64.7.77";
const GROUPS = ["50000000-0000-4000-8000-000000000001", "50000000-0000-4000-8000-000000000002"];

const id = (kind, index) => `${kind}0000000-0000-4000-8000-${String(index).padStart(12, "0")}`;

/** Locations of 200 ranges each; the ranges do not touch, so that none melt together. */
const namedLocations = (count) =>
  Array.from({ length: count }, (_, index) => ({
    "@odata.type": "#microsoft.graph.ipNamedLocation",
    id: id(1, index),
    displayName: `Location ${index}`,
    isTrusted: index === 0,
    ipRanges: Array.from({ length: 200 }, (_, range) => ({
      "@odata.type": "#microsoft.graph.iPv4CidrRange",
      cidrAddress: `20.${64 + index}.${range}.0/25`,
    })),
  }));

/** Every twelfth for everybody, the others for groups that the user is not in; most look at the place. */
const policies = (count, locations) =>
  Array.from({ length: count }, (_, index) => {
    const everybody = index % 12 === 0 && index < count - 4;
    const conditions = {
      users: everybody ? { includeUsers: ["All"] } : { includeGroups: [id(2, index)] },
      applications: { includeApplications: ["All"] },
      clientAppTypes: ["all"],
    };
    let control = "block";
    if (index % 24 === 0) conditions.locations = { includeLocations: ["All"], excludeLocations: ["AllTrusted"] };
    else if (index % 4 === 0) control = "mfa";
    else conditions.locations = { includeLocations: [id(1, index % locations)] };
    return {
      id: id(3, index),
      displayName: `Policy ${index}`,
      state: "enabled",
      modifiedDateTime: "2026-01-01T00:00:00Z",
      conditions,
      grantControls: { operator: "OR", builtInControls: [control] },
    };
  });

/** An issuer, its policies, and a token of about 1.2 KB that they allow. */
export async function subject({ policies: count, locations }) {
  const world = await World.make();
  const [tenant, application, issued] = [id(9, 1), id(8, 1), seconds() - 60];
  const issuer = `https://login.microsoftonline.com/${tenant}/v2.0`;
  const configuration = world.configuration({
    issuer: { issuer, claims: "entra-v2", policies: policies(count, locations), namedLocations: namedLocations(locations) },
    transmitter: { speaksFor: [issuer] },
  });
  configuration.resource = { audiences: [application], applicationId: application };
  const token = await world.issuer.sign({ typ: "JWT" }, {
    iss: issuer, tid: tenant, ver: "2.0", aud: application, oid: id(4, 7), sub: "pairwise", azp: id(7, 1), uti: "token-7",
    sid: "session-7", scp: "orders.read", acct: 0, iat: issued, nbf: issued, exp: issued + 86_400, xms_cc: ["cp1"],
    xms_ssm: "1", amr: ["pwd", "mfa"], auth_time: issued, groups: GROUPS, wids: ["b79fbf4d-3ef9-4689-8143-76b194e85509"],
    name: "Adele Vance", ipaddr: ADDRESS, preferred_username: "adele@contoso.example", aio: "A".repeat(200),
    rh: "0.A".repeat(20),
  });
  return { world, configuration, token };
}

/** The middle of what was measured. */
export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
