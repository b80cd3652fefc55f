// What the what-if, the networks and the editor are about: the policies that were opened, and those they are compared with.

import type { Tenant } from "./engine/types.ts";
import type { Found } from "./files.ts";
import { live } from "./live.ts";

export interface PolicySet extends Tenant {
  name: string;
}

export interface Contents {
  after: PolicySet;
  before?: PolicySet | undefined;
  signIns?: { name: string; text: string } | undefined;
  names: Record<string, string>;
  configuration?: string | undefined;
}

class Workspace {
  after = $state.raw<PolicySet>({ name: "", policies: [] });
  before = $state.raw<PolicySet | undefined>(undefined);
  signIns = $state.raw<{ name: string; text: string } | undefined>(undefined);
  names = $state.raw<Record<string, string>>({});
  configuration = $state.raw<string | undefined>(undefined);
  #filled = false;

  get contents(): Contents {
    return {
      after: this.after,
      before: this.before,
      signIns: this.signIns,
      names: this.names,
      configuration: this.configuration,
    };
  }

  /** Replaces everything. */
  fill({ after, before, signIns, names, configuration }: Contents): void {
    this.#filled = true;
    this.after = after;
    this.before = before;
    this.signIns = signIns;
    this.names = names;
    this.configuration = configuration;
  }

  /** The first time a view needs something: the policies of the service, or an example. */
  async begin(): Promise<void> {
    if (this.#filled) return;
    this.#filled = true;
    if (live !== undefined) {
      this.fill({ after: live, names: {} });
      return;
    }
    const { EXAMPLES } = await import("./examples/library.ts");
    const example = await EXAMPLES[0].load();
    // A shared link, or somebody with files, may have been faster.
    if (this.after.policies.length === 0) this.fill(example);
  }

  /** Takes what was found in files; policies go where `slot` says. */
  take(found: Found, slot: "after" | "before", name: string): void {
    this.#filled = true;
    this.names = { ...this.names, ...found.names };
    if (found.configuration !== undefined) this.configuration = found.configuration;
    if (found.signIns !== undefined) this.signIns = found.signIns;
    const locations =
      found.namedLocations.length === 0 ? undefined : JSON.stringify({ value: found.namedLocations }, null, 2);
    const groups = found.applicationGroups === undefined ? undefined : JSON.stringify(found.applicationGroups);
    const known = slot === "after" ? this.after : (this.before ?? this.after);
    if (found.policies.length === 0 && locations === undefined && groups === undefined) return;
    const next: PolicySet = {
      name: found.policies.length === 0 ? known.name : name,
      policies: found.policies.length === 0 ? known.policies : found.policies,
      namedLocations: locations ?? known.namedLocations,
      applicationGroups: groups ?? known.applicationGroups,
    };
    if (slot === "after") this.after = next;
    else this.before = next;
    // Sign-ins of an example say nothing about somebody's own policies.
    if (found.policies.length > 0 && found.signIns === undefined && slot === "after") this.signIns = undefined;
  }

  /** What an id is called. */
  name(id: string): string {
    return this.names[id.toLowerCase()] ?? id;
  }
}

export const workspace = new Workspace();
