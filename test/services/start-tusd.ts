import { freePort } from './free-port.js';
import { type S3Server } from './s3-server.js';
import { startService } from './start-service.js';

/** Where tusd keeps uploads: in a directory, or in a bucket. */
export type TusdStorage =
  | { readonly directory: string }
  | { readonly s3: S3Server; readonly bucket: string; readonly objectPrefix?: string };

export interface Tusd {
  /** Where uploads are created. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts the tusd that tuskd takes the place of; `args` are further flags of its. */
export async function startTusd(storage: TusdStorage, args: readonly string[] = []): Promise<Tusd> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/files/`;
  const { stop } = await startService({
    program: 'tusd',
    args: ['-host=127.0.0.1', `-port=${port}`, ...storageFlags(storage), ...args],
    env: 's3' in storage ? credentials(storage.s3) : {},
    answers: async () => (await fetch(url, { method: 'OPTIONS' })).ok,
  });
  return { url, stop };
}

function storageFlags(storage: TusdStorage): string[] {
  if ('directory' in storage) return [`-upload-dir=${storage.directory}`];
  const { s3, bucket, objectPrefix } = storage;
  const flags = [`-s3-bucket=${bucket}`, `-s3-endpoint=${s3.endpoint}`];
  return objectPrefix === undefined ? flags : [...flags, `-s3-object-prefix=${objectPrefix}`];
}

function credentials({ accessKeyId, secretAccessKey, region }: S3Server): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: region,
  };
}
