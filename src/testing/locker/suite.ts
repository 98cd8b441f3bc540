import type { Locker, LockerCapabilities } from '../../core/locker.js';
import type { SuiteApi } from '../suite-api.js';

/** A locker on a place of its own, made for one case. */
export interface LockerBackend {
  readonly locker: Locker;
  /** Another instance over the same place, as a second process would make it. Required where the scope is wider than one process. */
  readonly second?: Locker;
  /** Ends what is held for `id` as if its lease had run out. Required with `leaseMs`. */
  endLease?(id: string): Promise<void>;
  /** Frees the backend, the lockers included. No lock is held any more. */
  close(): Promise<void>;
}

/** The locker that is put to the test. */
export interface LockerSuiteOptions {
  /** Heads the report. */
  readonly name: string;
  /** What the locker is meant to be able to do: it chooses the cases, and the locker has to say the same. */
  readonly capabilities: LockerCapabilities;
  /** Called for every case; what it makes shares nothing with that of another call. */
  open(): Promise<LockerBackend>;
}

/** Where the themes put their cases. */
export class Suite {
  readonly capabilities: LockerCapabilities;
  readonly #api: SuiteApi;
  readonly #options: LockerSuiteOptions;

  constructor(api: SuiteApi, options: LockerSuiteOptions) {
    this.capabilities = options.capabilities;
    this.#api = api;
    this.#options = options;
  }

  theme(name: string, define: () => void): void {
    this.#api.describe(name, define);
  }

  /** A case on a fresh backend. */
  test(name: string, run: (locker: Locker, backend: LockerBackend) => Promise<void>): void {
    this.#api.it(name, async () => {
      const backend = await this.#options.open();
      try {
        await run(backend.locker, backend);
      } finally {
        await backend.close();
      }
    });
  }

  /** A case with two instances over one place. */
  testPair(name: string, run: (locker: Locker, second: Locker) => Promise<void>): void {
    this.test(name, async (locker, { second }) => {
      if (second === undefined) throw new Error('this scope needs LockerBackend.second');
      await run(locker, second);
    });
  }
}
