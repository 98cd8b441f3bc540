import type { S3, S3ClientConfig } from '@aws-sdk/client-s3';
import type { Logger } from '../../core/logger.js';
import { optionalPackage } from '../optional-package.js';
import type { ParsedFlags } from '../parse-flags.js';
import { StartError } from '../start-error.js';
import { logS3Calls } from './log-s3-calls.js';
import { parseEndpoint } from './s3-endpoint.js';
import { skipPartHashes } from './skip-part-hashes.js';

/** How long it may take until a connection is there, in milliseconds. */
const connectMs = 5000;
/** Connections that may be open at once. Parts wait for their turn elsewhere; small requests should not have to. */
const maxSockets = 256;

/**
 * A client for the bucket of the flags. Where and who, beside the flags, is as the SDK finds it in its usual places.
 * @throws StartError
 */
export async function openS3Client(flags: ParsedFlags, logger: Logger): Promise<S3> {
  const endpoint = parseEndpoint(flags.get('s3-endpoint'), !flags.get('s3-disable-ssl'));
  const { S3 } = await optionalPackage('-s3-bucket', '@aws-sdk/client-s3', () => {
    return import('@aws-sdk/client-s3');
  });
  const agent = { keepAlive: true, maxSockets };
  const config: S3ClientConfig = {
    // The store tries again by itself.
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With it, the SDK takes a new connection for every part.
    expectContinueHeader: false,
    useAccelerateEndpoint: flags.get('s3-transfer-acceleration'),
    tls: !flags.get('s3-disable-ssl'),
    requestHandler: { connectionTimeout: connectMs, httpAgent: agent, httpsAgent: agent },
    ...(endpoint !== undefined && { endpoint: endpoint.href, forcePathStyle: true }),
  };
  const region = await findRegion(new S3(config), endpoint);
  const client = new S3({ ...config, region });
  if (flags.get('s3-disable-content-hashes')) skipPartHashes(client);
  if (flags.get('s3-log-api-calls')) logS3Calls(client, logger);
  return client;
}

/** Servers other than AWS take any region, and many of their users have never heard of one. */
async function findRegion(client: S3, endpoint: URL | undefined): Promise<string> {
  try {
    return await client.config.region();
  } catch (error) {
    // Which tusd's SDK reads, too.
    const region = process.env['AWS_DEFAULT_REGION'] ?? (endpoint && 'us-east-1');
    if (region !== undefined) return region;
    throw new StartError('-s3-bucket needs a region: set AWS_REGION', { cause: error });
  } finally {
    client.destroy();
  }
}
