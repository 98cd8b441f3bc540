import http from 'node:http';
import type { Logger } from '../../core/logger.js';
import { isHttp2, type NodeRequest } from './node-message.js';

/** Warns once where the server that the handler is mounted in will break uploads. @param attached servers that will not */
export function mountingCheck(
  logger: Logger,
  attached: Pick<WeakSet<object>, 'has'>,
): (request: NodeRequest) => void {
  let checked = false;
  return (request) => {
    if (checked) return;
    checked = true;
    const problem = isHttp2(request)
      ? problemOfHttp2(request.stream.session, attached)
      : problemOfHttp1(request.socket, attached);
    if (problem === '') return;
    logger.log('warn', 'ServerNotAttached', {
      problem,
      hint: 'call handler.attach(server) once, with the server that the handler is mounted in',
    });
  };
}

function problemOfHttp1(socket: object, attached: Pick<WeakSet<object>, 'has'>): string {
  const server = 'server' in socket ? socket.server : undefined;
  if (!(server instanceof http.Server) || attached.has(server)) return '';
  return [
    server.requestTimeout > 0 &&
      `requests that take longer than ${server.requestTimeout} ms are cut off (requestTimeout)`,
    server.listenerCount('checkContinue') === 0 &&
      'clients that send Expect: 100-continue are told to go on before their request is accepted',
  ]
    .filter((problem) => problem !== false)
    .join('; ');
}

/** @param session undefined where the client has gone */
function problemOfHttp2(
  session: object | undefined,
  attached: Pick<WeakSet<object>, 'has'>,
): string {
  const server = session !== undefined && 'server' in session ? session.server : undefined;
  if (typeof server !== 'object' || server === null || attached.has(server)) return '';
  return 'uploads over HTTP/2 get no further than 64 KiB in a round trip (initialWindowSize)';
}
