import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { dieTogether } from '../services/die-together.js';
import { pathOf } from '../services/programs.js';

const client = new URL('../../node_modules/tus-js-client/dist/tus.min.js', import.meta.url);

/** A page in a real browser, for the length of one test. */
export interface BrowserPage {
  /** Of the page, as the browser sends it. */
  readonly origin: string;
  /** Resolves with what the function of the body `script` resolves with. It may use `tus` and must be JSON. */
  run(script: string): Promise<unknown>;
}

/** Serves a page on a port of its own, and so with an origin of its own. */
export async function openPage(): Promise<BrowserPage> {
  let script = '';
  let report: (result: string) => void = () => undefined;
  const server = http.createServer((request, response) => {
    const answer = async (): Promise<void> => {
      if (request.url === '/report') report(await text(request));
      if (request.url === '/tus.js') response.end(await readFile(client));
      else response.setHeader('Content-Type', 'text/html').end(pageOf(script));
    };
    void answer();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const origin = `http://localhost:${portOf(server)}`;
  return {
    origin,
    async run(given) {
      script = given;
      const reported = new Promise<string>((resolve) => {
        report = resolve;
      });
      const browser = await startBrowser(origin);
      try {
        const result: unknown = JSON.parse(await Promise.race([reported, failure(browser)]));
        return result;
      } finally {
        await stopBrowser(browser);
      }
    },
  };
}

function pageOf(script: string): string {
  return `<!doctype html><meta charset="utf-8"><script src="/tus.js"></script><script>
(async () => { ${script} })()
  .catch((error) => ({ failed: String(error) }))
  .then((result) => fetch('/report', { method: 'POST', body: JSON.stringify(result) }));
</script>`;
}

function portOf(server: http.Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the page has no port');
  return address.port;
}

async function startBrowser(url: string): Promise<ChildProcess> {
  const profile = await mkdtemp(join(tmpdir(), 'tuskd-browser-'));
  onTestFinished(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }));
  const options = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  const quiet = ['--no-first-run', '--disable-background-networking', '--no-proxy-server'];
  const args = [...options, ...quiet, `--user-data-dir=${profile}`, url];
  // A group of its own, so that all its processes can be ended.
  const browser = spawn(pathOf('chromium'), args, { stdio: 'ignore', detached: true });
  dieTogether(browser);
  return browser;
}

async function failure(browser: ChildProcess): Promise<never> {
  await once(browser, 'exit');
  throw new Error('the browser ended before its page was done');
}

async function stopBrowser(browser: ChildProcess): Promise<void> {
  if (browser.pid === undefined || browser.exitCode !== null) return;
  const exited = once(browser, 'exit');
  process.kill(-browser.pid, 'SIGKILL');
  await exited;
}
