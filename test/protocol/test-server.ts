import type http from 'node:http';
import type https from 'node:https';
import type { DataStore, Handler, HandlerOptions, Locker, LogFields, LogLevel } from 'tuskd';

type AnyServer = http.Server | https.Server;

export interface ServerOptions extends Omit<HandlerOptions, 'backend'> {
  /** Made and removed by the test server where none is given. */
  readonly directory?: string;
  /** Puts something between the handler and the disk. */
  readonly wrapStore?: (store: DataStore) => DataStore;
  /** `memory` by default. */
  readonly locker?: Locker | LockerName | ((directory: string) => Locker);
  /** Where the handler is mounted; a plain server of its own by default. */
  readonly mount?: (handler: Handler) => AnyServer | Promise<AnyServer>;
  readonly serverOptions?: http.ServerOptions;
  /** Whether `handler.attach(server)` is called; true by default. */
  readonly attach?: boolean;
}

export type LockerName = 'memory' | 'files';

export interface LogEntry {
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

export interface TestServer {
  readonly port: number;
  readonly directory: string;
  readonly handler: Pick<Handler, 'close' | 'on'>;
  readonly server: http.Server | https.Server;
  /** Everything logged so far, at every level. */
  readonly log: readonly LogEntry[];
  /** Everything in the upload directory, sorted; folders end with a slash. */
  files(): Promise<string[]>;
  /** Ends everything; comes by itself at the end of the test. */
  close(): Promise<void>;
}
