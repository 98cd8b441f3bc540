import { randomBytes } from 'node:crypto';
import { S3 } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import type { S3Server } from '../services/s3-server.js';

export const MiB = 1024 * 1024;
const tus = { 'Tus-Resumable': '1.0.0' };

/** A bucket of its own, with all that a test needs to use it and to look into it. */
export interface S3Bench {
  readonly api: S3;
  readonly bucket: string;
  /** Flags for the command. */
  readonly flags: readonly string[];
  /** Environment of the command. */
  readonly env: NodeJS.ProcessEnv;
  /** Keys of all objects. */
  keys(): Promise<string[]>;
  content(key: string): Promise<Buffer>;
  /** Numbers of the parts of an unfinished upload. */
  partNumbers(id: string): Promise<number[]>;
}

export async function s3Bench(server: S3Server): Promise<S3Bench> {
  const bucket = await server.newBucket();
  const api = new S3({ ...server.clientConfig, requestChecksumCalculation: 'WHEN_REQUIRED' });
  return {
    api,
    bucket,
    flags: [`-s3-bucket=${bucket}`, `-s3-endpoint=${server.endpoint}`],
    env: {
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_REGION: undefined,
    },
    async keys() {
      const { Contents = [] } = await api.listObjectsV2({ Bucket: bucket });
      return Contents.map(({ Key = '' }) => Key).sort();
    },
    async content(key) {
      const { Body } = await api.getObject({ Bucket: bucket, Key: key });
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    async partNumbers(id) {
      const [Key, UploadId] = id.split('+');
      const { Parts = [] } = await api.listParts({ Bucket: bucket, Key, UploadId });
      return Parts.map(({ PartNumber = 0 }) => PartNumber);
    },
  };
}

/** Content that no other test has. */
export function someBytes(size: number): Buffer<ArrayBuffer> {
  return Buffer.from(randomBytes(size));
}

/** Creates an upload and resolves with its URL. */
export async function create(
  url: string,
  size: number,
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...tus, 'Upload-Length': String(size), ...headers },
  });
  expect(response.status).toBe(201);
  return response.headers.get('Location') ?? '';
}

/** Sends bytes, and checks that all of them are stored. */
export async function append(url: string, offset: number, bytes: Uint8Array): Promise<void> {
  const response = await fetch(url, {
    method: 'PATCH',
    headers: {
      ...tus,
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Offset': String(offset),
    },
    body: new Uint8Array(bytes),
  });
  expect(response.status, await response.text()).toBe(204);
  expect(response.headers.get('Upload-Offset')).toBe(String(offset + bytes.byteLength));
}

export async function offsetOf(url: string): Promise<number> {
  const response = await fetch(url, { method: 'HEAD', headers: tus });
  expect(response.status).toBe(200);
  return Number(response.headers.get('Upload-Offset'));
}

/** The ID in an upload's URL. */
export function idOf(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

/** `OBJECT` of an upload's URL. */
export function objectOf(url: string): string {
  return idOf(url).split('+')[0] ?? '';
}
