import { loadRecord, type Place } from './load-record.js';
import type { Piece } from './object-keys.js';
import type { FillingBuffer, PartBuffers } from './part-buffers.js';
import { PartSession, type SessionOptions } from './part-session.js';
import { mayEndWithPart, partBytesAt, type PartPlan } from './part-size.js';
import { PartsOnTheirWay } from './parts-on-their-way.js';
import type { StoredPart } from './multipart-uploads.js';
import type { Signal } from './s3-calls.js';
import type { Slots } from './slots.js';
import type { Survey, Tail } from './survey.js';
import { fetchTail, newPiece, putPiece } from './tail.js';

/** How bytes become parts. */
export interface ChunkWriterOptions extends SessionOptions {
  readonly plan: PartPlan;
  readonly buffers: PartBuffers;
  readonly slots: Slots;
  /** Bytes that the client has announced, where it has. */
  readonly bodyLength?: number | undefined;
}

/** Pieces that a tail has before they are made one. 64 KiB each, they are a part before. */
const maxPieces = 256;
const noTail: Tail = { pieces: [], size: 0 };

/**
 * Cuts the bytes of a chunk into parts, sends several at once while more arrive, and keeps what is too small for a part as a
 * piece of the tail.
 *
 * Where a request may end with a part of its own, a full part is held until there is a minimum of bytes behind it, or enough
 * is announced: so whatever comes last is a part, or goes with the one before, and nothing has to be sent a second time.
 */
export class ChunkWriter {
  #options: ChunkWriterOptions;
  #found: Survey;
  readonly #parts: PartsOnTheirWay;
  /** Pieces whose bytes are in memory now, or in a part. They stay until another chunk has ended: this one may be discarded. */
  readonly #covered: Piece[] = [];
  /** Pieces that counted for nothing when this chunk began. */
  #stale: readonly Piece[];
  /** Pieces that this writer has stored. */
  readonly #own: Piece[] = [];
  /** Stored behind the parts, and not in memory. */
  #tail: Tail;
  /** Bytes that are still to come, as far as the client has announced them. */
  #announced: number;
  /** A full part behind which too little has come yet. Never while there is a tail. */
  #held: FillingBuffer | undefined;
  /** What comes behind the tail or the part that is held. */
  #filling: FillingBuffer;
  #session: PartSession | undefined;
  #lastBytesAt = performance.now();

  constructor(options: ChunkWriterOptions, found: Survey) {
    this.#options = options;
    this.#found = found;
    this.#tail = found.tail;
    this.#stale = found.stalePieces;
    this.#announced = options.bodyLength ?? 0;
    this.#parts = new PartsOnTheirWay(options);
    this.#filling = this.#newFilling();
  }

