import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  DataStore,
  StoreCapabilities,
  StoredItem,
  Upload,
  WaitOptions,
} from '../../core/data-store.js';
import { TusError } from '../../core/errors.js';
import { newUploadInfo, type UploadDraft, type UploadInfo } from '../../core/upload.js';
import { newUploadId } from '../../core/upload-id.js';
import { Disk } from '../../internal/disk.js';
import { type FsyncMode, makeDurable, mustBeDurable } from './durability.js';
import { asTusError } from './file-errors.js';
import { findUpload } from './find-upload.js';
import { FileUpload, type FileUploadOptions } from './file-upload.js';
import { flags, removeFile } from './fs.js';
import { isErrno } from '../../internal/errno.js';
import { serializeInfo } from '../info-record.js';
import { removeLeftovers } from './leftovers.js';
import { listWaiting } from './awaited-by.js';
import { listFiles } from './list-files.js';
import {
  checkParents,
  makeFolder,
  removeEmptyParents,
  type UploadPaths,
  uploadPaths,
  wishedPath,
} from './upload-paths.js';
import { createInfo } from './write-info.js';

export type { FsyncMode } from './durability.js';

/** Where uploads are kept, and how safely. */
export interface FileStoreOptions {
  /** Where uploads are kept; made when needed (tusd's `-upload-dir`). May be a symbolic link. */
  readonly directory: string;
  /** When bytes are forced to the disk; `off` by default. */
  readonly fsync?: FsyncMode;
  /** Permissions of new folders, before the umask; 0o775 by default (tusd's `-dir-perms`). */
  readonly dirPerms?: number;
  /** Permissions of new files, before the umask; 0o664 by default (tusd's `-file-perms`). */
  readonly filePerms?: number;
}

/** Keeps uploads in a directory, in tusd's files to the letter: `ID` with the bytes and `ID.info` with the record. */
export class FileStore implements DataStore {
  readonly capabilities: StoreCapabilities = {
    termination: true,
    reading: true,
    concatenation: true,
    declaredLength: true,
    provisionalChunks: true,
    finishing: false,
    fences: false,
    chosenIds: true,
  };
  readonly #options: FileUploadOptions;

  constructor({ directory, fsync, dirPerms, filePerms }: FileStoreOptions) {
    this.#options = {
      directory,
      disk: new Disk(directory),
      fsync: fsync ?? 'off',
      dirPerms: dirPerms ?? 0o775,
      filePerms: filePerms ?? 0o664,
    };
  }

  /** Makes the directory and checks that it can be used, so that a server fails at its start and not at the first upload. */
  async prepare(): Promise<void> {
    const { directory, dirPerms } = this.#options;
    await mkdir(directory, { recursive: true, mode: dirPerms });
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  }

  async newUpload(draft: UploadDraft): Promise<Upload> {
    const { directory } = this.#options;
    const id = draft.id ?? newUploadId();
    const wished = draft.storage?.['Path'];
    const storage = {
      Type: 'filestore',
      Path: wished === undefined ? join(directory, id) : wishedPath(directory, wished),
      InfoPath: `${join(directory, id)}.info`,
    };
    const paths = uploadPaths(directory, id, storage);
    const upload = newUploadInfo(draft, { id, storage });
    try {
      await this.#createFiles(paths, upload);
      const handle = new FileUpload(this.#options, {
        info: upload,
        paths,
        verifiedOffset: undefined,
      });
      await this.#keepPromise(handle, paths, upload);
      return handle;
    } catch (error) {
      throw creationError(error, id);
    }
  }

  /** An upload that cannot be made durable is not made. */
  async #keepPromise(handle: FileUpload, paths: UploadPaths, upload: UploadInfo): Promise<void> {
    if (!mustBeDurable(this.#options, upload)) return;
    try {
      await makeDurable(this.#options.disk, paths);
    } catch (error) {
      await handle.terminate();
      throw error;
    }
  }

  async getUpload(id: string): Promise<Upload> {
    const { directory, disk } = this.#options;
    try {
      if (id.includes('/')) await checkParents(directory, id);
      const found = await findUpload(disk, directory, id);
      // What is about to be told may have been written by a process that died before it could sync.
      if (mustBeDurable(this.#options, found.info)) await makeDurable(disk, found.paths);
      return new FileUpload(this.#options, found);
    } catch (error) {
      throw asTusError(error);
    }
  }

  list(options: WaitOptions = {}): AsyncIterable<StoredItem> {
    return listFiles(this.#options.directory, options.signal);
  }

  listWaiting(options: WaitOptions = {}): AsyncIterable<string> {
    return listWaiting(this.#options.disk, this.#options.directory, options.signal);
  }

  async removeOrphan(id: string): Promise<void> {
    await removeLeftovers(this.#options, id);
  }

  /** The data file comes first and decides who has the ID: it is created or the upload exists, never truncated. */
  async #createFiles(paths: UploadPaths, info: UploadInfo): Promise<void> {
    const { directory, disk, filePerms, fsync } = this.#options;
    await this.#inFolder(paths, info.id, async () => {
      await disk.close(await disk.open(paths.data, flags.create, filePerms));
    });
    try {
      await createInfo(paths.info, serializeInfo(info), {
        disk,
        filePerms,
        durable: fsync !== 'off',
      });
    } catch (error) {
      await removeFile(disk, paths.data);
      await removeEmptyParents(directory, info.id);
      throw error;
    }
  }

  /** Makes the folders only when they turn out to be missing: most IDs have none of their own. */
  async #inFolder(paths: UploadPaths, id: string, create: () => Promise<void>): Promise<void> {
    const { directory, dirPerms } = this.#options;
    // Another request may remove the empty folder just before the file is in it.
    for (let attempt = 0; attempt < 10; attempt += 1) {
      try {
        if (id.includes('/')) await checkParents(directory, id);
        return await create();
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) throw error;
        await makeFolder(paths.data, dirPerms);
        await makeFolder(paths.info, dirPerms);
      }
    }
    throw new Error(`The folder of ${paths.data} disappears again and again`);
  }
}

function creationError(error: unknown, id: string): unknown {
  if (isErrno(error, 'EEXIST', 'EISDIR'))
    return new TusError('ERR_UPLOAD_EXISTS', { cause: error });
  // An upload stands where the ID wants a folder. Without a folder it is the upload directory that is none.
  if (isErrno(error, 'ENOTDIR') && id.includes('/')) {
    return new TusError('ERR_UPLOAD_EXISTS', { cause: error });
  }
  if (isErrno(error, 'ENAMETOOLONG')) {
    return new TusError('ERR_INVALID_UPLOAD_ID', { detail: 'it is too long', cause: error });
  }
  // A folder that is a symbolic link: there is no upload below it, and there will be none.
  if (error instanceof TusError && error.code === 'ERR_UPLOAD_NOT_FOUND') {
    return new TusError('ERR_INVALID_UPLOAD_ID', { cause: error });
  }
  return isErrno(error, 'ENOENT', 'ENOTDIR') ? error : asTusError(error);
}
