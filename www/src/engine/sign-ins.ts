// Who, what and where of a sign-in, for the axes of the matrix.

import type { Json, JsonObject, SignIn } from "./types.ts";

const object = (value: Json | undefined): JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
const word = (value: Json | undefined): string => (typeof value === "string" ? value : "");
const words = (value: Json | undefined): string[] => (Array.isArray(value) ? value.map(word) : []);

/** The axes of one line; empty where it does not say. Made sign-ins carry names for people in their id. */
export function dimensions(line: string, made: boolean): Pick<SignIn, "person" | "application" | "network" | "labels"> {
  const signIn = object(JSON.parse(line.replace(/^\uFEFF/, "")) as Json);
  const identity = object(signIn["signInIdentity"]);
  const context = object(signIn["signInContext"]);
  const conditions = object(signIn["signInConditions"]);
  const applications = words(context["includeApplications"]);
  const axes = {
    person: word(identity["userId"]) || word(identity["servicePrincipalId"]),
    application: applications.join(", ") || word(context["userAction"]) || word(context["authenticationContextValue"]),
    network: [word(conditions["ipAddress"]), word(conditions["country"])].filter(Boolean).join(" "),
  };
  if (!made) return axes;
  const [who = "", what = "", where = ""] = word(signIn["id"]).split(", ");
  return { ...axes, person: `${who} ${axes.person}`, labels: [who, what, where] };
}
