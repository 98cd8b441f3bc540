import { inject } from 'vitest';
import type { ConnectionEnd, RawClient } from '../protocol/raw-client.js';
import type { Runtime } from './runtimes.js';

/**
 * Whether a server closes a connection soon on which it has answered before the body was all here. The others leave it
 * open for what still comes: Bun and Deno for good, Next.js for the five seconds of Node's `keepAliveTimeout`.
 */
const closesEarly: Readonly<Record<Runtime, boolean>> = {
  node: true,
  http2: true,
  hono: true,
  bun: false,
  deno: false,
  next: false,
};

/** How the server closed a connection on which it has answered early, where it does; waits for it. */
export async function closedEarly(client: RawClient): Promise<ConnectionEnd | undefined> {
  return closesEarly[inject('runtime')] ? client.ended : undefined;
}
