// Light or dark: as the system says, unless somebody chose.

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "theme";

function stored(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? "system";
  } catch {
    return "system";
  }
}

class Chosen {
  #theme = $state<Theme>(stored());

  constructor() {
    this.#apply();
  }

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    this.#apply();
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // A browser that keeps nothing forgets it.
    }
  }

  #apply(): void {
    if (this.#theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = this.#theme;
  }
}

export const chosen = new Chosen();
