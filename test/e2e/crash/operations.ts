import { createHash } from 'node:crypto';
import type { Random } from '../resume/random.js';
import { sourceBytes } from './source.js';
import { isFinished, type TrackedUpload } from './tracked-upload.js';
import type { Answer, TusClient } from './tus-client.js';

/** All that the operations of one client need. */
export interface Workplace {
  readonly client: TusClient;
  readonly random: Random;
  /** Of the run: makes the bytes. */
  readonly seed: number;
  readonly basePath: string;
  /** Bytes of an upload at most. */
  readonly maxSize: number;
  readonly extensions: ReadonlySet<string>;
  /** Uploads that are not finished expire soon. */
  readonly isMortal: boolean;
  /** Puts down an upload that is about to be created. */
  add(draft: UploadDraft, sourceOf: (number: number) => Buffer): TrackedUpload;
  report(problem: string): void;
}

export type UploadDraft = Pick<TrackedUpload, 'isPartial' | 'isLengthKnown' | 'parts'>;

const chunkType = { 'Content-Type': 'application/offset+octet-stream' };

/** How a chunk is sent. */
type Verification = 'none' | 'right' | 'wrong' | 'trailer' | 'wrong-trailer';

/** Makes an upload, empty or with the first of its bytes. Undefined where no answer came. */
export async function create(
  place: Workplace,
  { isPartial = false }: { readonly isPartial?: boolean } = {},
): Promise<TrackedUpload | undefined> {
  const { random, extensions, seed } = place;
  const size = drawSize(place);
  // A part without a length would have to be waited for.
  const mayDefer = extensions.has('creation-defer-length') && size > 0;
  const mustTell = isPartial && !extensions.has('concatenation-unfinished');
  const isLengthKnown = !mayDefer || mustTell || random.below(4) > 0;
  const upload = place.add({ isPartial, isLengthKnown, parts: [] }, (number) =>
    sourceBytes(seed, number, size),
  );
  const withBytes = extensions.has('creation-with-upload') && size > 0 && random.below(3) === 0;
  const end = withBytes ? 1 + random.below(size) : 0;
  upload.sent = end;
  const answer = await place.client.send('POST', place.basePath, {
    headers: {
      ...metadataOf(upload),
      ...(isLengthKnown ? { 'Upload-Length': String(size) } : { 'Upload-Defer-Length': '1' }),
      ...(isPartial && { 'Upload-Concat': 'partial' }),
      ...(withBytes && chunkType),
    },
    pieces: cut(upload.source.subarray(0, end), random),
  });
  if (answer === undefined) return undefined;
  noteCreation(place, upload, answer);
  if (withBytes) noteOffset(place, upload, answer, end, 'POST');
  return upload;
}

/** Makes the final upload of `parts`. */
export async function concatenate(
  place: Workplace,
  parts: readonly TrackedUpload[],
): Promise<TrackedUpload | undefined> {
  const upload = place.add({ isPartial: false, isLengthKnown: true, parts }, () =>
    Buffer.concat(parts.map(({ source }) => source)),
  );
  upload.sent = upload.source.length;
  for (const part of parts) part.isNeeded = true;
  const urls = parts.map(({ path }) => path).join(' ');
  const answer = await place.client.send('POST', place.basePath, {
    headers: { ...metadataOf(upload), 'Upload-Concat': `final;${urls}` },
  });
  if (answer === undefined) return undefined;
  const mayRefuse = place.isMortal && !parts.every(isFinished);
  if (mayRefuse && answer.status >= 400 && answer.status < 500) upload.gone = 'yes';
  else noteCreation(place, upload, answer);
  return upload;
}

/** Sends the next of the bytes, or the last; may be cut off by the client, or carry a checksum, wrong ones too. */
export async function append(place: Workplace, upload: TrackedUpload): Promise<void> {
  const { random } = place;
  const offset = upload.told;
  const left = upload.source.length - offset;
  const end = random.below(3) === 0 ? upload.source.length : offset + random.below(left + 1);
  await sendChunk(place, upload, end, drawVerification(place), random.below(5) === 0);
}

/** Sends all that is missing, and the length if it was not told. */
export function appendRest(place: Workplace, upload: TrackedUpload): Promise<void> {
  return sendChunk(place, upload, upload.source.length, 'none', false);
}

