import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real sockets, files and child processes: a process for each test file keeps their descriptors apart.
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
    expect: { poll: { interval: 5, timeout: 5000 } },
  },
});
