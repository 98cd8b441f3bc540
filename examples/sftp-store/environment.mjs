// @ts-check
import { readFileSync } from 'node:fs';
import { Sftp } from './sftp.mjs';

const { SFTP_URL, SFTP_KEY, SFTP_HOST_KEY } = process.env;
if (!SFTP_URL || !SFTP_KEY || !SFTP_HOST_KEY) {
  console.error(`Needed in the environment:
  SFTP_URL       where uploads are kept: sftp://user@host/absolute/directory
  SFTP_KEY       the file with the user's private key
  SFTP_HOST_KEY  the server's public key, as ssh-keyscan -t ed25519 prints it behind ssh-ed25519`);
  process.exit(2);
}
const { hostname, port, username, pathname } = new URL(SFTP_URL);

export const directory = pathname;

export const sftp = new Sftp({
  host: hostname,
  port: Number(port || 22),
  username,
  privateKey: readFileSync(SFTP_KEY),
  hostVerifier: (/** @type {Buffer} */ key) => key.toString('base64') === SFTP_HOST_KEY,
});
