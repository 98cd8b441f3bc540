import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import type {
  ByteRange,
  DataStore,
  Upload,
  WriteChunkOptions,
  WriteResult,
} from '../../core/data-store.js';
import { type ErrorCode, isTusError } from '../../core/errors.js';
import type { UploadInfo } from '../../core/upload.js';
import { bodyOf } from '../memory-body.js';
import { bytesAt } from './fixtures.js';
import type { Trial } from './suite.js';

/** Long enough for a busy machine, short enough to be told from "never". */
const soonMs = 2000;

export async function assertRejects(
  work: Promise<unknown>,
  ...codes: readonly ErrorCode[]
): Promise<void> {
  await assert.rejects(work, (error) => {
    assertCode(error, ...codes);
    return true;
  });
}

export function assertCode(error: unknown, ...codes: readonly ErrorCode[]): void {
  const expected = codes.some((code) => isTusError(error, code));
  assert.ok(expected, `expected ${codes.join(' or ')}, got ${String(error)}`);
}

/** Fails where `work` does not settle. */
export async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not settled after ${soonMs} ms`)), soonMs);
  });
  try {
    const [result] = await Promise.race([Promise.allSettled([work]), late]);
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/** Writes the next `length` bytes of the pattern, which has to succeed. */
export async function append(
  upload: Upload,
  offset: number,
  length: number,
  options?: WriteChunkOptions,
): Promise<void> {
  assertWritten(await upload.writeChunk(offset, bodyOf(bytesAt(offset, length)), options), length);
}

export function assertWritten(result: WriteResult, bytesWritten: number): void {
  assert.equal(result.error, undefined);
  assert.equal(result.bytesWritten, bytesWritten);
}

/** Lets another instance confirm that the upload has `offset` bytes, and that they are the right ones. */
export async function assertStored(trial: Trial, id: string, offset: number): Promise<void> {
  const store = await trial.reopen();
  const upload = await store.getUpload(id);
  const info = await upload.getInfo();
  assert.equal(info.offset, offset, 'offset that another instance sees');
  await assertBytes(store, upload, { start: 0, end: offset });
}

/** Compares what is read with what belongs there. Where only finished uploads can be read, finishes this one. */
export async function assertBytes(
  store: DataStore,
  upload: Upload,
  range: ByteRange,
): Promise<void> {
  if (!store.capabilities.reading) return;
  const actual = await readRange(upload, range).catch(async (error: unknown) => {
    if (!(store.capabilities.finishing && isTusError(error, 'ERR_INCOMPLETE_UPLOAD'))) throw error;
    await complete(upload);
    return readRange(upload, range);
  });
  assertSameBytes(actual, range);
}

/** Cheaper than a deep comparison, and says where the difference is. */
function assertSameBytes(actual: Buffer, { start, end }: ByteRange): void {
  const expected = bytesAt(start, end - start);
  assert.equal(actual.byteLength, expected.byteLength, 'number of bytes read');
  if (actual.equals(expected)) return;
  const index = expected.findIndex((byte, position) => actual[position] !== byte);
  assert.fail(`byte ${start + index} is ${actual[index]}, not ${expected[index]}`);
}

export async function readRange(upload: Upload, range: ByteRange): Promise<Buffer> {
  if (!upload.read) assert.fail('reading is a capability, so there is read()');
  const result = await upload.read(range);
  if ('stream' in result) return buffer(result.stream);
  if (range.start === range.end) return Buffer.alloc(0);
  const headers = { Range: `bytes=${range.start}-${range.end - 1}` };
  return Buffer.from(await (await fetch(result.redirect, { headers })).arrayBuffer());
}

/** Gives the upload its last bytes, and runs the finish step if there is one. */
export async function complete(upload: Upload): Promise<void> {
  const { offset, size = offset } = await upload.getInfo();
  await upload.update({ size });
  if (offset < size) await append(upload, offset, size - offset);
  await upload.finish?.();
}

/** An upload's record as another instance sees it. */
export async function infoOf(trial: Trial, id: string): Promise<UploadInfo> {
  return (await (await trial.reopen()).getUpload(id)).getInfo();
}
