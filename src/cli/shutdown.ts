import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from './log-values.js';
import type { Service } from './service.js';

/** How long the last lines of the log may take to leave, in milliseconds. */
export const flushMs = 500;

export interface ShutdownOptions {
  readonly service: Pick<Service, 'close' | 'abandon'>;
  /** How long closing may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly output: {
    write(line: string): void;
    flush(timeoutMs: number): Promise<void>;
  };
}

/**
 * Ends the process in good order on SIGINT or SIGTERM, at once on the second. Running out of time is no failure, as in
 * tusd: what was received is stored, and the connections that are cut then are those of clients that do not listen.
 */
export function shutDownOnSignal(options: ShutdownOptions): void {
  const { output, service } = options;
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    if (signals === 1) {
      output.write('Received interrupt signal. Shutting down tusd...\n');
      void shutDown(options);
    } else {
      output.write('Received second interrupt signal. Exiting immediately!\n');
      service.abandon();
      process.exit(1);
    }
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
}

async function shutDown({ service, timeoutMs, output }: ShutdownOptions): Promise<void> {
  let exitCode = 0;
  try {
    const completed = service.close().then(() => true);
    if (await Promise.race([completed, delay(timeoutMs, false)])) {
      output.write('Shutdown completed. Goodbye!\n');
    } else {
      process.stderr.write('Shutdown timeout exceeded. Exiting immediately!\n');
    }
  } catch (error) {
    process.stderr.write(`Failed to shutdown gracefully: ${describeError(error)}\n`);
    exitCode = 1;
  }
  service.abandon();
  await output.flush(flushMs);
  process.exit(exitCode);
}
