import type { RedisConnection } from './redis-client.js';

/** How long to wait before a channel is tried again that could not be had, in milliseconds. */
const retryMs = 1000;

/** Who is told of a lock. */
export interface Recipient {
  /** Somebody wants the lock. */
  ask(): void;
  /** Something may have changed. */
  look(): void;
}

/**
 * Where a locker is told by others: `ask TOKEN` and `look TOKEN`, on a channel of its own. Messages only save time. One
 * that is lost is made up for by the next renewal, or when the lease that is waited for would end.
 */
export class Mailbox {
  readonly #recipients = new Map<string, Recipient>();
  readonly #connection: RedisConnection;
  readonly #channel: string;
  #end: (() => Promise<void>) | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(connection: RedisConnection, channel: string) {
    this.#connection = connection;
    this.#channel = channel;
  }

  /** From now on, `recipient` is told what comes for `token`. */
  enter(token: string, recipient: Recipient): void {
    this.#recipients.set(token, recipient);
    if (this.#end === undefined) this.#open();
  }

  leave(token: string): void {
    this.#recipients.delete(token);
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry);
    const end = this.#end;
    this.#end = undefined;
    await end?.();
  }

  #open(): void {
    const end = this.#connection.subscribe(this.#channel, {
      onMessage: (message) => this.#deliver(message),
      onReady: () => {
        for (const recipient of this.#recipients.values()) recipient.look();
      },
      onFailure: () => {
        void end();
        if (this.#end === end) this.#retry = setTimeout(() => this.#open(), retryMs).unref();
      },
    });
    this.#end = end;
  }

  #deliver(message: string): void {
    const [verb, token = ''] = message.split(' ');
    const recipient = this.#recipients.get(token);
    if (verb === 'ask') recipient?.ask();
    else recipient?.look();
  }
}
