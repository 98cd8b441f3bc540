// No tus server: it hands each body to the SDK's own helper, and speaks just enough of tus for the load to be the same.
// Not TypeScript: it is run where it lies, so that its packages are found in bench/node_modules.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

const [, , port, endpoint, Bucket, partMiB] = process.argv;
const client = new S3Client({ endpoint, forcePathStyle: true });
const lengths = new Map();

const server = createServer((request, response) => {
  if (request.method === 'POST') {
    const id = randomUUID();
    lengths.set(id, request.headers['upload-length']);
    response.writeHead(201, { Location: `/files/${id}` }).end();
    return;
  }
  receive(request, response).catch((error) => {
    console.error(error);
    response.destroy();
  });
});
server.listen(Number(port), '127.0.0.1');

async function receive(request, response) {
  const Key = request.url.slice('/files/'.length);
  const partSize = Number(partMiB) * 1024 * 1024;
  const params = { Bucket, Key, Body: request };
  await new Upload({ client, params, partSize, queueSize: 4 }).done();
  response.writeHead(204, { 'Upload-Offset': lengths.get(Key) }).end();
}
