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
  readonly ports: readonly [number, number];
  stop(): Promise<void>;
}

/** Two masters, with half of the slots each. */
async function startCluster(): Promise<RedisCluster> {
  const ports = [await freePort(), await freePort()] as const;
  const buses = [await freePort(), await freePort()] as const;
  const services = [await startNode(ports[0], buses[0]), await startNode(ports[1], buses[1])];
  const nodes = ports.map((port) => new Node(port));
  const [first, second] = nodes;
  await first?.call('CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
  await second?.call('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
  await second?.call('CLUSTER', 'SET-CONFIG-EPOCH', '2');
  await first?.call('CLUSTER', 'MEET', '127.0.0.1', String(ports[1]), String(buses[1]));
  for (const node of nodes) {
    await vi.waitFor(
      async () => {
        expect(await node.cluster('INFO')).toMatch(/cluster_state:ok[^]*cluster_size:2/);
      },
      { timeout: 15_000, interval: 20 },
    );
    node.disconnect();
  }
  return {
    ports,
    stop: async () => void (await Promise.all(services.map((service) => service.stop()))),
  };
}

function startNode(port: number, bus: number): ReturnType<typeof startService> {
  const off = ['--save', '', '--appendonly', 'no', '--cluster-enabled', 'yes'];
  return startService({
    program: 'redis-server',
    args: ['--port', `${port}`, '--cluster-port', `${bus}`, '--bind', '127.0.0.1', ...off],
    answers: async () => {
      const node = new Node({ port, lazyConnect: true, retryStrategy: () => null });
      node.on('error', () => undefined);
      try {
        return (await node.ping()) === 'PONG';
      } finally {
        node.disconnect();
      }
    },
  });
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
