/** Bytes held for a slow store before the client is slowed down: enough to keep a disk busy, little enough for thousands. */
export const highWaterMark = 1024 * 1024;
