import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  errorIn200,
  fail,
  failAfter,
  hideNewestParts,
  hold,
  loseAnswer,
  reset,
  stall,
  transformAnswer,
} from './s3-faults.js';
import { S3FaultProxy } from './s3-fault-proxy.js';
import { useS3 } from './use-s3.js';

const MiB = 1024 * 1024;
const s3 = useS3();

/** A proxy with a client of it, an empty bucket, and a client that goes around the proxy. */
async function start(maxAttempts = 1) {
  const Bucket = await s3().newBucket();
  const proxy = await S3FaultProxy.start(s3().endpoint);
  const config = { ...s3().clientConfig, maxAttempts };
  const client = new S3Client({ ...config, endpoint: proxy.endpoint });
  const direct = new S3Client(config);
  onTestFinished(async () => {
    client.destroy();
    direct.destroy();
    await proxy.close();
  });
  const object = { Bucket, Key: 'a/key with spaces & ümlauts+' };
  return {
    proxy,
    client,
    object,
    put: (Body: Uint8Array | string = 'hello') =>
      client.send(new PutObjectCommand({ ...object, Body })),
    /** Its size; undefined where there is none. */
    stored: async (): Promise<number | undefined> => {
      const list = await direct.send(new ListObjectsV2Command({ Bucket }));
      return list.Contents?.find(({ Key }) => Key === object.Key)?.Size;
    },
    /** Begins a multipart upload, with what uploads a part of it. */
    begin: async () => {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
      const upload = { ...object, UploadId };
      return {
        upload,
        part: (PartNumber: number, Body: Uint8Array) =>
          client.send(new UploadPartCommand({ ...upload, PartNumber, Body })),
        numbers: async () => {
          const { Parts = [] } = await client.send(new ListPartsCommand(upload));
          return Parts.map(({ PartNumber }) => PartNumber);
        },
      };
    },
  };
}

