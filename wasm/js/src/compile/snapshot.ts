import { CUSTOM, DATA, DATA_COUNT, MEMORY, type Section, joined, moduleOf, readUnsigned, sectionsOf, signed, sized, unsigned } from "./sections.js";

/** Zeros between two pieces of data that cost less than a piece of its own. */
const GAP = 12;
/** Bytes of a page of memory. */
const PAGE = 65_536;

/**
 * A module that begins with a memory as it is given, and with a custom section.
 *
 * `module` has to lay out its data and its functions as the one does that wrote the memory.
 */
export function withMemory(module: Uint8Array, memory: Uint8Array, name: string, custom: Uint8Array): Uint8Array {
  const sections = sectionsOf(module);
  const pieces = piecesOf(memory, beginOfData(sections));
  const replaced: Section[] = sections.map(({ id, contents }) => {
    if (id === MEMORY) return { id, contents: ofAtLeast(contents, memory.length / PAGE) };
    if (id === DATA_COUNT) return { id, contents: unsigned(pieces.length) };
    if (id === DATA) return { id, contents: joined([unsigned(pieces.length), ...pieces]) };
    return { id, contents };
  });
  const label = sized(new TextEncoder().encode(name));
  return moduleOf(module, [...replaced, { id: CUSTOM, contents: joined([label, custom]) }]);
}

/** The limits of the one memory, from so many pages on. */
function ofAtLeast(contents: Uint8Array, pages: number): Uint8Array {
  const [, begin] = readUnsigned(contents, 0);
  const [, end] = readUnsigned(contents, begin + 1);
  return joined([contents.subarray(0, begin + 1), unsigned(pages), contents.subarray(end)]);
}

/** Where the first piece of data lies. Below it is the stack, which holds nothing between two calls. */
function beginOfData(sections: readonly Section[]): number {
  const data = sections.find(({ id }) => id === DATA)?.contents ?? new Uint8Array();
  const [, first] = readUnsigned(data, 0);
  // Active, of memory 0, at a constant, which is positive and so reads as an unsigned one.
  if (data[first] !== 0 || data[first + 1] !== 0x41) throw new TypeError("the module lays out its data in another way than is known");
  return readUnsigned(data, first + 2)[0];
}

/** What is not zero, as active segments of memory 0. */
function piecesOf(memory: Uint8Array, from: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let begin = nextByte(memory, from); begin < memory.length; ) {
    let end = begin;
    let next = begin;
    do {
      end = next;
      while (end < memory.length && memory[end] !== 0) end += 1;
      next = nextByte(memory, end);
    } while (next < memory.length && next - end <= GAP);
    // i32.const begin, end; then the bytes.
    pieces.push(joined([Uint8Array.of(0, 0x41), signed(begin), Uint8Array.of(0x0b), sized(memory.subarray(begin, end))]));
    begin = next;
  }
  return pieces;
}

function nextByte(memory: Uint8Array, from: number): number {
  let place = from;
  while (place < memory.length && memory[place] === 0) place += 1;
  return place;
}
