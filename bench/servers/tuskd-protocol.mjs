// A handler of uploads over the protocol that is given: http1, http1-tls, http2 or http2-tls.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compose, createHandler, FileStore, MemoryLocker } from '../../dist/index.js';

const [protocol = '', port, directory = ''] = process.argv.slice(2);
const core = new FileStore({ directory });
const handler = createHandler({ backend: compose({ core, locker: new MemoryLocker() }) });
const servers = {
  http1: () => http.createServer(handler),
  'http1-tls': () => https.createServer(selfSigned(), handler),
  http2: () => http2.createServer(handler),
  'http2-tls': () => http2.createSecureServer(selfSigned(), handler),
};
const server = servers[protocol]();
handler.attach(server);
server.listen(Number(port), '127.0.0.1');

function selfSigned() {
  const folder = mkdtempSync(join(tmpdir(), 'tuskd-bench-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const type = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=127.0.0.1', '-days', '1'];
  try {
    execFileSync('openssl', ['req', ...type, ...subject, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
