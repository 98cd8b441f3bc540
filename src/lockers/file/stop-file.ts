import { access, unlink, writeFile } from 'node:fs/promises';
import { unless } from '../../internal/errno.js';

/** tusd's way to ask a holder: it looks for `ID.stop` every few seconds. */
export class StopFile {
  readonly #path: string;
  readonly #filePerms: number;
  #isOurs = false;

  constructor(path: string, filePerms: number) {
    this.#path = path;
    this.#filePerms = filePerms;
  }

  /** Asks. To be repeated while one waits: somebody who gave up may have taken the file with him. */
  async leave(): Promise<void> {
    const isNew = await unless(
      () => writeFile(this.#path, '', { flag: 'wx', mode: this.#filePerms }),
      'EEXIST',
    );
    this.#isOurs ||= isNew;
  }

  /** Takes it back if it is ours: nobody is to be interrupted for one who waits no more. */
  async takeBack(): Promise<void> {
    if (this.#isOurs) await this.remove();
  }

  async exists(): Promise<boolean> {
    return unless(() => access(this.#path), 'ENOENT');
  }

  async remove(): Promise<void> {
    this.#isOurs = false;
    await unless(() => unlink(this.#path), 'ENOENT');
  }
}
