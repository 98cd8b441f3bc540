import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, onTestFinished } from 'vitest';
import type { DataStore, Upload } from '../../dist/core/data-store.js';
import { isTusError } from '../../dist/core/errors.js';
import { newUploadId } from '../../dist/core/upload-id.js';
import type { UploadInfo } from '../../dist/core/upload.js';
import type { FsyncMode } from '../../dist/stores/file/file-store.js';
import { bodyOf } from '../../dist/testing/memory-body.js';
import { Random } from '../e2e/resume/random.js';
import { DiskRecorder } from '../fakes/disk-recorder.js';
import {
  afterPowerCut,
  type FileSystemKind,
  makeTree,
  type Survival,
} from '../fakes/forgetful-disk.js';

const recorder = new DiskRecorder();
// Only now: it keeps functions of node:fs for itself.
const { FileStore } = await import('../../dist/stores/file/file-store.js');

/**
 * What a power cut can come to, for a client that was told something.
 *
 * - `lost`: an upload that was created is not there
 * - `shorter`: fewer bytes than were told, or the record without what it was told to say
 * - `unfinished`: the same of an upload that was told to be finished, or that is lost
 * - `returned`: a terminated upload is there again
 * - `garbage`: bytes count that no client sent, behind those that were told
 * - `wrong`: bytes count that were told to be wrong, or never verified
 * - `unreadable`: the record cannot be read; the server answers 500 until somebody removes it
 * - `unlisted`: a file that no sweep would find: bytes whose record is lost or unreadable
 */
type Damage =
  | 'lost'
  | 'shorter'
  | 'unfinished'
  | 'returned'
  | 'garbage'
  | 'wrong'
  | 'unreadable'
  | 'unlisted';

/** What its clients know of an upload at one moment. */
interface Knowledge {
  readonly created: 'no' | 'begun' | 'told';
  readonly terminated: 'no' | 'begun' | 'told';
  readonly offset: number;
  readonly size: number | undefined;
  readonly finish: UploadInfo['finish'];
}

/** Below 200; what is wrong is above. */
const right = Buffer.from(Array.from({ length: 300 }, (_, index) => 1 + ((index * 7) % 199)));
const wrong = Buffer.alloc(right.length, 255);
/** How often the unsynced is drawn at each moment. */
const draws = Number(process.env['TUSKD_POWER_CUTS'] ?? 6);

/** An upload's life, with what is known of it after each event on the disk. */
class Life {
  readonly id: string;
  readonly source: Buffer;
  readonly #store: DataStore;
  readonly #known: { readonly at: number; readonly knowledge: Knowledge }[] = [];

  constructor(store: DataStore, id: string, source = right) {
    this.#store = store;
    this.id = id;
    this.source = source;
    this.#know({ created: 'no', terminated: 'no', offset: 0, size: undefined, finish: undefined });
  }

  /** After so many events. */
  knownAt(count: number): Knowledge {
    const known = this.#known.findLast(({ at }) => at <= count);
    if (known === undefined) throw new Error('Before its beginning');
    return known.knowledge;
  }

  async create(declared: number | undefined, parts: readonly Life[] = []): Promise<void> {
    this.#know({ created: 'begun' });
    const ids = parts.map(({ id }) => id);
    const kind = { isPartial: this.source !== right, isFinal: parts.length > 0, parts: ids };
    const draft = {
      id: this.id,
      size: declared,
      metadata: {},
      finish: 'pending',
      ...kind,
    } as const;
    await this.#store.newUpload(draft);
    this.#know({ created: 'told', size: declared, finish: 'pending' });
  }

