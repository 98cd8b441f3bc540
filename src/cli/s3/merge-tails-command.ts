import { folderPrefix } from '../../stores/s3/object-keys.js';
import { mergeTails, type MergedTail } from '../../stores/s3/merge-tails.js';
import { defaultRetry } from '../../stores/s3/retry.js';
import { S3Bucket } from '../../stores/s3/s3-bucket.js';
import { s3Profiles } from '../../stores/s3/s3-profile.js';
import { openLog } from '../open-log.js';
import type { ParsedFlags } from '../parse-flags.js';
import { StartError } from '../start-error.js';
import { openS3Client } from './open-s3-client.js';
import { prepareBucket, providerOf } from './open-s3-store.js';

/**
 * `tuskd merge-tails`: puts the bucket into a state in which tusd can go on.
 *
 * @returns the exit code: 1 where it cannot with some upload
 * @throws StartError
 */
export async function runMergeTails(flags: ParsedFlags, dryRun: boolean): Promise<number> {
  const name = flags.get('s3-bucket');
  if (name === '') throw new StartError('merge-tails needs -s3-bucket');
  const { logger } = openLog(flags);
  const client = await openS3Client(flags, logger);
  const bucket = new S3Bucket(client, name, s3Profiles[providerOf(flags)], defaultRetry);
  const counts = { merged: 0, ready: 0, problems: 0 };
  await prepareBucket(flags, async () => {
    const prefix = folderPrefix(flags.get('s3-object-prefix'));
    for await (const result of mergeTails({ bucket, prefix }, dryRun)) {
      counts[kindOf(result)]++;
      process.stdout.write(`${describe(result, dryRun)}\n`);
    }
  });
  client.destroy();
  const verb = dryRun ? 'would be merged' : 'merged';
  process.stdout.write(
    `${counts.merged} ${verb}, ${counts.ready} need nothing, ${counts.problems} cannot go on with tusd.\n`,
  );
  return counts.problems > 0 ? 1 : 0;
}

function kindOf({ merged, problem }: MergedTail): 'merged' | 'ready' | 'problems' {
  if (problem !== undefined) return 'problems';
  return merged === undefined ? 'ready' : 'merged';
}

function describe({ id, offset, merged, problem }: MergedTail, dryRun: boolean): string {
  if (problem !== undefined) return `${id}: tusd cannot go on: ${problem}`;
  if (merged === undefined) return `${id}: nothing to do, at ${offset} bytes`;
  return `${id}: ${dryRun ? 'would merge' : 'merged'} ${merged} bytes, at ${offset} bytes`;
}
