import type { DataStore } from '../core/data-store.js';
import type { Logger } from '../core/logger.js';
import { FileStore } from '../stores/file/file-store.js';
import type { ParsedFlags } from './parse-flags.js';
import { startStep } from './start-error.js';

/** A store, and what belongs to it. */
export interface OpenedStore {
  readonly store: DataStore;
  /** Line for the start. */
  readonly announcement: string;
  /** Whether it can be used. @throws StartError */
  prepare(): Promise<void>;
  /** Frees what was made for it. */
  close(): void;
}

/** The store that the flags describe. @throws StartError */
export async function openStore(flags: ParsedFlags, logger: Logger): Promise<OpenedStore> {
  if (flags.get('s3-bucket') === '') return openFileStore(flags);
  // Only here, so that nobody else loads it.
  const { openS3Store } = await import('./s3/open-s3-store.js');
  return openS3Store(flags, logger);
}

function openFileStore(flags: ParsedFlags): OpenedStore {
  const directory = flags.get('upload-dir');
  const store = new FileStore({
    directory,
    dirPerms: flags.get('dir-perms'),
    filePerms: flags.get('file-perms'),
    fsync: flags.get('fsync'),
  });
  return {
    store,
    announcement: `Using '${directory}' as directory storage.`,
    prepare: () => startStep(`use ${directory} as the upload directory`, () => store.prepare()),
    close: () => undefined,
  };
}
