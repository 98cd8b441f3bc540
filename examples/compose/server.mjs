// @ts-check
import http from 'node:http';
import { compose, createHandler, FileLocker, FileStore, functionHooks } from 'tuskd';

const store = new FileStore({ directory: './uploads' });
const locker = new FileLocker({ directory: './uploads' });
const handler = createHandler({
  backend: compose({ core: store, locker }),
  basePath: '/files/',
  hooks: functionHooks({
    postFinish: ({ upload }) => console.log(`upload ${upload.id} is finished`),
  }),
});

const server = http.createServer((request, response) => {
  if (request.url?.startsWith('/files/')) handler(request, response);
  else response.writeHead(404).end('uploads go to /files/\n');
});
handler.attach(server);
server.listen(process.env.PORT ?? 8080, () => {
  const address = server.address();
  if (typeof address === 'object')
    console.log(`uploads go to http://localhost:${address?.port}/files/`);
});
