import { freePort } from './free-port.js';
import { startService } from './start-service.js';

export interface Haproxy {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts an HAProxy with the configuration that is made for the port on which it is to listen. */
export async function startHaproxy(configure: (port: number) => string): Promise<Haproxy> {
  const [port, readyPort] = [await freePort(), await freePort()];
  // It listens everywhere before it answers anywhere, so nothing has to knock at what is tested.
  const ready = `
frontend ready
  mode http
  timeout client 10s
  bind 127.0.0.1:${readyPort}
  http-request return status 200
`;
  const { stop } = await startService({
    program: 'haproxy',
    args: ['-db', '-f', 'haproxy.cfg'],
    files: { 'haproxy.cfg': configure(port) + ready },
    answers: async () => (await fetch(`http://127.0.0.1:${readyPort}/`)).ok,
  });
  return { port, stop };
}
