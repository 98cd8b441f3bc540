import {
  CreateBucketCommand,
  ListBucketsCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import type { S3Provider } from 'tuskd/s3';
import type { ServiceProcess } from './start-service.js';

/** A server that speaks S3. Its buckets are addressed in the path. */
export interface S3Server {
  readonly provider: S3Provider;
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** For its clients; with another `endpoint` for those behind a proxy. */
  readonly clientConfig: S3ClientConfig;
  /** Creates a bucket that no other test has. */
  newBucket(): Promise<string>;
  stop(): Promise<void>;
}

export const s3Account = {
  accessKeyId: 'testkey',
  secretAccessKey: 'testsecret',
  region: 'us-east-1',
} as const;

/** The S3 server on that port, once `start` has started it. It is asked for its buckets until it answers. */
export async function s3Server(
  provider: S3Provider,
  port: number,
  start: (answers: () => Promise<boolean>) => Promise<ServiceProcess>,
): Promise<S3Server> {
  const { accessKeyId, secretAccessKey, region } = s3Account;
  const endpoint = `http://127.0.0.1:${port}`;
  const clientConfig: S3ClientConfig = {
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  };
  const client = new S3Client({ ...clientConfig, maxAttempts: 1 });
  const service = await start(async () => {
    await client.send(new ListBucketsCommand());
    return true;
  });
  let count = 0;
  return {
    ...s3Account,
    provider,
    endpoint,
    clientConfig,
    async newBucket() {
      const bucket = `bucket-${++count}`;
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      return bucket;
    },
    async stop() {
      client.destroy();
      await service.stop();
    },
  };
}
