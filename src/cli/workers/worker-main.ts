import type { Server } from 'node:http';
import { Socket } from 'node:net';
import { limitYoungMemory } from '../limit-young-memory.js';
import { describeError } from '../log-values.js';
import { openLog } from '../open-log.js';
import { openStore } from '../open-store.js';
import { parseFlags } from '../parse-flags.js';
import { flushMs } from '../shutdown.js';
import { createUploadServer } from '../upload-server.js';
import { type FromWorker, isToWorker, replacesDead, workerNumber } from './worker-messages.js';

/** A process of `tuskd -workers`: serves the connections that the first process hands over. */
async function work(): Promise<void> {
  limitYoungMemory();
  // Ctrl-C, and a service manager's stop, reach every process. The first one says what is to be done.
  process.on('SIGINT', () => undefined).on('SIGTERM', () => undefined);
  const flags = parseFlags(process.argv.slice(2));
  const { logger, output } = openLog(flags);
  const opened = await openStore(flags, logger);
  const { http, close } = await createUploadServer(flags, logger, opened, {
    sweeps: process.env[workerNumber] === '1',
    completesWaiting: process.env[workerNumber] === '1' || process.env[replacesDead] === 'true',
  });
  // From this event on, Node looks after the timeouts and the idle connections of a server.
  http.emit('listening');

  async function finish(): Promise<void> {
    let exitCode = 0;
    try {
      await close();
    } catch (error) {
      process.stderr.write(`A worker failed to shutdown gracefully: ${describeError(error)}\n`);
      exitCode = 1;
    }
    await output.flush(flushMs);
    process.exit(exitCode);
  }

  let finished: Promise<void> | undefined;
  process.on('message', (message, handle) => {
    if (!isToWorker(message)) return;
    if (message.type === 'shutdown') finished ??= finish();
    else accept(http, message.id, handle);
  });
  process.once('disconnect', () => {
    // The first process is gone, and with it the listener and whoever would end this one.
    finished ??= finish();
    setTimeout(() => process.exit(1), flags.get('shutdown-timeout'));
  });
  tell({ type: 'ready' });
}

/** @param handle a socket, unless it was closed on its way */
function accept(http: Server, id: number, handle: unknown): void {
  tell({ type: 'accepted', id });
  if (!(handle instanceof Socket)) {
    tell({ type: 'closed' });
    return;
  }
  // As those that a server accepts itself: a client may end its side and still read the answer.
  handle.allowHalfOpen = true;
  handle.once('close', () => tell({ type: 'closed' }));
  http.emit('connection', handle);
}

function tell(message: FromWorker): void {
  // To a first process that is gone there is nothing to tell; the disconnect says so.
  process.send?.(message, undefined, undefined, () => undefined);
}

await work();
