import type { Server } from 'node:net';

/** What serves the connections of a listener: this process, or workers. */
export interface Service {
  readonly listener: Server;
  /** Resolves once connections are served. @throws StartError */
  start(): Promise<void>;
  /** Ends everything in good order. */
  close(): Promise<void>;
  /** Ends at once what would outlive this process. */
  abandon(): void;
}
