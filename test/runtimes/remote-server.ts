import { inject } from 'vitest';
import { listDirectory } from '../protocol/list-directory.js';
import type { ServerOptions, TestServer } from '../protocol/test-server.js';
import { skipTest } from './skip-what-differs.js';

/** What a test may want of its server that only one in its own process can do. */
const outOfReach = {
  hooks: 'hooks are functions, and the server is another process',
  logger: 'a logger is a function, and the server is another process',
  wrapStore: 'a store is an object, and the server is another process',
  mount: 'only the handler for node:http is mounted in one of its servers',
  attach: 'only the handler for node:http is attached to one of its servers',
  signal: 'a signal is an object, and the server is another process',
  serverOptions: 'they are options of node:http',
} as const satisfies Partial<Record<keyof ServerOptions, string>>;

/** A server in the process of the project's runtime. Skips the test where it wants more of it than can be ordered. */
export async function startRemoteServer(
  directory: string,
  { directory: _, locker = 'memory', ...options }: ServerOptions,
): Promise<TestServer> {
  for (const [name, reason] of Object.entries(outOfReach)) {
    if (name in options) skipTest(reason);
  }
  const { allowedOrigins = [] } = options.cors ?? {};
  if (!Array.isArray(allowedOrigins)) {
    skipTest('origins are told by a pattern or function, and the server is another process');
  }
  if (typeof locker !== 'string') {
    skipTest('a locker is an object, and the server is another process');
  }
  const { id, port } = await order('start', { directory, locker, options });
  if (port === undefined) throw new Error('the server has no port');
  let closed = false;
  return {
    port,
    directory,
    handler: {
      on: () => skipTest('listeners are functions, and the server is another process'),
      close: async () => void (await order('stopReceiving', { id })),
    },
    get server(): never {
      return skipTest('the server is in another process');
    },
    get log(): never {
      return skipTest('the log is in another process');
    },
    files: () => listDirectory(directory),
    close: async () => {
      if (closed) return;
      closed = true;
      await order('close', { id });
    },
  };
}

interface Started {
  readonly id: string;
  readonly port: number;
}

async function order(name: string, what: object): Promise<Partial<Started>> {
  const response = await fetch(new URL(name, inject('controlUrl')), {
    method: 'POST',
    body: JSON.stringify(what),
  });
  if (!response.ok) throw new Error(`${name}: ${await response.text()}`);
  const result: Partial<Started> = JSON.parse(await response.text());
  return result;
}
