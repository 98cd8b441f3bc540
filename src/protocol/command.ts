import type { BodyChecksum } from '../core/checksum.js';
import type { UploadDraft } from '../core/upload.js';
import type { DownloadRequest } from './select-bytes.js';

/** What a request asks for, once its protocol has been read off it. */
export type Command =
  | {
      readonly kind: 'create';
      readonly draft: UploadDraft;
      readonly withBody: boolean;
      readonly checksum: BodyChecksum | undefined;
    }
  | {
      readonly kind: 'concatenate';
      /** Without its parts: their URLs are yet to be read. */
      readonly draft: UploadDraft;
      /** URLs of the parts, in order: absolute, or relative to the request's. */
      readonly partUrls: readonly string[];
      /** Whether parts may still be receiving. */
      readonly mayWait: boolean;
    }
  | {
      readonly kind: 'append';
      readonly id: string;
      readonly offset: number;
      readonly size: number | undefined;
      readonly checksum: BodyChecksum | undefined;
    }
  | { readonly kind: 'inspect'; readonly id: string }
  | { readonly kind: 'read'; readonly id: string; readonly request: DownloadRequest }
  | { readonly kind: 'terminate'; readonly id: string };

/** Methods that mean something here, once an override has been applied. */
export type Method = 'OPTIONS' | 'POST' | 'HEAD' | 'PATCH' | 'GET' | 'DELETE';

/** A request as a decoder sees it: routed, with its real method. */
export interface RoutedRequest {
  readonly method: Exclude<Method, 'OPTIONS'>;
  /** Undefined at the URL where uploads are created. */
  readonly id: string | undefined;
  /** Whether trailers may follow the body. */
  readonly mayHaveTrailers: boolean;
  /** Value of a header (lower-case name). */
  readonly header: (name: string) => string | undefined;
}
