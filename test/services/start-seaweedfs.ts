import { freePort } from './free-port.js';
import { s3Account, type S3Server, s3Server } from './s3-server.js';
import { startService } from './start-service.js';

const { accessKeyId: accessKey, secretAccessKey: secretKey } = s3Account;
const identity = { name: 'test', credentials: [{ accessKey, secretKey }], actions: ['Admin'] };

/** A second S3 server, written by other people. */
export async function startSeaweedFs(): Promise<S3Server> {
  const port = await freePort();
  return s3Server('seaweedfs', port, async (answers) =>
    startService({
      program: 'weed',
      args: [
        'mini',
        '-dir=.',
        '-ip=127.0.0.1',
        '-ip.bind=127.0.0.1',
        `-s3.port=${port}`,
        '-s3.config=s3.json',
        '-s3.port.iceberg=0',
        '-s3.port.lance=0',
        '-admin.ui=false',
        '-webdav=false',
        '-master.telemetry=false',
        ...(await otherPorts()),
      ],
      files: { 's3.json': JSON.stringify({ identities: [identity] }) },
      answers,
    }),
  );
}

/** Of its parts among themselves: at their fixed ports, there could be one server only. */
function otherPorts(): Promise<string[]> {
  const flags = ['master.port', 'filer.port', 'volume.port', 'admin.port', 's3.port'];
  const names = flags.flatMap((flag) => (flag === 's3.port' ? [] : [flag]).concat(`${flag}.grpc`));
  return Promise.all(names.map(async (name) => `-${name}=${await freePort()}`));
}
