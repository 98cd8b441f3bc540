import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import type { ResumeOptions } from './run-resume.js';

export const usage = `npm run resume -- [flags]
  --size 64MiB      bytes to upload; also KiB, GiB
  --chunk 1MiB      bytes of a request; all in one request by default
  --defer           tell the length at the end; with chunks of 4 MiB if --chunk does not say otherwise
  --servers 1       processes on one directory; each request goes to one of them at random
  --faults 20       aborts, resets, silences, SIGKILLs and SIGTERMs, as many of each
  --seed N          the same bytes and faults again; random by default
  --dir DIR         where source and uploads are kept for the time; the system's temporary folder by default
  --command CMD     a server with tusd's flags to test instead of the built one`;

/** Reads the command line. @throws Error with a sentence for the user */
export function parseOptions(args: readonly string[]): Omit<ResumeOptions, 'signal'> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      size: { type: 'string', default: '64MiB' },
      chunk: { type: 'string' },
      defer: { type: 'boolean', default: false },
      servers: { type: 'string', default: '1' },
      faults: { type: 'string', default: '20' },
      seed: { type: 'string' },
      dir: { type: 'string', default: tmpdir() },
      command: { type: 'string' },
    },
  });
  const chunk = values.chunk ?? (values.defer ? '4MiB' : undefined);
  return {
    size: parseSize(values.size),
    chunkSize: chunk === undefined ? undefined : parseSize(chunk),
    deferLength: values.defer,
    servers: parseCount(values.servers),
    faults: parseCount(values.faults),
    seed: values.seed === undefined ? undefined : parseCount(values.seed),
    directory: values.dir,
    command: values.command?.split(' '),
  };
}

const units = { '': 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

function parseSize(text: string): number {
  const match = /^(\d+)(|B|KiB|MiB|GiB)$/.exec(text);
  const unit = Object.entries(units).find(([name]) => name === match?.[2])?.[1];
  const size = Number(match?.[1]) * (unit ?? Number.NaN);
  if (Number.isSafeInteger(size) && size > 0) return size;
  throw new Error(`Not a size: ${text}`);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw new Error(`Not a number: ${text}`);
}
