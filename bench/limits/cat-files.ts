import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runJob } from '../load/run-job.js';

/** Puts four files together with `cat`, in the directory of the uploads. A load process for a server that is not there. */
const [, , directory = ''] = process.argv;
const run = promisify(execFile);

await runJob(async ({ bytes }) => {
  const content = randomFillSync(Buffer.alloc(bytes / 4));
  const files = [1, 2, 3, 4].map((number) => join(directory, `part-${number}`));
  for (const file of files) writeFileSync(file, content);
  const script = 'cat "$1" "$2" "$3" "$4" > "$5"';
  return (meter) =>
    meter.time(bytes, async () => {
      await run('sh', ['-c', script, 'sh', ...files, join(directory, 'whole')]);
    });
});
