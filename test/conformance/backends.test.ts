import { randomBytes } from 'node:crypto';
import {
  compose,
  type DataStore,
  FileLocker,
  FileStore,
  functionHooks,
  type HookFunctions,
  type Locker,
  MemoryLocker,
  MemoryStore,
  wrapStore,
} from 'tuskd';
import { S3 } from '@aws-sdk/client-s3';
import { S3Store } from 'tuskd/s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { LeasedLocker, LeaseServer } from '../fakes/leased-locker.js';
import { PartBucket } from '../fakes/part-bucket.js';
import { PartStore } from '../fakes/part-store.js';
import { openLocker } from '../fakes/redis-bench.js';
import { checksum } from '../protocol/checksums.js';
import { final, idOf, part, partial } from '../protocol/concat.js';
import { startServer, temporaryDirectory, type TestServer } from '../protocol/server.js';
import { startRedis } from '../services/start-redis.js';
import { useS3 } from '../services/use-s3.js';
import { useService } from '../services/use-service.js';
import { chunkType, connect, create, head, patch, request, requestHead } from '../protocol/tus.js';

/**
 * The operations, from the socket down, on every kind of backend: what one can do, all can. Each is called once for each
 * `describe`.
 */
const stores: Readonly<Record<string, () => (directory: string) => DataStore>> = {
  disk: () => (directory) => new FileStore({ directory }),
  memory: () => () => new MemoryStore(),
  'strict part': () => () => new PartStore(new PartBucket(1000)),
  S3: () => {
    const server = useS3();
    let bucket = '';
    beforeEach(async () => {
      bucket = await server().newBucket();
    });
    return () => {
      const { clientConfig, provider } = server();
      return new S3Store({ api: new S3({ ...clientConfig, maxAttempts: 1 }), bucket, provider });
    };
  },
};
const lockers: Readonly<Record<string, () => (directory: string) => Locker>> = {
  memory: () => () => new MemoryLocker(),
  file: () => (directory) => new FileLocker({ directory }),
  leased: () => () => new LeasedLocker(),
  redis: () => {
    const redis = useService('redis-server', startRedis);
    return () => openLocker(redis().port);
  },
};

