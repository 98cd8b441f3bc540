import { checksumOf } from './checksum-of.js';
import { Connection } from './connection.js';
import type { LoadJob } from './load-job.js';
import type { Meter } from './meter.js';
import type { Load } from './run-job.js';
import {
  body,
  createUpload,
  creationWithBody,
  patch,
  patchHead,
  requestHead,
  requireStatus,
} from './tus-requests.js';

/** So long that no run sends all of it. */
const endlessChunks = 1_000_000;
/** A stalled upload declares so much more than it sends. */
const stalledFactor = 16;
/** How many parts one `concat` has. */
const concatParts = 4;
/** Below the backlog of every server: a connection that is turned away costs a second. */
const connectionsAtOnce = 50;

export const loads: Readonly<Record<LoadJob['kind'], Load>> = {
  /** One whole upload in one request on each connection. */
  async patch(job) {
    const uploads = await openUploads(job, job.bytes);
    const headers =
      job.checksum === undefined
        ? {}
        : { 'Upload-Checksum': checksumOf(job.checksum, body(job.bytes)) };
    return (meter) =>
      each(uploads, ({ connection, path }) =>
        meter.time(job.bytes, () => patch(connection, path, 0, job.bytes, headers)),
      );
  },

  /** One request after the other, each appending. */
  async chunks(job) {
    const uploads = await openUploads(job, job.bytes * endlessChunks);
    return (meter) =>
      each(uploads, async ({ connection, path }) => {
        for (let offset = 0; meter.running; offset += job.bytes) {
          await meter.time(job.bytes, () => patch(connection, path, offset, job.bytes));
        }
      });
  },

  /** One whole upload in several requests. */
  async series(job) {
    const requests = job.requests ?? 1;
    const uploads = await openUploads(job, job.bytes * requests);
    return (meter) =>
      each(uploads, async ({ connection, path }) => {
        for (let index = 0; index < requests; index += 1) {
          const offset = index * job.bytes;
          await meter.time(job.bytes, () => patch(connection, path, offset, job.bytes));
        }
      });
  },

  /** One upload after the other, each created with its bytes. */
  async create(job) {
    const connections = await openConnections(job);
    const request = creationWithBody(job.createPath, job.bytes);
    return repeat(connections, job.bytes, async (connection) => {
      requireStatus(201, await connection.request('POST', [request]));
    });
  },

  /** Each connection asks after its own upload. */
  async head(job) {
    const uploads = await openUploads(job, job.bytes);
    return repeat(uploads, 0, async ({ connection, path }) => {
      const request = requestHead('HEAD', path, {});
      requireStatus(200, await connection.request('HEAD', [request]));
    });
  },

  /** Uploads that send some bytes and then nothing, until this process ends. */
  async stall(job) {
    const maker = await Connection.open(job.port);
    const length = job.bytes * stalledFactor;
    const paths: string[] = [];
    while (paths.length < job.connections) {
      paths.push(await createUpload(maker, job.createPath, length));
    }
    maker.close();
    return async (meter) => {
      for (let first = 0; first < paths.length; first += connectionsAtOnce) {
        await each(paths.slice(first, first + connectionsAtOnce), async (path) => {
          const connection = await Connection.open(job.port);
          await meter.time(job.bytes, () =>
            connection.send([patchHead(path, 0, length), ...body(job.bytes)]),
          );
        });
      }
    };
  },

  /** Uploads of which half a body is sent before the connection breaks; nobody comes back to them. */
  async abandon(job) {
    const makers = await Promise.all(
      Array.from({ length: connectionsAtOnce }, () => Connection.open(job.port)),
    );
    let left = job.connections;
    return (meter) =>
      each(makers, async (maker) => {
        for (; left > 0; left -= 1) {
          const path = await createUpload(maker, job.createPath, 2 * job.bytes);
          const connection = await Connection.open(job.port);
          await meter.time(job.bytes, () =>
            connection.send([patchHead(path, 0, 2 * job.bytes), ...body(job.bytes)]),
          );
          connection.reset();
        }
      });
  },

  /** One upload made of parts that are there already. */
  async concat(job) {
    const connection = await Connection.open(job.port);
    const bytes = job.bytes / concatParts;
    const paths: string[] = [];
    for (let index = 0; index < concatParts; index += 1) {
      const path = await createUpload(connection, job.createPath, bytes, {
        'Upload-Concat': 'partial',
      });
      await patch(connection, path, 0, bytes);
      paths.push(path);
    }
    const head = requestHead('POST', job.createPath, {
      'Upload-Concat': `final;${paths.join(' ')}`,
      'Content-Length': 0,
    });
    return (meter) =>
      meter.time(job.bytes, async () => {
        requireStatus(201, await connection.request('POST', [head]));
      });
  },

  /** One whole download on each connection. */
  async get(job) {
    const uploads = job.filesBy === 'put' ? await putFiles(job) : await openUploads(job, job.bytes);
    if (job.filesBy === undefined) {
      await each(uploads, ({ connection, path }) => patch(connection, path, 0, job.bytes));
    }
    return (meter) =>
      each(uploads, ({ connection, path }) =>
        meter.time(job.bytes, async () => {
          const request = requestHead('GET', path, {});
          const { bodyBytes } = requireStatus(200, await connection.request('GET', [request]));
          if (bodyBytes < job.bytes) throw new Error(`GET gave ${bodyBytes} bytes`);
        }),
      );
  },
};

function repeat<Item>(
  items: readonly Item[],
  bytes: number,
  request: (item: Item) => Promise<void>,
): (meter: Meter) => Promise<void> {
  return (meter) =>
    each(items, async (item) => {
      while (meter.running) await meter.time(bytes, () => request(item));
    });
}

async function each<Item>(
  items: readonly Item[],
  action: (item: Item) => Promise<void>,
): Promise<void> {
  await Promise.all(items.map((item) => action(item)));
}

async function putFiles(job: LoadJob): Promise<{ connection: Connection; path: string }[]> {
  const connections = await openConnections(job);
  return Promise.all(
    connections.map(async (connection, index) => {
      // Another process may have warmed up with the same names.
      const path = `/file-${process.pid}-${index}`;
      const head = requestHead('PUT', path, { 'Content-Length': job.bytes });
      requireStatus(201, await connection.request('PUT', [head, ...body(job.bytes)]));
      return { connection, path };
    }),
  );
}

function openConnections(job: LoadJob): Promise<Connection[]> {
  return Promise.all(Array.from({ length: job.connections }, () => Connection.open(job.port)));
}

async function openUploads(
  job: LoadJob,
  length: number,
): Promise<{ connection: Connection; path: string }[]> {
  const connections = await openConnections(job);
  return Promise.all(
    connections.map(async (connection) => ({
      connection,
      path: await createUpload(connection, job.createPath, length),
    })),
  );
}
