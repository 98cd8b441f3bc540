import type { IncomingMessage } from 'node:http';
import type { Body, BodyEnd, StopReason } from '../../core/body.js';

/** Bytes held for a slow store before the client is slowed down: enough to keep a disk busy, little enough for thousands. */
const highWaterMark = 1024 * 1024;

export interface NodeBodyOptions {
  /** The body ends as `idle` when nothing arrives for so long while somebody waits for it, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** Runs before the first byte is waited for. */
  readonly onFirstRead: () => void;
}

/**
 * The body of a `node:http` request. Takes what the parser hands out as it comes, so that receiving overlaps with
 * storing, without the copies and promises of a stream pipeline.
 */
export class NodeBody implements Body {
  readonly #request: IncomingMessage;
  readonly #options: NodeBodyOptions;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #wake: (() => void) | undefined;
  #started = false;
  #end: BodyEnd | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(request: IncomingMessage, options: NodeBodyOptions) {
    this.#request = request;
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

  stop(reason: StopReason): void {
    if (this.#end === undefined) this.#finish(reason);
    if (reason !== 'abandoned') return;
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #start(): void {
    this.#started = true;
    if (this.#end !== undefined) return;
    const request = this.#request;
    // The client may have gone before anybody asked for the body: no event will tell any more.
    if (request.destroyed) return this.#finish('disconnected');
    this.#options.onFirstRead();
    this.#idleTimer = setTimeout(this.#onIdle, this.#options.idleTimeoutMs);
    request.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
  }

  #take(): Uint8Array[] | null {
    if (this.#queuedBytes === 0) return null;
    const batch = this.#queue;
    const wasFull = this.#queuedBytes >= highWaterMark;
    this.#queue = [];
    this.#queuedBytes = 0;
    if (wasFull && this.#end === undefined) {
      this.#idleTimer?.refresh();
      this.#request.resume();
    }
    return batch;
  }

  readonly #onData = (bytes: Uint8Array): void => {
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#idleTimer?.refresh();
    if (this.#queuedBytes >= highWaterMark) this.#request.pause();
    this.#wakeUp();
  };

  readonly #onEnd = (): void => this.#finish('complete');

  readonly #onClose = (): void => this.#finish('disconnected');

  /** Only a client that is waited for is idle: while the store is slow, nobody reads what it sends. */
  readonly #onIdle = (): void => {
    if (this.#wake === undefined) this.#idleTimer?.refresh();
    else this.#finish('idle');
  };

  #finish(end: BodyEnd): void {
    if (this.#end !== undefined) return;
    const request = this.#request;
    clearTimeout(this.#idleTimer);
    request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    this.#takeLeftovers();
    // Where all of it was here already, nothing was cut off.
    this.#end = request.complete ? 'complete' : end;
    if (this.#end !== 'complete' && end !== 'disconnected') request.pause();
    this.#wakeUp();
  }

  /** What the parser has handed out while nobody read, before the first `next()` or at the high-water mark. */
  #takeLeftovers(): void {
    for (;;) {
      const bytes: unknown = this.#request.read();
      if (!(bytes instanceof Uint8Array)) return;
      this.#queue.push(bytes);
      this.#queuedBytes += bytes.length;
    }
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
