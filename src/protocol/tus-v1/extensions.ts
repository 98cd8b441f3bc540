import type { StoreCapabilities } from '../../core/data-store.js';

/** The extensions of tus 1.0.0 that tuskd has, by their names in Tus-Extension. */
export const extensionNames = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'checksum',
  'checksum-trailer',
  'expiration',
  'termination',
  'concatenation',
  'concatenation-unfinished',
] as const;
/** Name of an extension in Tus-Extension. */
export type TusExtension = (typeof extensionNames)[number];

/** What carries requests to the server. */
export interface Transport {
  /** Whether a body can have trailers. */
  readonly trailers: boolean;
}

/**
 * The extensions that are on: announced and served. What the store or the transport cannot do is off, and so is what was
 * switched off.
 */
export function enabledExtensions(
  capabilities: StoreCapabilities,
  transport: Transport,
  disabled: readonly TusExtension[] = [],
): ReadonlySet<TusExtension> {
  const possible = {
    creation: true,
    // "The Server MUST NOT offer it without Creation."
    'creation-with-upload': !disabled.includes('creation'),
    'creation-defer-length': !disabled.includes('creation') && capabilities.declaredLength,
    checksum: false,
    'checksum-trailer': false,
    expiration: false,
    termination: capabilities.termination,
    concatenation: false,
    'concatenation-unfinished': false,
  } satisfies Record<TusExtension, boolean>;
  const off = new Set(disabled);
  if (!transport.trailers) off.add('checksum-trailer');
  return new Set(extensionNames.filter((name) => possible[name] && !off.has(name)));
}
