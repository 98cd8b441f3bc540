import { corsFlags } from './cors-flags.js';
import { duration } from './duration.js';
import {
  boolean,
  choice,
  type FlagKind,
  integer,
  path,
  permissions,
  text,
  urlPath,
} from './flag-kinds.js';
import { s3Flags } from './s3/s3-flags.js';

/** The sections of the help and the docs, in their order. */
export const flagGroups = [
  'Listening',
  'Protocol',
  'CORS',
  'Disk',
  'S3',
  'Expiration',
  'Locks',
  'Timeouts',
  'Logging',
  'Information',
] as const;

/** One flag: what the parser, the help and the docs know of it. */
export interface Flag<Value> {
  readonly group: (typeof flagGroups)[number];
  readonly kind: FlagKind<Value>;
  /** As it would be typed. */
  readonly default: string;
  /** One sentence or two, without the default. */
  readonly help: string;
  /** Older names; `translate` makes the value of today out of theirs. */
  readonly aliases?: readonly {
    readonly name: string;
    readonly translate?: (value: string) => string;
  }[];
}

const table = {
  host: {
    group: 'Listening',
    kind: text,
    default: '0.0.0.0',
    help: 'Host name or address to listen on.',
  },
  port: {
    group: 'Listening',
    kind: integer({ min: 0, max: 65_535 }),
    default: '8080',
    help: 'Port to listen on; 0 takes any free one.',
  },
  'unix-sock': {
    group: 'Listening',
    kind: text,
    default: '',
    help: 'Listen on a Unix socket at this path instead of on host and port.',
  },
  workers: {
    group: 'Listening',
    kind: integer({ min: 1, max: 1024 }),
    default: '1',
    help: 'Processes that serve, each on a core of its own. From 2 on, one more hands them the connections.',
  },
  'base-path': {
    group: 'Listening',
    kind: urlPath,
    default: '/files/',
    help: 'Path below which uploads are created and found.',
  },
  'behind-proxy': {
    group: 'Listening',
    kind: boolean,
    default: 'false',
    help: 'Believe X-Forwarded-Host, X-Forwarded-Proto and Forwarded. Only behind a proxy that sets them.',
  },
  'max-size': {
    group: 'Protocol',
    kind: integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    default: '0',
    help: 'Bytes that one upload may have; 0 sets no limit.',
  },
  'disable-download': {
    group: 'Protocol',
    kind: boolean,
    default: 'false',
    help: 'Do not let clients download uploads.',
  },
  'disable-termination': {
    group: 'Protocol',
    kind: boolean,
    default: 'false',
    help: 'Do not let clients remove uploads.',
  },
  'disable-concatenation': {
    group: 'Protocol',
    kind: boolean,
    default: 'false',
    help: 'Do not let clients put uploads together.',
  },
  'remove-parts': {
    group: 'Protocol',
    kind: boolean,
    default: 'false',
    help: 'Remove partial uploads once the upload that was made of them is finished.',
  },
  ...corsFlags,
  'upload-dir': {
    group: 'Disk',
    kind: path,
    default: './data',
    help: 'Directory to keep uploads in; made if it is missing.',
    aliases: [{ name: 'dir' }],
  },
  'dir-perms': {
    group: 'Disk',
    kind: permissions,
    default: '0775',
    help: 'Permissions of new directories, before the umask.',
  },
  'file-perms': {
    group: 'Disk',
    kind: permissions,
    default: '0664',
    help: 'Permissions of new files, before the umask.',
  },
  fsync: {
    group: 'Disk',
    kind: choice('off', 'finish', 'request'),
    default: 'off',
    help: 'When bytes are forced to the disk, safe from a power cut. off: when the kernel likes; finish: before an upload counts as finished; request: before every answer.',
  },
  ...s3Flags,
  'expire-after': {
    group: 'Expiration',
    kind: duration({ maxMs: 100 * 365 * 24 * 3_600_000 }),
    default: '0',
    help: 'How long uploads may stay unfinished. Then they are answered 410, and a sweep removes them. 0: for ever.',
  },
  expiry: {
    group: 'Expiration',
    kind: choice('sliding', 'absolute'),
    default: 'sliding',
    help: 'From when that time runs. sliding: from the last byte; absolute: from the creation of the upload.',
  },
  'sweep-interval': {
    group: 'Expiration',
    kind: duration(),
    default: '1h',
    help: 'How often expired uploads are removed, where -expire-after is set. 0 leaves it to the command tuskd sweep.',
  },
  locker: {
    group: 'Locks',
    kind: choice('auto', 'file', 'memory', 'redis'),
    default: 'auto',
    help: 'Where locks on uploads are kept. file: in the upload directory, for all processes of this host; memory: in this process; redis: in Redis or Valkey, for any number of hosts. auto: memory for one process with S3, file for all else.',
  },
  'filelock-holder-poll-interval': {
    group: 'Locks',
    kind: duration({ minMs: 1 }),
    default: '5s',
    help: 'How often the holder of a lock looks for others that want it, where they cannot ask it directly.',
  },
  'filelock-acquirer-poll-interval': {
    group: 'Locks',
    kind: duration({ minMs: 1 }),
    default: '2s',
    help: 'How often a request that waits for a lock looks whether it is free, where it cannot be told.',
  },
  'redis-url': {
    group: 'Locks',
    kind: text,
    default: '',
    help: 'Redis for the locks, such as redis://:password@host:6379/0 or rediss://host. Without it, TUSKD_REDIS_URL in the environment counts, then REDIS_URL; other users of the machine cannot read these.',
  },
  'redis-lease': {
    group: 'Locks',
    kind: duration({ minMs: 1000 }),
    default: '15s',
    help: 'How long a process that died keeps others out of the uploads it was at work on.',
  },
  'network-timeout': {
    group: 'Timeouts',
    kind: duration({ minMs: 1 }),
    default: '60s',
    help: 'How long a client may send or take nothing before its connection counts as dead.',
    aliases: [{ name: 'timeout', translate: (milliseconds) => `${milliseconds}ms` }],
  },
  'acquire-lock-timeout': {
    group: 'Timeouts',
    kind: duration(),
    default: '20s',
    help: 'How long a request waits for an upload that another request is using.',
  },
  'request-completion-timeout': {
    group: 'Timeouts',
    kind: duration(),
    default: '10s',
    help: 'How long work that a request began goes on after its client has left.',
  },
  'shutdown-timeout': {
    group: 'Timeouts',
    kind: duration(),
    default: '10s',
    help: 'How long a shutdown waits for running requests. Then their connections are cut.',
  },
  verbose: {
    group: 'Logging',
    kind: boolean,
    default: 'true',
    help: 'Log every request and the stacks of errors too.',
  },
  'log-format': {
    group: 'Logging',
    kind: choice('text', 'json'),
    default: 'text',
    help: 'Form of log lines. On a terminal, text is laid out for people.',
  },
  'show-greeting': {
    group: 'Logging',
    kind: boolean,
    default: 'true',
    help: 'Answer GET / with a greeting, unless the base path is /.',
  },
  'show-startup-logs': {
    group: 'Logging',
    kind: boolean,
    default: 'true',
    help: 'Print how the server is set up and where it listens.',
  },
  version: {
    group: 'Information',
    kind: boolean,
    default: 'false',
    help: 'Print the version and exit.',
  },
  help: {
    group: 'Information',
    kind: boolean,
    default: 'false',
    help: 'Print this help and exit.',
    aliases: [{ name: 'h' }],
  },
} as const satisfies Readonly<Record<string, Flag<unknown>>>;

export type FlagName = keyof typeof table;

/** The type of every flag's value. Durations are whole milliseconds. */
export type FlagValues = {
  readonly [Name in FlagName]: ReturnType<(typeof table)[Name]['kind']['parse']>;
};

/** Every flag of the command: the one place that knows names, types, defaults and help. */
export const flags: { readonly [Name in FlagName]: Flag<FlagValues[Name]> } = table;

/** The flags of one section, in the table's order. */
export function flagsOfGroup(group: Flag<unknown>['group']): [name: string, flag: Flag<unknown>][] {
  return Object.entries<Flag<unknown>>(flags).filter(([, flag]) => flag.group === group);
}
