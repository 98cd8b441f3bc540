import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { findGaps } from '../../scripts/conformance/find-gaps.js';

const root = resolve(import.meta.dirname, '../..');

it('every demand of the protocol, and what has broken elsewhere, has its test, and the page tells of them', () => {
  expect(findGaps(root)).toEqual([]);
});