async function sendChunk(
  place: Workplace,
  upload: TrackedUpload,
  end: number,
  verification: Verification,
  breaks: boolean,
): Promise<void> {
  const { client, random } = place;
  const offset = upload.told;
  const content = upload.source.subarray(offset, end);
  const isWrong = verification.startsWith('wrong') && content.length > 0;
  if (!isWrong) upload.sent = Math.max(upload.sent, end);
  const checksum = `sha1 ${createHash('sha1').update(content).digest('base64')}`;
  const inTrailer = verification.endsWith('trailer');
  const pieces = cut(isWrong ? inverted(content) : content, random);
  const tellsLength = !upload.isLengthKnown && end === upload.source.length;
  const answer = await client.send('PATCH', upload.path ?? '', {
    headers: {
      ...chunkType,
      'Upload-Offset': String(offset),
      ...(tellsLength && { 'Upload-Length': String(upload.source.length) }),
      ...(verification !== 'none' && !inTrailer && { 'Upload-Checksum': checksum }),
    },
    pieces,
    ...(inTrailer && { trailer: { name: 'Upload-Checksum', value: checksum } }),
    ...(breaks && { breakAfter: random.below(pieces.length + 1) }),
  });
  if (answer === undefined || hasExpired(place, upload, answer)) return;
  if (isWrong) {
    if (answer.status !== 460) place.report(`Wrong bytes were answered with ${answer.status}`);
    return;
  }
  noteOffset(place, upload, answer, end, 'PATCH');
  if (tellsLength) upload.isLengthKnown = true;
}

/** Asks for the offset. */
export async function look(place: Workplace, upload: TrackedUpload): Promise<void> {
  const answer = await place.client.send('HEAD', upload.path ?? '');
  if (answer === undefined || hasExpired(place, upload, answer)) return;
  if (answer.status !== 200) {
    place.report(`HEAD was answered with ${answer.status}`);
    return;
  }
  const offset = answer.headers['upload-offset'];
  // A final upload has none before all its bytes are there.
  if (offset !== undefined) raise(place, upload, Number(offset), 'HEAD');
  else if (upload.parts.length === 0) place.report('HEAD told no offset');
}

/** Removes it. */
export async function terminate(place: Workplace, upload: TrackedUpload): Promise<void> {
  upload.gone = 'maybe';
  const answer = await place.client.send('DELETE', upload.path ?? '');
  if (answer === undefined || hasExpired(place, upload, answer)) return;
  if (answer.status !== 204) place.report(`DELETE was answered with ${answer.status}`);
  upload.gone = 'yes';
}

/** Notes that an upload has gone that was not finished in time. */
function hasExpired({ isMortal }: Workplace, upload: TrackedUpload, { status }: Answer): boolean {
  if (!isMortal || isFinished(upload) || (status !== 404 && status !== 410)) return false;
  upload.gone = status === 404 ? 'yes' : 'maybe';
  return true;
}

function metadataOf({ number }: TrackedUpload): Record<string, string> {
  return { 'Upload-Metadata': `number ${btoa(String(number))}` };
}

function noteCreation(place: Workplace, upload: TrackedUpload, answer: Answer): void {
  const { location } = answer.headers;
  if (answer.status === 201 && location !== undefined) {
    upload.path = new URL(location, 'http://uploads.example').pathname;
  } else {
    place.report(`POST was answered with ${answer.status}: ${String(answer.body)}`);
  }
}

function noteOffset(
  place: Workplace,
  upload: TrackedUpload,
  answer: Answer,
  end: number,
  method: string,
): void {
  if (answer.status >= 300) {
    place.report(`${method} was answered with ${answer.status}: ${String(answer.body)}`);
    return;
  }
  const offset = Number(answer.headers['upload-offset']);
  if (offset !== end) place.report(`${method} up to ${end} was answered with offset ${offset}`);
  raise(place, upload, offset, method);
}

function raise(place: Workplace, upload: TrackedUpload, offset: number, method: string): void {
  if (!(offset >= upload.told && offset <= upload.sent)) {
    place.report(`${method} told ${offset}, after ${upload.told} of ${upload.sent} sent`);
  }
  upload.told = offset;
}

function drawVerification({ random, extensions }: Workplace): Verification {
  const kind = random.below(8);
  if (extensions.has('checksum')) {
    if (kind < 2) return 'right';
    if (kind === 2) return 'wrong';
  }
  if (extensions.has('checksum-trailer')) {
    if (kind === 3) return 'trailer';
    if (kind === 4) return 'wrong-trailer';
  }
  return 'none';
}

/** Mostly small, sometimes as large as it may be, now and then empty. */
function drawSize({ random, maxSize }: Workplace): number {
  const kind = random.below(20);
  if (kind === 0) return 0;
  if (kind < 10) return 1 + random.below(4096);
  if (kind < 16) return 1 + random.below(256 * 1024);
  return 1 + random.below(maxSize);
}

/** One to eight pieces, of random lengths. */
function cut(bytes: Buffer, random: Random): Buffer[] {
  if (bytes.length === 0) return [];
  const ends = Array.from({ length: random.below(8) }, () => random.below(bytes.length));
  const all = [...new Set([0, ...ends, bytes.length])].sort((one, other) => one - other);
  return all.slice(1).map((end, index) => bytes.subarray(all[index], end));
}

function inverted(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => byte ^ 0xff));
}
