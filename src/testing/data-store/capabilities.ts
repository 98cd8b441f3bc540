import assert from 'node:assert/strict';
import type { StoreCapabilities, Upload } from '../../core/data-store.js';
import { create } from './fixtures.js';
import type { Suite } from './suite.js';

const methods = {
  terminate: 'termination',
  read: 'reading',
  concat: 'concatenation',
  noteAwaitedBy: 'concatenation',
  awaitedBy: 'concatenation',
  commitChunk: 'provisionalChunks',
  discardChunk: 'provisionalChunks',
  finish: 'finishing',
} as const satisfies Partial<Record<keyof Upload, keyof StoreCapabilities>>;

export function defineCapabilities(suite: Suite): void {
  suite.theme('capabilities', () => {
    suite.test('are those that the suite was told', async ({ store }) => {
      assert.deepEqual({ ...store.capabilities }, { ...suite.capabilities });
    });

    for (const method of [
      'terminate',
      'read',
      'concat',
      'noteAwaitedBy',
      'awaitedBy',
      'commitChunk',
      'discardChunk',
      'finish',
    ] as const) {
      const capable = suite.capabilities[methods[method]];
      suite.test(`${capable ? 'come with' : 'come without'} ${method}()`, async (trial) => {
        const made = await create(trial);
        const found = await trial.store.getUpload(made.id);
        for (const upload of [made, found]) {
          assert.equal(typeof upload[method], capable ? 'function' : 'undefined');
        }
      });
    }
  });
}
