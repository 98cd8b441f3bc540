import type { BodyChecksum } from '../core/checksum.js';
import type { Backend } from '../core/compose.js';
import type { RequestContext } from '../core/exchange.js';
import type { Hooks } from '../core/hooks.js';
import { type Logger, silentLogger } from '../core/logger.js';
import type { Outcome, ReadOutcome, SelectBytes } from '../core/outcome.js';
import type { UploadDraft } from '../core/upload.js';
import {
  type UploadEventName,
  UploadListeners,
  type UploadListener,
} from '../core/upload-events.js';
import { type AppendRequest, appendToUpload } from './append.js';
import { Completions } from './completions.js';
import { type ConcatenateRequest, concatenateUploads } from './concatenate.js';
import { completeWaiting } from './complete-waiting.js';
import { createUpload } from './create.js';
import type { Environment } from './environment.js';
import { inspectUpload } from './inspect.js';
import { expiresAt } from './expires-at.js';
import type { ExpiryKind } from './expiry.js';
import { readUpload } from './read.js';
import { onAbort } from './on-abort.js';
import { RunningBodies } from './running-bodies.js';
import { type SweepOptions, type SweepReport, sweepUploads } from './sweep.js';
import { terminateUpload } from './terminate.js';

export interface UploadsOptions {
  /** Where uploads are kept and locked: what `compose` makes. */
  readonly backend: Backend;
  /** Code of one's own around operations; none by default. */
  readonly hooks?: Hooks;
  /** Where log events go; nowhere by default. */
  readonly logger?: Logger;
  /** Bytes that one upload may have at most; none by default (tusd's `-max-size`). */
  readonly maxSize?: number;
  /** Whether the parts of a final upload are removed once it is finished; false by default (rustus's `--remove-parts`). */
  readonly removeParts?: boolean;
  /** How long a request waits for the lock of an upload, in milliseconds; 20,000 by default (tusd's `-acquire-lock-timeout`). */
  readonly acquireLockTimeoutMs?: number;
  /** How often post-receive is published while bytes arrive, in milliseconds; 1,000 by default (tusd's `-progress-hooks-interval`). */
  readonly progressIntervalMs?: number;
  /**
   * After how long uploads expire that are not finished, in milliseconds; never by default. An upload's own time, which
   * pre-create may set, counts before it: Infinity leaves it to that alone. Expired uploads are answered 410, and a sweep
   * removes them.
   */
  readonly expireAfterMs?: number;
  /** From when that time runs: from the last byte (`sliding`, by default) or from the creation (`absolute`). */
  readonly expiry?: ExpiryKind;
  /** How often expired uploads are swept, in milliseconds; by default only when `sweep` is called. */
  readonly sweepIntervalMs?: number;
  /** Shuts down when it fires, as `close()` does. */
  readonly signal?: AbortSignal;
}

/** Everything that can be done with uploads, the same for every protocol. Each operation is a file of its own. */
export class Uploads {
  readonly #env: Environment;
  readonly #closing = new AbortController();
  #sweeping: Promise<unknown> | undefined;

  /** @param expires false where uploads never expire, whatever is said of them */
  constructor(options: UploadsOptions, expires = true) {
    this.#env = {
      ...options.backend,
      hooks: options.hooks,
      listeners: new UploadListeners(),
      logger: options.logger ?? silentLogger,
      maxSize: options.maxSize,
      acquireLockTimeoutMs: options.acquireLockTimeoutMs ?? 20_000,
      progressIntervalMs: options.progressIntervalMs ?? 1000,
      removeParts: options.removeParts ?? false,
      expiry: expires
        ? { kind: options.expiry ?? 'sliding', afterMs: options.expireAfterMs ?? Infinity }
        : undefined,
      runningBodies: new RunningBodies(),
      completions: new Completions(),
    };
    onAbort(options.signal, () => void this.close());
    if (options.sweepIntervalMs !== undefined) this.#sweepEvery(options.sweepIntervalMs);
  }

  /** Calls `listener` whenever such a thing has happened. Returns what ends that. */
  on(name: UploadEventName, listener: UploadListener): () => void {
    return this.#env.listeners.on(name, listener);
  }

  create(
    draft: UploadDraft,
    withBody: boolean,
    context: RequestContext,
    checksum?: BodyChecksum,
  ): Promise<Outcome> {
    return createUpload(this.#env, draft, withBody, context, checksum);
  }

  concatenate(request: ConcatenateRequest, context: RequestContext): Promise<Outcome> {
    return concatenateUploads(this.#env, request, context);
  }

  append(request: AppendRequest, context: RequestContext): Promise<Outcome> {
    return appendToUpload(this.#env, request, context);
  }

  inspect(id: string, context: RequestContext): Promise<Outcome> {
    return inspectUpload(this.#env, id, context);
  }

  read(id: string, select: SelectBytes, context: RequestContext): Promise<ReadOutcome> {
    return readUpload(this.#env, id, select, context);
  }

  terminate(id: string, context: RequestContext): Promise<Outcome> {
    return terminateUpload(this.#env, id, context);
  }

  /** When the upload expires, in milliseconds since 1970; undefined where it does not, or that is not for this request. */
  expiresAt(id: string, context: RequestContext): Promise<number | undefined> {
    return expiresAt(this.#env, id, context);
  }

  /** Removes expired uploads and what crashes have left behind. */
  sweep(options?: SweepOptions): Promise<SweepReport> {
    return sweepUploads(this.#env, options);
  }

  /** Goes on with final uploads that a crash has kept from being put together. */
  async completeWaiting(): Promise<void> {
    const { signal } = this.#closing;
    await completeWaiting(this.#env, signal).catch((error: unknown) => {
      if (!signal.aborted) this.#env.logger.log('error', 'CompletionError', { error });
    });
  }

  /** Interrupts what is being received or put together, refuses more, and resolves when what had arrived is stored. */
  async close(): Promise<void> {
    this.#closing.abort();
    const { runningBodies, completions } = this.#env;
    await Promise.all([runningBodies.close(), completions.close()]);
    await this.#sweeping;
  }

  /** One sweep at a time, each so long after the last. */
  #sweepEvery(intervalMs: number): void {
    const { signal } = this.#closing;
    const timer = setTimeout(() => {
      forgetEnd();
      this.#sweeping = this.sweep({ signal })
        .catch((error: unknown) => {
          if (!signal.aborted) this.#env.logger.log('error', 'SweepError', { error });
        })
        .finally(() => {
          if (!signal.aborted) this.#sweepEvery(intervalMs);
        });
    }, intervalMs).unref();
    const forgetEnd = onAbort(signal, () => clearTimeout(timer));
  }
}
