// An address space that can be looked at: ranges are tiny and the space between them is vast, so that space is drawn
// narrow, and a range by the logarithm of its size. The order of addresses is kept.

export interface Segment {
  first: bigint;
  last: bigint;
  gap: boolean;
  /** Shares of the width. */
  from: number;
  to: number;
}

export interface Layout {
  segments: Segment[];
  at(value: bigint, edge: "first" | "last" | "middle"): number;
}

/** Width of free space, where the narrowest range has one. */
const GAP = 0.6;
const logarithm = (size: bigint): number => size.toString(2).length - 1;

export function layout(version: 4 | 6, ranges: { first: bigint; last: bigint }[], marked?: bigint): Layout {
  const end = 1n << (version === 4 ? 32n : 128n);
  const cuts = new Set<bigint>([0n, end]);
  for (const { first, last } of ranges) cuts.add(first).add(last + 1n);
  const sorted = [...cuts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const isCovered = coverage(ranges);
  const plain = sorted.slice(0, -1).map((first, index) => {
    const last = (sorted[index + 1] ?? end) - 1n;
    const gap = !isCovered(first);
    // Free space that holds the address is drawn wide enough for it to be seen.
    const holds = marked !== undefined && marked >= first && marked <= last;
    return { first, last, gap, width: gap ? (holds ? 3 * GAP : GAP) : 1 + logarithm(last - first + 1n) / 6 };
  });
  const all = plain.reduce((sum, { width }) => sum + width, 0);
  let from = 0;
  const segments = plain.map(({ width, ...segment }) => {
    const to = from + width / all;
    const placed = { ...segment, from, to };
    from = to;
    return placed;
  });
  return {
    segments,
    at(value, edge) {
      const segment = segments.find(({ first, last }) => value >= first && value <= last);
      if (segment === undefined) return 0;
      if (edge === "first") return segment.from;
      if (edge === "last") return segment.to;
      const share = Number(((value - segment.first) * 1_000n) / (segment.last - segment.first + 1n)) / 1_000;
      return segment.from + (segment.to - segment.from) * Math.min(0.98, Math.max(0.02, share));
    },
  };
}

/** Whether an address lies in any of these ranges; each beginning of a segment lies in all or nothing of one. */
function coverage(ranges: { first: bigint; last: bigint }[]): (value: bigint) => boolean {
  const sorted = [...ranges].sort((a, b) => (a.first < b.first ? -1 : 1));
  const merged: { first: bigint; last: bigint }[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && range.first <= last.last + 1n)
      last.last = range.last > last.last ? range.last : last.last;
    else merged.push({ ...range });
  }
  return (value) => merged.some(({ first, last }) => value >= first && value <= last);
}
