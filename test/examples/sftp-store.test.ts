import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { collect } from '../e2e/command-helper.js';
import { temporaryDirectory } from '../protocol/server.js';
import { skipIfMissing } from '../services/skip-if-missing.js';
import { checkUploads } from './check-uploads.js';
import { startExample, whyNoExamples } from './start-example.js';
import { startSshd, whyNoSshd } from './start-sshd.js';

const folder = resolve(import.meta.dirname, '../../examples/sftp-store');
const reason = whyNoExamples() ?? whyNoSshd();

describe('examples/sftp-store', { timeout: 60_000 }, () => {
  beforeEach(({ skip }) => skipIfMissing(skip, reason));

  it('is a store as the contract has it', async () => {
    const { env } = await startSftp();
    const args = ['--test-reporter=tap', join(folder, 'sftp-store.test.mjs')];
    const suite = spawn(process.execPath, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void suite.kill('SIGKILL'));
    const report = collect(suite.stdout);
    const [code] = await once(suite, 'close');
    expect(report()).toMatch(/^# fail 0$/m);
    expect(Number(/^# pass (\d+)$/m.exec(report())?.[1])).toBeGreaterThan(100);
    expect(code).toBe(0);
  });

  it('takes, resumes and gives back uploads, and tells errors', async () => {
    const { env, uploads } = await startSftp();
    const directory = await temporaryDirectory();
    const { url } = await startExample('sftp-store/server.mjs', { directory, env });
    await checkUploads(url, uploads);
  });
});

async function startSftp() {
  const directory = await temporaryDirectory();
  const uploads = join(directory, 'uploads');
  await mkdir(uploads);
  const { port, user, keyFile, hostKey } = await startSshd(directory);
  const env = {
    SFTP_URL: `sftp://${user}@127.0.0.1:${port}${uploads}`,
    SFTP_KEY: keyFile,
    SFTP_HOST_KEY: hostKey,
  };
  return { env, uploads };
}
