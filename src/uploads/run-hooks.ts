import { randomUUID } from 'node:crypto';
import { TusError } from '../core/errors.js';
import type {
  BlockingHook,
  EventName,
  HookHttpResponse,
  HookResponse,
  UploadEvent,
  Verb,
} from '../core/hooks.js';
import type { ErrorCode } from '../core/errors.js';
import type { UploadInfo } from '../core/upload.js';
import { type Environment, logUpload } from './environment.js';
import type { WorkContext } from './background.js';

let sequence = 0;

/**
 * Asks whether the request may do `verb`. Before the lock and the body, so that a stranger costs nothing.
 * @throws TusError as the check wants it.
 */
export function checkAccess(
  env: Environment,
  verb: Verb,
  ids: readonly string[],
  context: WorkContext,
): Promise<void> | undefined {
  return env.hooks?.access?.(verb, ids, context.request, { signal: context.signal });
}

/**
 * Runs a blocking hook; nothing where it is off.
 * @throws TusError ERR_INTERNAL_SERVER_ERROR with the hook's error as cause, or the hook's own TusError.
 */
export async function invokeHook(
  env: Environment,
  type: BlockingHook,
  upload: UploadInfo,
  context: WorkContext,
): Promise<HookResponse> {
  if (!env.hooks?.blocking.has(type)) return {};
  logUpload(env, 'debug', 'HookInvocationStart', context, { id: upload.id, type });
  try {
    const response = await env.hooks.invoke(
      { type, upload, request: context.request },
      { signal: context.signal },
    );
    logUpload(env, 'debug', 'HookInvocationFinish', context, { id: upload.id, type });
    return response;
  } catch (error) {
    logUpload(env, 'error', 'HookInvocationError', context, { id: upload.id, type, error });
    throw error;
  }
}

/** Whether anybody wants to hear of such an event. */
export function isWanted({ hooks, listeners }: Environment, type: EventName): boolean {
  return listeners.has(type) || (hooks?.events.has(type) ?? false);
}

/** Tells listeners and hooks what has happened. A failure is logged and changes nothing: it has happened already. */
export async function publish(
  env: Environment,
  type: EventName,
  upload: UploadInfo,
  context: WorkContext,
  stopUpload?: UploadEvent['stopUpload'],
): Promise<void> {
  if (!isWanted(env, type)) return;
  const { request } = context;
  env.listeners.tell(type, { upload, request }, (error) =>
    logUpload(env, 'error', 'UploadListenerError', context, { id: upload.id, type, error }),
  );
  if (!env.hooks?.events.has(type)) return;
  try {
    await env.hooks.publish({
      eventId: randomUUID(),
      sequence: ++sequence,
      type,
      upload,
      request,
      ...(stopUpload && { stopUpload }),
    });
  } catch (error) {
    logUpload(env, 'error', 'HookInvocationError', context, { id: upload.id, type, error });
  }
}

/** The error for a request that a hook turned down, with the answer that the hook wants. */
export function rejection(code: ErrorCode, response: HookHttpResponse | undefined): TusError {
  return new TusError(code, {
    ...(response?.status !== undefined && { status: response.status }),
    ...(response?.headers !== undefined && { headers: response.headers }),
    ...(response?.body !== undefined && { body: response.body }),
  });
}
