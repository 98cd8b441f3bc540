import { createHash, randomBytes } from 'node:crypto';
import { S3 } from '@aws-sdk/client-s3';
import { onTestFinished } from 'vitest';
import type { UploadInfo } from '../../dist/core/upload.js';
import type { WriteChunkOptions, WriteResult } from '../../dist/core/data-store.js';
import type { S3Api } from '../../dist/stores/s3/s3-api.js';
import { S3Store, type S3StoreOptions } from '../../dist/stores/s3/s3-store.js';
import { bodyOf } from '../../dist/testing/memory-body.js';
import { S3FaultProxy } from '../services/s3-fault-proxy.js';
import type { S3Server } from '../services/s3-server.js';

export const MiB = 1024 * 1024;

/** Bytes of which no two MiB are equal, the same for all tests of a file. */
const pool = randomBytes(64 * MiB);

/** The first so many bytes of the file that tests send. */
export function fileOf(bytes: number): Buffer {
  return pool.subarray(0, bytes);
}

/** As {@link fileOf}, and different from it in every byte. */
export function otherFileOf(bytes: number): Buffer {
  return Buffer.from(fileOf(bytes).map((byte) => byte ^ 0xff));
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

type StoreOptions = Partial<S3StoreOptions>;

/** An empty bucket of a real server, a proxy before it, and stores on either. */
export interface S3Bed {
  readonly bucket: string;
  readonly proxy: S3FaultProxy;
  /** Goes around the proxy. */
  readonly direct: S3;
  /** A store behind the proxy. */
  store(options?: StoreOptions): S3Store;
  /** A store as another process would have it, which no fault befalls. */
  freshStore(options?: StoreOptions): S3Store;
  /** One more proxy, and a client of it. */
  anotherProxy(): Promise<{ readonly proxy: S3FaultProxy; readonly api: S3 }>;
  /** Keys of all objects, sorted. */
  keys(): Promise<string[]>;
  /** Multipart uploads that are neither completed nor aborted. */
  multiparts(): Promise<number>;
  object(key: string): Promise<Buffer>;
}

/** For the length of one test. */
export async function openBed(server: S3Server): Promise<S3Bed> {
  const bucket = await server.newBucket();
  const direct = clientOf(server);
  const anotherProxy = async () => {
    const proxy = await S3FaultProxy.start(server.endpoint);
    const api = clientOf(server, proxy.endpoint);
    onTestFinished(async () => {
      api.destroy();
      await proxy.close();
    });
    return { proxy, api };
  };
  const { proxy, api } = await anotherProxy();
  onTestFinished(() => direct.destroy());
  const storeOn = (client: S3Api, options: StoreOptions) =>
    new S3Store({ api: client, bucket, provider: server.provider, partBytes: 5 * MiB, ...options });
  return {
    bucket,
    proxy,
    direct,
    anotherProxy,
    store: (options = {}) => storeOn(api, { attempts: 2, ...options }),
    freshStore: (options = {}) => storeOn(direct, options),
    keys: async () => {
      const { Contents = [] } = await direct.listObjectsV2({ Bucket: bucket });
      return Contents.map(({ Key = '' }) => Key).sort();
    },
    multiparts: async () => {
      const { Uploads = [] } = await direct.listMultipartUploads({ Bucket: bucket });
      return Uploads.length;
    },
    object: async (Key) => {
      const { Body } = await direct.getObject({ Bucket: bucket, Key });
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
  };
}

function clientOf(server: S3Server, endpoint = server.endpoint): S3 {
  return new S3({
    ...server.clientConfig,
    endpoint,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
}

/** What an upload without any peculiarity begins with. */
export const plainDraft = {
  metadata: {},
  isPartial: false,
  isFinal: false,
  parts: [],
  finish: 'pending',
} as const;

/** Makes an upload of `size` bytes and resolves with its ID. */
export async function newUpload(store: S3Store, size: number | undefined): Promise<string> {
  return (await store.newUpload({ ...plainDraft, size })).id;
}

/** What one PATCH does in a store. */
export async function append(
  store: S3Store,
  id: string,
  offset: number,
  bytes: Uint8Array,
  options: WriteChunkOptions = {},
): Promise<WriteResult> {
  const upload = await store.getUpload(id);
  return upload.writeChunk(offset, bodyOf(bytes), options);
}

export async function infoIn(store: S3Store, id: string): Promise<UploadInfo> {
  return (await store.getUpload(id)).getInfo();
}

/** Sends what is missing of `file` and finishes, as a client would that comes back. */
export async function completeFrom(
  store: S3Store,
  id: string,
  file: Uint8Array,
  options: WriteChunkOptions = {},
): Promise<void> {
  const upload = await store.getUpload(id);
  const { offset } = await upload.getInfo();
  if (offset < file.byteLength) {
    const { error } = await upload.writeChunk(offset, bodyOf(file.subarray(offset)), options);
    if (error !== undefined) throw error;
  }
  await upload.finish?.(options);
}

/** Key of the object that an upload becomes, where it has no prefix. */
export function keyOf(id: string): string {
  return id.slice(0, id.indexOf('+'));
}
