import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { whyNo } from '../services/programs.js';
import { skipIfMissing } from '../services/skip-if-missing.js';
import { startTusd } from '../services/start-tusd.js';
import { useCommands } from './command-helper.js';

const start = useCommands();
const tus = { 'Tus-Resumable': '1.0.0' };

async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<string> {
  const chunk = { 'Content-Type': 'application/offset+octet-stream' };
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...tus, ...headers, ...(body !== undefined && chunk) },
    ...(body !== undefined && { body }),
  });
  expect([response.status, await response.text()]).toEqual([201, '']);
  return new URL(response.headers.get('location') ?? '', url).pathname;
}

function part(url: string, body: string): Promise<string> {
  return post(url, { 'Upload-Concat': 'partial', 'Upload-Length': String(body.length) }, body);
}

async function look(
  url: string,
  path: string,
): Promise<{ concat: string | null; offset: string | null; content: string }> {
  const target = new URL(path, url);
  const { headers } = await fetch(target, { method: 'HEAD', headers: tus });
  const content = await (await fetch(target)).text();
  return { concat: headers.get('upload-concat'), offset: headers.get('upload-offset'), content };
}

describe('tuskd and tusd on one directory', () => {
  beforeEach(({ skip }) => skipIfMissing(skip, whyNo('tusd')));

  it("concatenate each other's parts, and know each other's final uploads", async () => {
    const tuskd = await start();
    const tusd = await startTusd({ directory: tuskd.directory });
    onTestFinished(() => tusd.stop());
    const [a, b] = [await part(tuskd.url, 'hello'), await part(tusd.url, ' world')];
    for (const maker of [tuskd.url, tusd.url]) {
      const final = await post(maker, { 'Upload-Concat': `final;${a} ${b}` });
      for (const reader of [tuskd.url, tusd.url]) {
        const found = await look(reader, final);
        expect([found.offset, found.content]).toEqual(['11', 'hello world']);
        const urls = [a, b].map((path) => new URL(path, reader).href);
        const asItCame = maker === tuskd.url && reader === tuskd.url;
        expect(found.concat).toBe(asItCame ? `final;${a} ${b}` : `final;${urls.join(' ')}`);
        const patched = await fetch(new URL(final, reader), {
          method: 'PATCH',
          headers: {
            ...tus,
            'Content-Type': 'application/offset+octet-stream',
            'Upload-Offset': '11',
          },
        });
        expect(patched.status).toBe(403);
      }
    }
    expect((await look(tusd.url, a)).concat).toBe('partial');
    expect((await look(tuskd.url, b)).concat).toBe('partial');
  });
});
