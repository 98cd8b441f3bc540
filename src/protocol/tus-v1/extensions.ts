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

/** What decides beside the store. */
export interface ExtensionSwitches {
  /** Switched off, whatever is possible. */
  readonly disabled: readonly TusExtension[];
  /** Uploads expire. */
  readonly expires: boolean;
}

/** The extensions that are on: announced and served. What the store cannot do is off, and so is what was switched off. */
export function enabledExtensions(
  capabilities: StoreCapabilities,
  { disabled, expires }: ExtensionSwitches,
): ReadonlySet<TusExtension> {
  const possible = {
    creation: true,
    // "The Server MUST NOT offer it without Creation."
    'creation-with-upload': !disabled.includes('creation'),
    'creation-defer-length': !disabled.includes('creation') && capabilities.declaredLength,
    checksum: false,
    'checksum-trailer': false,
    expiration: expires,
    termination: capabilities.termination,
    concatenation: false,
    'concatenation-unfinished': false,
  } satisfies Record<TusExtension, boolean>;
  return new Set(extensionNames.filter((name) => possible[name] && !disabled.includes(name)));
}
