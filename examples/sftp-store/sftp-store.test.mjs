// @ts-check
import { after, describe, it } from 'node:test';
import { describeDataStore } from 'tuskd/testing';
import { directory, sftp } from './environment.mjs';
import { sftpStore } from './sftp-store.mjs';

const { capabilities } = sftpStore({ sftp, directory });
let count = 0;

// The suite that all stores of tuskd pass, each case in a directory of its own.
describeDataStore(
  { describe, it },
  {
    name: 'sftpStore',
    capabilities,
    async open() {
      const place = `${directory}/case-${process.pid}-${(count += 1)}`;
      await sftp.do((session, done) => session.mkdir(place, done));
      return {
        store: sftpStore({ sftp, directory: place }),
        reopen: async () => sftpStore({ sftp, directory: place }),
        async plantForeign() {
          await sftp.replaceFile(`${place}/photo`, 'not an upload');
          await sftp.replaceFile(`${place}/photo.info`, '{"id":"not an upload"}');
        },
        async close() {
          for await (const name of sftp.names(place)) await sftp.remove(`${place}/${name}`);
          await sftp.do((session, done) => session.rmdir(place, done));
        },
      };
    },
  },
);

after(() => sftp.disconnect());