  /** End of the bytes that are stored without a gap. */
  get offset(): number {
    const { partsEnd, offset } = this.#found;
    const inParts = this.#parts.stored.reduce((sum, { size }) => sum + size, partsEnd);
    // Until a part has them, the bytes of the old tail count.
    return Math.max(offset, this.#parts.hasGap ? inParts : inParts + this.#tail.size);
  }

  /** End of the bytes that have come, stored or not. */
  get end(): number {
    return this.#partsEnd + this.#waiting;
  }

  get isProvisional(): boolean {
    return this.#options.isProvisional;
  }

  /** @throws what a part has failed with */
  async write(arrays: readonly Uint8Array[]): Promise<void> {
    this.#lastBytesAt = performance.now();
    for (const array of arrays) {
      this.#announced -= array.byteLength;
      await this.#append(array);
    }
    this.#parts.throwFailure();
  }

  /**
   * Stores what is held in memory, because others need it. The client may send more afterwards.
   * @throws what a part has failed with
   */
  async letGo(): Promise<void> {
    await this.settle();
    if (this.#filling.length > 0) await this.#putPiece(this.isProvisional);
  }

  /**
   * Stores all that makes parts, and waits for it. What is left is too small for one, and stays in memory until
   * {@link commit}, {@link discard} or {@link giveUp}.
   *
   * @throws what a part has failed with
   */
  async settle(): Promise<void> {
    if (this.#isFull && this.#waiting > 0) await this.#sendRest(true);
    else if (this.#makesPart()) await this.#sendRest(false);
    else await this.#sendHeld();
    await this.#parts.settle();
    this.#parts.throwFailure();
  }

  /**
   * Makes all that has come count, once it is settled. First the parts: a piece behind parts of which nobody ever says that
   * they count could one day be taken for that of somebody else.
   *
   * @returns what there is of the upload now
   */
  async commit(signal: Signal): Promise<Survey> {
    this.#options = { ...this.#options, signal };
    if (this.#tail.pieces.some(({ isDraft }) => isDraft)) {
      await this.#gatherTail();
      await this.settle();
    }
    if (this.#filling.length > 0) await this.#standAlone();
    await this.#session?.closeWith(this.#parts, this.#isFull, signal);
    if (this.#filling.length > 0) await this.#putPiece(false);
    this.#filling.free();
    await this.#removeStale();
    return this.#surveyAfter();
  }

  /** Waits for what is on its way, and notes how far it came; of what is provisional, nothing counts. */
  async giveUp(): Promise<void> {
    const { signal } = this.#options;
    if (this.isProvisional) return this.discard(signal);
    await this.free();
    await this.#session?.closeWith(this.#parts, false, signal);
  }

  /**
   * Takes all that was stored back, committed or not.
   * @throws TusError ERR_LOCK_LOST where somebody else may have built on it
   */
  async discard(signal: Signal): Promise<void> {
    await this.free();
    this.#options = { ...this.#options, signal };
    const { place, fence } = this.#options;
    if (this.#session !== undefined) await this.#session.undo(signal);
    else if (fence !== undefined && this.#own.some(({ isDraft }) => !isDraft)) await this.#claim();
    await place.bucket.delete(keysOf(this.#own), signal);
  }

  /** Waits for what is on its way, and gives the memory back. */
  async free(): Promise<void> {
    await this.#parts.settle();
    this.#held?.free();
    this.#held = undefined;
    this.#filling.free();
  }

  /** When bytes came last, in milliseconds of the process's clock. */
  get lastBytesAt(): number {
    return this.#lastBytesAt;
  }

  /** Whether anything is held that others could use the memory of. */
  get holdsMemory(): boolean {
    return this.#held !== undefined || this.#filling.isGrown;
  }

  /** End of the parts that were sent, and of those before. */
  get #partsEnd(): number {
    return this.#found.partsEnd + this.#parts.bytes;
  }

  /** All bytes of the upload have come. */
  get #isFull(): boolean {
    return this.end === this.#options.plan.size;
  }

  /** Bytes that are in no part. */
  get #waiting(): number {
    return this.#tail.size + (this.#held?.length ?? 0) + this.#filling.length;
  }

  /** Bytes of a part that begins where the parts end. */
  get #partBytes(): number {
    return partBytesAt(this.#options.plan, this.#partsEnd, this.#nextNumber - 1);
  }

  #makesPart(): boolean {
    const { plan } = this.#options;
    if (this.#waiting < plan.profile.minPartBytes) return false;
    return mayEndWithPart(plan, this.#partsEnd + this.#waiting, this.#nextNumber + 1);
  }

  get #nextNumber(): number {
    return this.#session?.peekNumber ?? this.#found.highestNumber + 1;
  }

  async #append(array: Uint8Array): Promise<void> {
    if (this.#tail.size > 0 && this.#waiting + array.byteLength >= this.#partBytes) {
      await this.#gatherTail();
    }
    for (let taken = 0; taken < array.byteLength;) {
      const bytes = array.subarray(taken, taken + this.#filling.missing);
      if (!this.#filling.fits(bytes.byteLength)) await this.#grow();
      this.#filling.append(bytes);
      taken += bytes.byteLength;
      await this.#advance();
    }
  }

  /** Sends what is complete, as far as enough has come behind it. */
  async #advance(): Promise<void> {
    const { equalParts, minPartBytes } = this.#options.plan.profile;
    const isFull = this.#filling.missing === 0;
    // A full one that is smaller than a part is the end of the upload, and may be.
    if (isFull || this.#filling.length >= minPartBytes) await this.#sendHeld();
    if (!isFull) return;
    this.#held = this.#filling;
    if (equalParts || this.#announced >= minPartBytes) await this.#sendHeld();
    this.#filling = this.#newFilling();
  }

  /** As large as a part, or as what is left of the upload. The tail has to fit, even one of a store with larger parts. */
  #newFilling(): FillingBuffer {
    const { buffers, plan } = this.#options;
    const left = (plan.size ?? Infinity) - this.#partsEnd - (this.#held?.length ?? 0);
    const bytes = Math.min(Math.max(this.#partBytes, this.#tail.size), left);
    return buffers.filling(Math.max(bytes, 1));
  }

  async #grow(): Promise<void> {
    const { buffers, signal } = this.#options;
    const { maxBytes } = this.#filling;
    // Whoever waits for memory must not sit on a part.
    if (!buffers.hasRoom(maxBytes)) await this.#sendHeld();
    this.#filling.moveTo(await buffers.takeInTurn(maxBytes, signal));
  }

  async #sendHeld(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) await this.#send(held.bytes, () => held.free());
  }

  /** All that is left: one part of its own, or one with what is held. The last of all may have any size. */
  async #sendRest(isLast: boolean): Promise<void> {
    await this.#gatherTail();
    if (isLast || this.#filling.length === 0) await this.#sendHeld();
    const [held, last] = [this.#held, this.#filling];
    this.#held = undefined;
    this.#filling = this.#newFilling();
    if (held === undefined) {
      if (last.length > 0) await this.#send(last.bytes, () => last.free());
      return;
    }
    const { buffers } = this.#options;
    // Out of turn: the two that it replaces are given back at once.
    const buffer = buffers.take(held.length + last.length);
    const whole = buffer.subarray(0, held.length + last.length);
    whole.set(held.bytes);
    whole.set(last.bytes, held.length);
    held.free();
    last.free();
    await this.#send(whole, () => buffers.give(buffer));
  }

  async #send(bytes: Uint8Array, whenDone: () => void): Promise<void> {
    const { place, signal } = this.#options;
    try {
      await this.#parts.room();
      this.#session ??= await PartSession.open(this.#options, this.#found);
      const number = this.#session.nextNumber();
      const { keys } = this.#session.record;
      const put = (): Promise<StoredPart> =>
        place.bucket.multiparts.putPart(keys, number, bytes, signal);
      this.#parts.send({ number, size: bytes.byteLength }, put, whenDone);
    } catch (error) {
      whenDone();
      throw error;
    }
  }

  /** A writer that did not come to its end may still store parts: behind a run of our own, they do not count. */
  async #standAlone(): Promise<void> {
    if (this.#found.record.ledger.writer === undefined) return;
    this.#session ??= await PartSession.open(this.#options, this.#found);
  }

  async #putPiece(isDraft: boolean): Promise<void> {
    const { place, fence, signal } = this.#options;
    if (!isDraft) await this.#standAlone();
    // Chunks of a few bytes would make thousands of pieces, each of which is a request when they become a part.
    if (this.#tail.pieces.length >= maxPieces) await this.#gatherTail();
    const earlier = [...this.#covered, ...this.#tail.pieces];
    const piece = newPiece(place, {
      start: this.#partsEnd + this.#tail.size,
      size: this.#filling.length,
      // Without one, as the last who had one: what is stored must count.
      fence: fence ?? this.#found.fence,
      // Also where the clock of whoever stored the last one runs ahead.
      time: Math.max(Date.now(), ...earlier.map(({ time }) => time + 1)),
      isDraft,
    });
    this.#own.push(piece);
    const put = (): Promise<void> => putPiece(place, piece, this.#filling.bytes, signal);
    if (isDraft || this.#session !== undefined) await put();
    else if (fence === undefined) await putWhileThere(place, piece, put, signal);
    else await this.#claim().then(put);
    this.#tail = { pieces: [...this.#tail.pieces, piece], size: this.#tail.size + piece.size };
    this.#filling.free();
    this.#filling = this.#newFilling();
  }

  async #claim(): Promise<void> {
    const record = await PartSession.claim(this.#options, this.#found);
    this.#found = { ...this.#found, record };
  }

  /** Fetches the tail, which is to become part of a part, to where it belongs: before what has come behind it. */
  async #gatherTail(): Promise<void> {
    const tail = this.#tail;
    if (tail.size === 0) return;
    const { place, signal } = this.#options;
    if (!this.#filling.fits(tail.size)) await this.#grow();
    await fetchTail(place, tail, this.#filling.prepend(tail.size), signal);
    this.#covered.push(...tail.pieces);
    this.#tail = noTail;
    await this.#advance();
  }

  async #removeStale(): Promise<void> {
    const { place, signal } = this.#options;
    // What cannot be removed counts for nothing, and is found again by whoever looks next.
    const removing = place.bucket.delete(keysOf(this.#stale), signal).then(
      () => true,
      () => false,
    );
    if (await removing) this.#stale = [];
  }

  #surveyAfter(): Survey {
    const found = this.#found;
    const stalePieces = [...this.#stale, ...this.#covered];
    const { tail } = found.record.keys;
    const hasTusds = [...this.#tail.pieces, ...stalePieces].some(({ key }) => key === tail);
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
      stalePieces,
      tusdTail: hasTusds ? found.tusdTail : undefined,
      fence: Math.max(found.fence, this.#options.fence ?? -1),
      modifiedAt: Date.now(),
    };
  }
}

function keysOf(pieces: readonly Piece[]): string[] {
  return pieces.map(({ key }) => key);
}

/** Puts a piece and looks meanwhile whether its upload is still there: to wait for that first would make each chunk slower. */
async function putWhileThere(
  place: Place,
  { key }: Piece,
  put: () => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [piece, there] = await Promise.allSettled([put(), loadRecord(place, signal)]);
  if (piece.status === 'rejected') throw piece.reason;
  if (there.status === 'fulfilled') return;
  await place.bucket.delete([key], signal);
  throw there.reason;
}
