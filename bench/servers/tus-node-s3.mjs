// Not TypeScript: it is run where it lies, so that its packages are found in bench/node_modules.
import { S3Store } from '@tus/s3-store';
import { Server } from '@tus/server';

const [, , port, endpoint, bucket, concurrentParts] = process.argv;
const datastore = new S3Store({
  // Without it, its default of 60.
  ...(concurrentParts !== undefined && { maxConcurrentPartUploads: Number(concurrentParts) }),
  s3ClientConfig: { bucket, endpoint, forcePathStyle: true },
});
const server = new Server({ path: '/files', datastore });
server.listen({ host: '127.0.0.1', port: Number(port) });
