import { once } from 'node:events';
import type http2 from 'node:http2';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gatedStore } from './gated-store.js';
import { answer, begin, chunkAt, connectHttp2, createOver } from './http2-client.js';
import {
  acknowledge,
  endHeaders,
  frame,
  FrameClient,
  requestBlock,
  settings,
} from './http2-frames.js';
import { startHttp2Server } from './http2-server.js';
import { chunkType } from './tus.js';

const KiB = 1024;
const MiB = 1024 * KiB;

describe('receive windows over HTTP/2', () => {
  it('16 MiB for a connection, of which one stream may have all; 128 streams', async () => {
    const session = await connectHttp2(await startHttp2Server());
    if (session.remoteSettings.maxConcurrentStreams !== 128) await once(session, 'remoteSettings');
    expect(session.remoteSettings).toMatchObject({
      initialWindowSize: 16 * MiB,
      maxConcurrentStreams: 128,
    });
    await expect.poll(() => session.state.remoteWindowSize).toBe(16 * MiB);
  });

  it('narrower with more bodies at once, wider when they are gone; never more than 16 MiB for all', async () => {
    const server = await startHttp2Server();
    const session = await connectHttp2(server);
    const widths = recordWidths(session);
    const path = await createOver(session, 1);
    const streams = await upload(session, path, 100);
    await expect.poll(() => widths.at(-1)).toBe(128 * KiB);
    for (const stream of streams.splice(0, 97)) stream.close();
    await expect.poll(() => widths.at(-1)).toBe(2 * MiB);
    for (const stream of streams) stream.close();
    await expect.poll(() => widths.at(-1)).toBe(16 * MiB);
    expect(widths.every((width) => 128 * KiB <= width && width <= 16 * MiB)).toBe(true);
  });

  it('one upload after the other changes nothing', async () => {
    const session = await connectHttp2(await startHttp2Server());
    const path = await createOver(session, 1);
    const widths = recordWidths(session);
    for (let round = 0; round < 10; round += 1) {
      const streams = await upload(session, path, 1);
      for (const stream of streams) stream.end('x');
      await Promise.all(streams.map((stream) => answer(stream)));
    }
    expect(widths).toEqual([]);
  });

  it('narrower with more bodies on all connections: never more than 256 MiB for a server', async () => {
    const server = await startHttp2Server();
    const sessions = await Promise.all(Array.from({ length: 40 }, () => connectHttp2(server)));
    const widths = sessions.map(recordWidths);
    for (const session of sessions) {
      const path = await createOver(session, 1);
      await upload(session, path, 1);
    }
    // For 40 as for 64; also the first, on which nothing has happened since.
    await expect.poll(() => widths.every((each) => each.at(-1) === 4 * MiB)).toBe(true);
  });

  it('a client that goes on to use windows that were taken back is cut off before it fills the memory', async () => {
    const { store, waiting, open } = gatedStore();
    const server = await startHttp2Server({ wrapStore: store });
    onTestFinished(open);
    const session = await connectHttp2(server);
    const paths: string[] = [];
    for (let count = 0; count < 20; count += 1) paths.push(await createOver(session, 64 * MiB));
    const client = await FrameClient.connect(server);
    await client.send(settings());
    await expect.poll(() => client.of('settings').length).toBeGreaterThan(0);
    // It takes the wide window, and nothing that comes after.
    await client.send(frame('settings', acknowledge, 0));
    const piece = Buffer.alloc(16 * KiB);
    for (const [index, path] of paths.entries()) {
      const block = requestBlock('PATCH', path, { ...lowerCase(chunkType), 'upload-offset': '0' });
      await client.send(frame('headers', endHeaders, 2 * index + 1, block));
    }
    await expect.poll(waiting).toBe(20);
    let sent = 0;
    for (const index of paths.keys()) {
      for (let filled = 0; filled < 8 * MiB && client.isOpen; filled += piece.length) {
        await client.send(frame('data', 0, 2 * index + 1, piece));
        sent += piece.length;
      }
    }
    await client.closed;
    expect(sent).toBeGreaterThan(32 * MiB);
    expect(sent).toBeLessThan(150 * MiB);
    await expect.poll(() => server.sessions.size).toBe(1);
  });
});

/** Begins as many uploads, and sends nothing of them. */
async function upload(
  session: http2.ClientHttp2Session,
  path: string,
  count: number,
): Promise<http2.ClientHttp2Stream[]> {
  return Array.from({ length: count }, () =>
    begin(session, 'PATCH', path, { headers: chunkAt(0), body: '' }),
  );
}

/** The widths that a server tells from now on. */
function recordWidths(session: http2.ClientHttp2Session): number[] {
  const widths: number[] = [];
  session.on('remoteSettings', ({ initialWindowSize = 0 }) => void widths.push(initialWindowSize));
  return widths;
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
