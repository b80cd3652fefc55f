// The matrix as a picture that stands alone.

import { text } from "../text.ts";
import { cellAt, type Matrix } from "../what-if/matrix.ts";
import { escape, svg } from "./svg.ts";

/** A picture of more is no picture any more. */
const [ROWS, COLUMNS] = [400, 200];
const CELL = { width: 46, height: 30 };
const NAMES = 240;
const TOP = 210;

const short = (label: string, most: number) => (label.length > most ? `${label.slice(0, most - 1)}…` : label);

export function matrixSvg(matrix: Matrix): string {
  const people = matrix.people.slice(0, ROWS);
  const columns = matrix.columns.slice(0, COLUMNS);
  const parts: string[] = [`<text class="title" x="12" y="30">${escape(text.whatIf.matrix.caption)}</text>`];
  columns.forEach((column, index) => {
    const x = NAMES + index * CELL.width + CELL.width / 2;
    const label = short(
      `${column.application.label || text.whatIf.matrix.unknown} · ${column.network.label || text.whatIf.matrix.unknown}`,
      34,
    );
    parts.push(`<text class="soft" transform="translate(${x + 4} ${TOP - 8}) rotate(-60)">${escape(label)}</text>`);
  });
  people.forEach((person, row) => {
    const y = TOP + row * CELL.height;
    parts.push(
      `<text x="${NAMES - 10}" y="${y + 20}" text-anchor="end">${escape(short(person.label || text.whatIf.matrix.unknown, 30))}</text>`,
    );
    columns.forEach((column, index) => {
      const cell = cellAt(matrix, person, column);
      if (cell === undefined) return;
      const x = NAMES + index * CELL.width;
      const title = escape(text.whatIf.matrix.cell(person.label, column.application.label, column.network.label, cell));
      parts.push(
        `<g><title>${title}</title><rect class="cell ${cell.worst}" x="${x + 1}" y="${y + 1}" width="${CELL.width - 2}" height="${CELL.height - 2}" rx="5" fill-opacity="0.25"/><text class="strong" x="${x + CELL.width / 2}" y="${y + 20}" text-anchor="middle">${cell.changed && cell.before !== undefined && cell.before !== cell.worst ? `${text.marks[cell.before]}→` : ""}${text.marks[cell.worst]}</text></g>`,
      );
    });
  });
  const width = NAMES + columns.length * CELL.width + 140;
  const height = TOP + people.length * CELL.height + 20;
  return svg(width, height, text.whatIf.matrix.caption, parts);
}
