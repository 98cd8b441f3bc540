import { MemoryLocker, MemoryStore, wrapStore } from 'tuskd';
import { describe, expect, it } from 'vitest';
import type { Lock, LockOptions } from '../../dist/core/locker.js';
import { startServer, type TestServer } from '../protocol/server.js';
import { chunkType, connect, create, head, patch, requestHead } from '../protocol/tus.js';
import type { RawClient } from '../protocol/raw-client.js';

/** Its locks are lost once `isOver`, and tell nobody who does not look: a timer that is late. */
class LateLocker extends MemoryLocker {
  isOver = false;

  override async lock(id: string, options: LockOptions): Promise<Lock> {
    const lock = await super.lock(id, options);
    const lost = new AbortController();
    const look = (): AbortSignal => {
      if (this.isOver) lost.abort();
      return lost.signal;
    };
    return {
      unlock: () => lock.unlock(),
      get lost() {
        return look();
      },
    };
  }
}

/** Has the head of a PATCH with 5000 bytes accepted. */
async function begin(server: TestServer, path: string): Promise<RawClient> {
  const client = await connect(server);
  const fields = { 'Upload-Offset': '0', 'Content-Length': '5000', Expect: '100-continue' };
  await client.send(requestHead('PATCH', path, { headers: { ...chunkType, ...fields } }));
  expect(await client.continued()).toBe(true);
  return client;
}

describe('a lock that was lost while the process stood still', () => {
  it('lets no byte be stored that comes before the news', async () => {
    const locker = new LateLocker();
    const server = await startServer({ wrapStore: () => new MemoryStore(), locker });
    const path = await create(server, 5000);
    const client = await begin(server, path);
    locker.isOver = true;
    await client.send(Buffer.alloc(5000));
    const { status, text } = await client.response();
    expect([status, text.split(':')[0]]).toEqual([503, 'ERR_LOCK_LOST']);
    locker.isOver = false;
    expect((await head(server, path)).header('upload-offset')).toBe('0');
    expect((await patch(server, path, 0, Buffer.alloc(5000))).status).toBe(204);
  });

  it('lets nothing be acknowledged that was being stored', async () => {
    const locker = new LateLocker();
    const store = wrapStore(new MemoryStore(), {
      upload: (upload) => ({
        async writeChunk(offset, body, options) {
          const result = await upload.writeChunk(offset, body, options);
          locker.isOver = true;
          return result;
        },
      }),
    });
    const server = await startServer({ wrapStore: () => store, locker });
    const path = await create(server, 5000);
    const client = await begin(server, path);
    await client.send(Buffer.alloc(5000));
    const { status, text } = await client.response();
    expect([status, text.split(':')[0]]).toEqual([503, 'ERR_LOCK_LOST']);
  });
});
