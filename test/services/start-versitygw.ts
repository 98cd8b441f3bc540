import { freePort } from './free-port.js';
import { s3Account, type S3Server, s3Server } from './s3-server.js';
import { startService } from './start-service.js';

/** An S3 server over a directory. It checks what Amazon's does: sizes, lists and checksums of parts, conditions, signatures. */
export async function startVersityGw(): Promise<S3Server> {
  const port = await freePort();
  return s3Server('versitygw', port, (answers) =>
    startService({
      program: 'versitygw',
      args: ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', '.'],
      env: { ROOT_ACCESS_KEY: s3Account.accessKeyId, ROOT_SECRET_KEY: s3Account.secretAccessKey },
      answers,
    }),
  );
}
