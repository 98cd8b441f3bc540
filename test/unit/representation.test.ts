import { describe, expect, it } from 'vitest';
import { newUploadInfo } from '../../dist/core/upload.js';
import { representationOf } from '../../dist/protocol/representation.js';

const now = 1_700_000_000_000;
const draft = { size: 10, metadata: {}, isPartial: false, isFinal: false, parts: [] };

function uploadAt(offset: number, modifiedAt: number) {
  return { ...newUploadInfo(draft, { id: 'a', storage: {} }), offset, modifiedAt };
}

describe('representationOf', () => {
  it('says the second of the last write, and none that is still to come', () => {
    const times = [1_699_999_999_999.7, 1_700_000_000_500].map(
      (modifiedAt) => representationOf(uploadAt(10, modifiedAt), 'finished', now).modifiedAt,
    );
    expect(times).toEqual([1_699_999_999_000, now]);
  });

  it('has an ETag for every length and time', () => {
    const uploads = [0, 1, 10].flatMap((offset) =>
      [0, 1, now, now + 1, now + 5000].map((modifiedAt) => uploadAt(offset, modifiedAt)),
    );
    const etags = uploads.map((upload) => representationOf(upload, 'receiving', now).etag);
    expect(new Set(etags).size).toBe(uploads.length);
    for (const etag of etags) expect(etag).toMatch(/^"[\da-z-]+"$/);
  });

  it('is whole once no more bytes will come, though a step may be left to do', () => {
    const isWhole = (['receiving', 'finishing', 'finished'] as const).map(
      (state) => representationOf(uploadAt(10, now), state, now).isWhole,
    );
    expect(isWhole).toEqual([false, true, true]);
  });
});
