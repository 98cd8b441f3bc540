import { describe, expect, it } from 'vitest';
import { checksumText } from '../protocol/checksums.js';
import { useCommands } from './command-helper.js';
import { HalfSent } from './half-sent.js';

const size = 2_000_000;
const content = Buffer.alloc(size, 'x');
const value = checksumText('sha256', content);
const headers = { 'Tus-Resumable': '1.0.0' };

describe('a server that is killed in the middle of a checksummed chunk', () => {
  const start = useCommands();

  it.each([['-workers=1'], ['-workers=2']])(
    'D-5: tells the offset before it once it is back, and takes it again, with %s',
    async (workers) => {
      const killed = await start({ args: [workers] });
      const half = await HalfSent.begin(killed, size, 1_500_000, [`Upload-Checksum: ${value}`]);
      await killed.stop('SIGKILL');
      const { directory } = killed;
      const { url } = await start({ args: [workers], directory });
      const location = new URL(half.location.split('/').at(-1) ?? '', url);
      const found = await fetch(location, { method: 'HEAD', headers });
      expect(found.headers.get('Upload-Offset')).toBe('0');
      const again = await fetch(location, {
        method: 'PATCH',
        headers: {
          ...headers,
          'Content-Type': 'application/offset+octet-stream',
          'Upload-Offset': '0',
          'Upload-Checksum': value,
        },
        body: content,
      });
      expect([again.status, again.headers.get('Upload-Offset')]).toEqual([204, String(size)]);
    },
  );
});
