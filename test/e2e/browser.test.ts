import { readdir } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { whyNo } from '../services/programs.js';
import { skipIfMissing } from '../services/skip-if-missing.js';
import { openPage } from './browser-page.js';
import { useCommands } from './command-helper.js';

const start = useCommands();

describe('a page of another origin, in a browser', { timeout: 60_000 }, () => {
  beforeEach(({ skip }) => skipIfMissing(skip, whyNo('chromium')));

  it('field 47: uploads, and sees all that there is to see', async () => {
    const page = await openPage();
    const { url } = await start({
      args: [
        `-cors-allow-origin=^${page.origin}$`,
        '-cors-allow-credentials',
        '-cors-allow-headers=X-Tenant',
      ],
    });
    const result = await page.run(`
      const upload = await new Promise((resolve, reject) => {
        const upload = new tus.Upload(new Blob(['0123456789']), {
          endpoint: '${url}',
          chunkSize: 4,
          headers: { 'X-Tenant': 'a' },
          metadata: { filename: 'słońce.txt', filetype: 'text/plain' },
          onBeforeRequest: (request) => { request.getUnderlyingObject().withCredentials = true; },
          onSuccess: () => resolve(upload),
          onError: reject,
        });
        upload.start();
      });
      const get = (headers) => fetch(upload.url, { headers, credentials: 'include', cache: 'no-store' });
      const whole = await get({});
      const etag = whole.headers.get('ETag');
      const names = ['Accept-Ranges', 'Content-Range', 'Content-Disposition', 'Content-Length'];
      const told = async (response) => [response.status, await response.text()];
      const part = await get({ Range: 'bytes=2-5', 'If-Range': etag });
      const options = await fetch('${url}', { method: 'OPTIONS' });
      return {
        whole: await told(whole),
        hasEtag: /^"/.test(etag),
        shown: names.map((name) => part.headers.get(name)),
        part: await told(part),
        known: await told(await get({ 'If-None-Match': etag })),
        changed: await told(await get({ 'If-Match': '"x"' })),
        missing: await told(await fetch('${url}missing')),
        extensions: options.headers.get('Tus-Extension'),
      };
    `);
    expect(result).toEqual({
      whole: [200, '0123456789'],
      hasEtag: true,
      shown: [
        'bytes',
        'bytes 2-5/10',
        `inline; filename="s_o_ce.txt"; filename*=UTF-8''s%C5%82o%C5%84ce.txt`,
        '4',
      ],
      part: [206, '2345'],
      known: [304, ''],
      changed: [412, expect.stringContaining('ERR_PRECONDITION_FAILED')],
      missing: [404, expect.stringContaining('ERR_UPLOAD_NOT_FOUND')],
      extensions: expect.stringContaining('creation'),
    });
  });

  it('field 47: gets nowhere where its origin is not allowed', async () => {
    const page = await openPage();
    const { url, directory } = await start({
      args: ['-cors-allow-origin=^https://app[.]example$'],
    });
    const result = await page.run(`
      const outcome = (options) => fetch('${url}', options).then((response) => response.status, String);
      return [
        await outcome({ method: 'GET' }),
        await outcome({ method: 'POST', headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': '5' } }),
      ];
    `);
    expect(result).toEqual(['TypeError: Failed to fetch', 'TypeError: Failed to fetch']);
    expect((await readdir(directory)).filter((name) => name.endsWith('.info'))).toEqual([]);
  });
});
