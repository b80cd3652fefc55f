// The form of named locations.

import type { Json, JsonObject } from "../../engine/types.ts";
import { field, type Form, uuid } from "./fields.ts";

const IP = ["#microsoft.graph.ipNamedLocation"];
const COUNTRIES = ["#microsoft.graph.countryNamedLocation"];

const newRange = (kind: string): JsonObject => ({ "@odata.type": kind, id: uuid(), displayName: "" });

export const namedLocations: Form = {
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
