/** The phrase that goes with a status on HTTP/1.1, where it is tus's own and no runtime knows one. */
export function reasonPhrase(status: number): string | undefined {
  return status === 460 ? 'Checksum Mismatch' : undefined;
}
