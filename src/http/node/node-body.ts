import type { Readable } from 'node:stream';
import type { Body, BodyEnd, StopReason } from '../../core/body.js';
import { highWaterMark } from '../high-water-mark.js';
import { bodySource, isComplete, isGone, isHttp2, type NodeRequest } from './node-message.js';

export interface NodeBodyOptions {
  /** The body ends as `idle` when nothing arrives for so long while somebody waits for it, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** Runs before the first byte is waited for. */
  readonly onFirstRead: () => void;
}

/**
 * The body of a request of `node:http` or `node:http2`. Takes what the parser hands out as it comes, so that receiving
 * overlaps with storing, without the copies and promises of a stream pipeline.
 */
export class NodeBody implements Body {
  readonly #request: NodeRequest;
  readonly #source: Readable;
  readonly #options: NodeBodyOptions;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #wake: (() => void) | undefined;
  #started = false;
  #end: BodyEnd | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(request: NodeRequest, options: NodeBodyOptions) {
    this.#request = request;
    this.#source = bodySource(request);
    this.#options = options;
    // Or `node:http2` throws away what it holds of a stream that was reset, and nobody has asked for yet.
    if (isHttp2(request)) request.stream.once('aborted', this.#onClose);
  }

  get endReason(): BodyEnd | undefined {
    return this.#end;
  }

  get trailers(): Readonly<Record<string, string>> | undefined {
    return this.#end === 'complete' ? joinTrailers(this.#request.rawTrailers) : undefined;
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
    const source = this.#source;
    // The client may have gone before anybody asked for the body.
    if (isGone(this.#request)) return this.#finish('disconnected');
    // Over HTTP/2 it may have ended with its headers, and no event tells of that either.
    if (source.readableEnded) return this.#finish('complete');
    this.#options.onFirstRead();
    this.#idleTimer = setTimeout(this.#onIdle, this.#options.idleTimeoutMs);
    source.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
  }

  #take(): Uint8Array[] | null {
    if (this.#queuedBytes === 0) return null;
    const batch = this.#queue;
    const wasFull = this.#queuedBytes >= highWaterMark;
    this.#queue = [];
    this.#queuedBytes = 0;
    if (wasFull && this.#end === undefined) {
      this.#idleTimer?.refresh();
      this.#source.resume();
    }
    return batch;
  }

  readonly #onData = (bytes: Uint8Array): void => {
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#idleTimer?.refresh();
    if (this.#queuedBytes >= highWaterMark) this.#source.pause();
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
    const source = this.#source;
    clearTimeout(this.#idleTimer);
    source.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    // Where all of it was here already, nothing was cut off.
    this.#end = isComplete(this.#request) ? 'complete' : end;
    this.#takeLeftovers();
    if (this.#end !== 'complete' && end !== 'disconnected') source.pause();
    this.#wakeUp();
  }

  /** What the parser has handed out while nobody read, before the first `next()` or at the high-water mark. */
  #takeLeftovers(): void {
    for (;;) {
      const bytes: unknown = this.#source.read();
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

/** From names and values by turns, as they came: Node's own object leaves out all but the first line of some names. */
function joinTrailers(raw: readonly string[]): Readonly<Record<string, string>> {
  const trailers = new Map<string, string>();
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    const before = trailers.get(name);
    const value = raw[index + 1] ?? '';
    trailers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(trailers);
}
