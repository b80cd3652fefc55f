// The timeline as a picture that stands alone: shapes and text, no script, readable in light and dark.

import { LANES, type Message } from "../conversation/messages.ts";
import { text } from "../text.ts";
import { escape, svg } from "./svg.ts";

const LEFT = 110;
const LANE = 230;
const ROW = 58;
const TOP = 110;

export function timelineSvg(title: string, messages: Message[]): string {
  const x = (lane: (typeof LANES)[number]) => LEFT + LANE / 2 + LANES.indexOf(lane) * LANE;
  const height = TOP + messages.length * ROW + 20;
  const width = LEFT + LANE * LANES.length + 20;
  const heads = LANES.map(
    (lane) =>
      `<rect class="head" x="${x(lane) - 95}" y="50" width="190" height="34" rx="8"/><text class="strong" x="${x(lane)}" y="72" text-anchor="middle">${escape(text.conversation.lanes[lane])}</text><line class="life" x1="${x(lane)}" y1="84" x2="${x(lane)}" y2="${height - 10}"/>`,
  );
  const rows = messages.map((message, index) => {
    const y = TOP + index * ROW;
    const [from, to] = [x(message.from), x(message.to)];
    const same = from === to;
    const time =
      message.line !== messages[index - 1]?.line
        ? `<text class="soft mono" x="12" y="${y + 20}">${text.clock(message.line.elapsed)}</text>`
        : "";
    const label = escape(message.label);
    if (same)
      return `${time}<rect class="box ${message.tone}" x="${from - 105}" y="${y}" width="210" height="28" rx="6"/><text x="${from}" y="${y + 19}" text-anchor="middle">${label}</text>`;
    const tip = to > from ? to - 9 : to + 9;
    return `${time}<line class="arrow ${message.tone}" x1="${from}" y1="${y + 24}" x2="${tip}" y2="${y + 24}"/><path class="tip ${message.tone}" d="M${to} ${y + 24}L${tip} ${y + 19}V${y + 29}Z"/><text x="${(from + to) / 2}" y="${y + 16}" text-anchor="middle">${label}</text>`;
  });
  return svg(width, height, title, [`<text class="title" x="12" y="30">${escape(title)}</text>`, ...heads, ...rows]);
}
