import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { Writable } from 'node:stream';
import type { LoadJob } from '../load/load-job.js';
import type { Load } from '../load/run-job.js';
import { body } from '../load/tus-requests.js';
import type { Protocol } from './protocols.js';

interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
}

/** One request over a connection that is kept. */
type Client = (
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  bytes: number,
) => Promise<Answer>;

/** One whole upload in one request, with the clients that Node has: what they cost is the same for all. */
export const protocolPatch: Load = async (job) => {
  const request = clientOf(job);
  const length = { 'Upload-Length': String(job.bytes) };
  const made = await request('POST', job.createPath, length, 0);
  const path = new URL(made.header('location') ?? '', 'http://127.0.0.1').pathname;
  const headers = {
    'Content-Type': 'application/offset+octet-stream',
    'Content-Length': String(job.bytes),
    'Upload-Offset': '0',
  };
  return async (meter) => {
    const answer = await meter.time(job.bytes, () => request('PATCH', path, headers, job.bytes));
    if (answer.status !== 204) throw new Error(`Expected 204, got ${answer.status}`);
  };
};

function clientOf({ protocol, port }: LoadJob): Client {
  if (protocol === undefined) throw new Error('No protocol');
  return protocol.startsWith('http2') ? http2Client(protocol, port) : http1Client(protocol, port);
}

function http1Client(protocol: Protocol, port: number): Client {
  const { Agent, request } = protocol === 'http1-tls' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return async (method, path, headers, bytes) => {
    const to = { host: '127.0.0.1', port, agent, rejectUnauthorized: false };
    const sent = request({ ...to, method, path, headers: { ...version, ...headers } });
    const response = once(sent, 'response');
    await send(sent, bytes);
    const [received]: http.IncomingMessage[] = await response;
    received?.resume();
    return {
      status: received?.statusCode ?? 0,
      header: (name) => textOf(received?.headers[name]),
    };
  };
}

function http2Client(protocol: Protocol, port: number): Client {
  const scheme = protocol === 'http2-tls' ? 'https' : 'http';
  const session = http2.connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false });
  return async (method, path, headers, bytes) => {
    const stream = session.request(
      { ':method': method, ':path': path, ...version, ...headers },
      { endStream: bytes === 0 },
    );
    const response = once(stream, 'response');
    if (bytes > 0) await send(stream, bytes);
    const [received = {}]: http2.IncomingHttpHeaders[] = await response;
    stream.resume();
    return { status: Number(received[':status']), header: (name) => textOf(received[name]) };
  };
}

const version = { 'Tus-Resumable': '1.0.0' };

async function send(to: Writable, bytes: number): Promise<void> {
  for (const piece of body(bytes)) {
    if (!to.write(piece)) await once(to, 'drain');
  }
  to.end();
}

function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
