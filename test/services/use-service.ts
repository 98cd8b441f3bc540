import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type ServiceProgram, whyNo } from './programs.js';
import { skipIfMissing } from './skip-if-missing.js';

/**
 * One service for all tests of a file, or of the `describe` around the call; gives what `start` resolved with. Where the
 * program is missing, the tests are skipped or fail, with the reason.
 */
export function useService<Service extends { stop(): Promise<void> }>(
  program: ServiceProgram,
  start: () => Promise<Service>,
): () => Service {
  const reason = whyNo(program);
  let service: Service | undefined;
  beforeAll(async () => {
    if (reason === undefined) service = await start();
  });
  afterAll(() => service?.stop());
  beforeEach(({ skip }) => skipIfMissing(skip, reason));
  return () => {
    if (service === undefined) throw new Error(`${program} runs only while tests do`);
    return service;
  };
}
