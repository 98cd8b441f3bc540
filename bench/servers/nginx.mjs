import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Files come by PUT and go by sendfile(); one process, as everybody has that is measured with one connection.
const [, , port, directory] = process.argv;
const own = `${directory}-nginx`;
mkdirSync(own, { recursive: true });
const config = join(own, 'nginx.conf');
writeFileSync(
  config,
  `daemon off; master_process off; pid ${own}/pid; error_log stderr;
events {}
http {
  access_log off; sendfile on; tcp_nopush on; client_max_body_size 0;
  client_body_temp_path ${own}/body; proxy_temp_path ${own}/proxy; fastcgi_temp_path ${own}/fastcgi;
  uwsgi_temp_path ${own}/uwsgi; scgi_temp_path ${own}/scgi;
  server { listen 127.0.0.1:${port}; location / { root ${directory}; dav_methods PUT; } }
}
`,
);
const server = spawn('nginx', ['-c', config, '-e', 'stderr'], { stdio: 'inherit' });
server.on('exit', (code) => process.exit(code ?? 0));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill(signal));
