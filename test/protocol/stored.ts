import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What an info file may say; every key is optional here. */
export interface StoredKeys {
  readonly Size?: number;
  readonly SizeIsDeferred?: boolean;
  readonly IsPartial?: boolean;
  readonly IsFinal?: boolean;
  readonly PartialUploads?: readonly string[];
  readonly MetaData?: Readonly<Record<string, string>>;
  readonly Storage?: Readonly<Record<string, string>>;
  /** What tusd does not know and does not write. */
  readonly Tuskd?: Readonly<Record<string, unknown>>;
}

/** Puts an info file in an upload directory as tusd writes it: five bytes expected unless `keys` says otherwise. */
export async function writeInfo(
  directory: string,
  id: string,
  keys: StoredKeys = {},
): Promise<void> {
  const info = {
    ID: id,
    Size: 5,
    SizeIsDeferred: false,
    Offset: 0,
    MetaData: {},
    IsPartial: false,
    IsFinal: false,
    PartialUploads: null,
    Storage: {
      Type: 'filestore',
      Path: join(directory, id),
      InfoPath: join(directory, `${id}.info`),
    },
    ...keys,
  };
  await writeFile(join(directory, `${id}.info`), JSON.stringify(info));
}

/** Puts a whole upload in an upload directory as tusd writes it. */
export async function writeStored(
  directory: string,
  id: string,
  content: string,
  keys: StoredKeys = {},
): Promise<void> {
  await writeFile(join(directory, id), content);
  await writeInfo(directory, id, keys);
}
