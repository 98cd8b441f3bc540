// @ts-check
import http from 'node:http';
import { compose, createHandler, MemoryLocker } from 'tuskd';
import { directory, sftp } from './environment.mjs';
import { sftpStore } from './sftp-store.mjs';

// Locks in memory are enough for one server; several on one directory need a locker that they share.
const backend = compose({ core: sftpStore({ sftp, directory }), locker: new MemoryLocker() });
const handler = createHandler({
  backend,
  basePath: '/files/',
  // What the SFTP server refuses is a 500 for the client, and told nobody else otherwise.
  logger: {
    enabled: (level) => level === 'error',
    log(level, event, fields) {
      if (level === 'error') console.error(event, fields);
    },
  },
});

const server = http.createServer(handler);
handler.attach(server);
server.listen(process.env.PORT ?? 8080, () => {
  const address = server.address();
  if (typeof address === 'object')
    console.log(`uploads go to http://localhost:${address?.port}/files/`);
});
