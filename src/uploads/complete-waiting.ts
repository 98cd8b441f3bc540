import { completeFinal } from './complete-final.js';
import type { Environment } from './environment.js';

/**
 * Goes on with final uploads whose last part has ended while nobody could put them together: the server was killed just
 * then, or the disk was full. Those that still wait are left alone.
 */
export async function completeWaiting(env: Environment, signal: AbortSignal): Promise<void> {
  for await (const id of env.store.listWaiting?.({ signal }) ?? []) {
    // It has been logged. The final upload's next request tries again.
    await completeFinal(env, id).catch(() => undefined);
    signal.throwIfAborted();
  }
}
