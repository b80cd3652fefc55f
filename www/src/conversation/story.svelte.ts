// The story that is being told: the scenario, what the engine made of it, and how far it has been shown.

import { ask, EngineError } from "../engine/engine.ts";
import type { Fault, Line, Stories } from "../engine/types.ts";
import { messagesOf } from "./messages.ts";
import { readScenario, withTimes, writeScenario, type Scenario } from "./scenario.ts";

/** Milliseconds between two messages of a story that plays. */
const PACE = 1_100;
/** Milliseconds without a change before the three ways are compared. */
const PAUSE = 250;

export class StoryTold {
  #text = $state.raw("");
  lines = $state.raw<Line[]>([]);
  faults = $state.raw<Fault[]>([]);
  problem = $state("");
  stories = $state.raw<Stories | undefined>(undefined);
  /** How many messages are shown. */
  shown = $state(0);
  playing = $state(false);
  readonly scenario = $derived(readScenario(this.#text));
  readonly messages = $derived(messagesOf(this.lines));
  #timer: ReturnType<typeof setTimeout> | undefined;
  #past: string[] = $state.raw([]);
  #asked = 0;

  get text(): string {
    return this.#text;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  /** Tells another story, from its beginning or with everything shown. */
  async open(text: string, show: "nothing" | "everything" | "news" = "everything", remember = true): Promise<void> {
    this.pause();
    if (remember && this.#text !== "") this.#past = [...this.#past.slice(-99), this.#text];
    this.#text = text;
    const asked = ++this.#asked;
    try {
      const lines = await ask("run", text);
      if (asked !== this.#asked) return;
      const known = this.messages.length;
      this.lines = lines;
      this.faults = [];
      this.problem = "";
      const all = this.messages.length;
      this.shown = show === "nothing" ? 0 : show === "everything" || all <= known ? all : known;
      if (show === "news" && this.shown < all) this.play();
      // The comparison takes a hundred runs: whoever goes on at once does not wait for it.
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      if (asked !== this.#asked) return;
      const stories = await ask("stories", text).catch(() => undefined);
      if (asked === this.#asked) this.stories = stories;
    } catch (error) {
      if (asked !== this.#asked) return;
      this.faults = error instanceof EngineError ? error.faults : [];
      this.problem = error instanceof Error ? error.message : String(error);
      this.lines = [];
      this.stories = undefined;
      this.shown = 0;
    }
  }

  /** Changes the story by one action and shows what comes of it. */
  async change(by: (scenario: Scenario) => Scenario, show: "everything" | "news" = "news"): Promise<void> {
    if (this.scenario === undefined) return;
    this.shown = this.messages.length;
    await this.open(writeScenario(by(withTimes(this.scenario))), show);
  }

  async undo(): Promise<void> {
    const text = this.#past.at(-1);
    if (text === undefined) return;
    this.#past = this.#past.slice(0, -1);
    await this.open(text, "everything", false);
  }

  play(): void {
    if (this.messages.length === 0) return;
    if (this.shown >= this.messages.length) this.shown = 0;
    this.playing = true;
    const next = () => {
      this.shown = Math.min(this.shown + 1, this.messages.length);
      if (this.shown >= this.messages.length) this.playing = false;
      else this.#timer = setTimeout(next, PACE);
    };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(next, this.shown === 0 ? 0 : PACE / 2);
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.playing = false;
  }

  /** Shows so many messages. */
  seek(shown: number): void {
    this.pause();
    this.shown = Math.max(0, Math.min(shown, this.messages.length));
  }
}

export const story = new StoryTold();
