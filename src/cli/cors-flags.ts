import type { CorsOptions } from '../http/cors.js';
import { boolean, integer, names, pattern } from './flag-kinds.js';
import type { Flag } from './flags.js';
import type { ParsedFlags } from './parse-flags.js';

/** Which nobody has to be compared with. */
const anyOrigin = '.*';

/** The flags of CORS: tusd's. */
export const corsFlags = {
  'disable-cors': {
    group: 'CORS',
    kind: boolean,
    default: 'false',
    help: 'Send no CORS headers and refuse no origin, where a proxy does that.',
  },
  'cors-allow-origin': {
    group: 'CORS',
    kind: pattern,
    default: anyOrigin,
    help: 'Regular expression that an origin, or a part of it, has to match: ^https://app[.]example$ lets one in. Pages of others get 403.',
  },
  'cors-allow-credentials': {
    group: 'CORS',
    kind: boolean,
    default: 'false',
    help: 'Let pages send cookies and other credentials. Only together with -cors-allow-origin, or every page on the web may.',
  },
  'cors-allow-methods': {
    group: 'CORS',
    kind: names,
    default: '',
    help: 'Methods that pages may send beside those that uploads need, with commas between them.',
  },
  'cors-allow-headers': {
    group: 'CORS',
    kind: names,
    default: '',
    help: 'Headers that pages may send beside those that uploads and downloads need, with commas between them.',
  },
  'cors-max-age': {
    group: 'CORS',
    kind: integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
    default: '86400',
    help: 'Seconds that browsers may remember what pages may do; -1 forbids it.',
  },
  'cors-expose-headers': {
    group: 'CORS',
    kind: names,
    default: '',
    help: 'Headers that pages may read beside those of uploads and downloads, with commas between them.',
  },
} as const satisfies Readonly<Record<string, Flag<unknown>>>;

/** What tusd lets pass without a word. */
export function corsWarning(flags: ParsedFlags): string | undefined {
  if (flags.get('disable-cors') || !flags.get('cors-allow-credentials')) return undefined;
  return flags.get('cors-allow-origin').source === anyOrigin
    ? 'Warning: with -cors-allow-credentials and no -cors-allow-origin, every page on the web can act for whoever looks at it.'
    : undefined;
}

/** What the flags say of CORS, for a handler. */
export function corsOptions(flags: ParsedFlags): CorsOptions {
  const allowedOrigins = flags.get('cors-allow-origin');
  const allowCredentials = flags.get('cors-allow-credentials');
  const needsCheck = allowCredentials || allowedOrigins.source !== anyOrigin;
  return {
    ...(needsCheck && { allowedOrigins }),
    allowCredentials,
    allowMethods: flags.get('cors-allow-methods'),
    allowHeaders: flags.get('cors-allow-headers'),
    exposeHeaders: flags.get('cors-expose-headers'),
    maxAgeSeconds: flags.get('cors-max-age'),
  };
}
