import { duration } from '../duration.js';
import { boolean, choice, integer, text } from '../flag-kinds.js';
import type { Flag } from '../flags.js';
import { objectKeyTemplate } from './object-key-template.js';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/** What a signature of AWS lasts at most. */
const weekMs = 7 * 24 * 3_600_000;

/** The flags of uploads in S3: tusd's, then our own. */
export const s3Flags = {
  's3-bucket': {
    group: 'S3',
    kind: text,
    default: '',
    help: 'Keep uploads in this bucket instead of in a directory. Region and credentials come from the environment of AWS (AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, profiles, roles).',
  },
  's3-object-prefix': {
    group: 'S3',
    kind: text,
    default: '',
    help: 'Folder of all keys in the bucket.',
  },
  's3-endpoint': {
    group: 'S3',
    kind: text,
    default: '',
    help: 'URL of an S3 server other than AWS. The bucket is then part of the path.',
  },
  's3-part-size': {
    group: 'S3',
    kind: integer({ min: 1, max: 5 * GiB }),
    default: String(5 * MiB),
    help: 'Bytes of a part. Uploads of more than 9000 of them have larger ones. Every part on its way is in memory.',
  },
  's3-min-part-size': {
    group: 'S3',
    kind: integer({ min: 1, max: 5 * GiB }),
    default: String(5 * MiB),
    help: 'Bytes that S3 wants a part to have at least.',
  },
  's3-max-buffered-parts': {
    group: 'S3',
    kind: integer({ min: 0, max: 64 }),
    default: '3',
    help: 'Parts of one upload that are on their way to S3 at once, beside the two that are being filled; 0 counts as 1.',
  },
  's3-max-buffered-bytes': {
    group: 'S3',
    kind: integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    default: String(128 * MiB),
    help: 'Bytes of memory for the parts of all uploads of a process. Who needs more waits for the others.',
  },
  's3-concurrent-part-uploads': {
    group: 'S3',
    kind: integer({ min: 1, max: 1000 }),
    default: '10',
    help: 'Parts of all uploads of a process that are on their way to S3 at once.',
  },
  's3-disable-content-hashes': {
    group: 'S3',
    kind: boolean,
    default: 'false',
    help: 'Do not hash the content of parts for the signature, which saves CPU time. Only where the connection itself guards it (https).',
  },
  's3-disable-ssl': {
    group: 'S3',
    kind: boolean,
    default: 'false',
    help: 'Speak http where the endpoint does not say https or http.',
  },
  's3-transfer-acceleration': {
    group: 'S3',
    kind: boolean,
    default: 'false',
    help: 'Use the Transfer Acceleration endpoint of AWS; the bucket must have it switched on.',
  },
  's3-log-api-calls': {
    group: 'S3',
    kind: boolean,
    default: 'false',
    help: 'Log each call to S3 with operation, key, status and duration.',
  },
  's3-provider': {
    group: 'S3',
    kind: choice('auto', 'aws', 'r2', 'minio', 'versitygw', 'seaweedfs', 'generic'),
    default: 'auto',
    help: 'What S3 is here, for its limits and peculiarities. auto: by the endpoint; without one aws, and generic (which relies on the least) for those that are not known.',
  },
  's3-object-key': {
    group: 'S3',
    kind: objectKeyTemplate,
    default: '',
    help: 'Where finished uploads lie, such as {yyyy}/{mm}/{dd}/{id}/{filename}, instead of under their IDs. There is no going back to tusd with such uploads.',
  },
  's3-redirect-downloads': {
    group: 'S3',
    kind: duration({ maxMs: weekMs }),
    default: '0s',
    help: 'Send clients that download to S3, with a signed URL that is good for so long (1m to 168h); 0 sends them the bytes.',
  },
} as const satisfies Readonly<Record<string, Flag<unknown>>>;
