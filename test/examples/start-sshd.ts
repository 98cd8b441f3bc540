import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { freePort } from '../services/free-port.js';

/** sshd starts itself anew for each connection, so it insists on its whole path. */
const program = '/usr/sbin/sshd';

/** Why there is no OpenSSH server to be had; undefined where there is. */
export function whyNoSshd(): string | undefined {
  if (existsSync(program)) return undefined;
  return `${program} is missing: run \`npm run services\``;
}

export interface Sshd {
  readonly port: number;
  /** Whom it lets in: who runs the tests. */
  readonly user: string;
  /** The file with the user's private key. */
  readonly keyFile: string;
  /** The server's public key, in base64. */
  readonly hostKey: string;
}

/** An OpenSSH server for the length of one test, with new keys that lie in `directory`. */
export async function startSshd(directory: string): Promise<Sshd> {
  const [hostKeyFile, keyFile] = [join(directory, 'host-key'), join(directory, 'user-key')];
  for (const file of [hostKeyFile, keyFile]) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  }
  // Where it runs as root, sshd wants an empty folder to lock its unprivileged half into; an init script makes it at boot.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const port = await freePort();
  const config = join(directory, 'sshd_config');
  await writeFile(config, configuration(port, hostKeyFile, `${keyFile}.pub`));
  const child = spawn(program, ['-D', '-e', '-f', config], { stdio: 'inherit' });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const answers = expect.poll(() => banner(port), { timeout: 10_000 }).toMatch(/^SSH-2\.0-OpenSSH/);
  await Promise.race([answers, exited.then(([code]) => expect.fail(`sshd ended with ${code}`))]);
  const [, hostKey = ''] = (await readFile(`${hostKeyFile}.pub`, 'utf8')).split(' ');
  return { port, user: userInfo().username, keyFile, hostKey };
}

/** Nothing of the system's own configuration; and no check of who may write to the folders above, as /tmp is everybody's. */
function configuration(port: number, hostKeyFile: string, authorizedKeysFile: string): string {
  return `
    ListenAddress 127.0.0.1:${port}
    HostKey ${hostKeyFile}
    AuthorizedKeysFile ${authorizedKeysFile}
    StrictModes no
    PermitRootLogin prohibit-password
    PasswordAuthentication no
    PidFile none
    LogLevel FATAL
    Subsystem sftp internal-sftp
  `;
}

/** What a server says first; empty where none answers. */
async function banner(port: number): Promise<string> {
  const socket = net.connect(port, '127.0.0.1').setEncoding('utf8');
  try {
    const [text]: unknown[] = await once(socket, 'data');
    return String(text);
  } catch {
    return '';
  } finally {
    socket.destroy();
  }
}
