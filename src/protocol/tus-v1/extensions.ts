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

/** What decides beside the store and the transport. */
export interface ExtensionSwitches {
  /** Switched off, whatever is possible. */
  readonly disabled: readonly TusExtension[];
  /** Uploads expire. */
  readonly expires: boolean;
}

/**
 * The extensions that are on: announced and served. What the store or the transport cannot do is off, and so is what was
 * switched off.
 */
export function enabledExtensions(
  capabilities: StoreCapabilities,
  transport: Transport,
  { disabled, expires }: ExtensionSwitches,
): ReadonlySet<TusExtension> {
  const creates = !disabled.includes('creation');
  const concatenates = creates && capabilities.concatenation;
  const possible = {
    creation: true,
    // "The Server MUST NOT offer it without Creation."
    'creation-with-upload': creates,
    'creation-defer-length': creates && capabilities.declaredLength,
    checksum: capabilities.provisionalChunks,
    // A checksum in a trailer is one all the same.
    'checksum-trailer':
      !disabled.includes('checksum') && capabilities.provisionalChunks && transport.trailers,
    expiration: expires,
    termination: capabilities.termination,
    concatenation: concatenates,
    'concatenation-unfinished': concatenates && !disabled.includes('concatenation'),
  } satisfies Record<TusExtension, boolean>;
  return new Set(extensionNames.filter((name) => possible[name] && !disabled.includes(name)));
}
