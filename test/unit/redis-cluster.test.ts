import { Cluster, Redis as Node } from 'ioredis';
import { createCluster, createSentinel } from 'redis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RedisClient } from '../../dist/lockers/redis/redis-client.js';
import { RedisLocker } from '../../dist/lockers/redis/redis-locker.js';
import { connect, take } from '../fakes/redis-bench.js';
import { freePort } from '../services/free-port.js';
import { startService } from '../services/start-service.js';
import { useService } from '../services/use-service.js';

interface RedisCluster {
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

interface ClusterNode {
  readonly port: number;
  readonly bus: number;
  stop(): Promise<void>;
}

/** Two masters, with half of the slots each. */
async function startCluster(): Promise<RedisCluster> {
  const nodes = [await startNode(), await startNode()] as const;
  const clients = nodes.map(({ port }) => new Node(port));
  const [first, second] = clients;
  await first?.call('CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
  await second?.call('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
  await second?.call('CLUSTER', 'SET-CONFIG-EPOCH', '2');
  const { port, bus } = nodes[1];
  await first?.call('CLUSTER', 'MEET', '127.0.0.1', String(port), String(bus));
  for (const client of clients) {
    await vi.waitFor(
      async () => {
        expect(await client.cluster('INFO')).toMatch(/cluster_state:ok[^]*cluster_size:2/);
      },
      { timeout: 15_000, interval: 20 },
    );
    client.disconnect();
  }
  return {
    ports: nodes.map((node) => node.port),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

/** Another program may take one of the two ports before they are used: then others are tried. */
async function startNode(attempts = 5): Promise<ClusterNode> {
  const [port, bus] = [await freePort(), await freePort()];
  const off = ['--save', '', '--appendonly', 'no', '--cluster-enabled', 'yes'];
  try {
    const { stop } = await startService({
      program: 'redis-server',
      args: ['--port', `${port}`, '--cluster-port', `${bus}`, '--bind', '127.0.0.1', ...off],
      answers: () => answersAt(port),
    });
    return { port, bus, stop };
  } catch (error) {
    if (attempts === 1) throw error;
    return startNode(attempts - 1);
  }
}

async function answersAt(port: number): Promise<boolean> {
  const node = new Node({ port, lazyConnect: true, retryStrategy: () => null });
  node.on('error', () => undefined);
  try {
    return (await node.ping()) === 'PONG';
  } finally {
    node.disconnect();
  }
}

const cluster = useService('redis-server', startCluster);

const clients: Readonly<Record<string, () => Promise<RedisClient>>> = {
  ioredis: async () => {
    const client = new Cluster(cluster().ports.map((port) => ({ host: '127.0.0.1', port })));
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    return client;
  },
  'node-redis': async () => {
    const rootNodes = cluster().ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }));
    const client = createCluster({ rootNodes });
    client.on('error', () => undefined);
    await client.connect();
    onTestFinished(() => client.destroy());
    return client;
  },
};

for (const [name, open] of Object.entries(clients)) {
  describe(`a Redis cluster, with ${name}`, () => {
    it('passes locks on by message, on whichever node they are', async () => {
      const [first, second] = [await openLocker(open), await openLocker(open)];
      const started = performance.now();
      for (let round = 0; round < 20; round++) {
        const id = `upload-${name}-${round}`;
        const lock = await take(first, id, { onAsk: () => void lock.unlock() });
        expect(await second.isLocked(id)).toBe(true);
        const next = await take(second, id);
        expect(next.fence).toBeGreaterThan(lock.fence ?? Infinity);
        const settling = first.settle(id, { signal: new AbortController().signal });
        await next.unlock();
        await settling;
      }
      // The lease is 15 seconds, and it is renewed, and thus asked, after five.
      expect(performance.now() - started).toBeLessThan(4000);
      const kept = await Promise.all(
        cluster().ports.map((port) => connect(port).keys(`*upload-${name}-*`)),
      );
      for (const keys of kept) expect(keys.length).toBeGreaterThan(0);
    });
  });
}

async function openLocker(open: () => Promise<RedisClient>): Promise<RedisLocker> {
  const locker = new RedisLocker({ client: await open() });
  onTestFinished(() => locker.close());
  return locker;
}

it('takes a client for Sentinel', async () => {
  const client = createSentinel({ name: 'main', sentinelRootNodes: [] });
  client.on('error', () => undefined);
  await new RedisLocker({ client }).close();
});
