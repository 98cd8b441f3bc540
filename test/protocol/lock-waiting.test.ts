import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { recordingHooks } from './hooks.js';
import { startServer } from './server.js';
import { chunkType, connect, create, patch, requestHead } from './tus.js';

describe.each(['memory', 'files'] as const)('waiting for locks in %s', (locker) => {
  it('field 6: fifty who wait for one lock take no time of the processor, and delay nobody', async () => {
    let release: (() => void) | undefined;
    const finishing = new Promise<object>((resolve) => {
      release = () => resolve({});
    });
    const hooks = recordingHooks({ 'pre-finish': () => finishing });
    const server = await startServer({ locker, hooks, acquireLockTimeoutMs: 60_000 });
    const path = await create(server, 5);
    const holder = patch(server, path, 0, 'hello');
    await expect.poll(() => hooks.calls).toContain('pre-finish');
    const waiting = Array.from({ length: 50 }, async () => {
      const client = await connect(server);
      const headers = { ...chunkType, 'Upload-Offset': '5', 'Content-Length': '0' };
      await client.send(requestHead('PATCH', path, { headers }));
      return client;
    });
    const clients = await Promise.all(waiting);
    const asked = () => hooks.calls.filter((call) => call === 'access append').length;
    await expect.poll(asked).toBe(51);

    // Of several stretches of time, the quietest: the machine may have other things to do.
    const stretches = [];
    for (let count = 0; count < 8; count += 1) stretches.push(await measure(200));
    expect(Math.min(...stretches.map(({ share }) => share))).toBeLessThan(0.05);
    expect(Math.min(...stretches.map(({ lateMs }) => lateMs))).toBeLessThan(20);

    release?.();
    expect((await holder).status).toBe(204);
    const answers = await Promise.all(clients.map((client) => client.response()));
    expect(answers.every(({ status }) => status === 204)).toBe(true);
  });
});

/** What share of a processor this process takes in so many milliseconds, and how late its timer was. */
async function measure(milliseconds: number): Promise<{ share: number; lateMs: number }> {
  const before = process.cpuUsage();
  const began = performance.now();
  await delay(milliseconds);
  const took = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  return { share: (user + system) / 1000 / took, lateMs: took - milliseconds };
}
