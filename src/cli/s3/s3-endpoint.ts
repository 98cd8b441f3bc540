import type { S3Provider } from '../../stores/s3/s3-profile.js';
import { StartError } from '../start-error.js';

/** Which provider is behind an endpoint: the first whose pattern its host name matches. */
const providersByHost: readonly { readonly host: RegExp; readonly provider: S3Provider }[] = [
  { host: /\.r2\.cloudflarestorage\.com$/, provider: 'r2' },
  { host: /(?:^|\.)amazonaws\.com(?:\.cn)?$/, provider: 'aws' },
  { host: /^/, provider: 'generic' },
];

/** The provider at an endpoint; AWS where there is none. */
export function providerAt(endpoint: URL | undefined): S3Provider {
  if (endpoint === undefined) return 'aws';
  return providersByHost.find(({ host }) => host.test(endpoint.hostname))?.provider ?? 'generic';
}

/**
 * The endpoint as a URL; undefined for none.
 * @param tls whether to speak https where it does not say
 * @throws StartError
 */
export function parseEndpoint(endpoint: string, tls: boolean): URL | undefined {
  if (endpoint === '') return undefined;
  const url = endpoint.includes('://') ? endpoint : `${tls ? 'https' : 'http'}://${endpoint}`;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new StartError(
      `-s3-endpoint must be a URL such as https://HOST, not ${JSON.stringify(endpoint)}`,
    );
  }
  return new URL(url);
}
