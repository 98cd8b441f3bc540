/** An upload as its clients know it: what they sent, and what they were told. */
export interface TrackedUpload {
  /** Stands in its metadata, so that an upload whose creation was never answered is known when it turns up. */
  readonly number: number;
  /** What all its bytes are. */
  readonly source: Buffer;
  /** The final upload of these parts; empty for all others. */
  readonly parts: readonly TrackedUpload[];
  readonly isPartial: boolean;
  /** Whether the server was told the length at the creation. */
  readonly isLengthKnown: boolean;
  /** Undefined as long as no client was told. */
  path: string | undefined;
  /** The highest offset that a client was told. */
  told: number;
  /** Up to which byte anything was sent that belongs to it. */
  sent: number;
  /** How far its removal went. */
  deletion: 'none' | 'sent' | 'answered';
  /** A final upload needs it. */
  isNeeded: boolean;
}

export function isFinal(upload: TrackedUpload): boolean {
  return upload.parts.length > 0;
}

export function isFinished(upload: TrackedUpload): boolean {
  return upload.told === upload.source.length;
}

export function describeUpload(upload: TrackedUpload): string {
  const { number, source, path, told, sent, deletion } = upload;
  const kind = isFinal(upload) ? 'final upload' : upload.isPartial ? 'partial upload' : 'upload';
  const removal = deletion === 'none' ? '' : `, its DELETE ${deletion}`;
  return `${kind} ${number} (${path ?? 'unanswered'}, ${told} of ${source.length} bytes told, ${sent} sent${removal})`;
}
