import { isUploadId } from '../core/upload-id.js';

/** Where uploads live in the URL space: a path that begins and ends with a slash, and an origin if one was given. */
export interface Base {
  readonly path: string;
  /** Begins every Location, where the base path was given as an absolute URL. */
  readonly origin: string | undefined;
}

/** @throws TypeError for an absolute URL that does not parse */
export function parseBase(basePath: string): Base {
  const url = /^https?:\/\//i.test(basePath) ? new URL(basePath) : undefined;
  const path = `/${url?.pathname ?? basePath}/`.replaceAll(/\/{2,}/g, '/');
  return { path, origin: url?.origin };
}

/** The creation URL (`id` undefined), the URL of an upload, or undefined: not ours. */
export interface Route {
  readonly id: string | undefined;
}

/**
 * Finds the upload ID in a request target. It is decoded once and validated here, so that nothing behind has to
 * distrust it; an ID that cannot be one names no upload. `undefined` is a path outside the base.
 */
export function matchRoute(target: string, { path }: Base): Route | 'invalid' | undefined {
  const end = target.search(/[?#]/);
  const targetPath = end < 0 ? target : target.slice(0, end);
  if (targetPath === path || `${targetPath}/` === path) return { id: undefined };
  if (!targetPath.startsWith(path)) return undefined;
  const id = decode(targetPath.slice(path.length));
  return id !== undefined && isUploadId(id) ? { id } : 'invalid';
}

function decode(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined; // Not valid percent-encoding: no ID.
  }
}
