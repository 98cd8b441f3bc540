/** Where a process answers to those who want its locks. */
export interface HolderAddress {
  /** Names one locker of one process, for ever; known to those who may read the upload directory. */
  readonly nonce: string;
  /** Where `endpoint` means something: see `hostIdentity`. */
  readonly host: string;
  readonly endpoint: string;
}

/**
 * What stands in a lock file. The first line is tusd's, so that tusd respects our locks and clears them when we died:
 * it reads the PID and nothing after it. The second line is ours. Both undefined: nobody we know wrote this.
 */
export interface LockRecord {
  readonly pid: number | undefined;
  readonly address: HolderAddress | undefined;
}

export function serializeLockRecord(pid: number, address: HolderAddress): string {
  return `${pid}\n${JSON.stringify({ tuskd: 1, ...address })}\n`;
}

export function parseLockRecord(text: string): LockRecord {
  const [first = '', second = ''] = text.split('\n');
  const pid = /^\s*(\d{1,10})\s*$/.exec(first)?.[1];
  if (pid === undefined || Number(pid) === 0) return { pid: undefined, address: undefined };
  return { pid: Number(pid), address: parseAddress(second) };
}

function parseAddress(line: string): HolderAddress | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isAddress(value)
    ? { nonce: value.nonce, host: value.host, endpoint: value.endpoint }
    : undefined;
}

function isAddress(value: unknown): value is HolderAddress {
  return (
    typeof value === 'object' &&
    value !== null &&
    'tuskd' in value &&
    value.tuskd === 1 &&
    'nonce' in value &&
    typeof value.nonce === 'string' &&
    'host' in value &&
    typeof value.host === 'string' &&
    'endpoint' in value &&
    typeof value.endpoint === 'string'
  );
}
