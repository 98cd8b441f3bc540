import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Random } from '../e2e/resume/random.js';
import type { DiskEvent } from './disk-recorder.js';

/**
 * What a file system may do with what it was not told to keep.
 *
 * - `journaled`: names survive in the order in which they were made and removed, up to some point, and of each file what
 *   was written first. As with ext4 (`data=ordered`), XFS and btrfs: names are journaled, and a file's size follows its bytes.
 *   Names and bytes are apart, so a file may have its name and none of its bytes.
 * - `lawless`: whatever POSIX does not forbid. Any name may survive without those before it, and a file's size without its
 *   bytes, which are zeros then.
 */
export type FileSystemKind = 'journaled' | 'lawless';

/** Which of the events that were not synced survive. */
export type Survival = 'none' | 'all' | 'names' | 'bytes' | Random;

type DataEvent = Extract<DiskEvent, { kind: 'write' | 'truncate' }>;
type NameEvent = Extract<
  DiskEvent,
  { kind: 'make-file' | 'link' | 'rename' | 'unlink' | 'make-folder' | 'remove-folder' }
>;

/** Files with their bytes and folders, by path; folders come before what is in them. */
export type Tree = ReadonlyMap<string, Buffer | 'folder'>;

/** What is below `directory` after a power cut behind `events`. */
export function afterPowerCut(
  events: readonly DiskEvent[],
  directory: string,
  kind: FileSystemKind,
  survival: Survival,
): Tree {
  const names = survivingNames(events, kind, survival);
  const tree = new Map<string, Buffer | 'folder'>();
  for (const [path, inode] of [...names].toSorted(([one], [other]) => one.length - other.length)) {
    // What lies in a folder whose own name is lost cannot be reached.
    const parent = dirname(path);
    if (parent !== directory && tree.get(parent) !== 'folder') continue;
    const isFolder = inode === 'folder';
    tree.set(path, isFolder ? inode : survivingBytes(events, inode, kind, survival));
  }
  return tree;
}

/** Makes those files and folders, in a directory that is empty. */
export function makeTree(tree: Tree): void {
  for (const [path, content] of tree) {
    if (content === 'folder') mkdirSync(path);
    else writeFileSync(path, content);
  }
}

function survivingNames(
  events: readonly DiskEvent[],
  kind: FileSystemKind,
  survival: Survival,
): Map<string, number | 'folder'> {
  const synced = new Map<string, number>();
  for (const [index, event] of events.entries()) {
    if (event.kind === 'sync-folder') synced.set(event.path, index);
  }
  const isSynced = (index: number, { path }: NameEvent): boolean =>
    index < (synced.get(dirname(path)) ?? -1);
  const named = [...events.entries()].flatMap(([index, event]) =>
    isNameEvent(event) ? [{ event, isSynced: isSynced(index, event) }] : [],
  );
  // A journal that has kept one name has kept all before it.
  const kept = kind === 'journaled' ? named.findLastIndex((name) => name.isSynced) : -1;
  const keep = chooser(kind, survival, survival === 'names');
  const names = new Map<string, number | 'folder'>();
  for (const [position, { event, isSynced }] of named.entries()) {
    if (isSynced || position < kept || keep()) applyName(names, event);
  }
  return names;
}

function applyName(names: Map<string, number | 'folder'>, event: NameEvent): void {
  switch (event.kind) {
    case 'make-file':
    case 'link':
      names.set(event.path, event.inode);
      break;
    case 'rename':
      names.delete(event.from);
      names.set(event.path, event.inode);
      break;
    case 'make-folder':
      names.set(event.path, 'folder');
      break;
    case 'unlink':
    case 'remove-folder':
      names.delete(event.path);
  }
}

function survivingBytes(
  events: readonly DiskEvent[],
  inode: number,
  kind: FileSystemKind,
  survival: Survival,
): Buffer {
  const synced = events.findLastIndex(
    (event) => event.kind === 'sync-file' && event.inode === inode,
  );
  const keep = chooser(kind, survival, survival === 'bytes');
  let content: Buffer = Buffer.alloc(0);
  for (const [index, event] of events.entries()) {
    if (!isDataEvent(event) || event.inode !== inode) continue;
    if (index < synced || keep()) content = applyData(content, event);
    else if (event.kind === 'write') content = applyHalf(content, event, kind, survival);
  }
  return content;
}

/** Of a write that does not survive, something may have reached the disk all the same. */
function applyHalf(
  content: Buffer,
  event: Extract<DataEvent, { kind: 'write' }>,
  kind: FileSystemKind,
  survival: Survival,
): Buffer {
  if (typeof survival === 'string') {
    if (kind === 'journaled' || survival !== 'names') return content;
    return applyData(content, { ...event, bytes: Buffer.alloc(event.bytes.length) });
  }
  const length = survival.below(event.bytes.length + 1);
  // The order of the writes is kept: nothing lies behind what is not there.
  if (kind === 'journaled')
    return content.length < event.position || survival.below(2) === 0
      ? content
      : applyData(content, { ...event, bytes: event.bytes.subarray(0, length) });
  const zeros = Buffer.alloc(event.bytes.length);
  event.bytes.copy(zeros, 0, 0, survival.below(2) === 0 ? 0 : length);
  return survival.below(2) === 0 ? content : applyData(content, { ...event, bytes: zeros });
}

function applyData(content: Buffer, event: DataEvent): Buffer {
  const end = event.kind === 'write' ? event.position + event.bytes.length : event.size;
  const size = event.kind === 'write' ? Math.max(content.length, end) : end;
  const grown = Buffer.alloc(size);
  content.copy(grown);
  if (event.kind === 'write') event.bytes.copy(grown, event.position);
  return grown;
}

/** Says of one event after the other whether it survives. A journal, once it has lost one, has lost all behind it. */
function chooser(kind: FileSystemKind, survival: Survival, keepsThese: boolean): () => boolean {
  if (typeof survival === 'string') return () => survival === 'all' || keepsThese;
  let isLost = false;
  const share = survival.below(4);
  return () => {
    const isKept = survival.below(4) >= share && !isLost;
    if (kind === 'journaled' && !isKept) isLost = true;
    return isKept;
  };
}

function isNameEvent(event: DiskEvent): event is NameEvent {
  return 'path' in event && event.kind !== 'sync-folder';
}

function isDataEvent(event: DiskEvent): event is DataEvent {
  return event.kind === 'write' || event.kind === 'truncate';
}
