import type { PlaceObject } from '../../stores/s3/create-upload.js';
import { type FlagKind, FlagValueError } from '../flag-kinds.js';

/** Bytes of a file name that become part of a key: every provider takes as many between two slashes. */
const maxNameBytes = 200;

/** What a template may contain, and what stands for it in a key. Dates are UTC. */
const fillers: Readonly<Record<string, (upload: Upload) => string>> = {
  yyyy: ({ time }) => time.toISOString().slice(0, 4),
  mm: ({ time }) => time.toISOString().slice(5, 7),
  dd: ({ time }) => time.toISOString().slice(8, 10),
  id: ({ id }) => id,
  filename: ({ filename }) => safeName(filename),
};

interface Upload {
  readonly id: string;
  readonly filename: string;
  readonly time: Date;
}

const placeholder = /\{([^{}]*)\}/g;
/** A key with such an end would be taken for a record, and its content for ours. */
const reservedEnd = /\.(?:info|part)$/i;

/** A template for keys; empty for none. */
export const objectKeyTemplate: FlagKind<string> = {
  placeholder: 'template',
  parse(template) {
    if (template === '') return template;
    const names = Array.from(template.matchAll(placeholder), ([, name = '']) => name);
    const unknown = names.find((name) => !Object.hasOwn(fillers, name));
    if (unknown !== undefined) {
      const known = Object.keys(fillers).map((name) => `{${name}}`);
      throw new FlagValueError(`{${unknown}} is none of ${known.join(', ')}`);
    }
    if (!names.includes('id') && !names.includes('filename')) {
      throw new FlagValueError('must contain {id} or {filename}: all uploads would have one key');
    }
    const literal = template.replaceAll(placeholder, 'x');
    if (!/^[\w!.*'()/-]+$/.test(literal)) {
      throw new FlagValueError("may have letters, digits and !-_.*'()/ around its placeholders");
    }
    if (literal.split('/').some((name) => /^\.*$/.test(name)) || /^\.tuskd/i.test(literal)) {
      throw new FlagValueError('must be a path of names, not in .tuskd');
    }
    return template;
  },
};

/** Places objects in the folder `prefix` as the template says. */
export function placeByTemplate(prefix: string, template: string): PlaceObject {
  return ({ id = '', metadata }) => {
    const upload = { id, filename: metadata['filename'] ?? '', time: new Date() };
    const path = template.replaceAll(
      placeholder,
      (_, name: string) => fillers[name]?.(upload) ?? '',
    );
    return { key: `${prefix}${reservedEnd.test(path) ? `${path}_` : path}` };
  };
}

/** What a client calls a file, as one name of a key: nothing in it is a folder, or has a meaning to a shell or a URL. */
function safeName(filename: string): string {
  const name = filename
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{M}\p{N}._() -]/gu, '_')
    .replaceAll(/^[. ]+|[. ]+$/g, '');
  return name === '' ? 'unnamed' : shorten(name);
}

/** Cuts the middle out, so that the extension stays. */
function shorten(name: string): string {
  const characters = Array.from(name);
  while (Buffer.byteLength(characters.join('')) > maxNameBytes) {
    characters.splice(Math.max(characters.length - 20, 0), 1);
  }
  return characters.join('');
}
