import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadJob } from '../load/load-job.js';
import type { Meter } from '../load/meter.js';
import { runJob } from '../load/run-job.js';

/**
 * Writes what a load would send, into the same directory and with nothing between: what the file system and the kernel
 * alone cost. A load process for a server that is not there.
 */
const [, , directory = ''] = process.argv;
const blockBytes = 1024 * 1024;
const block = randomFillSync(Buffer.alloc(blockBytes));

async function write(job: LoadJob, meter: Meter): Promise<void> {
  if (job.durationMs === 0) {
    for (let file = 0; file < job.connections; file += 1) await writeFile(job.bytes, meter);
  } else if (job.kind === 'create') {
    while (meter.running) await writeFile(job.bytes, meter);
  } else {
    const file = create();
    while (meter.running) await meter.time(job.bytes, async () => writeAll(file, job.bytes));
    closeSync(file);
  }
}

function writeFile(bytes: number, meter: Meter): Promise<void> {
  return meter.time(bytes, async () => {
    const file = create();
    writeAll(file, bytes);
    closeSync(file);
  });
}

let files = 0;

function create(): number {
  return openSync(join(directory, String((files += 1))), 'wx');
}

function writeAll(file: number, bytes: number): void {
  for (let left = bytes; left > 0; left -= blockBytes) {
    writeSync(file, block, 0, Math.min(left, blockBytes));
  }
}

await runJob(async (job) => (meter) => write(job, meter));
