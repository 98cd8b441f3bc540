/** One byte takes the place of sixteen steps of a CRC: 256 entries for each place in a group of 16 bytes. */
const groupBytes = 16;
const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/**
 * A CRC of 32 bits, for runtimes that lack it: reflected, begun and ended with all bits set. `value` is what it was so far,
 * 0 at first.
 */
export type Crc32 = (bytes: Uint8Array, value: number) => number;

/** @param polynomial in reversed notation */
export function tableCrc(polynomial: number): Crc32 {
  const table = makeTable(polynomial);
  return (bytes, value) => {
    let crc = ~value;
    const { buffer, byteOffset, length } = bytes;
    // A word is read from its own alignment only, in the machine's order.
    const start = littleEndian ? Math.min(length, -byteOffset & 3) : length;
    for (let index = 0; index < start; index++) crc = step(table, crc, bytes[index] ?? 0);
    const groups = Math.floor((length - start) / groupBytes);
    if (groups > 0) {
      crc = groupSteps(table, crc, new Uint32Array(buffer, byteOffset + start, groups * 4));
    }
    for (let index = start + groups * groupBytes; index < length; index++) {
      crc = step(table, crc, bytes[index] ?? 0);
    }
    return ~crc >>> 0;
  };
}

function step(table: Uint32Array, crc: number, byte: number): number {
  return at(table, (crc ^ byte) & 255) ^ (crc >>> 8);
}

/** Sixteen bytes at once, whose table entries do not wait for each other. */
function groupSteps(table: Uint32Array, start: number, words: Uint32Array): number {
  let crc = start;
  for (let index = 0; index < words.length; index += 4) {
    const a = at(words, index) ^ crc;
    const b = at(words, index + 1);
    const c = at(words, index + 2);
    const d = at(words, index + 3);
    crc =
      at(table, 3840 + (a & 255)) ^
      at(table, 3584 + ((a >>> 8) & 255)) ^
      at(table, 3328 + ((a >>> 16) & 255)) ^
      at(table, 3072 + (a >>> 24)) ^
      at(table, 2816 + (b & 255)) ^
      at(table, 2560 + ((b >>> 8) & 255)) ^
      at(table, 2304 + ((b >>> 16) & 255)) ^
      at(table, 2048 + (b >>> 24)) ^
      at(table, 1792 + (c & 255)) ^
      at(table, 1536 + ((c >>> 8) & 255)) ^
      at(table, 1280 + ((c >>> 16) & 255)) ^
      at(table, 1024 + (c >>> 24)) ^
      at(table, 768 + (d & 255)) ^
      at(table, 512 + ((d >>> 8) & 255)) ^
      at(table, 256 + ((d >>> 16) & 255)) ^
      at(table, d >>> 24);
  }
  return crc;
}

/** The index lies within: the alternative is for the type, and costs nothing. */
function at(array: Uint32Array, index: number): number {
  return array[index] ?? 0;
}

function makeTable(polynomial: number): Uint32Array {
  const table = new Uint32Array(256 * groupBytes);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    table[byte] = crc;
  }
  for (let index = 256; index < table.length; index++) {
    table[index] = step(table, at(table, index - 256), 0);
  }
  return table;
}