for (const [storeName, useStore] of Object.entries(stores)) {
  for (const [lockerName, useLocker] of Object.entries(lockers)) {
    describe(`the ${storeName} store with the ${lockerName} locker`, () => {
      const makeStore = useStore();
      const makeLocker = useLocker();
      const start = async (functions?: HookFunctions): Promise<TestServer> => {
        const directory = await temporaryDirectory();
        return startServer({
          directory,
          wrapStore: () => makeStore(directory),
          locker: makeLocker,
          ...(functions && { hooks: functionHooks(functions) }),
        });
      };

      it('takes an upload in pieces of any size, and gives it back', async () => {
        const server = await start();
        const source = randomBytes(10_000);
        const path = await create(server, source.length);
        let offset = 0;
        for (const length of [1, 999, 0, 1000, 1001, 17, 6982]) {
          const response = await patch(
            server,
            path,
            offset,
            source.subarray(offset, offset + length),
          );
          offset += length;
          expect(response.status).toBe(204);
          expect(response.header('upload-offset')).toBe(String(offset));
        }
        expect((await request(server, 'GET', path)).body).toEqual(source);
      });

      it('takes over from a silent request, and keeps what that had sent', async () => {
        const server = await start();
        const source = randomBytes(5000);
        const path = await create(server, source.length);
        const silent = await connect(server);
        const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': '5000' };
        await silent.send(requestHead('PATCH', path, { headers }));
        await silent.send(source.subarray(0, 3210));
        const took = await takeOver(server, path, source);
        expect(took).toBeGreaterThanOrEqual(0);
        const { status, text } = await silent.response();
        expect([status, text.split(':')[0]]).toEqual([400, 'ERR_UPLOAD_INTERRUPTED']);
        expect((await request(server, 'GET', path)).body).toEqual(source);
      });

      it('lets a chunk with a checksum count once it is verified', async () => {
        const server = await start();
        const source = randomBytes(300_000);
        const path = await create(server, source.length);
        const right = checksum('sha256', source);
        const answer = await patch(server, path, 0, source.toReversed(), right);
        const options = await request(server, 'OPTIONS', '/files/');
        if (options.header('tus-extension')?.includes('checksum') !== true) {
          expect([answer.status, storeName]).toEqual([400, 'strict part']);
          return;
        }
        expect(answer.status).toBe(460);
        expect((await head(server, path)).header('upload-offset')).toBe('0');
        const first = source.subarray(0, 7);
        expect((await patch(server, path, 0, first, checksum('crc32c', first))).status).toBe(204);
        const silent = await connect(server);
        const rest = source.subarray(7);
        const headers = {
          ...chunkType,
          'Upload-Offset': '7',
          'Content-Length': String(rest.length),
          ...checksum('md5', rest),
        };
        await silent.send(requestHead('PATCH', path, { headers }));
        await silent.send(rest.subarray(0, 100_000));
        expect((await patch(server, path, 7, rest, checksum('md5', rest))).status).toBe(204);
        expect((await silent.response()).status).toBe(400);
        expect((await request(server, 'GET', path)).body).toEqual(source);
        const nothing = await patch(server, path, source.length, '', checksum('sha1', ''));
        expect([nothing.status, nothing.header('upload-offset')]).toEqual([204, '300000']);
        const wrong = await patch(server, path, source.length, '', checksum('sha1', 'x'));
        expect(wrong.status).toBe(460);
      });

      it('runs a finish step again that failed, and is not complete until then', async () => {
        let failures = 2;
        const finished: string[] = [];
        const server = await start({
          preFinish: () => {
            if (failures-- > 0) throw new Error('the virus scanner is away');
          },
          postFinish: ({ upload }) => void finished.push(upload.id),
        });
        const path = await create(server, 4);
        const failed = await patch(server, path, 0, 'four');
        expect([failed.status, failed.header('retry-after')]).toEqual([503, '5']);
        const stillFailing = await head(server, path);
        expect(stillFailing.status).toBe(503);
        expect(stillFailing.header('upload-offset')).toBeUndefined();
        expect(finished).toHaveLength(0);
        const done = await head(server, path);
        expect([done.status, done.header('upload-offset')]).toEqual([200, '4']);
        expect((await patch(server, path, 4, '')).status).toBe(204);
        expect(finished).toHaveLength(1);
      });

      it('learns a length late, and takes an empty upload', async () => {
        const server = await start();
        const path = await create(server, 'deferred');
        expect((await patch(server, path, 0, 'abc')).status).toBe(204);
        const declared = await patch(server, path, 3, '', { 'Upload-Length': '3' });
        expect(declared.status).toBe(204);
        expect((await head(server, path)).header('upload-length')).toBe('3');
        const empty = await create(server, 0);
        expect((await head(server, empty)).header('upload-offset')).toBe('0');
      });

      it('puts uploads together, also those that end later, and then removes them', async () => {
        const ended: string[] = [];
        const server = await start({
          preFinish: ({ upload }) => void ended.push(`finishing ${upload.id}`),
          postFinish: ({ upload }) => void ended.push(upload.id),
        });
        const source = randomBytes(6500);
        const first = await part(server, source.subarray(0, 3000));
        const last = await create(server, 'deferred', partial);
        const late = await final(server, first, last);
        const early = await final(server, first, first);
        expect((await request(server, 'GET', early)).body).toEqual(
          Buffer.concat([source.subarray(0, 3000), source.subarray(0, 3000)]),
        );
        expect((await patch(server, last, 0, source.subarray(3000, 5000))).status).toBe(204);
        const waiting = await head(server, late);
        expect([waiting.status, waiting.header('upload-offset')]).toEqual([200, undefined]);
        const length = { 'Upload-Length': '3500' };
        expect((await patch(server, last, 2000, source.subarray(5000), length)).status).toBe(204);
        const ids = [early, late].map(idOf);
        await expect.poll(() => ended).toEqual(ids.flatMap((id) => [`finishing ${id}`, id]));
        expect((await head(server, late)).header('upload-offset')).toBe('6500');
        expect((await request(server, 'GET', late)).body).toEqual(source);
        for (const path of [first, last, early]) {
          expect((await request(server, 'DELETE', path)).status).toBe(204);
        }
        expect((await request(server, 'GET', late)).body).toEqual(source);
      });

      it('removes an upload while it is being sent', async () => {
        const server = await start();
        const path = await create(server, 5000);
        const sender = await connect(server);
        const headers = { ...chunkType, 'Upload-Offset': '0', 'Content-Length': '5000' };
        await sender.send(requestHead('PATCH', path, { headers }));
        await sender.send(randomBytes(100));
        expect((await request(server, 'DELETE', path)).status).toBe(204);
        expect((await head(server, path)).status).toBe(404);
      });
    });
  }
}

