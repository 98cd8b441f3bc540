import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { onTestFinished } from 'vitest';
import { freePort } from '../services/free-port.js';
import type { S3Server } from '../services/s3-server.js';
import { startHaproxy } from '../services/start-haproxy.js';
import type { Redis } from '../services/start-redis.js';
import { type ToxicProxy, startToxiproxy } from '../services/start-toxiproxy.js';
import { ClusterServer } from './cluster-server.js';

const configuration = resolve(import.meta.dirname, '../../examples/cluster/haproxy.cfg');

/** `examples/cluster`, running for the length of one test. */
export interface Cluster {
  readonly one: ClusterServer;
  readonly two: ClusterServer;
  readonly bucket: Bucket;
  /** A client's way to HAProxy. */
  readonly newLine: () => Promise<Line>;
}

export async function startCluster(
  s3: S3Server,
  redis: Redis,
  flags: readonly string[],
): Promise<Cluster> {
  const name = await s3.newBucket();
  const env = {
    S3_BUCKET: name,
    S3_ENDPOINT: s3.endpoint,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    AWS_REGION: s3.region,
    REDIS_URL: redis.url,
  };
  const ports = [await freePort(), await freePort()] as const;
  const [one, two] = [
    new ClusterServer(ports[0], env, flags),
    new ClusterServer(ports[1], env, flags),
  ];
  onTestFinished(async () => {
    await Promise.all([one.kill(), two.kill()]);
  });
  await Promise.all([one.start(), two.start()]);
  const text = await readFile(configuration, 'utf8');
  const haproxy = await startHaproxy((port) => configure(text, port, ports));
  onTestFinished(() => haproxy.stop());
  const toxiproxy = await startToxiproxy();
  onTestFinished(() => toxiproxy.stop());
  return {
    one,
    two,
    bucket: new Bucket(s3, name),
    newLine: async () => new Line(await toxiproxy.proxy(haproxy.port)),
  };
}

/** The example's configuration as it is, but for the addresses. */
function configure(text: string, port: number, servers: readonly [number, number]): string {
  const addresses = {
    'bind :8080': `bind 127.0.0.1:${port}`,
    '127.0.0.1:8081': `127.0.0.1:${servers[0]}`,
    '127.0.0.1:8082': `127.0.0.1:${servers[1]}`,
  };
  return Object.entries(addresses).reduce((configured, [from, to]) => {
    if (!configured.includes(from)) throw new Error(`${from} is not in ${configuration}`);
    return configured.replace(from, to);
  }, text);
}

/** What a client sends over. */
export class Line {
  /** Where it creates uploads. */
  readonly url: string;
  readonly #proxy: ToxicProxy;
  #unlimit: (() => Promise<void>) | undefined;

  constructor(proxy: ToxicProxy) {
    this.#proxy = proxy;
    this.url = `http://127.0.0.1:${proxy.port}/files/`;
  }

  /** KiB a second; undefined for all that goes. */
  async limit(rate: number | undefined): Promise<void> {
    await this.#unlimit?.();
    this.#unlimit = undefined;
    if (rate === undefined) return;
    const toxic = { type: 'bandwidth', stream: 'upstream', attributes: { rate } } as const;
    this.#unlimit = await this.#proxy.addToxic(toxic);
  }
}

/** What the uploads have left in S3. */
class Bucket {
  readonly #client: S3Client;
  readonly #name: string;

  constructor(s3: S3Server, name: string) {
    this.#client = new S3Client(s3.clientConfig);
    this.#name = name;
    onTestFinished(() => this.#client.destroy());
  }

  async keys(): Promise<readonly string[]> {
    const { Contents = [] } = await this.#client.send(
      new ListObjectsV2Command({ Bucket: this.#name }),
    );
    return Contents.map(({ Key = '' }) => Key);
  }

  /** Keys of objects that are still being put together. */
  async unfinished(): Promise<readonly string[]> {
    const { Uploads = [] } = await this.#client.send(
      new ListMultipartUploadsCommand({ Bucket: this.#name }),
    );
    return Uploads.map(({ Key = '' }) => Key);
  }

  async read(key: string): Promise<Uint8Array> {
    const command = new GetObjectCommand({ Bucket: this.#name, Key: key });
    const { Body } = await this.#client.send(command);
    if (Body === undefined) throw new Error(`no body: ${key}`);
    return Body.transformToByteArray();
  }
}