describe('what passes the S3 fault proxy', () => {
  it('is as it was, and named for what it does', async () => {
    const { proxy, client, object, put, begin } = await start();
    const bytes = randomBytes(6 * MiB);
    await put();
    const { upload, part, numbers } = await begin();
    const { ETag: first } = await part(1, bytes);
    const CopySource = `${object.Bucket}/${encodeURIComponent(object.Key)}`;
    const { CopyPartResult } = await client.send(
      new UploadPartCopyCommand({ ...upload, PartNumber: 2, CopySource }),
    );
    expect(await numbers()).toEqual([1, 2]);
    const { Bucket } = object;
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(Uploads).toHaveLength(1);
    const Parts = [first, CopyPartResult?.ETag].map((ETag, index) => ({
      ETag,
      PartNumber: index + 1,
    }));
    await client.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }),
    );
    const got = await client.send(new GetObjectCommand(object));
    const whole = Buffer.concat([bytes, Buffer.from('hello')]);
    expect(whole.equals((await got.Body?.transformToByteArray()) ?? new Uint8Array())).toBe(true);
    await client.send(new HeadObjectCommand(object));
    const other = await begin();
    await client.send(new AbortMultipartUploadCommand(other.upload));
    await client.send(new ListObjectsV2Command({ Bucket }));
    await client.send(new DeleteObjectCommand(object));
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [object] } }));
    expect(proxy.operations).toEqual([
      'PutObject',
      'CreateMultipartUpload',
      'UploadPart',
      'UploadPartCopy',
      'ListParts',
      'ListMultipartUploads',
      'CompleteMultipartUpload',
      'GetObject',
      'HeadObject',
      'CreateMultipartUpload',
      'AbortMultipartUpload',
      'ListObjectsV2',
      'DeleteObject',
      'DeleteObjects',
    ]);
    expect(proxy.log[2]).toMatchObject({
      call: { bucket: Bucket, key: object.Key, partNumber: 1, uploadId: upload.UploadId },
      status: 200,
      failure: undefined,
    });
  });

  // A client waits for six seconds, then begins unasked.
  it('is asked for its body where it waits for that', { timeout: 5000 }, async () => {
    const { proxy, object, stored } = await start();
    const client = new S3Client({
      ...s3().clientConfig,
      endpoint: proxy.endpoint,
      maxAttempts: 1,
      expectContinueHeader: true,
    });
    onTestFinished(() => client.destroy());
    const put = () => client.send(new PutObjectCommand({ ...object, Body: 'hello' }));
    proxy.inject({}, fail(503, 'SlowDown'));
    await expect(put()).rejects.toMatchObject({ name: 'SlowDown' });
    await put();
    expect(await stored()).toBe(5);
    expect(proxy.log.map(({ request }) => request.headers.expect)).toEqual(
      Array(2).fill('100-continue'),
    );
  });

  it('is counted', async () => {
    const { proxy, put } = await start();
    await put(randomBytes(3 * MiB));
    await put(randomBytes(MiB));
    const { requests, bodyBytes, allBytes } = proxy.total('PutObject');
    expect(requests).toBe(2);
    // Its checksums go behind the bodies.
    expect(bodyBytes).toBeGreaterThanOrEqual(4 * MiB);
    expect(bodyBytes).toBeLessThan(4 * MiB + 1000);
    expect(allBytes).toBeGreaterThan(bodyBytes + 500);
    expect(allBytes).toBeLessThan(bodyBytes + 5000);
    expect(proxy.total()).toEqual({ requests, bodyBytes, allBytes });
    proxy.forget();
    expect(proxy.total()).toEqual({ requests: 0, bodyBytes: 0, allBytes: 0 });
  });

  it('is counted to the byte, request by request', async () => {
    const { proxy } = await start();
    proxy.inject({ times: 2 }, fail(503, 'SlowDown'));
    const socket = net.connect(Number(new URL(proxy.endpoint).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const head = 'PUT /bucket/key HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n';
    for (const length of [1, 2]) {
      socket.write(`${head}hello`);
      await once(socket, 'data');
      expect(proxy.total()).toEqual({
        requests: length,
        bodyBytes: 5 * length,
        allBytes: (head.length + 5) * length,
      });
    }
  });

  it('loses its connection where the server is gone', async () => {
    const proxy = await S3FaultProxy.start('http://127.0.0.1:9');
    onTestFinished(() => proxy.close());
    await expect(fetch(`${proxy.endpoint}/bucket/key`)).rejects.toThrow(TypeError);
    expect(proxy.log).toMatchObject([{ status: undefined, failure: { code: 'ECONNREFUSED' } }]);
  });
});

