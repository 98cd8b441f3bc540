import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DataStore, StoredItem } from '../../../dist/contracts.js';
import type * as Package from '../../../dist/index.js';
import type { SweepReport } from '../../../dist/index.js';
import type * as S3Package from '../../../dist/s3.js';
import type { S3Server } from '../../services/s3-server.js';

/** Where the uploads of one run are kept. */
export interface Backend {
  /** Bytes of an upload at most. */
  readonly maxSize: number;
  /** After how long without a byte uploads expire that expire at all, in milliseconds. */
  readonly lifetimeMs: number;
  /** Where data and records are, and nothing but locks where they are in S3. */
  readonly directory: string;
  /** Flags and environment of the server. */
  readonly flags: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Names of all files or objects. */
  names(): Promise<string[]>;
  /** What the store says it holds. */
  list(): Promise<StoredItem[]>;
  /** The bytes of an unfinished upload can be had. */
  readonly canReadUnfinished: boolean;
  /** A store of its own on the same place, for what no server offers. */
  readonly store: DataStore;
  /** Sweeps as the server does, but what crashes left behind may be as young as it is. */
  sweep(): Promise<SweepReport>;
  remove(): Promise<void>;
}

const mebibyte = 1024 ** 2;
const dist = resolve('dist');

/** From the built package, where this file, which is compiled into another folder, cannot import it by a path. */
async function built<Module>(name: string): Promise<Module> {
  return import(pathToFileURL(join(dist, name)).href);
}

/** A new folder below `parent`. */
export async function diskBackend(parent: string, fsync: string): Promise<Backend> {
  const directory = await mkdtemp(join(parent, 'tuskd-crash-'));
  const { FileStore } = await built<typeof Package>('index.js');
  const store = new FileStore({ directory });
  return {
    maxSize: 3 * mebibyte,
    lifetimeMs: 200,
    directory,
    flags: [`-fsync=${fsync}`],
    environment: {},
    names: () => filesIn(directory),
    canReadUnfinished: true,
    store,
    list: () => collect(store),
    sweep: () => sweep(store, directory),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** A new bucket. Parts have 5 MiB, so some of the uploads have several. */
export async function s3Backend(parent: string, server: S3Server): Promise<Backend> {
  const directory = await mkdtemp(join(parent, 'tuskd-crash-'));
  const bucket = await server.newBucket();
  const { S3Store } = await built<typeof S3Package>('s3.js');
  const { S3 } = await import('@aws-sdk/client-s3');
  const api = new S3(server.clientConfig);
  const store = new S3Store({ api, bucket, provider: server.provider });
  return {
    maxSize: 16 * mebibyte,
    lifetimeMs: 2000,
    directory,
    flags: [
      `-s3-bucket=${bucket}`,
      `-s3-endpoint=${server.endpoint}`,
      `-s3-provider=${server.provider}`,
    ],
    environment: {
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_REGION: server.region,
    },
    async names() {
      // A run leaves far fewer than fit in one answer.
      const { Contents = [] } = await api.listObjectsV2({ Bucket: bucket });
      return Contents.map(({ Key = '' }) => Key);
    },
    canReadUnfinished: false,
    store,
    list: () => collect(store),
    sweep: () => sweep(store, directory),
    async remove() {
      api.destroy();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

async function collect(store: DataStore): Promise<StoredItem[]> {
  const items: StoredItem[] = [];
  for await (const item of store.list()) items.push(item);
  return items;
}

async function sweep(store: DataStore, directory: string): Promise<SweepReport> {
  const { compose, createHandler, FileLocker } = await built<typeof Package>('index.js');
  const locker = new FileLocker({ directory });
  const handler = createHandler({ backend: compose({ core: store, locker }) });
  try {
    return await handler.sweep({ orphanAgeMs: 0 });
  } finally {
    await handler.close();
    await locker.close();
  }
}
