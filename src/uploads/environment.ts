import type { Backend } from '../core/compose.js';
import type { Hooks } from '../core/hooks.js';
import type { UploadListeners } from '../core/upload-events.js';
import type { LogFields, LogLevel, Logger } from '../core/logger.js';
import type { Completions } from './completions.js';
import type { ExpiryPolicy } from './expiry.js';
import type { RunningBodies } from './running-bodies.js';
import type { WorkContext } from './background.js';

/** What every operation works with: made once a server. */
export interface Environment extends Backend {
  readonly hooks: Hooks | undefined;
  readonly listeners: UploadListeners;
  readonly logger: Logger;
  /** Bytes that one upload may have at most; undefined = no limit. */
  readonly maxSize: number | undefined;
  /** How long to wait for the lock of an upload, in milliseconds. */
  readonly acquireLockTimeoutMs: number;
  /** How often post-receive is published while bytes arrive, in milliseconds. */
  readonly progressIntervalMs: number;
  /** Whether a final upload's parts go once it is finished. */
  readonly removeParts: boolean;
  /** When uploads expire; undefined where they never do. */
  readonly expiry: ExpiryPolicy | undefined;
  readonly runningBodies: RunningBodies;
  readonly completions: Completions;
}

/** Logs something that happened to an upload in the course of a request. */
export function logUpload(
  { logger }: Environment,
  level: LogLevel,
  event: string,
  context: WorkContext,
  fields: LogFields,
): void {
  if (!logger.enabled(level)) return;
  const { method, target: path, requestId } = context;
  logger.log(level, event, Object.assign({ method, path, requestId }, fields));
}
