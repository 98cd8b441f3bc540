import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  collect,
  createUpload,
  mainPath,
  type RunningCommand,
  useCommands,
} from './command-helper.js';

const start = useCommands();
const tus = { 'Tus-Resumable': '1.0.0' };

/** Sends requests that are logged, sixteen at a time, and expects an answer to each. */
async function sendRequests(url: string, count: number): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const { hostname, port, pathname } = new URL('nothing-here', url);
  let left = count;
  async function work(): Promise<void> {
    for (; left > 0; left -= 1) {
      expect(await statusOf({ agent, hostname, port, path: pathname })).toBe(404);
    }
  }
  await Promise.all(Array.from({ length: 16 }, work));
  agent.destroy();
}

function statusOf(options: http.RequestOptions): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    http
      .get(options, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode));
      })
      .setTimeout(10_000, () => reject(new Error('no answer')))
      .on('error', reject);
  });
}

describe('the log', () => {
  const requestId = '0123456789'.repeat(4);

  async function upload({ url }: RunningCommand): Promise<string> {
    const headers = { ...tus, 'X-Request-ID': requestId };
    const location = await createUpload(url, 5);
    const patch = await fetch(location, {
      method: 'PATCH',
      headers: {
        ...headers,
        'Upload-Offset': '0',
        'Content-Type': 'application/offset+octet-stream',
      },
      body: 'hello',
    });
    expect(patch.status).toBe(204);
    const removal = await fetch(location, { method: 'DELETE', headers });
    expect(removal.status).toBe(204);
    return new URL(location).pathname;
  }

  const events = [
    'RequestIncoming',
    'UploadCreated',
    'ChunkWriteStart',
    'ChunkWriteComplete',
    'UploadFinished',
    'UploadTerminated',
    'ResponseOutgoing',
  ];

  it('is one JSON object a line, with what monitoring looks for', async () => {
    const command = await start({ args: ['-log-format=json'] });
    const path = await upload(command);
    await command.waitForOutput(/"ResponseOutgoing","method":"DELETE"/);
    const records: unknown[] = command
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    for (const msg of events) expect(records).toContainEqual(expect.objectContaining({ msg }));
    expect(records).toContainEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: 'DEBUG',
      msg: 'RequestIncoming',
      method: 'DELETE',
      path,
      requestId: requestId.slice(0, 36),
    });
  });

  it('is lines of key=value otherwise', async () => {
    const command = await start();
    await upload(command);
    await command.waitForOutput(/event=ResponseOutgoing method=DELETE .*status=204$/m);
    for (const event of events) {
      expect(command.output()).toMatch(
        new RegExp(
          String.raw`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} level=[A-Z]+ event=${event} `,
          'm',
        ),
      );
    }
  });

  it('leaves out what is debug without -verbose', async () => {
    const command = await start({ args: ['-verbose=false'] });
    await upload(command);
    await command.waitForOutput(/level=INFO event=UploadTerminated/);
    expect(command.output()).not.toContain('level=DEBUG');
  });
});

describe('a reader of the log', { timeout: 60_000 }, () => {
  it('that stalls does not stop the server, and is told what it missed', async () => {
    const command = await start();
    command.process.stdout.pause();
    await sendRequests(command.url, 20_000);
    command.process.stdout.resume();
    await command.waitForOutput(/level=WARN event=LogLinesDropped count=[1-9]\d*\n/);
    expect(await command.stop()).toBe(0);
    expect(command.output()).toContain('Shutdown completed. Goodbye!');
  });

  it('that stalls does not keep the server from ending', async () => {
    const command = await start();
    command.process.stdout.pause();
    await sendRequests(command.url, 6000);
    const ended = once(command.process, 'exit');
    command.process.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it('that is gone does not end the server', async () => {
    const command = await start();
    command.process.stdout.destroy();
    for (let count = 0; count < 20; count += 1) {
      expect((await fetch(command.url, { method: 'OPTIONS' })).ok).toBe(true);
    }
    expect(await command.stop()).toBe(0);
    expect(command.errors()).toBe('');
  });
});

const hasScript = spawnSync('script', ['--version']).error === undefined;

describe.skipIf(!hasScript)('a terminal (needs the program script)', () => {
  it(
    'gets lines for people, and when it is halted the server goes on',
    { timeout: 60_000 },
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'tuskd-e2e-'));
      const command = `exec '${process.execPath}' '${mainPath}' -host=127.0.0.1 -port=0 -upload-dir='${directory}'`;
      const terminal = spawn('script', ['--quiet', '--flush', '--command', command, '/dev/null'], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, TERM: 'xterm' },
      });
      try {
        const output = collect(terminal.stdout);
        await expect.poll(output, { timeout: 10_000 }).toMatch(/upload files to: \S+\r\n/);
        const [, url = ''] = /upload files to: (\S+)/.exec(output()) ?? [];
        await sendRequests(url, 1);
        await expect
          .poll(output, { timeout: 5000 })
          .toMatch(/\d\d:\d\d:\d\d\.\d{3}.* .*DEBUG.* .*RequestIncoming/);
        expect(output()).not.toContain('event=');
        terminal.stdout.pause();
        await sendRequests(url, 3000);
      } finally {
        const closed = once(terminal, 'close');
        // The end of the terminal is a hang-up, which ends the command.
        terminal.kill('SIGKILL');
        terminal.stdout.resume();
        await closed;
        await rm(directory, { recursive: true, force: true });
      }
    },
  );
});
