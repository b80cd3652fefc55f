// What can be taken away as a file. What makes a file is loaded when somebody wants it.

import { story } from "../conversation/story.svelte.ts";
import { text } from "../text.ts";

export interface ExportItem {
  label: string;
  name: string;
  type: string;
  make(): Promise<string>;
}

export async function download({ name, type, make }: ExportItem): Promise<void> {
  const address = URL.createObjectURL(new Blob([await make()], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // After the browser has taken it.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export const storyItems: ExportItem[] = [
  {
    label: text.export.scenario,
    name: "scenario.json",
    type: "application/json",
    make: async () => (await import("./scenario-file.ts")).scenarioFile(story.text, story.lines),
  },
  {
    label: text.export.timeline,
    name: "timeline.svg",
    type: "image/svg+xml",
    make: async () => (await import("./timeline-svg.ts")).timelineSvg(story.scenario?.title ?? "", story.messages),
  },
];
