import { describe, expect, it } from 'vitest';
import { create, patch, request } from '../protocol/tus.js';
import { useS3 } from '../services/use-s3.js';
import { fileOf, MiB, openBed } from './s3-bed.js';
import { serve } from './s3-http.js';

const s3 = useS3();

describe('a download from S3', () => {
  it('field 53: has ranges and conditions', async () => {
    const bed = await openBed(s3());
    const server = await serve(bed.freshStore());
    const content = fileOf(6 * MiB);
    const path = await uploaded(server, content);
    const whole = await request(server, 'GET', path);
    expect([whole.status, whole.body.equals(content)]).toEqual([200, true]);
    const etag = whole.header('etag') ?? '';
    const [start, end] = [5 * MiB - 10, 5 * MiB + 10];
    const headers = { Range: `bytes=${start}-${end}`, 'If-Range': etag };
    const part = await request(server, 'GET', path, { headers });
    expect([part.status, part.header('content-range')]).toEqual([
      206,
      `bytes ${start}-${end}/${content.length}`,
    ]);
    expect(part.body.equals(content.subarray(start, end + 1))).toBe(true);
    for (const [status, condition] of [
      [304, { 'If-None-Match': etag }],
      [304, { 'If-Modified-Since': whole.header('last-modified') ?? '' }],
      [412, { 'If-Match': '"x"' }],
      [416, { Range: `bytes=${content.length}-` }],
    ] as const) {
      expect((await request(server, 'GET', path, { headers: condition })).status).toBe(status);
    }
    const other = await serve(bed.freshStore());
    expect((await request(other, 'GET', path)).header('etag')).toBe(etag);
  });

  it.each([{ 'If-None-Match': '*' }, { 'If-Match': '"x"' }, { Range: 'bytes=99999999-' }, {}])(
    'field 53: is refused before the upload is finished, whatever the condition: %j',
    async (headers) => {
      const bed = await openBed(s3());
      const server = await serve(bed.freshStore());
      const path = await create(server, 10);
      await patch(server, path, 0, 'hello');
      const response = await request(server, 'GET', path, { headers });
      expect([response.status, response.header('etag')]).toEqual([400, undefined]);
      expect(response.text).toContain('ERR_INCOMPLETE_UPLOAD');
    },
  );

  it('field 53: is left to S3 where clients are sent there, with conditions and ranges', async () => {
    const bed = await openBed(s3());
    const presigned = 'https://s3.example/signed';
    const server = await serve(bed.freshStore({ presignDownload: async () => presigned }));
    const path = await uploaded(server, fileOf(100));
    for (const headers of [
      {},
      { Range: 'bytes=0-9' },
      { Range: 'bytes=100-' },
      { 'If-None-Match': '*' },
      { 'If-Match': '"x"' },
    ]) {
      const response = await request(server, 'GET', path, { headers });
      expect([response.status, response.header('location')]).toEqual([302, presigned]);
      expect(response.header('etag')).toBeUndefined();
    }
  });
});

async function uploaded(server: { port: number }, content: Uint8Array): Promise<string> {
  const path = await create(server, content.length);
  expect((await patch(server, path, 0, content)).status).toBe(204);
  return path;
}
