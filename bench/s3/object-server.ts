import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '../server-process.js';
import { findProgram } from './find-program.js';

const account = { key: 'bench', secret: 'bench-secret' } as const;

export const bucket = 'bench';

/** For whoever speaks to an {@link startObjectServer}. */
export const s3Environment: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: account.key,
  AWS_SECRET_ACCESS_KEY: account.secret,
  AWS_REGION: 'us-east-1',
};

/** Starts versitygw over a directory, with an empty bucket. */
export function startObjectServer(directory: string, logPath: string): Promise<ServerProcess> {
  // A folder is a bucket.
  mkdirSync(join(directory, bucket));
  const command = [
    findProgram('versitygw') ?? 'versitygw',
    '--port',
    '127.0.0.1:{port}',
    // Not --keep-alive: it then ends connections after a streamed body without a word, and their clients fail.
    '--quiet',
  ];
  return ServerProcess.start([...command, 'posix', '{dir}'], directory, logPath, {
    ROOT_ACCESS_KEY: account.key,
    ROOT_SECRET_KEY: account.secret,
  });
}
