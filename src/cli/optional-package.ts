import { isErrno } from '../internal/errno.js';
import { StartError } from './start-error.js';

/**
 * Loads what is not installed along with tuskd.
 *
 * @param flag what needs it
 * @throws StartError which says how to install it
 */
export async function optionalPackage<Module>(
  flag: string,
  name: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if (!isErrno(error, 'ERR_MODULE_NOT_FOUND')) throw error;
    throw new StartError(
      `${flag} needs the package ${name} beside tuskd: npm install ${name} (or, where tuskd is global, npm install --global ${name})`,
      { cause: error },
    );
  }
}
