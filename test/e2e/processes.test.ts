import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { create, download, head, offsetOf, patch, request } from '../protocol/tus.js';
import { HalfSent } from './half-sent.js';
import { type BedProcess, locationAt, ownBed, type ProcessBed, useBed } from './process-bed.js';

/** On a machine that has much else to do. */
const slow = { timeout: 60_000 };
const size = 1_000_000;
const some = 100_000;

/** Begins to send the rest of an upload to a process, and waits until some of it is stored. */
function sendSome(bed: ProcessBed, process: BedProcess, path: string, offset: number) {
  return HalfSent.resume(bed.directory, locationAt(process, path), size, offset, some);
}

describe.each([2, 4])('%d processes on one directory', slow, (count) => {
  const theBed = useBed(count);

  it('know at once what another has been told of an upload', async () => {
    const bed = theBed();
    const path = await create(bed.first, 'deferred', { 'Upload-Metadata': 'a YQ==' });
    let content = '';
    for (const process of bed.processes) {
      expect((await patch(process, path, content.length, 'hello')).status).toBe(204);
      content += 'hello';
      expect(await bed.onAll((other) => offsetOf(other, path))).toEqual(
        Array(count).fill(content.length),
      );
    }
    const length = { 'Upload-Length': String(content.length) };
    expect((await patch(bed.first, path, content.length, '', length)).status).toBe(204);
    const told = await bed.onAll((other) => head(other, path));
    for (const answer of told) {
      expect(answer.header('upload-length')).toBe(length['Upload-Length']);
      expect(answer.header('upload-metadata')).toBe('a YQ==');
    }
    expect(await bed.onAll(async (other) => (await download(other, path)).toString())).toEqual(
      Array(count).fill(content),
    );
  });

  it('field 1 field 7: take over from each other: the newest request wins, and no byte is lost', async () => {
    const bed = theBed();
    const path = await create(bed.first, size);
    const halves: HalfSent[] = [];
    for (const [index, process] of [...bed.processes, ...bed.processes].entries()) {
      // Every other time HEAD comes first, as from a client that starts anew, and takes the upload from its writer.
      if (index % 2 === 1) expect(await offsetOf(process, path)).toBe(index * some);
      halves.push(await sendSome(bed, process, path, index * some));
    }
    const last = halves.pop();
    last?.finish();
    expect(await last?.answer()).toMatch(/^HTTP\/1\.1 204 /);
    for (const answer of await Promise.all(halves.map((half) => half.answer()))) {
      expect(answer).toContain('ERR_UPLOAD_INTERRUPTED');
    }
    expect(sha256(await download(bed.last, path))).toBe(sha256(Buffer.alloc(size, 'x')));
  });

  it('field 7: of PATCHes at one offset, one at each, at most one succeeds, and bytes never mix', async () => {
    const bed = theBed();
    for (let round = 0; round < 10; round += 1) {
      const path = await create(bed.last, size);
      const bodies = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(size));
      const answers = await bed.onAll((process, index) =>
        patch(process, path, 0, bodies[index] ?? ''),
      );
      const statuses = answers.map(({ status }) => status);
      expect([204, 400, 409]).toEqual(expect.arrayContaining(statuses));
      expect(statuses.filter((status) => status === 204).length).toBeLessThanOrEqual(1);
      const offset = await offsetOf(bed.last, path);
      const stored = (await download(bed.last, path)).toString();
      expect(stored).toHaveLength(offset);
      const winner = bodies.find((body) => body.startsWith(stored.slice(0, 1))) ?? '';
      expect(winner.startsWith(stored)).toBe(true);
      expect((await patch(bed.last, path, offset, winner.slice(offset))).status).toBe(204);
      expect((await download(bed.last, path)).toString() === winner).toBe(true);
    }
  });

  it('field 8: remove an upload that another is receiving, and nothing is left of it', async () => {
    const bed = theBed();
    const path = await create(bed.first, size);
    const half = await sendSome(bed, bed.first, path, 0);
    expect((await request(bed.last, 'DELETE', path)).status).toBe(204);
    expect(await half.answer()).toContain('ERR_UPLOAD_INTERRUPTED');
    expect(await bed.filesOf(path)).toEqual([]);
    const answers = await bed.onAll(async (process) => (await head(process, path)).status);
    expect(answers).toEqual(Array(count).fill(404));
  });

  it('field 8: remove an upload once, however many are asked at once', async () => {
    const bed = theBed();
    for (let round = 0; round < 10; round += 1) {
      const path = await create(bed.last, 5);
      const answers = await bed.onAll((process) => request(process, 'DELETE', path));
      const statuses = answers.map(({ status }) => `${status}`).sort();
      expect(statuses).toEqual(['204', ...Array(count - 1).fill('404')]);
      expect(await bed.filesOf(path)).toEqual([]);
    }
  });

  it('field 10: go on at once with what a killed one was receiving, also one that comes in its place', async () => {
    const bed = await ownBed(count);
    const { first, last } = bed;
    const paths = [await create(first, size), await create(first, size)] as const;
    for (const path of paths) await sendSome(bed, first, path, 0);
    await first.command.stop('SIGKILL');
    const successors = [last, await bed.startAnother()];
    for (const [index, path] of paths.entries()) {
      const process = successors[index] ?? last;
      expect(await offsetOf(process, path)).toBe(some);
      const rest = Buffer.alloc(size - some, 'x');
      expect((await patch(process, path, some, rest)).status).toBe(204);
      expect(sha256(await download(bed.last, path))).toBe(sha256(Buffer.alloc(size, 'x')));
    }
    expect(await bed.filesOf(...paths)).toHaveLength(4);
  });
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
