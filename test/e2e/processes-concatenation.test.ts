import { describe, expect, it } from 'vitest';
import { final, idOf, part, partial } from '../protocol/concat.js';
import { create, download, head, offsetOf, patch, request } from '../protocol/tus.js';
import { HalfSent } from './half-sent.js';
import { type BedProcess, locationAt, ownBed, type ProcessBed, useBed } from './process-bed.js';

/** On a machine that has much else to do. */
const slow = { timeout: 60_000 };

/** Waits until a final upload is complete, at every process, and checks its bytes. */
async function expectComplete(bed: ProcessBed, path: string, content: string): Promise<void> {
  const offset = async (process: BedProcess) => (await head(process, path)).header('upload-offset');
  for (const process of bed.processes) {
    await expect.poll(() => offset(process)).toBe(String(content.length));
    expect((await download(process, path)).toString() === content).toBe(true);
  }
}

describe.each([2, 4])('%d processes on one directory, concatenating', slow, (count) => {
  const theBed = useBed(count);

  it('join parts that were sent at the same time, one or more to each', async () => {
    const bed = theBed();
    const texts = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(100_000));
    const parts = await Promise.all(
      texts.map((text, index) => part(bed.processes[index % count] ?? bed.first, text)),
    );
    const paths = await bed.onAll((process) => final(process, ...parts));
    for (const path of paths) await expectComplete(bed, path, texts.join(''));
  });

  it('complete a final upload that one was told of when its last part ends at another', async () => {
    const bed = theBed();
    const { first } = bed;
    const [a, b] = [await part(bed.last, 'hello'), await create(bed.last, 6, partial)];
    const path = await final(first, a, b, a);
    const waiting = await bed.onAll((process) => head(process, path));
    for (const answer of waiting) {
      expect([answer.status, answer.header('upload-offset')]).toEqual([200, undefined]);
      expect(answer.header('upload-length')).toBe('16');
      expect(answer.header('upload-concat')).toBe(`final;${a} ${b} ${a}`);
    }
    expect((await patch(bed.last, b, 0, ' world')).status).toBe(204);
    await expectComplete(bed, path, 'hello worldhello');
  });

  it('do so too where both come at the same moment', async () => {
    const bed = theBed();
    const { first } = bed;
    for (let round = 0; round < 20; round += 1) {
      const [a, b] = [await part(first, 'hello'), await create(bed.last, 6, partial)];
      const [path, ended] = await Promise.all([
        final(first, a, b),
        patch(bed.last, b, 0, ' world'),
      ]);
      expect(ended.status).toBe(204);
      // The last is asked alone, so that no other does its work.
      await expect
        .poll(() => head(bed.last, path).then(({ header }) => header('upload-offset')))
        .toBe('11');
      await expectComplete(bed, path, 'hello world');
    }
  });

  it('finish a final upload once, however many are asked for it when it can be completed', async () => {
    const bed = theBed();
    const { first } = bed;
    const finished = (path: string) =>
      bed.processes.flatMap(({ command }) =>
        Array.from(
          command.output().matchAll(new RegExp(`=UploadFinished .*id=${idOf(path)}`, 'g')),
        ),
      ).length;
    const text = 'x'.repeat(500_000);
    for (let round = 0; round < 10; round += 1) {
      const [a, b] = [await part(first, text), await create(bed.last, 5, partial)];
      const path = await final(first, a, a, a, a, b);
      await Promise.all([
        patch(bed.last, b, 0, 'hello'),
        ...Array.from({ length: 3 }, () => bed.onAll((process) => head(process, path))),
      ]);
      await expectComplete(bed, path, `${text.repeat(4)}hello`);
      await expect.poll(() => finished(path)).toBe(1);
    }
  });

  it('go on with a part that another is receiving, and its final upload is complete', async () => {
    const bed = theBed();
    const { first } = bed;
    const size = 200_000;
    const part = await create(first, size, partial);
    const path = await final(bed.last, part, part);
    const half = await HalfSent.resume(bed.directory, locationAt(first, part), size, 0, 100_000);
    expect(await offsetOf(bed.last, part)).toBe(100_000);
    expect((await patch(bed.last, part, 100_000, 'x'.repeat(100_000))).status).toBe(204);
    await expectComplete(bed, path, 'x'.repeat(2 * size));
    expect(await half.answer()).toContain('ERR_UPLOAD_INTERRUPTED');
  });

  it('complete what one was to complete that was killed', async () => {
    const bed = await ownBed(count);
    const { first } = bed;
    const [a, b] = [await part(first, 'hello'), await create(first, 6, partial)];
    const path = await final(first, a, b);
    expect((await patch(first, b, 0, ' world')).status).toBe(204);
    await first.command.stop('SIGKILL');
    const offset = async () => (await head(bed.last, path)).header('upload-offset');
    await expect.poll(offset).toBe('11');
    expect((await download(bed.last, path)).toString()).toBe('hello world');
  });

  it('remove a final upload that waits at another: its parts stay, and end as others do', async () => {
    const bed = theBed();
    const { first } = bed;
    const [a, b] = [await part(first, 'hello'), await create(first, 6, partial)];
    const path = await final(first, a, b);
    expect((await request(bed.last, 'DELETE', path)).status).toBe(204);
    expect((await patch(first, b, 0, ' world')).status).toBe(204);
    const answers = await bed.onAll((process) => head(process, path));
    expect(answers.map(({ status }) => status)).toEqual(Array(count).fill(404));
    expect((await download(bed.last, b)).toString()).toBe(' world');
    expect(await bed.filesOf(path)).toEqual([]);
    expect(await bed.filesOf(a, b)).toHaveLength(4);
  });
});
