import { freePort } from './free-port.js';
import { startService } from './start-service.js';

/** What a toxic does to one direction: `downstream` is what comes from the server. */
export interface Toxic {
  readonly type: 'bandwidth' | 'latency' | 'limit_data' | 'reset_peer' | 'slicer' | 'timeout';
  readonly stream: 'downstream' | 'upstream';
  /** Of that type: latency and timeout in milliseconds, rate in KB/s, bytes. */
  readonly attributes: Readonly<Record<string, number>>;
}

/** A port that passes connections on to another, until told otherwise. */
export interface ToxicProxy {
  readonly port: number;
  /** Resolves with what removes it. */
  addToxic(toxic: Toxic): Promise<() => Promise<void>>;
  /** Off: connections are closed, and new ones refused. */
  switch(enabled: boolean): Promise<void>;
}

export interface Toxiproxy {
  /** A proxy in front of a port of 127.0.0.1. */
  proxy(upstreamPort: number): Promise<ToxicProxy>;
  stop(): Promise<void>;
}

export async function startToxiproxy(): Promise<Toxiproxy> {
  const port = await freePort();
  const { stop } = await startService({
    program: 'toxiproxy',
    args: ['-host', '127.0.0.1', '-port', String(port)],
    answers: async () => (await fetch(`http://127.0.0.1:${port}/version`)).ok,
  });
  let count = 0;

  async function order(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`toxiproxy: ${method} ${path}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  return {
    stop,
    async proxy(upstreamPort) {
      const name = `proxy-${++count}`;
      const listening = await freePort();
      await order('POST', '/proxies', {
        name,
        listen: `127.0.0.1:${listening}`,
        upstream: `127.0.0.1:${upstreamPort}`,
        enabled: true,
      });
      return {
        port: listening,
        async addToxic(toxic) {
          const path = `/proxies/${name}/toxics`;
          const toxicName = `toxic-${++count}`;
          await order('POST', path, { ...toxic, name: toxicName, toxicity: 1 });
          return async () => void (await order('DELETE', `${path}/${toxicName}`));
        },
        switch: async (enabled) => void (await order('POST', `/proxies/${name}`, { enabled })),
      };
    },
  };
}
