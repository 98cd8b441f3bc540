import { compose, FileLocker, FileStore } from 'tuskd';
import { createFetchHandler } from 'tuskd/fetch';

const directory = './uploads';
const backend = compose({
  core: new FileStore({ directory }),
  locker: new FileLocker({ directory }),
});
const handler = createFetchHandler({ backend, basePath: '/files/' });

export {
  handler as DELETE,
  handler as GET,
  handler as HEAD,
  handler as OPTIONS,
  handler as PATCH,
  handler as POST,
};
