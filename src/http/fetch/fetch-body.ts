import { setTimeout as delay } from 'node:timers/promises';
import type { Body, BodyEnd, StopReason } from '../../core/body.js';
import { highWaterMark } from '../high-water-mark.js';

export interface FetchBodyOptions {
  /** The body ends as `idle` when nothing arrives for so long while somebody waits for it, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** Bytes that it will have; undefined where that is not announced. */
  readonly length: number | undefined;
  /** Fires when the client has gone. */
  readonly disconnected: AbortSignal;
}

/**
 * The body of a web `Request`. Reads ahead, up to a bound: a stream forgets what it holds when its connection breaks,
 * and only what has been read is sure.
 */
export class FetchBody implements Body {
  readonly #stream: ReadableStream<Uint8Array> | null;
  readonly #options: FetchBodyOptions;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #received = 0;
  #wake: (() => void) | undefined;
  #makeRoom: (() => void) | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #started = false;
  /** How it is going to end once what has arrived is read. */
  #ending: BodyEnd | undefined;
  /** How many bytes are read at most until then. */
  #enough = Infinity;
  #end: BodyEnd | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(stream: ReadableStream<Uint8Array> | null, options: FetchBodyOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  get endReason(): BodyEnd | undefined {
    return this.#end;
  }

  async next(): Promise<Uint8Array[] | null> {
    if (!this.#started) this.#start();
    if (this.#queuedBytes === 0 && this.#end === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#take();
  }

  /** As the contract has it, but for the moment that it takes to ask the stream for what has arrived. */
  stop(reason: StopReason): void {
    if (reason !== 'abandoned') return this.#endSoon(reason);
    this.#finish(reason);
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #start(): void {
    this.#started = true;
    if (this.#end !== undefined) return;
    if (this.#stream === null) return this.#finish('complete');
    const { disconnected } = this.#options;
    const reader = this.#stream.getReader();
    this.#reader = reader;
    this.#idleTimer = setTimeout(this.#onIdle, this.#options.idleTimeoutMs);
    disconnected.addEventListener('abort', this.#onAbort, { once: true });
    void this.#readAhead(reader);
    if (this.#ending !== undefined) void this.#endWhenDry(this.#ending);
    // Even then it may all be here.
    else if (disconnected.aborted) this.#onAbort();
  }

  async #readAhead(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    try {
      while (this.#end === undefined) {
        const { done, value } = await reader.read();
        if (done) return this.#finish('complete');
        // What comes after the end was never handed out, so it does not count.
        if (this.#end === undefined) this.#add(value);
        if (this.#queuedBytes >= highWaterMark) await this.#room();
      }
    } catch {
      // Whatever the runtime calls it, the stream breaks off where the connection does.
      this.#finish('disconnected');
    }
  }

  #add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#received += bytes.length;
    this.#idleTimer?.refresh();
    if (this.#ending !== undefined && this.#received >= this.#enough) this.#finish(this.#ending);
    this.#wakeUp();
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#makeRoom = resolve;
    });
  }

  #take(): Uint8Array[] | null {
    if (this.#queuedBytes === 0) return null;
    const batch = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    if (this.#makeRoom !== undefined && this.#end === undefined) this.#idleTimer?.refresh();
    this.#makeRoom?.();
    this.#makeRoom = undefined;
    return batch;
  }

  readonly #onAbort = (): void => this.#endSoon('disconnected');

  /** Only a client that is waited for is idle: while the store is slow, nobody reads what it sends. */
  readonly #onIdle = (): void => {
    if (this.#wake === undefined) this.#idleTimer?.refresh();
    else this.#finish('idle');
  };

  #endSoon(end: BodyEnd): void {
    if (this.#end !== undefined || this.#ending !== undefined) return;
    this.#ending = end;
    // Or a client that sends without a pause would never come to its end.
    this.#enough = this.#received + highWaterMark;
    if (this.#started) void this.#endWhenDry(end);
  }

  /** A stream cannot be asked what it holds; but it hands that out without waiting for the client. */
  async #endWhenDry(end: BodyEnd): Promise<void> {
    let before: number;
    do {
      before = this.#received;
      await delay(1);
    } while (this.#received > before);
    this.#finish(end);
  }

  #finish(end: BodyEnd): void {
    if (this.#end !== undefined) return;
    clearTimeout(this.#idleTimer);
    this.#options.disconnected.removeEventListener('abort', this.#onAbort);
    this.#end = this.#endFor(end);
    // It rejects with the error that has ended the stream already.
    if (this.#end !== 'complete') void this.#reader?.cancel().catch(() => undefined);
    this.#makeRoom?.();
    this.#wakeUp();
  }

  /** Where all of it was here already, nothing was cut off; where some is missing, it was, even if the stream just ends. */
  #endFor(end: BodyEnd): BodyEnd {
    const { length: announced } = this.#options;
    if (announced === undefined) return end;
    if (this.#received === announced) return 'complete';
    return end === 'complete' ? 'disconnected' : end;
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
