import type { Body, BodyEnd, StopReason } from '../core/body.js';

/** A body that does something with what another one hands out, and is like it in everything else. */
export abstract class WrappedBody implements Body {
  protected readonly source: Body;

  constructor(source: Body) {
    this.source = source;
  }

  get endReason(): BodyEnd | undefined {
    return this.source.endReason;
  }

  get trailers(): Readonly<Record<string, string>> | undefined {
    return this.source.trailers;
  }

  stop(reason: StopReason): void {
    this.source.stop(reason);
  }

  abstract next(): Promise<Uint8Array[] | null>;
}
