import type { DataStore, StoreCapabilities } from '../../core/data-store.js';
import type { SuiteApi } from '../suite-api.js';

/** A store on a backend of its own, made for one case. */
export interface DataStoreBackend {
  readonly store: DataStore;
  /** Another instance over the same backend, as a second process would make it. Without it, the same one is asked again. */
  reopen?(): Promise<DataStore>;
  /** Puts things into the backend that no store made, as other users of a disk or a bucket do. */
  plantForeign?(): Promise<void>;
  /** Lets the next `finish` fail, and no other. */
  failNextFinish?(): void;
  /** Frees the backend. */
  close(): Promise<void>;
}

/** The store that is put to the test. */
export interface DataStoreSuiteOptions {
  /** Heads the report. */
  readonly name: string;
  /** What the store is meant to be able to do: it chooses the cases, and the store has to say the same. */
  readonly capabilities: StoreCapabilities;
  /** Called for every case; what it makes is empty and shares nothing with that of another call. */
  open(): Promise<DataStoreBackend>;
  /** As `open`, with room for `bytes` bytes of uploads and no more. Without it, no case fills a store up. */
  openWithRoom?(bytes: number): Promise<DataStoreBackend>;
}

/** What one case works with. */
export interface Trial {
  readonly store: DataStore;
  readonly backend: DataStoreBackend;
  /** A store that knows only what was really stored. */
  reopen(): Promise<DataStore>;
}

export type Run = (trial: Trial) => Promise<void>;

/** Where the themes put their cases. */
export class Suite {
  readonly capabilities: StoreCapabilities;
  readonly openWithRoom: DataStoreSuiteOptions['openWithRoom'];
  readonly #api: SuiteApi;
  readonly #options: DataStoreSuiteOptions;

  constructor(api: SuiteApi, options: DataStoreSuiteOptions) {
    this.capabilities = options.capabilities;
    this.openWithRoom = options.openWithRoom?.bind(options);
    this.#api = api;
    this.#options = options;
  }

  theme(name: string, define: () => void): void {
    this.#api.describe(name, define);
  }

  /** A case on a fresh backend. */
  test(name: string, run: Run, open = () => this.#options.open()): void {
    this.#api.it(name, async () => {
      const backend = await open();
      const { store } = backend;
      try {
        await run({ store, backend, reopen: async () => (await backend.reopen?.()) ?? store });
      } finally {
        await backend.close();
      }
    });
  }
}
