// @ts-check
import express from 'express';
import { compose, createHandler, FileLocker, FileStore } from 'tuskd';

const directory = './uploads';
const locker = new FileLocker({ directory });
const backend = compose({ core: new FileStore({ directory }), locker });
const handler = createHandler({ backend, basePath: '/files/' });

const app = express();
app.use('/files', handler); // before express.json() and other readers of bodies
app.get('/', (_request, response) => void response.send('uploads go to /files/\n'));

const server = app.listen(process.env.PORT ?? 8080, () => {
  const address = server.address();
  if (typeof address === 'object')
    console.log(`uploads go to http://localhost:${address?.port}/files/`);
});
handler.attach(server);