describe('faults of S3', () => {
  it('fail: the operation is not done', async () => {
    const { proxy, put, stored } = await start();
    proxy.inject({ operation: 'PutObject' }, fail(503, 'SlowDown'));
    const failed = put();
    await expect(failed).rejects.toMatchObject({
      name: 'SlowDown',
      $metadata: { httpStatusCode: 503 },
    });
    expect(await stored()).toBeUndefined();
    await put();
    expect(await stored()).toBe(5);
  });

  it('fail: an early answer does not wait for the body', async () => {
    const { proxy } = await start();
    proxy.inject({}, fail(403, 'AccessDenied', { early: true }));
    const socket = net.connect(Number(new URL(proxy.endpoint).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.setEncoding('utf8').write('PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n');
    const [answer]: unknown[] = await once(socket, 'data');
    expect(answer).toMatch(/^HTTP\/1.1 403 /);
    socket.write('hello');
    await expect.poll(() => proxy.total().bodyBytes).toBe(5);
  });

  it('fail: a client that tries again succeeds', async () => {
    const { proxy, put, stored } = await start(3);
    proxy.inject({ operation: 'PutObject', times: 2 }, fail(500, 'InternalError'));
    await put(randomBytes(3 * MiB));
    expect(proxy.log.map(({ status }) => status)).toEqual([500, 500, 200]);
    expect(await stored()).toBe(3 * MiB);
  });

  it('failAfter: the operation is done', async () => {
    const { proxy, put, stored } = await start();
    proxy.inject({ operation: 'PutObject' }, failAfter(500, 'InternalError'));
    await expect(put()).rejects.toMatchObject({ name: 'InternalError' });
    expect(await stored()).toBe(5);
  });

  it('loseAnswer: the operation is done, the connection lost', async () => {
    const { proxy, put, stored } = await start();
    proxy.inject({ operation: 'PutObject' }, loseAnswer);
    await expect(put(randomBytes(3 * MiB))).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await stored()).toBe(3 * MiB);
    expect(proxy.log).toMatchObject([{ status: undefined, failure: undefined }]);
  });

  it('reset: the connection is lost amid the body', async () => {
    const { proxy, put, stored } = await start();
    proxy.inject({ operation: 'PutObject' }, reset(MiB));
    await expect(put(randomBytes(8 * MiB))).rejects.toMatchObject({
      code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/),
    });
    expect(proxy.total().bodyBytes).toBeGreaterThanOrEqual(MiB);
    expect(proxy.total().bodyBytes).toBeLessThan(2 * MiB);
    expect(await stored()).toBeUndefined();
  });

  it('errorIn200: success says that it is none', async () => {
    const { proxy, client, begin, stored } = await start();
    proxy.inject({ operation: 'CompleteMultipartUpload' }, errorIn200('InternalError'));
    const { upload, part } = await begin();
    const { ETag } = await part(1, randomBytes(10));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    const complete = () =>
      client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
    await expect(complete()).rejects.toMatchObject({ name: 'InternalError' });
    expect(proxy.log.at(-1)?.status).toBe(200);
    expect(await stored()).toBeUndefined();
    await complete();
    expect(await stored()).toBe(10);
  });

  it('hideNewestParts: the list is behind until it is ended', async () => {
    const { proxy, begin } = await start();
    const { part, numbers } = await begin();
    const catchUp = proxy.inject({ operation: 'ListParts', times: Infinity }, hideNewestParts(2));
    expect(await numbers()).toEqual([]);
    await part(1, randomBytes(10));
    expect(await numbers()).toEqual([]);
    await part(2, randomBytes(10));
    await part(3, randomBytes(10));
    expect(await numbers()).toEqual([1]);
    catchUp();
    expect(await numbers()).toEqual([1, 2, 3]);
  });

  it('hold: nothing is done before the release', async () => {
    const { proxy, client, object, put, stored } = await start();
    const held = hold();
    proxy.inject({ operation: 'PutObject' }, held.fault);
    const putting = put();
    await held.reached;
    // One that takes much longer overtakes it.
    const Body = randomBytes(8 * MiB);
    await client.send(new PutObjectCommand({ ...object, Key: 'other', Body }));
    expect(await stored()).toBeUndefined();
    held.release();
    await putting;
    expect(await stored()).toBe(5);
  });

  it('stall: there is no answer until the proxy is closed', async () => {
    const { proxy, client, object, put } = await start();
    proxy.inject({ operation: 'PutObject' }, stall);
    const stalled = expect(put()).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect.poll(() => proxy.total('PutObject').bodyBytes).toBeGreaterThan(0);
    const head = client.send(new HeadObjectCommand(object));
    await expect(head).rejects.toMatchObject({ name: 'NotFound' });
    await proxy.close();
    await stalled;
  });

  it('transformAnswer: the client reads what the test has made of it', async () => {
    const { proxy, client, object, put } = await start();
    await put();
    const change = transformAnswer((xml) => xml.replace('<Size>5<', '<Size>55<'));
    proxy.inject({ operation: 'ListObjectsV2' }, change);
    const { Bucket } = object;
    const list = await client.send(new ListObjectsV2Command({ Bucket }));
    expect(list.Contents?.map(({ Size }) => Size)).toEqual([55]);
  });

  it('befall those requests only that they are for', async () => {
    const { proxy, begin } = await start();
    const { part } = await begin();
    const isOther = (key: string) => key !== 'other';
    proxy.inject({ partNumber: 2, nth: 2, key: isOther }, fail(500, 'InternalError'));
    proxy.inject({ key: (key) => key === 'other', times: Infinity }, fail(500, 'InternalError'));
    const bytes = randomBytes(10);
    for (const number of [1, 1, 2]) await part(number, bytes);
    await expect(part(2, bytes)).rejects.toMatchObject({ name: 'InternalError' });
    await part(2, bytes);
  });
});
