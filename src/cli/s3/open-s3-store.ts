import type { S3 } from '@aws-sdk/client-s3';
import type { Logger } from '../../core/logger.js';
import { downloadHeaders } from '../../protocol/download.js';
import { folderPrefix } from '../../stores/s3/object-keys.js';
import type { S3Presign } from '../../stores/s3/s3-means.js';
import type { S3Provider } from '../../stores/s3/s3-profile.js';
import { S3Store } from '../../stores/s3/s3-store.js';
import { optionalPackage } from '../optional-package.js';
import type { OpenedStore } from '../open-store.js';
import type { ParsedFlags } from '../parse-flags.js';
import { StartError, startStep } from '../start-error.js';
import { describeS3Failure } from './describe-s3-failure.js';
import { placeByTemplate } from './object-key-template.js';
import { openS3Client } from './open-s3-client.js';
import { parseEndpoint, providerAt } from './s3-endpoint.js';

/** How long the start waits for the bucket, in milliseconds. */
const startLimitMs = 15_000;

/**
 * The store in a bucket.
 * @throws StartError
 */
export async function openS3Store(flags: ParsedFlags, logger: Logger): Promise<OpenedStore> {
  const partBytes = flags.get('s3-part-size');
  const minPartBytes = flags.get('s3-min-part-size');
  if (partBytes < minPartBytes) {
    throw new StartError(
      `-s3-part-size (${partBytes}) must not be below -s3-min-part-size (${minPartBytes})`,
    );
  }
  const client = await openS3Client(flags, logger);
  const objectPrefix = flags.get('s3-object-prefix');
  const template = flags.get('s3-object-key');
  const redirectMs = flags.get('s3-redirect-downloads');
  const store = new S3Store({
    api: client,
    bucket: flags.get('s3-bucket'),
    objectPrefix,
    provider: providerOf(flags),
    partBytes,
    minPartBytes,
    partsInFlight: flags.get('s3-max-buffered-parts'),
    maxBufferedBytes: flags.get('s3-max-buffered-bytes'),
    concurrentPartUploads: flags.get('s3-concurrent-part-uploads'),
    ...(template !== '' && { placeObject: placeByTemplate(folderPrefix(objectPrefix), template) }),
    ...(redirectMs > 0 && { presignDownload: await openPresign(client, redirectMs) }),
  });
  return {
    store,
    announcement: announcement(flags),
    prepare: () => prepareBucket(flags, () => withinLimit(store.prepare())),
    close: () => client.destroy(),
  };
}

export function providerOf(flags: ParsedFlags): S3Provider {
  const provider = flags.get('s3-provider');
  return provider === 'auto' ? providerAt(parseEndpoint(flags.get('s3-endpoint'), true)) : provider;
}

/** @throws StartError which says what is wrong with the bucket, or with the way to it */
export function prepareBucket(flags: ParsedFlags, use: () => Promise<void>): Promise<void> {
  const endpoint = flags.get('s3-endpoint');
  const place = endpoint === '' ? '' : ` at ${endpoint}`;
  return startStep(`use the bucket ${flags.get('s3-bucket')}${place}`, async () => {
    try {
      await use();
    } catch (error) {
      throw new Error(describeS3Failure(error), { cause: error });
    }
  });
}

/** A server may wait for long until S3 answers; who starts one would not know what it waits for. */
async function withinLimit(preparing: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`nothing within ${startLimitMs / 1000} s`)),
      startLimitMs,
    );
  });
  try {
    await Promise.race([preparing, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** tusd's words. */
function announcement(flags: ParsedFlags): string {
  const bucket = flags.get('s3-bucket');
  const endpoint = flags.get('s3-endpoint');
  if (endpoint !== '')
    return `Using '${endpoint}/${bucket}' as S3 endpoint and bucket for storage.`;
  const accelerated = flags.get('s3-transfer-acceleration')
    ? ' with AWS S3 Transfer Acceleration enabled'
    : '';
  return `Using 's3://${bucket}' as S3 bucket for storage${accelerated}.`;
}

async function openPresign(client: S3, lifetimeMs: number): Promise<S3Presign> {
  const name = '@aws-sdk/s3-request-presigner';
  const [{ GetObjectCommand }, { getSignedUrl }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    optionalPackage('-s3-redirect-downloads', name, () => import('@aws-sdk/s3-request-presigner')),
  ]);
  const expiresIn = Math.ceil(lifetimeMs / 1000);
  return ({ bucket, key, metadata }) => {
    const headers = downloadHeaders(metadata);
    const command = new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      ResponseContentType: headers['Content-Type'],
      ResponseContentDisposition: headers['Content-Disposition'],
    });
    return getSignedUrl(client, command, { expiresIn });
  };
}
