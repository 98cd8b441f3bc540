import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { FileLocker } from '../../dist/lockers/file/file-locker.js';
import { MemoryLocker } from '../../dist/lockers/memory-locker.js';
import { describeLocker } from '../../dist/testing/locker-suite.js';
import { LeasedLocker, LeaseServer } from '../fakes/leased-locker.js';

describeLocker(
  { describe, it },
  {
    name: 'MemoryLocker',
    capabilities: { scope: 'process' },
    open: async () => ({ locker: new MemoryLocker(), close: async () => undefined }),
  },
);

describeLocker(
  { describe, it },
  {
    name: 'FileLocker',
    capabilities: { scope: 'host' },
    async open() {
      const directory = await mkdtemp(join(tmpdir(), 'tuskd-lockers-'));
      const locker = new FileLocker({ directory });
      const second = new FileLocker({ directory });
      return {
        locker,
        second,
        async close() {
          await locker.close();
          await second.close();
          const left = await readdir(directory);
          await rm(directory, { recursive: true });
          assert.deepEqual(left, [], 'nothing stays behind');
        },
      };
    },
  },
);

describeLocker(
  { describe, it },
  {
    name: 'LeasedLocker',
    capabilities: { scope: 'cluster', leaseMs: 10_000 },
    async open() {
      const server = new LeaseServer();
      return {
        locker: new LeasedLocker(server),
        second: new LeasedLocker(server),
        endLease: async (id) => server.endLease(id),
        close: async () => assert.deepEqual(server.heldIds, [], 'nothing stays locked'),
      };
    },
  },
);
