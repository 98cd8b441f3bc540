import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createUpload, useCommands } from './command-helper.js';
import { HalfSent } from './half-sent.js';

const start = useCommands();

describe('a signal', () => {
  const size = 1_000_000;
  const sent = 300_000;

  it.each(['SIGINT', 'SIGTERM'] as const)('%s ends an idle server with 0', async (signal) => {
    const command = await start();
    // One connection that is kept alive, and one that was never used.
    await fetch(command.url, { method: 'OPTIONS' });
    const unused = net.connect(Number(new URL(command.url).port), '127.0.0.1');
    await once(unused, 'connect');
    const begin = performance.now();
    expect(await command.stop(signal)).toBe(0);
    expect(performance.now() - begin).toBeLessThan(3000);
    expect(command.output()).toMatch(
      /Received interrupt signal\. Shutting down tusd\.\.\.\n(?:.*\n)*Shutdown completed\. Goodbye!\n$/,
    );
    unused.destroy();
  });

  it('field 12: interrupts a running upload, which keeps its bytes', async () => {
    const command = await start();
    const half = await HalfSent.begin(command, size, sent);
    expect(await command.stop()).toBe(0);
    const answer = await half.answer();
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toContain('\r\n\r\nERR_SERVER_SHUTDOWN: ');
    expect((await readFile(half.path)).length).toBe(sent);
    expect(command.output()).toContain('Received interrupt signal. Shutting down tusd...\n');
    expect(command.output()).toContain('Shutdown completed. Goodbye!\n');
  });

  it('lets a running download come to its end, and waits for no more', async () => {
    const command = await start();
    // More than the buffers of a connection hold.
    const content = Buffer.alloc(32 * 1024 * 1024, 'y');
    const location = await createUpload(command.url, content.length);
    const headers = {
      'Tus-Resumable': '1.0.0',
      'Upload-Offset': '0',
      'Content-Type': 'application/offset+octet-stream',
    };
    await fetch(location, { method: 'PATCH', headers, body: content });
    const agent = new http.Agent({ keepAlive: true });
    const [response] = await once(http.get(location, { agent }), 'response');
    command.process.kill('SIGTERM');
    await command.waitForOutput(/Received interrupt signal/);
    const begin = performance.now();
    expect((await buffer(response)).equals(content)).toBe(true);
    expect(await command.exited()).toBe(0);
    expect(performance.now() - begin).toBeLessThan(3000);
    expect(command.output()).toContain('Shutdown completed. Goodbye!\n');
    agent.destroy();
  });

  it('cuts off what is not done in time, and still exits with 0', async () => {
    const command = await start({ args: ['-shutdown-timeout=100ms'] });
    const half = await HalfSent.begin(command, size, sent);
    expect(await command.stop()).toBe(0);
    await half.answer();
    expect((await readFile(half.path)).length).toBe(sent);
    expect(command.errors()).toBe('Shutdown timeout exceeded. Exiting immediately!\n');
  });

  it('that comes again ends the server at once with 1', async () => {
    const command = await start();
    await HalfSent.begin(command, size, sent);
    command.process.kill('SIGTERM');
    await command.waitForOutput(/Received interrupt signal/);
    expect(await command.stop('SIGINT')).toBe(1);
    expect(command.output()).toMatch(/Received second interrupt signal\. Exiting immediately!\n$/);
    expect(command.output()).not.toContain('Goodbye');
  });
});
