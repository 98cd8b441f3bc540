/** An upload as its clients know it: what they sent, and what they were told. */
export interface TrackedUpload {
  /** Stands in its metadata, so that an upload whose creation was never answered is known when it turns up. */
  readonly number: number;
  /** What all its bytes are. */
  readonly source: Buffer;
  /** The final upload of these parts; empty for all others. */
  readonly parts: readonly TrackedUpload[];
  readonly isPartial: boolean;
  /** Whether the server has the length for certain. */
  isLengthKnown: boolean;
  /** Undefined as long as no client was told. */
  path: string | undefined;
  /** The highest offset that a client was told. */
  told: number;
  /** Up to which byte anything was sent that belongs to it. */
  sent: number;
  /** Whether it has gone: somebody sent a DELETE, or it has expired. */
  gone: 'no' | 'maybe' | 'yes';
  /** A final upload needs it. */
  isNeeded: boolean;
}

export function isFinal(upload: TrackedUpload): boolean {
  return upload.parts.length > 0;
}

export function isFinished(upload: TrackedUpload): boolean {
  return upload.isLengthKnown && upload.told === upload.source.length;
}

export function describeUpload(upload: TrackedUpload): string {
  const { number, source, path, told, sent, gone } = upload;
  const kind = isFinal(upload) ? 'final upload' : upload.isPartial ? 'partial upload' : 'upload';
  return `${kind} ${number} (${path ?? 'unanswered'}, ${told} of ${source.length} bytes told, ${sent} sent, gone: ${gone})`;
}
