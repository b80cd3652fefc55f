// What can be taken away of a what-if.

import { ask } from "../engine/engine.ts";
import { text } from "../text.ts";
import type { Matrix } from "../what-if/matrix.ts";
import { workspace } from "../workspace.svelte.ts";
import type { ExportItem } from "./items.ts";

export function whatIfItems(matrix: Matrix, compared: boolean): ExportItem[] {
  const picture: ExportItem = {
    label: text.export.matrix,
    name: "matrix.svg",
    type: "image/svg+xml",
    make: async () => (await import("./matrix-svg.ts")).matrixSvg(matrix),
  };
  const { after, before, signIns } = workspace;
  const report: ExportItem = {
    label: text.export.report,
    name: "report.html",
    type: "text/html",
    make: () =>
      ask("report", { before: before?.name ?? "", after: after.name, signIns: signIns?.name ?? null }, workspace.names),
  };
  return compared ? [picture, report] : [picture];
}
