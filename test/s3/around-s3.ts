import type { S3Api } from '../../dist/stores/s3/s3-api.js';

/** What happens around a call: `run` makes it. */
export type Around = <T>(operation: keyof S3Api, run: () => Promise<T>) => Promise<T>;

/** An S3 whose every call goes through `around`: for what no server and no proxy can be made to do. */
export function aroundS3(api: S3Api, around: Around): S3Api {
  return {
    createMultipartUpload: (...args) =>
      around('createMultipartUpload', () => api.createMultipartUpload(...args)),
    uploadPart: (...args) => around('uploadPart', () => api.uploadPart(...args)),
    uploadPartCopy: (...args) => around('uploadPartCopy', () => api.uploadPartCopy(...args)),
    listParts: (...args) => around('listParts', () => api.listParts(...args)),
    completeMultipartUpload: (...args) =>
      around('completeMultipartUpload', () => api.completeMultipartUpload(...args)),
    abortMultipartUpload: (...args) =>
      around('abortMultipartUpload', () => api.abortMultipartUpload(...args)),
    putObject: (...args) => around('putObject', () => api.putObject(...args)),
    getObject: (...args) => around('getObject', () => api.getObject(...args)),
    headObject: (...args) => around('headObject', () => api.headObject(...args)),
    deleteObjects: (...args) => around('deleteObjects', () => api.deleteObjects(...args)),
    listObjectsV2: (...args) => around('listObjectsV2', () => api.listObjectsV2(...args)),
  };
}

/** What befalls the process at its write number `call`: it dies just before, or the answer is lost on the way. */
export interface Fate {
  readonly call: number;
  readonly what: 'death' | 'lost answer';
}

/**
 * An S3 as a process with such a fate sees it. After its death every call fails, and S3 hears no more of it; a lost answer is
 * one that the process may ask for again.
 */
export function fatefulS3(api: S3Api, fate: Fate): { readonly api: S3Api; calls(): number } {
  let calls = 0;
  return {
    calls: () => calls,
    api: aroundS3(api, async (operation, run) => {
      // What is in S3 changes with writes alone: death before a read is death before the write that follows.
      if (!isRead(operation)) calls++;
      else if (calls < fate.call) return run();
      const call = calls;
      if (fate.what === 'death' && call >= fate.call) throw dead();
      const result = await run();
      if (fate.what === 'death' || call !== fate.call || isRead(operation)) return result;
      throw new Error('the connection was reset');
    }),
  };
}

/** Nothing that is tried again, and nothing that has a meaning of its own. */
function dead(): Error {
  return Object.assign(new Error('the process is dead'), {
    name: 'Dead',
    $metadata: { httpStatusCode: 400 },
  });
}

function isRead(operation: keyof S3Api): boolean {
  return /^(get|head|list)/.test(operation);
}
