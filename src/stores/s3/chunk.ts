import type { Body } from '../../core/body.js';
import type { WriteResult } from '../../core/data-store.js';
import { TusError } from '../../core/errors.js';
import { ChunkWriter, type ChunkWriterOptions } from './chunk-writer.js';
import type { PartBuffers } from './part-buffers.js';
import type { Signal } from './s3-calls.js';
import { asTusError } from './s3-errors.js';
import type { Survey } from './survey.js';

/** What one `writeChunk` stores, and what becomes of it afterwards. */
export class Chunk {
  readonly #options: ChunkWriterOptions;
  readonly #writer: ChunkWriter;
  readonly #start: number;
  #found: Survey | undefined;
  #decide: (() => void) | undefined;
  /** Rejects where what was in memory is lost. */
  #waiting: Promise<void> = Promise.resolve();

  constructor(options: ChunkWriterOptions, found: Survey) {
    this.#options = options;
    this.#writer = new ChunkWriter(options, found);
    this.#start = found.offset;
  }

  /** What there is of the upload now; undefined where that has to be looked at anew. */
  get found(): Survey | undefined {
    return this.#found;
  }

  /** It was stored, and does not count yet. */
  get isPending(): boolean {
    return this.#decide !== undefined;
  }

  async write(body: Body): Promise<WriteResult> {
    const { signal, isProvisional } = this.#options;
    const writer = this.#writer;
    try {
      await pump(body, writer, this.#options);
      await writer.settle();
      if (isProvisional) this.#wait();
      else this.#found = await writer.commit(signal);
    } catch (error) {
      // The error that began it is the one to tell; a session that is not closed costs its successor some part numbers.
      await writer.giveUp().catch(() => undefined);
      const end = isProvisional ? this.#start : writer.offset;
      return { bytesWritten: end - this.#start, error: asTusError(error) };
    }
    return { bytesWritten: writer.end - this.#start };
  }

  async commit(signal: Signal): Promise<void> {
    try {
      await this.#decided();
      this.#found = await this.#writer.commit(signal);
    } catch (error) {
      // It may count all the same, and somebody may have seen that: it is not taken back.
      await this.#writer.free();
      throw error;
    }
  }

  async discard(signal: Signal): Promise<void> {
    await this.#decided().catch(() => undefined);
    await this.#writer.discard(signal);
  }

  /** Gives the memory back: the upload goes, with all that was stored of it. */
  async free(): Promise<void> {
    await this.#decided().catch(() => undefined);
    await this.#writer.free();
  }

  /** Until somebody decides, it may be that nobody ever does: its memory goes to others who need it. */
  #wait(): void {
    const decided = new Promise<void>((resolve) => (this.#decide = resolve));
    this.#waiting = lend(decided, this.#writer, this.#options).catch(async (error: unknown) => {
      await this.#writer.free();
      throw error;
    });
    // Whoever commits it hears of it.
    this.#waiting.catch(() => undefined);
  }

  async #decided(): Promise<void> {
    this.#decide?.();
    this.#decide = undefined;
    await this.#waiting;
  }
}

/** @throws where the work was given up: then what has arrived is thrown away */
async function pump(body: Body, writer: ChunkWriter, options: ChunkWriterOptions): Promise<void> {
  for (;;) {
    const next = body.next();
    await lend(next, writer, options);
    const batch = await next;
    options.signal?.throwIfAborted();
    if (batch === null) break;
    await writer.write(batch);
  }
  if (body.endReason === 'abandoned') throw new TusError('ERR_LOCK_LOST');
}

/** Has what is in memory stored as soon as others need that, until `next` is there. */
async function lend(
  next: Promise<unknown>,
  writer: ChunkWriter,
  { buffers }: ChunkWriterOptions,
): Promise<void> {
  while (writer.holdsMemory && (await isPressed(next, writer, buffers))) await writer.letGo();
}

/** Waits; resolves with true as soon as others need the memory that is kept busy meanwhile. */
async function isPressed(
  next: Promise<unknown>,
  { lastBytesAt }: ChunkWriter,
  buffers: PartBuffers,
): Promise<boolean> {
  let forget: (() => void) | undefined;
  // By hand: a race would keep something of every chunk until the last one.
  const pressed = await new Promise<boolean>((resolve) => {
    forget = buffers.hold({ lastBytesAt, letGo: () => resolve(true) });
    void next.finally(() => resolve(false));
  });
  forget?.();
  return pressed;
}
