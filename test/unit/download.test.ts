import { describe, expect, it } from 'vitest';
import { downloadHeaders } from '../../dist/protocol/download.js';

describe('downloadHeaders', () => {
  it.each([
    [{}, 'application/octet-stream', 'attachment'],
    [{ filetype: '' }, 'application/octet-stream', 'attachment'],
    [{ filetype: 'image/png' }, 'image/png', 'inline'],
    [{ filetype: 'Image/PNG' }, 'Image/PNG', 'inline'],
    [{ filetype: 'text/plain; charset=utf-8' }, 'text/plain; charset=utf-8', 'inline'],
    [{ filetype: 'text/html' }, 'text/html', 'attachment'],
    [{ filetype: 'image/svg+xml' }, 'image/svg+xml', 'attachment'],
    [{ filetype: 'text/plain, text/html' }, 'application/octet-stream', 'attachment'],
    [{ filetype: 'image/png\r\nX: y' }, 'application/octet-stream', 'attachment'],
    [{ filetype: 'image/png;' }, 'application/octet-stream', 'attachment'],
    [{ filetype: 'słowo/png' }, 'application/octet-stream', 'attachment'],
  ])('%j', (metadata, type, disposition) => {
    expect(downloadHeaders(metadata)).toEqual({
      'Content-Type': type,
      'Content-Disposition': disposition,
    });
  });

  it.each([
    ['a.txt', '; filename="a.txt"'],
    ['a b.txt', '; filename="a b.txt"'],
    ['słońce.txt', `; filename="s_o_ce.txt"; filename*=UTF-8''s%C5%82o%C5%84ce.txt`],
    ['a"b\\c', `; filename="a_b_c"; filename*=UTF-8''a%22b%5Cc`],
    ["it's (1)*", `; filename="it's (1)*"`],
    ["it's ☀", `; filename="it's _"; filename*=UTF-8''it%27s%20%E2%98%80`],
    ['a\r\nb', `; filename="a__b"; filename*=UTF-8''a%0D%0Ab`],
    ['😀', `; filename="__"; filename*=UTF-8''%F0%9F%98%80`],
    ['\ud800', `; filename="_"; filename*=UTF-8''%EF%BF%BD`],
    ['', ''],
  ])('the file name %j', (filename, parameters) => {
    const { 'Content-Disposition': disposition } = downloadHeaders({ filename });
    expect(disposition).toBe(`attachment${parameters}`);
  });
});
