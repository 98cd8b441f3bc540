import { describe, expect, it } from 'vitest';
import { objectKeyTemplate, placeByTemplate } from '../../dist/cli/s3/object-key-template.js';

function keyFor(template: string, filename?: string, prefix = ''): string | undefined {
  const metadata = filename === undefined ? {} : { filename };
  const place = placeByTemplate(prefix, objectKeyTemplate.parse(template));
  return place({ id: 'ID', size: 1, metadata, isPartial: false, isFinal: false, parts: [] }).key;
}

describe('a template for keys', () => {
  it('is filled with the date, the ID and the name of the file', () => {
    const [day = ''] = new Date().toISOString().split('T');
    const path = day.replaceAll('-', '/');
    expect(keyFor('{yyyy}/{mm}/{dd}/{id}/{filename}', 'a.txt', 'in/')).toBe(`in/${path}/ID/a.txt`);
    expect(keyFor('up-{id}.bin')).toBe('up-ID.bin');
  });

  it.each([
    [undefined, 'unnamed'],
    ['', 'unnamed'],
    ['..', 'unnamed'],
    ['.hidden', 'hidden'],
    ['../../etc/passwd', '_.._etc_passwd'],
    ['a\\b?c#d%e&f+g', 'a_b_c_d_e_f_g'],
    ['a\u0000\n\u202eb', 'a___b'],
    ['Übung (2).PDF', 'Übung (2).PDF'],
    ['e\u0301', '\u00e9'],
  ])('makes one harmless name of %j', (filename, name) => {
    expect(keyFor('{filename}', filename)).toBe(name);
  });

  it('leaves no name that would be taken for a record of an upload', () => {
    expect(keyFor('{filename}', 'x.info')).toBe('x.info_');
    expect(keyFor('{filename}', 'x.PART')).toBe('x.PART_');
    expect(keyFor('{id}.info')).toBe('ID.info_');
    expect(keyFor('{filename}', '.tuskd')).toBe('tuskd');
  });

  it('shortens a long name, and keeps its extension', () => {
    const name = keyFor('{filename}', `${'ä'.repeat(300)}.tar.gz`) ?? '';
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
    expect(name).toMatch(/^ä{90,}\.tar\.gz$/);
  });

  it.each([
    ['{name}', /^\{name\} is none of \{yyyy\}, \{mm\}, \{dd\}, \{id\}, \{filename\}$/],
    ['{yyyy}', /^must contain \{id\} or \{filename\}/],
    ['/{id}', /^must be a path of names/],
    ['a//{id}', /^must be a path of names/],
    ['../{id}', /^must be a path of names/],
    ['.tuskd/{id}', /^must be a path of names/],
    ['{id', /^must contain/],
    ['{id}{', /^may have letters, digits/],
    ['ä{id}', /^may have letters, digits/],
  ])('cannot be %j', (template, reason) => {
    expect(() => objectKeyTemplate.parse(template)).toThrow(reason);
  });
});
