import { S3 } from '@aws-sdk/client-s3';
import { type S3Api, S3Store } from 'tuskd/s3';
import { describe, it } from 'vitest';
import { describeDataStore } from '../../dist/testing/data-store-suite.js';
import { useS3 } from '../services/use-s3.js';

describe('a real server', () => {
  const server = useS3();
  let bucket: string | undefined;
  let cases = 0;

  describeDataStore(
    { describe, it },
    {
      name: 'S3Store',
      capabilities: {
        termination: true,
        reading: true,
        concatenation: true,
        declaredLength: true,
        provisionalChunks: true,
        finishing: true,
        fences: true,
        chosenIds: false,
      },
      async open() {
        const { clientConfig, provider } = server();
        const client = new S3({ ...clientConfig, maxAttempts: 1 });
        bucket ??= await server().newBucket();
        // A folder for each case: to some servers a bucket is expensive.
        const objectPrefix = `case-${++cases}`;
        const at = bucket;
        let failures = 0;
        const api: S3Api = Object.create(client, {
          completeMultipartUpload: {
            value: async (...input: Parameters<S3Api['completeMultipartUpload']>) => {
              if (failures-- > 0) throw Object.assign(new Error('no'), { name: 'TypeError' });
              return client.completeMultipartUpload(...input);
            },
          },
        });
        const open = (): S3Store => new S3Store({ api, bucket: at, objectPrefix, provider });
        return {
          store: open(),
          reopen: async () => open(),
          plantForeign: () => plantForeign(client, at, objectPrefix),
          failNextFinish: () => void (failures = 1),
          close: async () => client.destroy(),
        };
      },
    },
  );
});

/** What others keep in a bucket, some of it with names like ours. */
async function plantForeign(client: S3, bucket: string, prefix: string): Promise<void> {
  const contents = {
    'photo.jpg': 'x',
    'notes.info': 'no record',
    'list.info': '["no","record"]',
    'other.info': JSON.stringify({ ID: 'elsewhere+1', Size: 1, MetaData: {} }),
    'photo.jpg.part': 'x',
    '.tuskd/0123/readme': 'x',
    'other/.tuskd/x': 'x',
  };
  for (const [name, Body] of Object.entries(contents)) {
    await client.putObject({ Bucket: bucket, Key: `${prefix}/${name}`, Body });
  }
  await client.createMultipartUpload({ Bucket: bucket, Key: `${prefix}/theirs` });
}
