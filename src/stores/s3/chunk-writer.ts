import type { Place } from './load-record.js';
import type { Piece } from './object-keys.js';
import type { FillingBuffer, PartBuffers, Slots } from './part-buffers.js';
import { PartSession, type SessionOptions } from './part-session.js';
import { mayEndWithPart, partBytesAt, type PartPlan } from './part-size.js';
import { PartsOnTheirWay } from './parts-on-their-way.js';
import type { Survey, Tail } from './survey.js';
import { fetchTail, newPiece, putPiece } from './tail.js';

/** How bytes become parts. */
export interface ChunkWriterOptions extends SessionOptions {
  readonly plan: PartPlan;
  readonly buffers: PartBuffers;
  readonly slots: Slots;
}

/** Pieces that a tail has before they are made one. 64 KiB each, they are a part before. */
const maxPieces = 256;
const noTail: Tail = { pieces: [], size: 0 };

/**
 * Cuts the bytes of a chunk into parts, sends several at once while more arrive, and keeps what is too small for a part as a
 * piece of the tail. It holds the parts on their way and one that is being filled, and nothing more.
 */
export class ChunkWriter {
  readonly #options: ChunkWriterOptions;
  #found: Survey;
  readonly #parts: PartsOnTheirWay;
  /** Pieces whose bytes are in a part that was sent. */
  readonly #covered: Piece[] = [];
  /** Stored behind the parts, and not in memory. */
  #tail: Tail;
  /** What comes behind the tail. */
  #filling: FillingBuffer;
  #session: PartSession | undefined;

  constructor(options: ChunkWriterOptions, found: Survey) {
    this.#options = options;
    this.#found = found;
    this.#tail = found.tail;
    this.#parts = new PartsOnTheirWay(options);
    this.#filling = options.buffers.filling(this.#threshold);
  }

