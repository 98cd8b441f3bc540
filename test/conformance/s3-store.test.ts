import { S3 } from '@aws-sdk/client-s3';
import { describe, it } from 'vitest';
import { S3Store } from '../../dist/stores/s3/s3-store.js';
import { describeDataStore } from '../../dist/testing/data-store-suite.js';

let buckets = 0;
const api = new S3({
  endpoint: 'http://127.0.0.1:7070',
  region: 'us-east-1',
  forcePathStyle: true,
  credentials: { accessKeyId: 'testkey', secretAccessKey: 'testsecret' },
  maxAttempts: 1,
  requestChecksumCalculation: 'WHEN_REQUIRED',
});

describeDataStore(
  { describe, it },
  {
    name: 'S3Store',
    capabilities: {
      termination: true,
      reading: true,
      concatenation: true,
      declaredLength: true,
      provisionalChunks: false,
      finishing: true,
      fences: true,
      chosenIds: false,
    },
    async open() {
      const bucket = `t${process.pid}-${Date.now()}-${++buckets}`;
      await api.createBucket({ Bucket: bucket });
      const make = () => new S3Store({ api, bucket, provider: 'versitygw' });
      return {
        store: make(),
        reopen: async () => make(),
        close: async () => undefined,
      };
    },
  },
);
