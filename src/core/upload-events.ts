import type { EventName, RequestInfo } from './hooks.js';
import type { UploadInfo } from './upload.js';

/** What happens to uploads, by the names that listeners use. The hooks' names for the same are tusd's. */
export type UploadEventName =
  | 'upload-created'
  | 'upload-received'
  | 'upload-finished'
  | 'upload-terminated';

/** What a listener is told. */
export interface UploadNews {
  /** The upload as it is now. */
  readonly upload: UploadInfo;
  /** The request that it came with. */
  readonly request: RequestInfo;
}

/** Is told what has happened to an upload. */
export type UploadListener = (news: UploadNews) => void;

const names: Readonly<Record<EventName, UploadEventName>> = {
  'post-create': 'upload-created',
  'post-receive': 'upload-received',
  'post-finish': 'upload-finished',
  'post-terminate': 'upload-terminated',
};

/** Those in this process who want to hear of uploads. Nobody waits for them, and they change nothing. */
export class UploadListeners {
  readonly #listeners: Readonly<Record<UploadEventName, Set<UploadListener>>> = {
    'upload-created': new Set(),
    'upload-received': new Set(),
    'upload-finished': new Set(),
    'upload-terminated': new Set(),
  };

  /** Calls `listener` from now on. Returns what ends that. */
  on(name: UploadEventName, listener: UploadListener): () => void {
    this.#listeners[name].add(listener);
    return () => void this.#listeners[name].delete(listener);
  }

  get isEmpty(): boolean {
    return Object.values(this.#listeners).every(({ size }) => size === 0);
  }

  has(type: EventName): boolean {
    return this.#listeners[names[type]].size > 0;
  }

  /** Tells of an event; whatever a listener throws goes to `onError`. */
  tell(type: EventName, news: UploadNews, onError: (error: unknown) => void): void {
    for (const listener of this.#listeners[names[type]]) {
      try {
        listener(news);
      } catch (error) {
        onError(error);
      }
    }
  }
}
