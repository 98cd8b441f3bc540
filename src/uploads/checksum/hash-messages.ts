import type { ChecksumAlgorithm } from '../../core/checksum.js';

/** What the thread that hashes is told. `body` is a number of the body's own. */
export type HashRequest =
  | {
      readonly kind: 'begin';
      readonly body: number;
      readonly algorithms: readonly ChecksumAlgorithm[];
    }
  /** The first `length` bytes of the slab are the body's next. */
  | {
      readonly kind: 'bytes';
      readonly body: number;
      readonly slab: ArrayBuffer;
      readonly length: number;
    }
  | { readonly kind: 'digest'; readonly body: number; readonly algorithm: ChecksumAlgorithm }
  | { readonly kind: 'forget'; readonly body: number };

/** What it tells. */
export type HashReply =
  | { readonly kind: 'ready' }
  /** A slab comes back, to be filled again. */
  | { readonly kind: 'slab'; readonly slab: ArrayBuffer }
  | { readonly kind: 'digest'; readonly body: number; readonly digest: Uint8Array };
