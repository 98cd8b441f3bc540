import type { S3 } from '@aws-sdk/client-s3';
import type { Logger } from '../../core/logger.js';
import { s3ErrorCode, s3ErrorStatus } from '../../stores/s3/s3-errors.js';

/** Makes a client log its calls. One that is tried again is logged again. */
export function logS3Calls(client: S3, logger: Logger): void {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const startedAt = performance.now();
        const log = (outcome: { readonly status: number | undefined; readonly code?: string }) =>
          logger.log('info', 'S3Call', {
            operation: commandName.replace(/Command$/, ''),
            key: keyOf(args.input),
            ...outcome,
            durationMs: Math.round(performance.now() - startedAt),
          });
        try {
          const result = await next(args);
          log({ status: result.output.$metadata.httpStatusCode });
          return result;
        } catch (error) {
          log({ status: s3ErrorStatus(error), code: s3ErrorCode(error) ?? '' });
          throw error;
        }
      },
    // Behind the step where a URL that is only signed leaves: it is no call.
    { step: 'finalizeRequest', name: 'tuskdLogCalls', priority: 'high' },
  );
}

/** What a call is about; of a list, its prefix. */
function keyOf(input: object): unknown {
  if ('Key' in input) return input.Key;
  return 'Prefix' in input ? input.Prefix : undefined;
}
