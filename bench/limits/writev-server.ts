import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';

/**
 * Stores what it receives and does nothing else: no checks, no locks, no records, no recovery. What arrives while a
 * write is under way goes out with the next one. What a real server costs above this is the price of its promises.
 */
const [, , port = '', directory = ''] = process.argv;
const highWaterMark = 1024 * 1024;
let uploads = 0;

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error);
    response.destroy();
  });
});
server.requestTimeout = 0;
server.listen(Number(port), '127.0.0.1');

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = request.url?.split('/').at(-1) ?? '';
  switch (request.method ?? '') {
    case 'POST': {
      const created = String((uploads += 1));
      const received = await store(request, join(directory, created), 'wx', 0);
      response.writeHead(201, { Location: `/files/${created}`, 'Upload-Offset': received }).end();
      return;
    }
    case 'PATCH': {
      const offset = Number(request.headers['upload-offset']);
      const received = await store(request, join(directory, id), 'r+', offset);
      response.writeHead(204, { 'Upload-Offset': offset + received }).end();
      return;
    }
    case 'HEAD': {
      const { size } = await stat(join(directory, id));
      response.writeHead(200, { 'Upload-Offset': size }).end();
      return;
    }
    default: {
      const { size } = await stat(join(directory, id));
      response.writeHead(200, { 'Content-Length': size });
      createReadStream(join(directory, id)).pipe(response);
    }
  }
}

async function store(
  request: IncomingMessage,
  path: string,
  flags: 'wx' | 'r+',
  offset: number,
): Promise<number> {
  const file = await open(path, flags);
  try {
    return await writeBatches(request, file, offset);
  } finally {
    await file.close();
  }
}

async function writeBatches(
  request: IncomingMessage,
  file: FileHandle,
  offset: number,
): Promise<number> {
  let batch: Buffer[] = [];
  let batchBytes = 0;
  let wake = (): void => undefined;
  request.on('data', (bytes: Buffer) => {
    batch.push(bytes);
    batchBytes += bytes.length;
    if (batchBytes >= highWaterMark) request.pause();
    wake();
  });
  request.on('end', () => wake());
  let written = 0;
  while (!request.readableEnded || batch.length > 0) {
    if (batch.length === 0) {
      await new Promise<void>((resolve) => (wake = resolve));
      continue;
    }
    const taken = batch;
    batch = [];
    batchBytes = 0;
    request.resume();
    written += (await file.writev(taken, offset + written)).bytesWritten;
  }
  return written;
}
