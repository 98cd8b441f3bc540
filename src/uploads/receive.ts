import type { BodyChecksum } from '../core/checksum.js';
import type { Upload } from '../core/data-store.js';
import type { ErrorCode } from '../core/errors.js';
import type { Outcome } from '../core/outcome.js';
import { isFull, type UploadInfo } from '../core/upload.js';
import { isProvisional } from './checksum/store-verified.js';
import type { Environment } from './environment.js';
import { finishReceived } from './finish-received.js';
import { outcomeOf } from './state.js';
import { terminateHeld } from './terminate-held.js';
import type { Incoming } from './store-while-held.js';
import { type WrittenBody, writeBody } from './write-body.js';

/** Errors that the client has to hear of, also where the upload is full. */
const refusals: readonly ErrorCode[] = [
  'ERR_UPLOAD_SIZE_EXCEEDED',
  'ERR_CHECKSUM_MISMATCH',
  'ERR_INVALID_CHECKSUM',
];

/**
 * Takes in the body of a request for `upload`, whose lock is held, and finishes the upload if it is full now and was
 * not `finishedBefore`.
 *
 * @throws TusError for a body that did not end well. An upload that is full is finished before that: its bytes are
 * all here, whatever happened to the request.
 */
export async function receive(
  env: Environment,
  handle: Upload,
  upload: UploadInfo,
  incoming: Incoming,
  checksum: BodyChecksum | undefined,
  finishedBefore: boolean,
): Promise<Outcome> {
  const { context, held } = incoming;
  const hasBody = context.bodyLength !== 0 || (checksum !== undefined && isProvisional(checksum));
  const written: WrittenBody = hasBody
    ? await writeBody(env, handle, upload, incoming, checksum)
    : { upload, stopped: false };
  if (written.stopped) {
    await terminateHeld(env, handle, written.upload, context, { fence: held.fence });
  } else if (isFull(written.upload) && !finishedBefore && held.lost?.aborted !== true) {
    const outcome = await finishReceived(env, handle, written.upload, context, held.fence);
    if (written.error === undefined || !refusals.includes(written.error.code)) return outcome;
  }
  if (written.error) throw written.error;
  return outcomeOf(env, written.upload);
}
