// @ts-check
import { once } from 'node:events';
import http from 'node:http';
import { compose, createHandler, FileLocker, FileStore } from 'tuskd';

const directory = './uploads';
const locker = new FileLocker({ directory });
const backend = compose({ core: new FileStore({ directory }), locker });
const handler = createHandler({ backend, basePath: '/files/' });

const server = http.createServer(handler);
handler.attach(server);
server.listen(process.env.PORT ?? 8080, () => {
  const address = server.address();
  if (typeof address === 'object')
    console.log(`uploads go to http://localhost:${address?.port}/files/`);
});

await once(process, 'SIGTERM');
server.close();
await handler.close(); // What is being received is stored, and its clients are told to come back.
await locker.close();
