import { type ClientRequest, Agent, type IncomingMessage, request } from 'node:http';
import { once } from 'node:events';

const version = { 'Tus-Resumable': '1.0.0' };
const agent = new Agent({ keepAlive: true });

/** Creates an upload and resolves with its ID. */
export async function create(url: string, size: number): Promise<string> {
  const creation = open('POST', url, { 'Upload-Length': String(size) });
  creation.end();
  const { headers } = await answer(creation, 201);
  return headers.location?.split('/').at(-1) ?? '';
}

export async function patch(url: string, offset: number, body: Buffer): Promise<void> {
  const sending = open('PATCH', url, patchHeaders(offset, body.byteLength));
  sending.end(body);
  await answer(sending, 204);
}

export async function head(url: string): Promise<void> {
  const asking = open('HEAD', url, {});
  asking.end();
  await answer(asking, 200);
}

/** A PATCH that stays in the middle of its body. It has the lock when this resolves. */
export async function beginPatch(url: string, size: number, body: Buffer): Promise<ClientRequest> {
  const headers = { ...patchHeaders(0, size), Expect: '100-continue', Connection: 'close' };
  const sending = request(url, { method: 'PATCH', headers });
  // It is interrupted, or its server killed: both are wanted.
  sending.on('error', () => undefined);
  sending.flushHeaders();
  await once(sending, 'continue');
  sending.write(body);
  return sending;
}

function patchHeaders(offset: number, length: number): Record<string, string> {
  return {
    ...version,
    'Upload-Offset': String(offset),
    'Content-Type': 'application/offset+octet-stream',
    'Content-Length': String(length),
  };
}

function open(method: string, url: string, headers: Record<string, string>): ClientRequest {
  return request(url, { method, agent, headers: { ...version, ...headers } });
}

/** @throws Error where the status is another */
async function answer(sent: ClientRequest, status: number): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject);
  });
  await once(response.resume(), 'end');
  if (response.statusCode === status) return response;
  throw new Error(`${sent.method} ${sent.path}: ${response.statusCode} instead of ${status}`);
}
