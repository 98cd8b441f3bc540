/** What the locker uses of a client of `ioredis` (5 or 6): a `Redis`, through Sentinel or not, or a `Cluster`. */
export interface IoredisClient {
  evalsha(sha: string, keyCount: number, ...keysAndArgs: string[]): Promise<unknown>;
  eval(lua: string, keyCount: number, ...keysAndArgs: string[]): Promise<unknown>;
  exists(key: string): Promise<unknown>;
  duplicate(): IoredisSubscriber;
}

/** A second connection of an `ioredis` client, on which messages arrive. */
export interface IoredisSubscriber {
  readonly options: object;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  subscribe(channel: string): Promise<unknown>;
  disconnect(): void;
}

/** What the locker uses of a client of `redis` (node-redis 4, 5 or 6): of `createClient`, `createCluster` or `createSentinel`. */
export interface NodeRedisClient {
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(lua: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  exists(key: string): Promise<unknown>;
  duplicate(): NodeRedisSubscriber;
}

/** A second connection of a `redis` client, on which messages arrive. */
export interface NodeRedisSubscriber {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  /** Since version 5. */
  destroy?(): unknown;
  disconnect?(): unknown;
}

/** A client that the locker can use. It stays its owner's: who made it connects and closes it. */
export type RedisClient = IoredisClient | NodeRedisClient;

/** Whom messages are for. */
export interface MessageListener {
  onMessage(message: string): void;
  /** The channel is heard, for the first time or again: what was sent before may have been missed. */
  onReady(): void;
  /** It cannot be had, and the client does not try any more. */
  onFailure(): void;
}

/** The few things the locker does, whatever the client. */
export interface RedisConnection {
  evalSha(sha: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  eval(lua: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  exists(key: string): Promise<boolean>;
  /** Listens on a connection of its own, until what it gives back is called. */
  subscribe(channel: string, listener: MessageListener): () => Promise<void>;
}

export function connectionOf(client: RedisClient): RedisConnection {
  return 'evalSha' in client ? fromNodeRedis(client) : fromIoredis(client);
}

function fromIoredis(client: IoredisClient): RedisConnection {
  return {
    evalSha: (sha, keys, args) => client.evalsha(sha, keys.length, ...keys, ...args),
    eval: (lua, keys, args) => client.eval(lua, keys.length, ...keys, ...args),
    exists: async (key) => Number(await client.exists(key)) > 0,
    subscribe(channel, listener) {
      const subscriber = client.duplicate();
      const subscribe = (): Promise<void> =>
        subscriber.subscribe(channel).then(() => listener.onReady());
      // The owner hears of the same trouble from his client.
      subscriber.on('error', () => undefined);
      subscriber.on('message', (_channel, message) => listener.onMessage(String(message)));
      // By itself the client would not tell when it has subscribed again, and would end the process if it could not.
      Object.assign(subscriber.options, { autoResubscribe: false });
      subscriber.on('ready', () => void subscribe().catch(() => undefined));
      subscribe().catch(() => listener.onFailure());
      return async () => subscriber.disconnect();
    },
  };
}

function fromNodeRedis(client: NodeRedisClient): RedisConnection {
  return {
    evalSha: (sha, keys, args) => client.evalSha(sha, { keys: [...keys], arguments: [...args] }),
    eval: (lua, keys, args) => client.eval(lua, { keys: [...keys], arguments: [...args] }),
    exists: async (key) => Number(await client.exists(key)) > 0,
    subscribe(channel, listener) {
      const subscriber = client.duplicate();
      const start = async (): Promise<void> => {
        await subscriber.connect();
        await subscriber.subscribe(channel, (message) => listener.onMessage(message));
        listener.onReady();
        // By then it has subscribed again.
        subscriber.on('ready', () => listener.onReady());
      };
      const end = async (): Promise<void> => {
        if (subscriber.destroy === undefined) await subscriber.disconnect?.();
        else await subscriber.destroy();
      };
      subscriber.on('error', () => undefined);
      start().catch(() => listener.onFailure());
      // One that is not open refuses to be closed.
      return () => end().catch(() => undefined);
    },
  };
}
