import { resolve } from 'node:path';

export default {
  serverExternalPackages: ['tuskd'],
  skipTrailingSlashRedirect: true, // Or Next.js sends POST /files/ to /files.
  turbopack: { root: resolve(import.meta.dirname, '../..') }, // Only here, where tuskd is a link to the folder above.
};
