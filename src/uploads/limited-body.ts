import type { Body, BodyEnd } from '../core/body.js';
import { WrappedBody } from './wrapped-body.js';

/**
 * A body of at most `limit` bytes: what lies within is handed out, then it ends with `too-large`. Counts what it hands
 * out. The bytes are counted whatever Content-Length said, because a chunked body has none.
 */
export class LimitedBody extends WrappedBody {
  #left: number;
  #received = 0;

  constructor(source: Body, limit: number) {
    super(source);
    this.#left = limit;
  }

  /** Bytes handed out so far. */
  get received(): number {
    return this.#received;
  }

  override get endReason(): BodyEnd | undefined {
    return this.#left < 0 ? 'too-large' : super.endReason;
  }

  async next(): Promise<Uint8Array[] | null> {
    if (this.#left < 0) return null;
    const batch = await this.source.next();
    if (batch === null) return null;
    let length = 0;
    for (const bytes of batch) length += bytes.length;
    this.#received += Math.min(length, this.#left);
    const allowed = this.#left;
    this.#left -= length;
    if (this.#left >= 0) return batch;
    this.source.stop('too-large');
    return firstBytes(batch, allowed);
  }
}

function firstBytes(batch: readonly Uint8Array[], count: number): Uint8Array[] | null {
  const kept: Uint8Array[] = [];
  let left = count;
  for (const bytes of batch) {
    if (left === 0) break;
    const part = bytes.length > left ? bytes.subarray(0, left) : bytes;
    kept.push(part);
    left -= part.length;
  }
  return kept.length === 0 ? null : kept;
}
