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

/** When a process dies: with its call number `call`, before S3 has done it or after. */
export interface Death {
  readonly call: number;
  readonly when: 'before' | 'after';
}

/** An S3 as a process sees it that dies: every call from then on fails, and S3 hears no more of it. */
export function mortalS3(api: S3Api, death: Death): { readonly api: S3Api; calls(): number } {
  let calls = 0;
  return {
    calls: () => calls,
    api: aroundS3(api, async (_operation, run) => {
      const call = ++calls;
      if (call > death.call || (call === death.call && death.when === 'before')) throw dead();
      const result = await run();
      if (call === death.call) throw dead();
      return result;
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