  /** End of the bytes that are stored without a gap. */
  get offset(): number {
    const { partsEnd, offset } = this.#found;
    const inParts = this.#parts.stored.reduce((sum, { size }) => sum + size, partsEnd);
    // Until a part has them, the bytes of the old tail count.
    return Math.max(offset, this.#parts.hasGap ? inParts : inParts + this.#tail.size);
  }

  /** @throws what a part has failed with */
  async write(arrays: readonly Uint8Array[]): Promise<void> {
    for (const array of arrays) {
      for (let taken = 0; taken < array.byteLength;) {
        const room = Math.max(this.#threshold - this.#waiting, 0);
        const bytes = array.subarray(taken, taken + room);
        this.#filling.append(bytes);
        taken += bytes.byteLength;
        while (this.#waiting >= this.#threshold) await this.#sendPart(this.#partBytes);
      }
    }
    this.#parts.throwFailure();
  }

  /**
   * Stores what is left, as a part if it makes one, and notes the end.
   * @returns what there is of the upload now
   */
  async end(): Promise<Survey> {
    const { plan } = this.#options;
    const isFull = this.#partsEnd + this.#waiting === plan.size;
    if (this.#waiting > 0 && (isFull || this.#makesPart())) await this.#sendPart(this.#waiting);
    await this.#parts.settle();
    this.#parts.throwFailure();
    if (this.#filling.length > 0) await this.#putPiece();
    this.#filling.free();
    const stored = this.#parts.stored;
    await this.#session?.close({ stored, hasGap: false, isFull });
    return this.#surveyAfter();
  }

  /** Waits for what is on its way, and notes how far it came. */
  async giveUp(): Promise<void> {
    await this.#parts.settle();
    this.#filling.free();
    const { stored, hasGap } = this.#parts;
    await this.#session?.close({ stored, hasGap, isFull: false });
  }

  /** Removes the pieces that count no more, once the record says so. */
  async removeCovered(): Promise<void> {
    const { place, signal } = this.#options;
    const stale = [...this.#covered, ...this.#found.stalePieces];
    if (stale.length > 0)
      await place.bucket.delete(
        stale.map(({ key }) => key),
        signal,
      );
  }

  /** End of the parts that were sent, and of those before. */
  get #partsEnd(): number {
    return this.#found.partsEnd + this.#parts.bytes;
  }

  /** Bytes that are in no part. */
  get #waiting(): number {
    return this.#tail.size + this.#filling.length;
  }

  get #partBytes(): number {
    return partBytesAt(this.#options.plan, this.#partsEnd, this.#nextNumber - 1);
  }

  /**
   * How much has to wait before a part is sent. Where a request may end with a part of its own, the minimum for one is held
   * back, so that whatever comes last can be one, and need not be sent a second time.
   */
  get #threshold(): number {
    const { profile } = this.#options.plan;
    return this.#partBytes + (profile.equalParts ? 0 : profile.minPartBytes);
  }

  #makesPart(): boolean {
    const { plan } = this.#options;
    if (this.#waiting < plan.profile.minPartBytes) return false;
    return mayEndWithPart(plan, this.#partsEnd + this.#waiting, this.#nextNumber + 1);
  }

  get #nextNumber(): number {
    return this.#session?.peekNumber ?? this.#found.highestNumber + 1;
  }

  async #sendPart(bytes: number): Promise<void> {
    const { place, signal, buffers } = this.#options;
    await this.#parts.room();
    this.#session ??= await PartSession.open(this.#options, this.#found);
    await this.#gatherTail();
    const full = this.#filling;
    const rest = full.bytes.subarray(bytes);
    const number = this.#session.nextNumber();
    const { keys } = this.#session.record;
    const part = full.bytes.subarray(0, bytes);
    this.#parts.send(bytes, () =>
      place.bucket.uploadPart(keys, number, part, signal).finally(() => full.free()),
    );
    this.#filling = buffers.filling(Math.max(this.#threshold, rest.byteLength));
    this.#filling.append(rest);
  }

  async #putPiece(): Promise<void> {
    const { place, fence, signal } = this.#options;
    // Chunks of a few bytes would make thousands of pieces, each of which is a request when they become a part.
    if (this.#tail.pieces.length >= maxPieces) await this.#gatherTail();
    const piece = newPiece(place, {
      start: this.#partsEnd + this.#tail.size,
      size: this.#filling.length,
      // Without one, as the last who had one: what is stored must count.
      fence: fence ?? this.#found.fence,
      // Also where the clock of whoever stored the last one runs ahead.
      time: Math.max(Date.now(), ...this.#found.tail.pieces.map(({ time }) => time + 1)),
    });
    const put = (): Promise<void> => putPiece(place, piece, this.#filling.bytes, signal);
    // A writer that did not come to its end may still store parts: behind a run of our own, they do not count.
    if (this.#found.record.ledger.writer !== undefined) {
      this.#session ??= await PartSession.open(this.#options, this.#found);
    }
    const claim = async (): Promise<void> => {
      const record = await PartSession.claim(this.#options, this.#found);
      this.#found = { ...this.#found, record };
    };
    if (this.#session !== undefined) await put();
    else await putWith(place, piece, put, claim, signal);
    this.#tail = { pieces: [...this.#tail.pieces, piece], size: this.#tail.size + piece.size };
  }

  /** Fetches the tail, which is to become part of a part. */
  async #gatherTail(): Promise<void> {
    if (this.#tail.size === 0) return;
    const { place, signal, buffers } = this.#options;
    const gathered = buffers.filling(Math.max(this.#threshold, this.#waiting));
    await fetchTail(place, this.#tail, gathered.reserve(this.#tail.size), signal);
    gathered.append(this.#filling.bytes);
    this.#filling.free();
    this.#filling = gathered;
    this.#covered.push(...this.#tail.pieces);
    this.#tail = noTail;
  }

  #surveyAfter(): Survey {
    const found = this.#found;
    // A session may have begun a run and left it empty.
    const lastNumber = this.#session?.record.ledger.done?.number;
    return {
      ...found,
      record: this.#session?.record ?? found.record,
      offset: this.offset,
      partsEnd: this.#partsEnd,
      lastNumber: lastNumber ?? found.lastNumber,
      highestNumber: lastNumber ?? found.highestNumber,
      tail: this.#tail,
      stalePieces: [],
      tusdTail: this.#session === undefined ? found.tusdTail : undefined,
      fence: Math.max(found.fence, this.#options.fence ?? -1),
      modifiedAt: Date.now(),
    };
  }
}

/** Puts a piece and claims its upload meanwhile: to wait for that first would make each chunk slower. */
async function putWith(
  place: Place,
  { key }: Piece,
  put: () => Promise<void>,
  claim: () => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [piece, claimed] = await Promise.allSettled([put(), claim()]);
  if (piece.status === 'rejected') throw piece.reason;
  if (claimed.status === 'fulfilled') return;
  await place.bucket.delete([key], signal);
  throw claimed.reason;
}
