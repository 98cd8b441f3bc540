import http from 'node:http';
import next from 'next';

const app = next({ dir: import.meta.dirname, dev: process.env.NODE_ENV !== 'production' });
await app.prepare();
const handle = app.getRequestHandler();
const server = http.createServer((request, response) => void handle(request, response));
server.requestTimeout = 0; // Node cuts uploads off after five minutes otherwise.
server.listen(Number(process.env.PORT ?? 8080), () => {
  console.log(`Uploads go to http://localhost:${server.address().port}/files/`);
});
