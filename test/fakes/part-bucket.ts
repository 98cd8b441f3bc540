import { setImmediate } from 'node:timers/promises';

export interface BucketObject {
  readonly bytes: Uint8Array;
  readonly meta: Readonly<Record<string, string>>;
  readonly modifiedAt: number;
}

interface Multipart {
  readonly key: string;
  readonly parts: Map<number, BucketObject>;
}

export interface ListedPart {
  readonly number: number;
  readonly size: number;
  readonly modifiedAt: number;
}

export type BucketOperation = keyof typeof operations;

const operations = {
  putObject: true,
  deleteObject: true,
  createMultipart: true,
  uploadPart: true,
  listParts: true,
  completeMultipart: true,
  abortMultipart: true,
};

export interface Fault {
  readonly times?: number;
  /** Only this part. */
  readonly partNumber?: number;
  /** It is done all the same: only the answer is lost. */
  readonly answerLost?: boolean;
}

/** What a bucket answers where it cannot do what it is asked. */
export class BucketError extends Error {
  override readonly name = 'BucketError';
  readonly code: 'NoSuchUpload' | 'PreconditionFailed' | 'InjectedFault';

  constructor(code: BucketError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * S3 as far as uploads need it, in memory, and stricter: parts are immutable, and misuse is a plain Error. Instances of
 * the store share a bucket as processes do.
 */
export class PartBucket {
  /** Every part but the last has to have as many bytes. */
  readonly minPartBytes: number;
  readonly #objects = new Map<string, BucketObject>();
  readonly #multiparts = new Map<string, Multipart>();
  readonly #faults: { operation: BucketOperation; fault: Fault; left: number }[] = [];
  #created = 0;

  constructor(minPartBytes: number) {
    this.minPartBytes = minPartBytes;
  }

  /** Lets the next calls of `operation` fail. */
  failNext(operation: BucketOperation, fault: Fault = {}): void {
    this.#faults.push({ operation, fault, left: fault.times ?? 1 });
  }

  /** Loses a part, as no bucket should. */
  vanishPart(multipart: string, number: number): void {
    if (!this.#multipart(multipart).parts.delete(number)) throw new Error(`no part ${number}`);
  }

  /** Keys of all objects, and of all unfinished multipart uploads: to see that nothing is left over. */
  get contents(): { objects: string[]; multiparts: string[] } {
    return {
      objects: [...this.#objects.keys()].sort(),
      multiparts: [...this.#multiparts.values()].map(({ key }) => key).sort(),
    };
  }

  async putObject(
    key: string,
    bytes: Uint8Array,
    options: { meta?: Record<string, string>; ifAbsent?: boolean; signal?: AbortSignal } = {},
  ): Promise<void> {
    await this.#perform('putObject', options.signal, undefined, () => {
      if (options.ifAbsent && this.#objects.has(key)) {
        throw new BucketError('PreconditionFailed', `${key} exists`);
      }
      this.#objects.set(key, objectOf(bytes, options.meta));
    });
  }

  async getObject(key: string): Promise<BucketObject | undefined> {
    await setImmediate();
    return this.#objects.get(key);
  }

  async deleteObject(key: string): Promise<void> {
    await this.#perform('deleteObject', undefined, undefined, () => this.#objects.delete(key));
  }

  async listKeys(): Promise<string[]> {
    await setImmediate();
    return [...this.#objects.keys()].sort();
  }

  async createMultipart(key: string): Promise<string> {
    return this.#perform('createMultipart', undefined, undefined, () => {
      const id = `mp${++this.#created}`;
      this.#multiparts.set(id, { key, parts: new Map() });
      return id;
    });
  }

  async uploadPart(
    multipart: string,
    number: number,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#perform('uploadPart', signal, number, () => {
      const { parts } = this.#multipart(multipart);
      if (parts.has(number)) throw new Error(`part ${number} is uploaded twice`);
      if (number < 1 || number > 10_000) throw new Error(`part number ${number}`);
      parts.set(number, objectOf(bytes));
    });
  }

  async listParts(multipart: string): Promise<ListedPart[]> {
    return this.#perform('listParts', undefined, undefined, () =>
      [...this.#multipart(multipart).parts]
        .map(([number, { bytes, modifiedAt }]) => ({
          number,
          size: bytes.byteLength,
          modifiedAt,
        }))
        .sort((a, b) => a.number - b.number),
    );
  }

  async completeMultipart(multipart: string, numbers: readonly number[]): Promise<void> {
    await this.#perform('completeMultipart', undefined, undefined, () => {
      const { key, parts } = this.#multipart(multipart);
      if (numbers.length === 0) throw new Error('a multipart upload without parts');
      const chosen = numbers.map((number, index) => {
        const part = parts.get(number);
        if (part === undefined) throw new Error(`part ${number} is missing`);
        if (number <= (numbers[index - 1] ?? 0)) throw new Error('parts are out of order');
        const last = index === numbers.length - 1;
        if (!last && part.bytes.byteLength < this.minPartBytes) {
          throw new Error(`part ${number} is too small`);
        }
        return part.bytes;
      });
      this.#objects.set(key, objectOf(Buffer.concat(chosen)));
      this.#multiparts.delete(multipart);
    });
  }

  async abortMultipart(multipart: string): Promise<void> {
    await this.#perform('abortMultipart', undefined, undefined, () => {
      this.#multipart(multipart);
      this.#multiparts.delete(multipart);
    });
  }

  #multipart(id: string): Multipart {
    const multipart = this.#multiparts.get(id);
    if (multipart === undefined) throw new BucketError('NoSuchUpload', `no multipart upload ${id}`);
    return multipart;
  }

  async #perform<T>(
    operation: BucketOperation,
    signal: AbortSignal | undefined,
    partNumber: number | undefined,
    work: () => T,
  ): Promise<T> {
    signal?.throwIfAborted();
    await setImmediate();
    signal?.throwIfAborted();
    const planned = this.#faults.find(
      ({ operation: of, fault, left }) =>
        left > 0 &&
        of === operation &&
        (fault.partNumber === undefined || fault.partNumber === partNumber),
    );
    if (planned === undefined) return work();
    planned.left--;
    if (planned.fault.answerLost) work();
    throw new BucketError('InjectedFault', `${operation} fails, as it was told to`);
  }
}

/** A copy: what a bucket has, nobody changes any more. */
function objectOf(bytes: Uint8Array, meta: Record<string, string> = {}): BucketObject {
  return { bytes: Uint8Array.from(bytes), meta, modifiedAt: Date.now() };
}