/** HEAD, then PATCH with the rest; gives back the offset that HEAD told. */
async function takeOver(server: TestServer, path: string, source: Buffer): Promise<number> {
  const offset = Number((await head(server, path)).header('upload-offset'));
  const response = await patch(server, path, offset, source.subarray(offset));
  expect(response.status).toBe(204);
  return offset;
}

describe('a lease that ends in the middle of a write', () => {
  describe.for(Object.entries(stores))('(%s store)', ([, useStore]) => {
    const makeStore = useStore();
    it('is neither acknowledged nor written on behind it', async () => {
      const directory = await temporaryDirectory();
      const leases = new LeaseServer();
      const server = await startServer({
        directory,
        wrapStore: () => makeStore(directory),
        locker: new LeasedLocker(leases),
      });
      const path = await create(server, 5000);
      const loser = await connect(server);
      const headers = {
        ...chunkType,
        'Upload-Offset': '0',
        'Content-Length': '5000',
        Expect: '100-continue',
      };
      await loser.send(requestHead('PATCH', path, { headers }));
      expect(await loser.continued()).toBe(true);
      const [id = ''] = leases.heldIds;
      leases.endLease(id);
      await loser.send(randomBytes(5000));
      const { status, text } = await loser.response();
      expect([status, text.split(':')[0]]).toEqual([503, 'ERR_LOCK_LOST']);
      expect((await head(server, path)).header('upload-offset')).toBe('0');
      expect((await patch(server, path, 0, randomBytes(5000))).status).toBe(204);
    });
  });
});

describe('compose', () => {
  it('takes abilities from other stores, and goes without', async () => {
    const core = new MemoryStore();
    const terminated: string[] = [];
    const archive = wrapStore(core, {
      upload: (upload) => ({
        terminate: async (options) => {
          terminated.push(upload.id);
          await upload.terminate?.(options);
        },
      }),
    });
    const { store } = compose({
      core,
      termination: archive,
      reading: false,
      locker: new MemoryLocker(),
    });
    expect(store.capabilities).toMatchObject({ termination: true, reading: false });
    const server = await startServer({ wrapStore: () => store });
    const path = await create(server, 3);
    expect((await request(server, 'GET', path)).status).toBe(405);
    expect((await request(server, 'DELETE', path)).status).toBe(204);
    expect(terminated).toEqual([path.split('/').at(-1)]);
  });

  it('declares a length through one store and goes on writing through the other', async () => {
    const core = new MemoryStore();
    const { store } = compose({
      core: wrapStore(core, { capabilities: { declaredLength: false } }),
      declaredLength: core,
      locker: new MemoryLocker(),
    });
    const server = await startServer({ wrapStore: () => store });
    const path = await create(server, 'deferred');
    expect((await patch(server, path, 0, 'ab', { 'Upload-Length': '3' })).status).toBe(204);
    expect((await patch(server, path, 2, 'c')).status).toBe(204);
    expect((await request(server, 'GET', path)).text).toBe('abc');
  });

  it('verifies a chunk that declares its length with the handle that has written it', async () => {
    const core = new FileStore({ directory: await temporaryDirectory() });
    const { store } = compose({
      core: wrapStore(core, { capabilities: { declaredLength: false } }),
      declaredLength: core,
      locker: new MemoryLocker(),
    });
    const server = await startServer({ wrapStore: () => store });
    const headers = { 'Upload-Length': '3', ...checksum('sha1', 'abc') };
    const other = await create(server, 'deferred');
    expect((await patch(server, other, 0, 'abd', headers)).status).toBe(460);
    expect((await head(server, other)).header('upload-offset')).toBe('0');
    const path = await create(server, 'deferred');
    const right = await patch(server, path, 0, 'abc', headers);
    expect([right.status, right.header('upload-offset')]).toEqual([204, '3']);
    expect((await request(server, 'GET', path)).text).toBe('abc');
  });

  it('refuses a piece that lacks the ability it is named for', () => {
    const core = new MemoryStore();
    const reading = wrapStore(core, { capabilities: { reading: false } });
    expect(() => compose({ core, reading, locker: new MemoryLocker() })).toThrow(TypeError);
  });
});
