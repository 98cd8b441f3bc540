import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import type { ChecksumAlgorithm } from '../../core/checksum.js';
import type { HashReply, HashRequest } from './hash-messages.js';
import type { Hasher } from './hasher.js';

/** Large enough that messages cost little, small enough that what was just copied is still in the processor's cache. */
const slabBytes = 512 * 1024;
/** So many slabs at once are on their way, of all bodies together: beyond that, clients are slowed down. */
const maxSlabs = 8;
/** A thread starts within a fraction of a second, or there is something wrong with it. */
const startTimeoutMs = 10_000;
/** How long it stays for the next body. */
const idleMs = 30_000;

/**
 * A thread that hashes bodies while this one receives them. Bytes are copied into slabs, which go there and come back. To
 * hand over the body's own arrays would save the copy, a small part of what hashing costs, but take them away from
 * whoever else has them: a store that keeps them, a pool that they are cut from.
 */
export class HashThread {
  readonly #worker: Worker;
  readonly #free: ArrayBuffer[] = [];
  readonly #waiting: Waiting<ArrayBuffer>[] = [];
  readonly #digests = new Map<number, Waiting<Uint8Array>>();
  readonly #onGone: () => void;
  #slabs = 0;
  #lastBody = 0;
  #open = 0;
  #failure: Error | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  private constructor(worker: Worker, onGone: () => void) {
    this.#worker = worker;
    this.#onGone = onGone;
    worker.on('message', (reply: HashReply) => this.#hear(reply));
    worker.on('error', (error) => this.#fail(error));
    worker.on('messageerror', (error) => this.#fail(error));
    worker.on('exit', (code) => this.#fail(new Error(`the hashing thread ended with ${code}`)));
  }

  /**
   * @param onGone called when the thread takes no more bodies: it broke down, or nobody has needed it for a while
   * @throws where the runtime has no threads, or does not find this one's code
   */
  static async start(onGone: () => void): Promise<HashThread> {
    const { Worker } = await import('node:worker_threads');
    const worker = new Worker(new URL('./hash-worker.js', import.meta.url), {
      name: 'tuskd-hashing',
      // What this process was started with (a debugger, a loader) is none of its business.
      execArgv: [],
    });
    const thread = new HashThread(worker, onGone);
    try {
      await once(worker, 'message', { signal: AbortSignal.timeout(startTimeoutMs) });
    } catch (error) {
      await worker.terminate();
      throw error;
    }
    // From now on it does not keep the process alive: who waits for a digest has a connection that does. Not before: to
    // listen to it would undo that.
    worker.unref();
    return thread;
  }

  open(algorithms: readonly ChecksumAlgorithm[]): Hasher {
    clearTimeout(this.#idleTimer);
    this.#open += 1;
    this.#lastBody += 1;
    const body = this.#lastBody;
    this.#tell({ kind: 'begin', body, algorithms });
    return {
      update: (batch) => this.#update(body, batch),
      digest: (algorithm) => this.#digest(body, algorithm),
      close: () => this.#close(body),
    };
  }

  async #update(body: number, batch: readonly Uint8Array[]): Promise<void> {
    let slab: ArrayBuffer | undefined;
    let length = 0;
    for (const bytes of batch) {
      for (let taken = 0; taken < bytes.byteLength;) {
        slab ??= await this.#takeSlab();
        const piece = bytes.subarray(taken, taken + slabBytes - length);
        new Uint8Array(slab, length).set(piece);
        taken += piece.byteLength;
        length += piece.byteLength;
        if (length < slabBytes) continue;
        this.#tell({ kind: 'bytes', body, slab, length });
        slab = undefined;
        length = 0;
      }
    }
    if (slab !== undefined) this.#tell({ kind: 'bytes', body, slab, length });
  }

  #digest(body: number, algorithm: ChecksumAlgorithm): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#digests.set(body, { resolve, reject });
      this.#tell({ kind: 'digest', body, algorithm });
    });
  }

  #close(body: number): void {
    this.#tell({ kind: 'forget', body });
    this.#open -= 1;
    if (this.#open === 0) this.#idleTimer = setTimeout(() => this.#end(), idleMs).unref();
  }

  #end(): void {
    this.#onGone();
    void this.#worker.terminate();
  }

  async #takeSlab(): Promise<ArrayBuffer> {
    if (this.#failure !== undefined) throw this.#failure;
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#slabs < maxSlabs) {
      this.#slabs += 1;
      return new ArrayBuffer(slabBytes);
    }
    return new Promise((resolve, reject) => void this.#waiting.push({ resolve, reject }));
  }

  #tell(request: HashRequest): void {
    this.#worker.postMessage(request, 'slab' in request ? [request.slab] : []);
  }

  #hear(reply: HashReply): void {
    if (reply.kind === 'slab') {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(reply.slab);
      else next.resolve(reply.slab);
    } else if (reply.kind === 'digest') {
      this.#digests.get(reply.body)?.resolve(reply.digest);
      this.#digests.delete(reply.body);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    clearTimeout(this.#idleTimer);
    this.#onGone();
    for (const { reject } of [...this.#waiting.splice(0), ...this.#digests.values()]) reject(error);
    this.#digests.clear();
  }
}

/** Somebody who waits for the thread. */
interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}
