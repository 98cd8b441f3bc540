import { createServer } from 'node:http';

/**
 * Receives and throws away: the least that a Node server can do, and so the most that it could be measured at. Uploads
 * do not exist; their length stands in their path.
 */
const block = Buffer.alloc(64 * 1024);

const server = createServer((request, response) => {
  const { method, url = '' } = request;
  if (method === 'GET') {
    response.writeHead(200, { 'Content-Length': lengthOf(url) });
    let left = lengthOf(url);
    const fill = (): void => {
      while (left > 0) {
        left -= block.length;
        if (!response.write(left < 0 ? block.subarray(0, left) : block)) return;
      }
      response.end();
    };
    response.on('drain', fill);
    fill();
    return;
  }
  let received = 0;
  request.on('data', (bytes: Buffer) => (received += bytes.length));
  request.on('end', () => {
    if (method === 'POST') {
      response.writeHead(201, { Location: `/files/${String(request.headers['upload-length'])}` });
    } else if (method === 'PATCH') {
      const offset = Number(request.headers['upload-offset']) + received;
      response.writeHead(204, { 'Upload-Offset': offset });
    } else {
      response.writeHead(200, { 'Upload-Offset': 0, 'Upload-Length': lengthOf(url) });
    }
    response.end();
  });
});
server.requestTimeout = 0;
server.listen(Number(process.argv[2]), '127.0.0.1');

function lengthOf(url: string): number {
  return Number(url.slice(url.lastIndexOf('/') + 1));
}
