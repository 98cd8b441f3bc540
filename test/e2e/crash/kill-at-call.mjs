// Loaded into a server (`--import`): kills it, as `kill -9` does, at a planned call to its file system or to S3, counted from
// its first request on. From outside, nobody can hit between two calls on purpose.
import diagnostics from 'node:diagnostics_channel';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** At which call. */
const fatalCall = Number(process.env.TUSKD_CRASH_CALL ?? Infinity);
/** Whether that one, if it writes, still writes half of its bytes. */
const isTorn = process.env.TUSKD_CRASH_TORN === 'true';

let calls = 0;
let counts = false;

/** @param {() => void} [leaveHalf] */
function count(leaveHalf) {
  if (!counts || ++calls !== fatalCall) return;
  if (isTorn) leaveHalf?.();
  process.kill(process.pid, 'SIGKILL');
}

function wrap(owner, name, before) {
  const original = owner[name];
  owner[name] = function (...args) {
    before(...args);
    return original.apply(this, args);
  };
}

const { O_CREAT, O_TRUNC } = fs.constants;
const { writevSync } = fs;

function beforeOpen(_path, flags) {
  const makes =
    typeof flags === 'number' ? (flags & (O_CREAT | O_TRUNC)) !== 0 : /[wax]/.test(flags);
  if (makes) count();
}

function beforeWrite(descriptor, data, position) {
  if (descriptor <= 2) return; // The log.
  count(() => {
    if (!Array.isArray(data)) return;
    const bytes = Buffer.concat(data);
    writevSync(descriptor, [bytes.subarray(0, Math.ceil(bytes.length / 2))], position);
  });
}

const changing = [
  'link',
  'rename',
  'unlink',
  'mkdir',
  'rmdir',
  'truncate',
  'copyFile',
  'writeFile',
];
for (const name of changing) {
  for (const owner of [fs, fs.promises]) wrap(owner, name, () => count());
  wrap(fs, `${name}Sync`, () => count());
}
for (const name of ['ftruncate', 'fsync', 'fdatasync']) {
  wrap(fs, name, () => count());
  wrap(fs, `${name}Sync`, () => count());
}
for (const owner of [fs, fs.promises]) wrap(owner, 'open', beforeOpen);
wrap(fs, 'openSync', beforeOpen);
for (const name of ['write', 'writeSync', 'writev', 'writevSync']) wrap(fs, name, beforeWrite);
// node:fs/promises is an object of its own only in name.
syncBuiltinESMExports();

diagnostics.subscribe('http.server.request.start', () => (counts = true));
// To S3: before a request goes out, and when S3 has done it but nobody here knows.
diagnostics.subscribe('http.client.request.start', () => count());
diagnostics.subscribe('http.client.response.finish', () => count());

// A test that is killed itself cannot end it.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), 1000).unref();
