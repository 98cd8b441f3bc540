import { parentPort } from 'node:worker_threads';
import type { HashReply, HashRequest } from './hash-messages.js';
import { LocalHasher } from './hasher.js';

// The thread that hashes: whatever goes wrong in it ends it, and its owner sees that.
const hashers = new Map<number, LocalHasher>();

function reply(message: HashReply, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function hasherOf(body: number): LocalHasher {
  const hasher = hashers.get(body);
  if (hasher === undefined) throw new Error(`no body ${body} was begun`);
  return hasher;
}

function handle(request: HashRequest): void {
  const { body } = request;
  switch (request.kind) {
    case 'begin':
      hashers.set(body, new LocalHasher(request.algorithms));
      break;
    case 'bytes':
      hasherOf(body).update([new Uint8Array(request.slab, 0, request.length)]);
      reply({ kind: 'slab', slab: request.slab }, [request.slab]);
      break;
    case 'digest':
      reply({ kind: 'digest', body, digest: hasherOf(body).digest(request.algorithm) });
      break;
    case 'forget':
      hashers.delete(body);
      break;
  }
}

parentPort?.on('message', handle);
reply({ kind: 'ready' });
