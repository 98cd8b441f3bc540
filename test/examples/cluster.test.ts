import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../fakes/redis-bench.js';
import { whyNo } from '../services/programs.js';
import { skipIfMissing } from '../services/skip-if-missing.js';
import { startRedis } from '../services/start-redis.js';
import { useS3 } from '../services/use-s3.js';
import { useService } from '../services/use-service.js';
import { ClientUpload } from './client-upload.js';
import { eventMs } from './cluster-server.js';
import { type Cluster, startCluster } from './start-cluster.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const flags = ['-redis-lease=2s', `-s3-part-size=${5 * MiB}`];

describe('examples/cluster', { timeout: 90_000 }, () => {
  beforeEach(({ skip }) => {
    for (const program of ['haproxy', 'toxiproxy'] as const) skipIfMissing(skip, whyNo(program));
  });
  const s3 = useS3();
  const redis = useService('redis-server', startRedis);

  it('completes uploads while a server dies, another stands still and Redis forgets', async () => {
    const cluster = await startCluster(s3(), redis(), flags);
    const uploads = await beginUploads(cluster);

    await killAndRestart(cluster);
    await pauseAndResume(cluster);
    await restartRedis(cluster);
    expect(uploads.map(({ isFinished }) => isFinished)).not.toContain(true);

    await Promise.all(uploads.map(({ line }) => line.limit(undefined)));
    await Promise.all(uploads.map(({ ended }) => ended));

    for (const upload of uploads) await checkUpload(cluster, upload);
    const { one, two } = cluster;
    expect(uploads.some(({ id }) => one.bytesWritten(id) > 0 && two.bytesWritten(id) > 0)).toBe(
      true,
    );
    await checkRemains(cluster, uploads);
  });

  /** One that has sent a part in its only request, and others of many requests, which have a part and go on in pieces. */
  function beginUploads(cluster: Cluster): Promise<ClientUpload[]> {
    return Promise.all([
      begin(cluster, 26 * MiB, Infinity, 14 * MiB),
      begin(cluster, 12 * MiB + 1, MiB, 6 * MiB),
      begin(cluster, 12 * MiB + 2, 300 * KiB, 6 * MiB),
      begin(cluster, 6 * MiB + 3, 256 * KiB, 2 * MiB),
    ]);
  }

  /** From `mark` on it is so slow that it goes on for a minute. */
  async function begin(
    { newLine }: Cluster,
    size: number,
    chunkSize: number,
    mark: number,
  ): Promise<ClientUpload> {
    const line = await newLine();
    await line.limit(5000);
    const upload = new ClientUpload({ line, size, chunkSize });
    await upload.untilSent(mark);
    await line.limit(100);
    return upload;
  }

  async function killAndRestart({ one, two }: Cluster): Promise<void> {
    await one.untilWriting();
    const since = two.mark;
    await one.kill();
    const orphans = one.writing;
    expect(orphans).not.toEqual([]);
    await two.untilBegun(orphans, since);
    const back = one.mark;
    await one.start();
    await one.untilServing(back);
  }

  /** It goes on when its uploads have gone on elsewhere, which they do once its leases have ended. */
  async function pauseAndResume({ one, two }: Cluster): Promise<void> {
    const since = one.mark;
    const held = await two.untilWriting();
    two.pause();
    await one.untilBegun(held, since);
    const back = two.mark;
    two.resume();
    const lost = (): boolean => two.lost(back).some((id) => held.includes(id));
    await expect.poll(lost, { timeout: eventMs }).toBe(true);
    await two.untilServing(back);
  }

  async function restartRedis({ one, two }: Cluster): Promise<void> {
    const servers = [one, two];
    const since = servers.map(({ mark }) => mark);
    await redis().restart();
    const lost = (): unknown[] => servers.flatMap((server, at) => server.lost(since[at] ?? 0));
    await expect.poll(lost, { timeout: eventMs }).not.toEqual([]);
    await Promise.all(servers.map((server) => server.untilServing(server.mark)));
  }

  async function checkUpload({ one, two, bucket }: Cluster, upload: ClientUpload): Promise<void> {
    const { id, key, url, sha256 } = upload;
    const download = await fetch(url);
    expect(hash(new Uint8Array(await download.arrayBuffer()))).toBe(sha256);
    expect(hash(await bucket.read(key))).toBe(sha256);
    for (const server of [one, two]) expect(server.served).toContain(id);
    const finished = [one, two].flatMap((server) => server.events('UploadFinished'));
    expect(finished.filter((event) => event['id'] === id)).toHaveLength(1);
  }

  async function checkRemains(
    { bucket }: Cluster,
    uploads: readonly ClientUpload[],
  ): Promise<void> {
    const expected = uploads.flatMap(({ key }) => [key, `${key}.info`]);
    expect((await bucket.keys()).toSorted()).toEqual(expected.sort());
    expect(await bucket.unfinished()).toEqual([]);
    const observer = connect(redis().port);
    const locks = async (): Promise<string[]> => {
      const keys = await observer.keys('*');
      return keys.filter((key) => !key.endsWith(':fence'));
    };
    // A place in a line, whose owner was cut off, runs out by itself.
    await expect.poll(locks, { timeout: eventMs }).toEqual([]);
  }
});

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
