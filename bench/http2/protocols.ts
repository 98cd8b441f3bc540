/** What uploads are sent over, by its name on a command line. */
export const protocols = {
  http1: 'HTTP/1.1',
  http2: 'HTTP/2',
  'http1-tls': 'HTTP/1.1 with TLS',
  'http2-tls': 'HTTP/2 with TLS',
} as const;

export type Protocol = keyof typeof protocols;

export function isProtocol(name: string | undefined): name is Protocol {
  return name !== undefined && name in protocols;
}
