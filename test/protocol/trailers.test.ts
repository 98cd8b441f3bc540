import type { DataStore } from 'tuskd';
import { wrapStore } from 'tuskd';
import type { Body } from 'tuskd/contracts';
import { describe, expect, it } from 'vitest';
import { ask, chunkAt, connectHttp2, createOver } from './http2-client.js';
import { startHttp2Server } from './http2-server.js';
import { startServer } from './server.js';
import { chunkType, connect, create, requestHead } from './tus.js';

describe('trailers', () => {
  it('T-109: they are told once a chunked body is complete, names in lower case, lines joined', async () => {
    const { bodies, store } = keepingBodies();
    const server = await startServer({ wrapStore: store });
    const path = await create(server, 5);
    const client = await connect(server);
    const headers = { ...chunkType, 'Upload-Offset': '0', Trailer: 'Upload-Checksum' };
    await client.send(requestHead('PATCH', path, { headers, chunked: true }));
    await client.send('5\r\nhello\r\n');
    await expect.poll(() => bodies[0]).toBeDefined();
    expect(bodies[0]?.trailers).toBeUndefined();
    await client.send(
      '0\r\nUpload-Checksum: sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=\r\nX-A: 1\r\n__proto__: b\r\nx-a: 2\r\n\r\n',
    );
    expect((await client.response()).status).toBe(204);
    expect(bodies[0]?.endReason).toBe('complete');
    expect(Object.entries(bodies[0]?.trailers ?? {})).toEqual([
      ['upload-checksum', 'sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00='],
      ['x-a', '1, 2'],
      ['__proto__', 'b'],
    ]);
  });

  it('T-109: so they are over HTTP/2', async () => {
    const { bodies, store } = keepingBodies();
    const session = await connectHttp2(await startHttp2Server({ wrapStore: store }));
    const path = await createOver(session, 5);
    const { status } = await ask(session, 'PATCH', path, {
      headers: chunkAt(0),
      body: 'hello',
      trailers: { 'Upload-Checksum': 'sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=', 'X-A': ['1', '2'] },
    });
    expect(status).toBe(204);
    expect(bodies[0]?.trailers).toEqual({
      'upload-checksum': 'sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=',
      'x-a': '1, 2',
    });
  });

  it('a body that was complete without any has none, and one that broke off tells none', async () => {
    const { bodies, store } = keepingBodies();
    const server = await startServer({ wrapStore: store });
    const path = await create(server, 10);
    const client = await connect(server);
    const headers = { ...chunkType, 'Upload-Offset': '0' };
    await client.send(
      `${requestHead('PATCH', path, { headers, chunked: true })}5\r\nhello\r\n0\r\n\r\n`,
    );
    expect((await client.response()).status).toBe(204);
    expect(bodies[0]?.trailers).toEqual({});
    headers['Upload-Offset'] = '5';
    await client.send(`${requestHead('PATCH', path, { headers, chunked: true })}5\r\nworl`);
    await expect.poll(() => bodies.length).toBe(2);
    await client.close();
    await expect.poll(() => bodies[1]?.endReason).toBe('disconnected');
    expect(bodies[1]?.trailers).toBeUndefined();
  });
});

/** Keeps the bodies that a store is handed. */
function keepingBodies(): { bodies: Body[]; store: (store: DataStore) => DataStore } {
  const bodies: Body[] = [];
  const store = (inner: DataStore): DataStore =>
    wrapStore(inner, {
      upload: (upload) => ({
        writeChunk: (offset, body, options) => {
          bodies.push(body);
          return upload.writeChunk(offset, body, options);
        },
      }),
    });
  return { bodies, store };
}
