import { defineConfig } from 'vitest/config';
import { fetchRuntimes, isRemote, whyMissing } from './test/runtimes/runtimes.js';

export default defineConfig({
  test: {
    // Real sockets, files and child processes: a process for each test file keeps their descriptors apart.
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
    expect: { poll: { interval: 5, timeout: 5000 } },
    // It warns on Node.js 20, for which this version is the last.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    projects: [
      {
        extends: true,
        test: { name: 'node', include: ['test/**/*.test.ts'], provide: { runtime: 'node' } },
      },
      // The tests of the protocol again, over HTTP/2 and on every runtime that is installed.
      ...['http2' as const, ...fetchRuntimes.filter((name) => whyMissing(name) === undefined)].map(
        (name) => ({
          extends: true as const,
          test: {
            name,
            include: ['test/protocol/*.test.ts'],
            exclude: ['test/protocol/{checksum-trailer,http2*,mounting*,trailers}.test.ts'],
            provide: { runtime: name },
            ...(isRemote(name) && { globalSetup: ['test/runtimes/global-setup.ts'] }),
          },
        }),
      ),
    ],
  },
});