  async concatenate(parts: readonly Life[]): Promise<void> {
    const stores = parts.map(({ id }) => this.#store.getUpload(id));
    const infos = (await Promise.all(stores)).map((part) => part.getInfo());
    const upload = await this.#store.getUpload(this.id);
    await upload.concat?.(await Promise.all(infos));
    this.#know({ offset: this.source.length });
  }

  async append(end: number): Promise<void> {
    const { offset } = this.#now();
    const middle = (offset + end) >> 1;
    const upload = await this.#store.getUpload(this.id);
    await write(
      upload,
      offset,
      this.source.subarray(offset, middle),
      this.source.subarray(middle, end),
    );
    this.#know({ offset: end });
  }

  async appendVerified(end: number): Promise<void> {
    const { offset } = this.#now();
    const upload = await this.#store.getUpload(this.id);
    await upload.writeChunk(offset, bodyOf(this.source.subarray(offset, end)), {
      provisional: true,
    });
    await upload.commitChunk?.();
    this.#know({ offset: end });
  }

  async appendWrong(end: number): Promise<void> {
    const { offset } = this.#now();
    const upload = await this.#store.getUpload(this.id);
    await upload.writeChunk(offset, bodyOf(wrong.subarray(offset, end)), { provisional: true });
    await upload.discardChunk?.();
    this.#know({});
  }

  async declare(declared: number): Promise<void> {
    await (await this.#store.getUpload(this.id)).update({ size: declared });
    this.#know({ size: declared });
  }

  async finish(): Promise<void> {
    await (await this.#store.getUpload(this.id)).update({ finish: 'done' });
    this.#know({ finish: 'done' });
  }

  async terminate(): Promise<void> {
    this.#know({ terminated: 'begun' });
    await (await this.#store.getUpload(this.id)).terminate?.();
    this.#know({ terminated: 'told' });
  }

  #now(): Knowledge {
    return this.knownAt(Infinity);
  }

  #know(changes: Partial<Knowledge>): void {
    const before = this.#known.at(-1)?.knowledge;
    const first = { created: 'no', terminated: 'no', offset: 0, size: undefined } as const;
    const knowledge: Knowledge = { ...first, finish: undefined, ...before, ...changes };
    this.#known.push({ at: recorder.events.length, knowledge });
  }
}

async function write(upload: Upload, offset: number, ...pieces: Buffer[]): Promise<void> {
  const { error } = await upload.writeChunk(offset, bodyOf(...pieces));
  if (error !== undefined) throw error;
}

/** Everything that a store is asked for, one after the other. */
async function live(store: DataStore): Promise<Life[]> {
  const plain = new Life(store, newUploadId());
  const nested = new Life(store, `a/b/${newUploadId()}`);
  const verified = new Life(store, newUploadId());
  const parts = [right.subarray(0, 130), right.subarray(130)].map(
    (source) => new Life(store, newUploadId(), source),
  );
  const whole = new Life(store, newUploadId());
  const size = right.length;
  await plain.create(size);
  await plain.append(100);
  await nested.create(undefined);
  await nested.append(120);
  await plain.append(size);
  await plain.finish();
  await nested.declare(size);
  await nested.append(size);
  if (store.capabilities.provisionalChunks) {
    await verified.create(size);
    await verified.append(50);
    await verified.appendWrong(200);
    await verified.appendVerified(150);
    await verified.appendWrong(250);
    await verified.append(200);
    await verified.appendVerified(size);
  }
  if (store.capabilities.concatenation) {
    for (const part of parts) {
      await part.create(part.source.length);
      await part.append(part.source.length);
    }
    await whole.create(size, parts);
    await whole.concatenate(parts);
  }
  await plain.terminate();
  await nested.terminate();
  return [plain, nested, verified, ...parts, whole];
}

/** What all cuts in all moments came to, at least once each. */
async function damages(fsync: FsyncMode, kind: FileSystemKind): Promise<Map<Damage, string>> {
  const parent = await mkdtemp(join(tmpdir(), 'tuskd-power-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  const directory = join(parent, 'uploads');
  mkdirSync(directory);
  recorder.record(directory);
  const lives = await live(new FileStore({ directory, fsync }));
  recorder.stop();
  const found = new Map<Damage, string>();
  const seen = new Set<string>();
  const random = new Random(1);
  const survivals: Survival[] = ['none', 'all', 'names', 'bytes'];
  survivals.push(...Array.from({ length: draws }, () => random));
  for (let count = 0; count <= recorder.events.length; count += 1) {
    const known = lives.map((life) => life.knownAt(count));
    for (const survival of survivals) {
      const tree = afterPowerCut(recorder.events.slice(0, count), directory, kind, survival);
      // Most moments differ in nothing that anybody can see.
      const key = JSON.stringify([
        known,
        [...tree].map(([path, content]) => [path, Buffer.from(content).toString('latin1')]),
      ]);
      if (seen.has(key)) continue;
      seen.add(key);
      rmSync(directory, { recursive: true });
      mkdirSync(directory);
      makeTree(tree);
      const next = recorder.events[count]?.kind ?? 'the end';
      const name = typeof survival === 'string' ? survival : 'random';
      for (const [damage, id] of await damageIn(directory, lives, known)) {
        if (!found.has(damage)) found.set(damage, `${id}, before event ${count}, ${next}; ${name}`);
      }
    }
  }
  return found;
}

async function damageIn(
  directory: string,
  lives: readonly Life[],
  known: readonly Knowledge[],
): Promise<[Damage, string][]> {
  const damages: [Damage, string][] = [];
  for (const [index, life] of lives.entries()) {
    const knowledge = known[index];
    if (knowledge === undefined) throw new Error('A life that nobody knows');
    const found = await damageTo(life, knowledge, directory);
    damages.push(...found.map((damage): [Damage, string] => [damage, life.id]));
  }
  const names = await unlisted(directory);
  return [...damages, ...names.map((name): [Damage, string] => ['unlisted', name])];
}

async function damageTo(life: Life, known: Knowledge, directory: string): Promise<Damage[]> {
  const { source } = life;
  const isComplete = known.size === source.length && known.offset === source.length;
  const wasFinished = isComplete && known.terminated === 'no';
  let upload: Upload;
  try {
    upload = await new FileStore({ directory }).getUpload(life.id);
  } catch (error) {
    if (!isTusError(error, 'ERR_UPLOAD_NOT_FOUND')) return ['unreadable'];
    if (known.created !== 'told' || known.terminated !== 'no') return [];
    return wasFinished ? ['lost', 'unfinished'] : ['lost'];
  }
  if (known.created === 'no' || known.terminated === 'told') return ['returned'];
  if (known.terminated === 'begun') return [];
  const info = await upload.getInfo();
  const bytes = await read(upload, info.offset);
  const damage: Damage[] = [];
  const isShorter =
    info.offset < known.offset ||
    !bytes.subarray(0, known.offset).equals(source.subarray(0, known.offset)) ||
    (known.size !== undefined && info.size !== known.size) ||
    (known.finish === 'done' && info.finish !== 'done');
  if (isShorter) damage.push('shorter');
  if (isShorter && wasFinished) damage.push('unfinished');
  if (bytes.includes(255)) damage.push('wrong');
  if (bytes.subarray(known.offset).includes(0)) damage.push('garbage');
  return damage;
}

async function read(upload: Upload, end: number): Promise<Buffer> {
  const result = await upload.read?.({ start: 0, end });
  assert.ok(result && 'stream' in result);
  const pieces: Buffer[] = [];
  for await (const piece of result.stream) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function unlisted(directory: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of new FileStore({ directory }).list()) ids.push(id);
  return (
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
      // The locker's, and notes.
      .filter((name) => !name.startsWith('.tuskd/'))
      .filter((name) => !ids.some((id) => name === id || name.startsWith(`${id}.`)))
  );
}

describe('field 34: a power cut at any moment can come to', () => {
  interface Promised {
    readonly fsync: FsyncMode;
    readonly kind: FileSystemKind;
    /** Nothing else can. */
    readonly possible: readonly Damage[];
    /** Does, somewhere: or nothing would be shown by what does not. */
    readonly certain: readonly Damage[];
  }
  const unfinished = ['lost', 'shorter', 'returned'] as const;
  const all = [...unfinished, 'unfinished', 'unreadable', 'unlisted', 'wrong', 'garbage'] as const;
  const certain = ['lost', 'shorter', 'unfinished', 'unreadable', 'unlisted'] as const;
  const promises: readonly Promised[] = [
    { fsync: 'request', kind: 'journaled', possible: [], certain: [] },
    { fsync: 'request', kind: 'lawless', possible: ['garbage'], certain: ['garbage'] },
    {
      fsync: 'finish',
      kind: 'journaled',
      possible: [...unfinished, 'unlisted'],
      certain: unfinished,
    },
    {
      fsync: 'finish',
      kind: 'lawless',
      possible: [...unfinished, 'unlisted', 'garbage'],
      certain: unfinished,
    },
    { fsync: 'off', kind: 'journaled', possible: all, certain },
    { fsync: 'off', kind: 'lawless', possible: all, certain },
  ];
  it.each(promises)(
    '-fsync $fsync, $kind: $possible',
    { timeout: 120_000 },
    async ({ fsync, kind, possible, certain }) => {
      const found = await damages(fsync, kind);
      const where = [...found].map((entry) => entry.join(': ')).join('\n');
      const unexpected = [...found.keys()].filter((damage) => !possible.includes(damage));
      assert.deepEqual(unexpected, [], where);
      const missing = certain.filter((damage) => !found.has(damage));
      assert.deepEqual(missing, [], where);
    },
  );
});
