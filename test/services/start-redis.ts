import net from 'node:net';
import { once } from 'node:events';
import { freePort } from './free-port.js';
import { type ServiceProcess, startService } from './start-service.js';

/** A Redis that keeps nothing on disk. */
export interface Redis {
  readonly port: number;
  readonly url: string;
  /** Ends it as a crash does: what it held is gone. */
  kill(): Promise<void>;
  /** Starts it again, empty, on the port that it had. */
  restart(): Promise<void>;
  /** Freezes it: connections stay open and nothing is answered. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<Redis> {
  const port = await freePort();
  let service = await start(port);
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill: () => service.stop(),
    async restart() {
      await service.stop();
      service = await start(port);
    },
    pause: () => service.signal('SIGSTOP'),
    resume: () => service.signal('SIGCONT'),
    stop: () => service.stop(),
  };
}

function start(port: number): Promise<ServiceProcess> {
  return startService({
    program: 'redis-server',
    args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    answers: () => pings(port),
  });
}

async function pings(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1').setEncoding('utf8');
  try {
    socket.write('PING\r\n');
    const [text]: unknown[] = await once(socket, 'data');
    return text === '+PONG\r\n';
  } finally {
    socket.destroy();
  }
}
