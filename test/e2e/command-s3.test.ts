import { once } from 'node:events';
import { createServer, request as sendRequest } from 'node:http';
import { readdir } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../services/free-port.js';
import { useS3 } from '../services/use-s3.js';
import { runCommand, useCommands } from './command-helper.js';
import { append, create, idOf, MiB, objectOf, offsetOf, s3Bench, someBytes } from './s3-bench.js';

const start = useCommands();
const s3 = useS3();
const tus = { 'Tus-Resumable': '1.0.0' };

describe('the command with -s3-bucket', () => {
  it('says where it keeps uploads, and who else must not', async () => {
    const { flags, env, bucket } = await s3Bench(s3());
    const { output } = await start({ args: flags, env });
    expect(output()).toContain(
      `Using '${s3().endpoint}/${bucket}' as S3 endpoint and bucket for storage.\n`,
    );
    expect(output()).toContain('no other process may serve this bucket');
  });

  it('keeps an upload in the layout of tusd, over a restart', async () => {
    const bench = await s3Bench(s3());
    const args = [...bench.flags, '-s3-object-prefix=some/folder'];
    const bytes = someBytes(20 * MiB);
    const first = await start({ args, env: bench.env });
    const metadata = { 'Upload-Metadata': `filename ${btoa('a.txt')}` };
    const { pathname } = new URL(await create(first.url, bytes.length, metadata));
    await append(new URL(pathname, first.url).href, 0, bytes.subarray(0, 7 * MiB));
    expect(await first.stop()).toBe(0);

    const second = await start({ args, env: bench.env });
    const url = new URL(pathname, second.url).href;
    expect(await offsetOf(url)).toBe(7 * MiB);
    await append(url, 7 * MiB, bytes.subarray(7 * MiB));
    const key = `some/folder/${objectOf(url)}`;
    expect(await bench.keys()).toEqual([key, `${key}.info`]);
    expect((await bench.content(key)).equals(bytes)).toBe(true);
    expect(JSON.parse((await bench.content(`${key}.info`)).toString())).toMatchObject({
      ID: idOf(url),
      Size: bytes.length,
      MetaData: { filename: 'a.txt' },
      Storage: { Type: 's3store', Bucket: bench.bucket, Key: key },
    });
    const download = await fetch(url);
    expect(Buffer.from(await download.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it('excludes workers from each other by files, not by memory', async () => {
    const bench = await s3Bench(s3());
    const args = [...bench.flags, '-workers=2', '-verbose=false'];
    const { url, output, directory } = await start({ args, env: bench.env });
    expect(output()).toContain(`Using '${directory}' for locks: no other machine may serve`);
    const bytes = someBytes(100);
    const upload = await create(url, bytes.length);
    for (let offset = 0; offset < bytes.length; offset += 25) {
      await append(upload, offset, bytes.subarray(offset, offset + 25));
    }
    expect((await bench.content(objectOf(upload))).equals(bytes)).toBe(true);
    // What file lockers have there while they run, and nobody else.
    await expect.poll(() => readdir(directory)).toEqual(['.tuskd']);
  });

  it('places objects as a template says, under names that are safe, never on one that is there', async () => {
    const bench = await s3Bench(s3());
    const args = [...bench.flags, '-s3-object-prefix=in', '-s3-object-key={yyyy}/{mm}/{filename}'];
    const { url } = await start({ args, env: bench.env });
    const metadata = { 'Upload-Metadata': `filename ${btoa('../../a b?.txt')}` };
    const upload = await create(url, 3, metadata);
    await append(upload, 0, Buffer.from('abc'));
    const key = (await bench.keys()).find((found) => !found.endsWith('.info'));
    expect(key).toMatch(/^in\/\d{4}\/\d{2}\/_.._a b_\.txt$/);
    expect((await bench.content(key ?? '')).toString()).toBe('abc');
    expect(await (await fetch(upload)).text()).toBe('abc');
    const again = await fetch(url, {
      method: 'POST',
      headers: { ...tus, 'Upload-Length': '3', ...metadata },
    });
    expect(again.status).toBe(409);
  });

  it('sends who downloads to S3, for as long as it was told', async () => {
    const bench = await s3Bench(s3());
    const args = [...bench.flags, '-s3-redirect-downloads=90s'];
    const { url } = await start({ args, env: bench.env });
    const bytes = someBytes(1000);
    const upload = await create(url, bytes.length);
    await append(upload, 0, bytes);
    const answer = await fetch(upload, { redirect: 'manual', headers: { Origin: 'http://a' } });
    expect(answer.status).toBe(302);
    expect(answer.headers.get('Tus-Resumable')).toBe('1.0.0');
    expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('http://a');
    const location = new URL(answer.headers.get('Location') ?? '');
    expect(location.origin).toBe(s3().endpoint);
    expect(location.searchParams.get('X-Amz-Expires')).toBe('90');
    const download = await fetch(upload);
    expect(download.redirected).toBe(true);
    expect(download.headers.get('Content-Type')).toBe('application/octet-stream');
    expect(download.headers.get('Content-Disposition')).toBe('attachment');
    expect(Buffer.from(await download.arrayBuffer()).equals(bytes)).toBe(true);
    const part = await fetch(upload, { headers: { Range: 'bytes=10-19' } });
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(10, 20))).toBe(true);
    expect(await offsetOf(upload)).toBe(bytes.length);
  });

  it('logs its calls when told to, verbose or not', async () => {
    const bench = await s3Bench(s3());
    const args = [...bench.flags, '-s3-log-api-calls', '-verbose=false', '-log-format=json'];
    const command = await start({ args, env: bench.env });
    const upload = await create(command.url, 3);
    const [, line = ''] = await command.waitForOutput(/^(.*CreateMultipartUpload.*)$/m);
    expect(JSON.parse(line)).toMatchObject({
      msg: 'S3Call',
      operation: 'CreateMultipartUpload',
      key: objectOf(upload),
      status: 200,
      durationMs: expect.any(Number),
    });
    await fetch(`${command.url}none+such`, { method: 'HEAD', headers: tus });
    await command.waitForOutput(/"operation":"GetObject","key":"none.info","status":404/);
  });

  it('signs what parts contain, unless told not to', async () => {
    const bench = await s3Bench(s3());
    const proxy = await recordingProxy(s3().endpoint);
    for (const disabled of [false, true]) {
      const args = [
        `-s3-bucket=${bench.bucket}`,
        `-s3-endpoint=${proxy.url}`,
        `-s3-disable-content-hashes=${disabled}`,
      ];
      const { url } = await start({ args, env: bench.env });
      const upload = await create(url, 3);
      await append(upload, 0, Buffer.from('abc'));
      const hashes = proxy.partHashes.splice(0);
      expect(hashes).toHaveLength(1);
      expect(hashes[0]).toMatch(disabled ? /^UNSIGNED-PAYLOAD$/ : /^[\da-f]{64}$/);
      expect((await bench.content(objectOf(upload))).toString()).toBe('abc');
    }
  });
});

describe('a start with -s3-bucket that fails', () => {
  it.each<[string, (flags: readonly string[]) => readonly string[], NodeJS.ProcessEnv, RegExp]>([
    [
      'a bucket that is missing',
      (flags) => ['-s3-bucket=none', ...flags.slice(1)],
      {},
      /none at .*: it does not exist$/,
    ],
    [
      'a wrong secret',
      (flags) => flags,
      { AWS_SECRET_ACCESS_KEY: 'x' },
      /not that of the access key/,
    ],
    [
      'no credentials',
      (flags) => flags,
      { AWS_ACCESS_KEY_ID: undefined, AWS_EC2_METADATA_DISABLED: 'true' },
      /there are no credentials; set AWS_ACCESS_KEY_ID/,
    ],
    [
      'nobody there',
      (flags) => [...flags, '-s3-endpoint=http://127.0.0.1:1'],
      {},
      /there is no answer \(.*ECONNREFUSED/,
    ],
    [
      'no region',
      (flags) => [...flags, '-s3-endpoint='],
      { AWS_DEFAULT_REGION: undefined },
      /needs a region: set AWS_REGION$/,
    ],
    [
      'no URL',
      (flags) => [...flags, '-s3-endpoint=ftp://a'],
      {},
      /must be a URL such as https:\/\/HOST, not "ftp:\/\/a"$/,
    ],
    [
      'small parts',
      (flags) => [...flags, '-s3-part-size=5'],
      {},
      /must not be below -s3-min-part-size/,
    ],
  ])('over %s says so in one line and exits with 1', async (_, args, env, message) => {
    const bench = await s3Bench(s3());
    const all = ['-host=127.0.0.1', '-port=0', ...args(bench.flags)];
    const home = { HOME: '/none', AWS_PROFILE: undefined };
    const { code, output, errors } = await runCommand(all, { ...bench.env, ...home, ...env });
    expect(code).toBe(1);
    expect(output).toBe('');
    const lines = errors.trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^tuskd: /);
    expect(lines[0]).toMatch(message);
  });
});

/** Passes requests on as they are, and notes what those that bring parts say of their content. */
async function recordingProxy(upstream: string): Promise<{ url: string; partHashes: string[] }> {
  const partHashes: string[] = [];
  const server = createServer((request, response) => {
    const { method, url = '', headers } = request;
    if (url.includes('partNumber=')) partHashes.push(String(headers['x-amz-content-sha256']));
    const passed = sendRequest(new URL(url, upstream), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(passed);
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${port}`, partHashes };
}
