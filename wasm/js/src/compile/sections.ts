/** One section of a WebAssembly module (WebAssembly Core Specification, section 5.5). */
export interface Section {
  readonly id: number;
  readonly contents: Uint8Array;
}

export const CUSTOM = 0;
export const MEMORY = 5;
export const DATA = 11;
export const DATA_COUNT = 12;

/** Magic number and version. */
const HEADER = 8;

/** Takes a module that some compiler accepted apart. */
export function sectionsOf(module: Uint8Array): Section[] {
  const sections: Section[] = [];
  for (let place = HEADER; place < module.length; ) {
    const id = module[place]!;
    const [length, begin] = readUnsigned(module, place + 1);
    place = begin + length;
    sections.push({ id, contents: module.subarray(begin, place) });
  }
  return sections;
}

/** Puts sections together to a module. */
export function moduleOf(header: Uint8Array, sections: readonly Section[]): Uint8Array {
  return joined([header.subarray(0, HEADER), ...sections.flatMap(({ id, contents }) => [Uint8Array.of(id), sized(contents)])]);
}

/** Bytes with their number before them, as names and sections have it. */
export const sized = (bytes: Uint8Array): Uint8Array => joined([unsigned(bytes.length), bytes]);

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    bytes.set(part, place);
    place += part.length;
  }
  return bytes;
}

/** An unsigned number of at most 32 bits (LEB128), and where the next one begins. */
export function readUnsigned(bytes: Uint8Array, place: number): readonly [number, number] {
  let number = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[place++]!;
    number += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [number, place];
  }
}

export function unsigned(number: number): Uint8Array {
  const bytes = [];
  for (; number > 0x7f; number = Math.floor(number / 0x80)) bytes.push((number % 0x80) | 0x80);
  return Uint8Array.from([...bytes, number]);
}

/** A signed number of 32 bits (LEB128). */
export function signed(number: number): Uint8Array {
  const bytes = [];
  for (; number < -0x40 || number > 0x3f; number >>= 7) bytes.push((number & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, number & 0x7f]);
}
