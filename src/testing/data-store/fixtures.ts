import type { DataStore, Upload } from '../../core/data-store.js';
import type { Metadata, UploadDraft } from '../../core/upload.js';
import type { Trial } from './suite.js';

export const KiB = 1024;
export const MiB = 1024 * KiB;

/** A prime, so that no power of two repeats it: bytes in the wrong place are always wrong bytes. */
const patternLength = 1_000_003;
const pattern = makePattern();

function makePattern(): Buffer {
  const bytes = Buffer.alloc(patternLength);
  let state = 1;
  for (let index = 0; index < patternLength; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

/** The bytes that belong at `start` of every upload of the suite. */
export function bytesAt(start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const from = (start + filled) % patternLength;
    const piece = pattern.subarray(from, from + length - filled);
    bytes.set(piece, filled);
    filled += piece.byteLength;
  }
  return bytes;
}

/** `length` bytes for `start`, in arrays of `arrayLength`. */
export function* arraysAt(
  start: number,
  length: number,
  arrayLength: number,
): Generator<Uint8Array> {
  for (let done = 0; done < length; done += arrayLength) {
    yield bytesAt(start + done, Math.min(arrayLength, length - done));
  }
}

export function draft(changes: Partial<UploadDraft> = {}): UploadDraft {
  return {
    size: 0,
    metadata: metadataOf({}),
    isPartial: false,
    isFinal: false,
    parts: [],
    ...changes,
  };
}

export function metadataOf(entries: Readonly<Record<string, string>>): Metadata {
  const metadata: Record<string, string> = Object.create(null);
  return Object.assign(metadata, entries);
}

/** An upload in the trial's store. */
export async function create(trial: Trial, changes: Partial<UploadDraft> = {}): Promise<Upload> {
  return trial.store.newUpload(draft(changes));
}

/** Everything `store` lists, as sorted lines. */
export async function listed(store: DataStore): Promise<string[]> {
  const items: string[] = [];
  for await (const item of store.list()) items.push(`${item.kind} ${item.id}`);
  return items.sort();
}

/** Numbers from 0 to below 1 that are the same in every run with the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
