import type { ServiceProgram } from './programs.js';
import type { S3Server } from './s3-server.js';
import { startSeaweedFs } from './start-seaweedfs.js';
import { startVersityGw } from './start-versitygw.js';
import { useService } from './use-service.js';

interface S3Choice {
  readonly program: ServiceProgram;
  readonly start: () => Promise<S3Server>;
}

const choices: Readonly<Record<string, S3Choice>> = {
  versitygw: { program: 'versitygw', start: startVersityGw },
  seaweedfs: { program: 'weed', start: startSeaweedFs },
};

/** One S3 server for all tests of a file or a `describe`: the one that TUSKD_TEST_S3 names, by default `versitygw`. */
export function useS3(): () => S3Server {
  const name = process.env['TUSKD_TEST_S3'] ?? 'versitygw';
  const choice = choices[name];
  if (choice === undefined) {
    throw new Error(`TUSKD_TEST_S3: ${name} is none of ${Object.keys(choices).join(', ')}`);
  }
  return useService(choice.program, choice.start);
}
