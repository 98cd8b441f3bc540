import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, onTestFinished } from 'vitest';
import type { Body } from '../../dist/core/body.js';
import type { Upload, WriteChunkOptions } from '../../dist/core/data-store.js';
import { FileStore, type FsyncMode } from '../../dist/stores/file/file-store.js';
import { bodyOf, MemoryBody } from '../../dist/testing/memory-body.js';
import { DyingProcess, watchDisk } from '../fakes/watch-disk.js';

const id = 'folder/upload';
const size = 1000;
/** Hundreds of short lives, in milliseconds. */
const timeout = 60_000;
/** Below 200; what is wrong is above. */
const right = Buffer.from(Array.from({ length: size }, (_, index) => (index * 7) % 199));
const wrong = Buffer.alloc(size, 255);

/** What a client was told last. */
interface Told {
  offset: number;
}

type Step = (store: FileStore, told: Told) => Promise<void>;

function plain(start: number, end: number): Step {
  return async (store, told) => {
    const body = bodyOf(right.subarray(start, start + 30), right.subarray(start + 30, end));
    told.offset = start + (await write(await store.getUpload(id), start, body));
  };
}

function interrupted(start: number, end: number): Step {
  return async (store, told) => {
    const body = new MemoryBody([[right.subarray(start)]], {
      end: 'disconnected',
      endAfterBytes: end - start,
    });
    told.offset = start + (await write(await store.getUpload(id), start, body));
  };
}

function verified(start: number, end: number): Step {
  return async (store, told) => {
    const upload = await writeProvisionally(store, right, start, end);
    await upload.commitChunk?.();
    told.offset = end;
  };
}

function discarded(start: number, end: number): Step {
  return async (store, told) => {
    const upload = await writeProvisionally(store, wrong, start, end);
    await upload.discardChunk?.();
    told.offset = start;
  };
}

/** Nobody said what becomes of it. */
function abandoned(start: number, end: number): Step {
  return async (store) => void (await writeProvisionally(store, wrong, start, end));
}

/** A chunk whose bytes are right, but which turned out to be unwanted. */
function takenBack(start: number, end: number): Step {
  return async (store, told) => {
    const upload = await store.getUpload(id);
    await write(upload, start, bodyOf(right.subarray(start, end)));
    await upload.discardChunk?.();
    told.offset = start;
  };
}

const changed: Step = async (store) =>
  void (await (await store.getUpload(id)).update({ expiresAt: 1 }));

async function writeProvisionally(
  store: FileStore,
  bytes: Buffer,
  start: number,
  end: number,
): Promise<Upload> {
  const upload = await store.getUpload(id);
  const middle = (start + end) >> 1;
  const body = bodyOf(bytes.subarray(start, middle), bytes.subarray(middle, end));
  await write(upload, start, body, { provisional: true });
  return upload;
}

async function write(
  upload: Upload,
  offset: number,
  body: Body,
  options?: WriteChunkOptions,
): Promise<number> {
  const { bytesWritten, error } = await upload.writeChunk(offset, body, options);
  if (error !== undefined) throw error;
  return bytesWritten;
}

const steps: readonly Step[] = [
  plain(0, 100),
  discarded(100, 300),
  verified(100, 200),
  interrupted(200, 300),
  abandoned(300, 900),
  plain(300, 400),
  changed,
  discarded(400, 600),
  verified(400, 450),
  abandoned(450, 800),
  verified(450, 700),
];
const lastSteps = [abandoned(700, 1000), changed, verified(700, 1000)];

// A disk takes its time to sync, so not every moment gets its turn there.
const strides = { off: 1, finish: 13, request: 29 } as const;
for (const fsync of ['off', 'finish', 'request'] as const) {
  it(
    `a crash at any moment leaves what was told, and nothing wrong (fsync ${fsync})`,
    { timeout },
    async () => {
      const story = [...steps.slice(0, 3), takenBack(200, 290), ...steps.slice(3), ...lastSteps];
      for (let fatal = 0; ; fatal += strides[fsync]) {
        const { directory, store } = await newStore(fsync);
        const told = { offset: 0 };
        const process = new DyingProcess(fatal);
        await runUntilDeath(process, async () => {
          for (const step of story) await step(store, told);
        });
        const next = new FileStore({ directory, fsync });
        const offset = await assertRight(directory, next, told.offset);
        await abandoned(offset, size)(next, told);
        assert.equal(await assertRight(directory, next, offset), offset);
        await finish(next, offset, fatal % 2 === 0);
        assert.equal(await assertRight(directory, next, size), size);
        assert.equal((await stat(join(directory, id))).size, size, 'size of a finished file');
        await rm(directory, { recursive: true });
        if (!process.hasDied) {
          assert.ok(fatal > 100, `${fatal} moments`);
          return;
        }
      }
    },
  );
}

