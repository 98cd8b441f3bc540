import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { packageVersion } from './version.js';

/** Answers GET and HEAD of `/` with a greeting, and leaves everything else to `handler`. */
export function withGreeting(handler: RequestListener, basePath: string): RequestListener {
  const body = Buffer.from(greeting(basePath));
  return (request: IncomingMessage, response: ServerResponse) => {
    const isRoot = request.url === '/' || request.url?.startsWith('/?');
    if (!isRoot || (request.method !== 'GET' && request.method !== 'HEAD')) {
      handler(request, response);
      return;
    }
    response.writeHead(200, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': body.length,
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(body);
  };
}

function greeting(basePath: string): string {
  return `Welcome to tuskd
================

The server is up. This is only its root, though: uploads are created and
found at ${basePath}. Point any tus 1.0.0 client there.

Version = ${packageVersion()}
`;
}
