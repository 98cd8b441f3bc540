import type { Exchange } from '../core/exchange.js';

/** Host and port as they may stand in a URL: nothing that could end a header, an attribute or the authority. */
const hostPattern = /^[\w.~%!$&'()*+,;=-]+(?::\d+)?$|^\[[\dA-Fa-f:.]+\](?::\d+)?$/;

/** Anchored: searched for in a header of a megabyte, it would take minutes to find nothing. */
const parameterPattern = /^([\w-]+)=(?:"([^"]*)"|([^\s"]*))$/;

/**
 * The origin that clients know this server by, for absolute Locations; empty where it cannot be told, which makes them
 * path-absolute. Headers of proxies count only where the operator trusts them: anybody can send them.
 */
export function publicOrigin(
  exchange: Pick<Exchange, 'header' | 'host' | 'scheme'>,
  behindProxy: boolean,
): string {
  let scheme: string = exchange.scheme;
  let host = exchange.host;
  if (behindProxy) {
    const forwarded = firstForwarded(exchange.header('forwarded'));
    const proto = first(exchange.header('x-forwarded-proto')) ?? forwarded.get('proto');
    if (proto !== undefined && /^https?$/i.test(proto)) scheme = proto.toLowerCase();
    host = valid(first(exchange.header('x-forwarded-host')) ?? forwarded.get('host')) ?? host;
  }
  const usable = valid(host);
  return usable === undefined ? '' : `${scheme}://${withoutDefaultPort(usable, scheme)}`;
}

function valid(host: string | undefined): string | undefined {
  return host !== undefined && hostPattern.test(host) ? host : undefined;
}

/** Proxies append to a list; the first entry is what the client used. */
function first(list: string | undefined): string | undefined {
  return list?.split(',', 1)[0]?.trim();
}

/** The parameters of the first element of a Forwarded header (RFC 7239), names in lower case. */
function firstForwarded(header: string | undefined): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const parameter of (first(header) ?? '').split(';', 16)) {
    const [, name, quoted, token] = parameterPattern.exec(parameter.trim()) ?? [];
    if (name !== undefined) parameters.set(name.toLowerCase(), quoted ?? token ?? '');
  }
  return parameters;
}

function withoutDefaultPort(host: string, scheme: string): string {
  return host.replace(scheme === 'https' ? /:443$/ : /:80$/, '');
}
