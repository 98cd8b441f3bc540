import { describe, expect, it, onTestFinished } from 'vitest';
import type { StoredItem } from '../../dist/core/data-store.js';
import type { S3Api } from '../../dist/stores/s3/s3-api.js';
import type { S3Store } from '../../dist/stores/s3/s3-store.js';
import { useS3 } from '../services/use-s3.js';
import { aroundS3 } from './around-s3.js';
import {
  append,
  completeFrom,
  fileOf,
  infoIn,
  keyOf,
  MiB,
  newUpload,
  openBed,
  plainDraft,
} from './s3-bed.js';
import { tusdUpload } from './tusd-upload.js';

const s3 = useS3();

async function listed(store: S3Store): Promise<StoredItem[]> {
  const items: StoredItem[] = [];
  for await (const item of store.list()) items.push(item);
  return items;
}

describe('field 24: a list of uploads', () => {
  it('has ours and tusd’s, and nobody else’s', async () => {
    const bed = await openBed(s3());
    const store = bed.store();
    const begun = await newUpload(store, 2 * MiB);
    await append(store, begun, 0, fileOf(MiB));
    const finished = await newUpload(store, MiB);
    await completeFrom(store, finished, fileOf(MiB));
    const tusds = await tusdUpload(bed, { size: MiB, parts: [], tail: fileOf(100) });
    const foreign = {
      'photo.jpg': 'a photo',
      'notes.info': 'some notes',
      'list.info': '[1, 2]',
      'other.info': JSON.stringify({ ID: 'other', Size: 1 }),
      'copied.info': (await bed.object(`${keyOf(finished)}.info`)).toString(),
      'x.part': 'a part of x',
      '.tuskd/x': 'no piece',
    };
    for (const [Key, Body] of Object.entries(foreign)) {
      await bed.direct.putObject({ Bucket: bed.bucket, Key, Body });
    }
    await bed.direct.createMultipartUpload({ Bucket: bed.bucket, Key: 'foreign' });
    const items = await listed(store);
    expect(items.map(({ id }) => id).sort()).toEqual([begun, finished, tusds].sort());
    expect(items.every(({ kind }) => kind === 'upload')).toBe(true);
    for (const { id } of items) await (await store.getUpload(id)).terminate?.();
    expect(await listed(store)).toEqual([]);
    expect(await bed.keys()).toEqual(Object.keys(foreign).sort());
    expect(await bed.multiparts()).toBe(1);
  });

  it('costs one call for each finished upload', async () => {
    const bed = await openBed(s3());
    const ids = [await newUpload(bed.freshStore(), 1), await newUpload(bed.freshStore(), 1)];
    for (const id of ids) await completeFrom(bed.freshStore(), id, fileOf(1));
    expect(await listed(bed.store())).toHaveLength(2);
    expect(bed.proxy.operations.toSorted()).toEqual(['GetObject', 'GetObject', 'ListObjectsV2']);
  });

  it('has a record whose multipart upload was aborted, as an orphan', async () => {
    const bed = await openBed(s3());
    const id = await newUpload(bed.store(), MiB);
    const [Key = '', UploadId = ''] = id.split('+');
    await bed.direct.abortMultipartUpload({ Bucket: bed.bucket, Key, UploadId });
    expect(await listed(bed.store())).toMatchObject([{ id, kind: 'orphan' }]);
  });
});

describe('field 25: what an upload is called', () => {
  const metadata = {
    filename: 'słońce ☀️\r\nX-Injected: 1.txt',
    filetype: 'image/svg+xml',
    empty: '',
    spaces: '  a   b  ',
    'odd!#$%&*+-.^_`|~': 'odd',
    'Größe & co': 'a key that is no name of a header',
    constructor: 'a name that objects have',
    long: 'x'.repeat(4000),
  };

  it('stays as it is in its record, and becomes what S3 takes in its object', async () => {
    const bed = await openBed(s3());
    const store = bed.store();
    const { id } = await store.newUpload({ ...plainDraft, metadata, size: 1 });
    await completeFrom(store, id, fileOf(1));
    expect({ ...(await infoIn(bed.freshStore(), id)).metadata }).toEqual(metadata);
    const found = await bed.direct.headObject({ Bucket: bed.bucket, Key: keyOf(id) });
    expect(found.ContentType).toBe('image/svg+xml');
    expect(found.Metadata).toMatchObject({
      filename: 's?o?ce ????X-Injected: 1.txt',
      filetype: 'image/svg+xml',
      'odd!#$%&*+-.^_`|~': 'odd',
      constructor: 'a name that objects have',
    });
    expect(Object.keys(found.Metadata ?? {})).not.toContain('long');
  });

  it.each([
    "a-b_c.~!$&'()*,;=:@",
    'folder/in/folder/file.txt',
    'a,b/c;d=e&f',
    'x'.repeat(180),
    '%41',
  ])('can be %s', async (wish) => {
    const bed = await openBed(s3());
    const store = bed.store();
    const file = fileOf(6 * MiB);
    const made = await store
      .newUpload({ ...plainDraft, id: wish, size: file.byteLength })
      .catch((error: unknown) => error);
    if (wish === '%41') return expect(made).toMatchObject({ code: 'ERR_INVALID_UPLOAD_ID' });
    const id = made instanceof Error ? expect.fail(made.message) : `${wish}+`;
    const [found] = await listed(store);
    expect(found?.id.startsWith(id)).toBe(true);
    const real = found?.id ?? '';
    await append(store, real, 0, file.subarray(0, 100));
    await completeFrom(bed.freshStore(), real, file);
    expect((await bed.object(wish)).equals(file)).toBe(true);
    const whole = await newUpload(store, 2 * file.byteLength);
    const part = await infoIn(store, real);
    await (await store.getUpload(whole)).concat?.([part, part]);
    await (await store.getUpload(whole)).finish?.();
    expect((await bed.object(keyOf(whole))).equals(Buffer.concat([file, file]))).toBe(true);
    await (await store.getUpload(real)).terminate?.();
    expect(await bed.keys()).toEqual([keyOf(whole), `${keyOf(whole)}.info`].sort());
  });
});

it('fails where an upload cannot be looked at while the next page is waited for', async () => {
  const bed = await openBed(s3());
  for (let count = 0; count < 3; count++) await newUpload(bed.freshStore(), 1);
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', onUnhandled);
  onTestFinished(() => void process.off('unhandledRejection', onUnhandled));
  const { direct } = bed;
  let refuse: () => void = () => undefined;
  const refused = new Promise<void>((resolve) => (refuse = resolve));
  const api: S3Api = {
    ...aroundS3(direct, (_, run) => run()),
    async getObject() {
      // By then Node has looked who handles it.
      setImmediate(() => setImmediate(refuse));
      throw Object.assign(new Error('no'), { $metadata: { httpStatusCode: 403 } });
    },
    async listObjectsV2(input, options) {
      if (input.ContinuationToken !== undefined) await refused;
      return direct.listObjectsV2({ ...input, MaxKeys: 1 }, options);
    },
  };
  await expect(listed(bed.freshStore({ api }))).rejects.toThrow('no');
  expect(unhandled).toEqual([]);
});
