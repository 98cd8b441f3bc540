import { backgroundContext } from './background.js';
import { completeFinal } from './complete-final.js';
import type { Environment } from './environment.js';
import { removeParts } from './remove-parts.js';

/**
 * Goes on with final uploads whose last part has ended while nobody could put them together: the server was killed just
 * then, or the disk was full. Those that still wait are left alone.
 */
export async function completeWaiting(env: Environment, signal: AbortSignal): Promise<void> {
  // Each is listed with each of its parts, of which it may have thousands. Those that are finished are told at once.
  const unfinished = new Set<string>();
  for await (const id of env.store.listWaiting?.({ signal }) ?? []) {
    if (unfinished.has(id)) continue;
    // It has been logged. The final upload's next request tries again.
    const outcome = await completeFinal(env, id).catch(() => undefined);
    if (outcome?.state !== 'finished') unfinished.add(id);
    // What a crash has left of them.
    else if (env.removeParts) await removeParts(env, outcome.upload, backgroundContext(signal));
    signal.throwIfAborted();
  }
}
