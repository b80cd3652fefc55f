// The policies of the service that serves this page, if one does: it puts them into the page itself.

import type { Tenant } from "./engine/types.ts";

interface Live extends Tenant {
  name: string;
}

function read(): Live | undefined {
  const text = document.getElementById("live")?.textContent;
  if (!text) return undefined;
  try {
    const { policies, namedLocations } = JSON.parse(text) as { policies: unknown; namedLocations: unknown };
    return {
      name: "live",
      policies: [{ name: "live", text: JSON.stringify(policies, null, 2) }],
      namedLocations: JSON.stringify(namedLocations, null, 2),
    };
  } catch {
    return undefined;
  }
}

export const live = read();
