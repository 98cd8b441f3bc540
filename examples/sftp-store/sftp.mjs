// @ts-check
import { Client } from 'ssh2';

/** @import { ConnectConfig, OpenMode, SFTPWrapper } from 'ssh2' */

/**
 * What a store needs of SFTP, as promises, over one connection: made when it is first needed, and made again after it was
 * lost. A file that is missing is undefined; everything else that goes wrong is thrown.
 */
export class Sftp {
  #config;
  /** @type {Client | undefined} */
  #client;
  /** @type {Promise<SFTPWrapper> | undefined} */
  #session;

  constructor(/** @type {ConnectConfig} */ config) {
    this.#config = config;
  }

  open(/** @type {string} */ path, /** @type {OpenMode} */ mode) {
    return this.ask((sftp, done) => sftp.open(path, mode, done));
  }

  write(/** @type {Buffer} */ file, /** @type {Buffer} */ bytes, /** @type {number} */ position) {
    return this.do((sftp, done) => sftp.write(file, bytes, 0, bytes.length, position, done));
  }

  close(/** @type {Buffer} */ file) {
    return this.do((sftp, done) => sftp.close(file, done));
  }

  stat(/** @type {string} */ path) {
    return unless(
      noSuchFile,
      this.ask((sftp, done) => sftp.stat(path, done)),
    );
  }

  async remove(/** @type {string} */ path) {
    await unless(
      noSuchFile,
      this.do((sftp, done) => sftp.unlink(path, done)),
    );
  }

  readFile(/** @type {string} */ path) {
    return unless(
      noSuchFile,
      this.ask((sftp, done) => sftp.readFile(path, done)),
    );
  }

  /** Whoever reads meanwhile gets the content from before or the new one, never half of it. */
  async replaceFile(/** @type {string} */ path, /** @type {string} */ content) {
    await this.do((sftp, done) => sftp.writeFile(`${path}.new`, content, done));
    // SFTP itself renames over nothing that exists. OpenSSH does.
    await this.do((sftp, done) => sftp.ext_openssh_rename(`${path}.new`, path, done));
  }

  /** The names in a directory, some at a time. */
  async *names(/** @type {string} */ directory) {
    const folder = await this.ask((sftp, done) => sftp.opendir(directory, done));
    try {
      for (;;) {
        const entries = await unless(
          endOfFile,
          this.ask((sftp, done) => sftp.readdir(folder, done)),
        );
        if (entries === undefined) return;
        for (const { filename } of entries) yield filename;
      }
    } finally {
      await this.close(folder);
    }
  }

  /**
   * Makes a call that hands a value to `done`.
   * @template Value
   * @param {(sftp: SFTPWrapper, done: (error: Error | undefined, value: Value) => void) => void} call
   * @returns {Promise<Value>}
   */
  async ask(call) {
    const sftp = await this.session();
    return new Promise((resolve, reject) => {
      call(sftp, (error, value) => (error ? reject(error) : resolve(value)));
    });
  }

  /**
   * Makes a call that has nothing to hand back.
   * @param {(sftp: SFTPWrapper, done: (error?: Error | null) => void) => void} call
   * @returns {Promise<void>}
   */
  do(call) {
    return this.ask((sftp, done) => call(sftp, (error) => done(error ?? undefined, undefined)));
  }

  session() {
    this.#session ??= new Promise((resolve, reject) => {
      const client = new Client();
      this.#client = client;
      client
        .on('ready', () => {
          // Calls are short and wait for their answers: collecting them into packets costs each of them 40 ms.
          client.setNoDelay(true);
          client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp)));
        })
        // Where a connection breaks later, the calls that are under way fail by themselves.
        .on('error', reject)
        .on('close', () => {
          this.#session = undefined;
          reject(new Error('the SFTP server closed the connection'));
        })
        // A server that has gone silent is given up after half a minute.
        .connect({ keepaliveInterval: 10_000, ...this.#config });
    });
    return this.#session;
  }

  disconnect() {
    this.#client?.end();
  }
}

/** SSH_FX_EOF, SSH_FX_NO_SUCH_FILE */
const [endOfFile, noSuchFile] = [1, 2];

/**
 * What `work` comes to; undefined where the server answers with this code.
 * @template Value
 * @param {number} code
 * @param {Promise<Value>} work
 */
async function unless(code, work) {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === code) return undefined;
    throw error;
  }
}
