import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Contender } from '../servers.js';
import { isProtocol, protocols } from './protocols.js';

/** tuskd over every protocol. @param skip told which are left out, and why */
export function findProtocolContenders(
  { root, version }: { readonly root: string; readonly version: string },
  skip: (sentence: string) => void,
): readonly Contender[] {
  const hasOpenssl = spawnSync('openssl', ['version']).error === undefined;
  if (!hasOpenssl) skip('TLS is left out, openssl is missing: apt-get install openssl');
  return Object.keys(protocols)
    .filter(isProtocol)
    .filter((protocol) => hasOpenssl || !protocol.endsWith('-tls'))
    .map((protocol) => ({
      name: protocols[protocol],
      version,
      role: 'server',
      protocol,
      command: [
        process.execPath,
        join(root, 'bench/servers/tuskd-protocol.mjs'),
        protocol,
        '{port}',
        '{dir}',
      ],
    }));
}
