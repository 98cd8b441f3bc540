// A process of its own with file lockers in it, told by messages what to do. See lock-process.ts.
import { appendFileSync } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { FileLocker } from '../../dist/lockers/file/file-locker.js';

const locks = new Map();
let locker;

const commands = {
  open(options) {
    locker = new FileLocker(options);
  },
  async lock({ id, letGo }) {
    const wished = () => {
      process.send({ asked: id });
      if (letGo) void locks.get(id).unlock();
    };
    const signal = new AbortController().signal;
    locks.set(id, await locker.lock(id, { signal, requestRelease: wished }));
  },
  unlock({ id }) {
    return locks.get(id).unlock();
  },
  close() {
    return locker.close();
  },
  /** Lets a crowd, each on a locker of its own or all on one, take one lock; counts who was not alone with it. */
  async contend({ options, id, crowd, lockers, witness }) {
    const places = Array.from({ length: lockers }, () => new FileLocker(options));
    let collisions = 0;
    const visit = async (place) => {
      const signal = AbortSignal.timeout(60_000);
      const lock = await place.lock(id, { signal, requestRelease: () => undefined });
      try {
        await (await open(witness, 'wx')).close();
        await unlink(witness);
      } catch {
        collisions++;
      }
      await lock.unlock();
    };
    await Promise.all(Array.from({ length: crowd }, (_, n) => visit(places[n % lockers])));
    await Promise.all(places.map((place) => place.close()));
    return collisions;
  },
  /** Takes one lock again and again until it is killed. A socket that goes with its process shows who is not alone. */
  haunt({ options, id, socket, diary }) {
    const place = new FileLocker(options);
    const visit = async () => {
      const lock = await place.lock(id, {
        signal: new AbortController().signal,
        requestRelease: () => undefined,
      });
      const server = createServer();
      const alone = await new Promise((resolve) => {
        server.once('error', () => resolve(false));
        server.listen({ path: socket, exclusive: true }, () => resolve(true));
      });
      appendFileSync(diary, alone ? '.' : '!');
      if (alone) await new Promise((resolve) => server.close(resolve));
      await lock.unlock();
    };
    const haunting = async () => {
      for (;;) await visit();
    };
    haunting().catch((error) => appendFileSync(diary, String(error)));
  },
};

process.on('disconnect', () => process.exit());
process.on('message', (message) => void answer(message));

async function answer({ call, command, argument }) {
  try {
    process.send({ call, result: await commands[command](argument) });
  } catch (error) {
    process.send({ call, error: String(error) });
  }
}