it(
  'who asks at any moment, however slowly, is told nothing wrong and nothing less than before',
  { timeout },
  async () => {
    const { directory, store } = await newStore('off');
    const told = { offset: 0 };
    const readers: Reader[] = [];
    let moment = 0;
    await watchDisk(
      async ({ run }) => {
        moment += 1;
        for (const reader of readers.filter((one) => one.until === moment)) await reader.end();
        for (const patience of [1, 2, 3, 5, 8, 13, 21, 34, 55]) {
          readers.push(await Reader.begin(directory, told.offset, moment + patience));
        }
        return run();
      },
      async () => {
        for (const step of [...steps, ...lastSteps]) await step(store, told);
      },
    );
    assert.ok(moment > 100, `${moment} moments`);
    for (const reader of readers.filter((one) => one.until > moment)) await reader.end();
  },
);

it('a finished file has its size, where more than that was left over', async () => {
  for (const declare of ['before', 'after'] as const) {
    const { directory, store } = await newStore('off', null);
    await abandoned(0, 900)(store, { offset: 0 });
    if (declare === 'before') await (await store.getUpload(id)).update({ size: 100 });
    await plain(0, 100)(store, { offset: 0 });
    if (declare === 'after') {
      await abandoned(100, 300)(store, { offset: 0 });
      await (await store.getUpload(id)).update({ size: 100 });
    }
    assert.equal((await stat(join(directory, id))).size, 100);
  }
});

/** Asks where the upload stands, and dreams between its looks at the data and at the record. */
class Reader {
  static async begin(directory: string, told: number, until: number): Promise<Reader> {
    const reader = new Reader(directory, told, until);
    await reader.#dreams;
    return reader;
  }

  readonly until: number;
  readonly #directory: string;
  readonly #told: number;
  readonly #offset: Promise<number>;
  readonly #dreams: Promise<void>;
  #wake: () => void = () => undefined;

  private constructor(directory: string, told: number, until: number) {
    this.until = until;
    this.#directory = directory;
    this.#told = told;
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    let fallAsleep: () => void;
    this.#dreams = new Promise((resolve) => (fallAsleep = resolve));
    let calls = 0;
    this.#offset = watchDisk(
      async ({ run }) => {
        calls += 1;
        if (calls === 2) {
          fallAsleep();
          await woken;
        }
        return run();
      },
      async () => {
        const upload = await new FileStore({ directory }).getUpload(id);
        return (await upload.getInfo()).offset;
      },
    );
  }

  async end(): Promise<void> {
    this.#wake();
    const offset = await this.#offset;
    assert.ok(offset >= this.#told, `${offset}, while ${this.#told} was told before`);
    const stored = await readFile(join(this.#directory, id));
    assert.ok(stored.subarray(0, offset).equals(right.subarray(0, offset)), 'bytes that count');
  }
}

async function newStore(
  fsync: FsyncMode,
  length: number | null = size,
): Promise<{ directory: string; store: FileStore }> {
  const directory = await mkdtemp(join(tmpdir(), 'tuskd-crash-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const store = new FileStore({ directory, fsync });
  await store.newUpload({
    id,
    size: length ?? undefined,
    metadata: {},
    isPartial: false,
    isFinal: false,
    parts: [],
  });
  return { directory, store };
}

async function runUntilDeath(process: DyingProcess, work: () => Promise<void>): Promise<void> {
  try {
    await watchDisk(process.watch, work);
  } catch (error) {
    if (!process.hasDied) throw error;
  }
}

/** Gives the offset that the next process finds. */
async function assertRight(directory: string, store: FileStore, told: number): Promise<number> {
  const { offset } = await (await store.getUpload(id)).getInfo();
  assert.ok(offset >= told, `${offset} after ${told} was told`);
  const stored = await readFile(join(directory, id));
  assert.ok(stored.subarray(0, offset).equals(right.subarray(0, offset)), 'bytes that count');
  assert.ok(offset <= stored.length);
  return offset;
}

async function finish(store: FileStore, offset: number, provisional: boolean): Promise<void> {
  const upload = await store.getUpload(id);
  await write(upload, offset, bodyOf(right.subarray(offset)), { provisional });
  if (provisional) await upload.commitChunk?.();
}
