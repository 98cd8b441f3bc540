// @ts-check
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { TusError } from 'tuskd/contracts';

/**
 * @import { DataStore, Upload, UploadInfo } from 'tuskd/contracts'
 * @import { Sftp } from './sftp.mjs'
 */

/**
 * Keeps uploads in a directory of an SFTP server: `ID` with the bytes, `ID.info` with the record about them. How many bytes
 * there are is the size of the file and written nowhere else, so no crash can make the two disagree.
 *
 * @param {{ sftp: Sftp, directory: string }} options
 * @returns {DataStore}
 */
export function sftpStore({ sftp, directory }) {
  return {
    capabilities: {
      termination: true,
      reading: true,
      concatenation: false,
      declaredLength: true,
      provisionalChunks: false,
      finishing: false,
      fences: false,
      chosenIds: true,
    },

    async newUpload(draft) {
      const id = draft.id ?? randomUUID();
      const path = pathOf(directory, id);
      if (path === undefined) throw new TusError('ERR_INVALID_UPLOAD_ID', { detail: 'too long' });
      await claim(sftp, path);
      const upload = uploadAt(sftp, path, id);
      try {
        const storage = { ...draft.storage, Type: 'sftpstore', Path: path };
        await sftp.replaceFile(`${path}.info`, JSON.stringify({ ...draft, id, storage }));
        return upload;
      } catch (error) {
        await upload.terminate?.();
        throw error;
      }
    },

    async getUpload(id) {
      const path = pathOf(directory, id);
      if (path === undefined) throw new TusError('ERR_UPLOAD_NOT_FOUND');
      const upload = uploadAt(sftp, path, id);
      await upload.getInfo();
      return upload;
    },

    // Without orphans: what a crash leaves behind is a file without a record, and might be anybody's.
    async *list() {
      for await (const name of sftp.names(directory)) {
        if (!name.endsWith('.info')) continue;
        const path = `${directory}/${name.slice(0, -'.info'.length)}`;
        const info = await readInfo(sftp, path);
        if (typeof info?.id !== 'string' || pathOf(directory, info.id) !== path) continue;
        yield { id: info.id, kind: 'upload', modifiedAt: info.modifiedAt };
      }
    },
  };
}

/**
 * @param {Sftp} sftp
 * @param {string} path
 * @param {string} id
 * @returns {Upload}
 */
function uploadAt(sftp, path, id) {
  /** @type {UploadInfo | undefined} what was read, as long as nothing was written since */
  let known;

  return {
    id,

    async getInfo() {
      known ??= await readInfo(sftp, path);
      // A file system may take two IDs for one name.
      if (known?.id !== id) throw new TusError('ERR_UPLOAD_NOT_FOUND');
      return known;
    },

    async update(changes) {
      // What somebody removed since must not come back.
      known = undefined;
      const info = { ...(await this.getInfo()), ...changes };
      const { offset, modifiedAt, ...record } = info;
      await sftp.replaceFile(`${path}.info`, JSON.stringify(record));
      known = info;
      return info;
    },

    async writeChunk(offset, body, { signal } = {}) {
      known = undefined;
      const file = await sftp.open(path, 'r+');
      let bytesWritten = 0;
      try {
        for (;;) {
          const arrays = await body.next();
          signal?.throwIfAborted();
          if (arrays === null) return { bytesWritten };
          const bytes = Buffer.concat(arrays);
          await sftp.write(file, bytes, offset + bytesWritten);
          bytesWritten += bytes.length;
        }
      } catch (error) {
        // More may be stored than was confirmed. The next request finds it: it asks for the size of the file.
        return { bytesWritten, error };
      } finally {
        // Every write was confirmed. Where closing fails, the connection is lost and the file closed with it.
        await sftp.close(file).catch(() => undefined);
      }
    },

    async read({ start, end }) {
      if (start === end) return { stream: Readable.from([]) };
      const session = await sftp.session();
      return { stream: session.createReadStream(path, { start, end: end - 1 }) };
    },

    // The record goes first: bytes without one are no upload.
    async terminate() {
      known = undefined;
      await sftp.remove(`${path}.info`);
      await sftp.remove(path);
    },
  };
}

/** @returns {Promise<UploadInfo | undefined>} */
async function readInfo(/** @type {Sftp} */ sftp, /** @type {string} */ path) {
  const [text, stats] = await Promise.all([sftp.readFile(`${path}.info`), sftp.stat(path)]);
  if (text === undefined || stats === undefined) return undefined;
  const record = JSON.parse(text.toString());
  // Without a prototype, a key such as `__proto__` is one like any other.
  const metadata = Object.assign(Object.create(null), record.metadata);
  return { ...record, metadata, offset: stats.size, modifiedAt: stats.mtime * 1000 };
}

/** An ID as one file name: its slashes are encoded, so that no upload is a folder of another. */
function pathOf(/** @type {string} */ directory, /** @type {string} */ id) {
  const name = encodeURIComponent(id);
  const longest = `${name}.info.new`.length;
  return longest <= maxNameLength ? `${directory}/${name}` : undefined;
}

/** What the file systems of most servers take, in bytes. */
const maxNameLength = 255;

/** Makes an empty file where there was none. That decides between two who want the same ID. */
async function claim(/** @type {Sftp} */ sftp, /** @type {string} */ path) {
  try {
    await sftp.close(await sftp.open(path, 'wx'));
  } catch (error) {
    // SFTP has no code for a file that exists.
    const isTaken = (await sftp.stat(path)) !== undefined;
    throw isTaken ? new TusError('ERR_UPLOAD_EXISTS') : error;
  }
}
