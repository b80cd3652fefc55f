// Which view is shown stands in the fragment of the address, and so does everything that was shared.

export const VIEWS = ["conversation", "what-if", "networks", "editor"] as const;
export type View = (typeof VIEWS)[number];

class Route {
  view = $state<View>("conversation");
  /** What was shared, as it stands in the address. */
  shared = $state<string | undefined>(undefined);

  constructor() {
    this.#read();
    addEventListener("hashchange", () => this.#read());
  }

  #read(): void {
    const [name, shared] = location.hash.slice(1).split("/");
    this.view = VIEWS.find((view) => view === name) ?? "conversation";
    this.shared = shared || undefined;
  }
}

export const route = new Route();
