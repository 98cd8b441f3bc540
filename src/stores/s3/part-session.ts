import { TusError } from '../../core/errors.js';
import { changeRecord, type LoadedRecord, type Place } from './load-record.js';
import { type PartPlan, partBytesAt } from './part-size.js';
import type { PartsOnTheirWay } from './parts-on-their-way.js';
import type { StoredPart } from './multipart-uploads.js';
import { startOfTusdTail, type Survey } from './survey.js';
import type { PartLedger, Run, UploadRecord } from './upload-record.js';

/** Parts that are noted in the record: as many as S3 may be late to list. */
const notedParts = 32;

/** What a session has to know of the upload. */
export interface SessionOptions {
  readonly place: Place;
  readonly fence: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Parts that may be on their way at once. */
  readonly maxInFlight: number;
  readonly plan: PartPlan;
}

/** How a session ended. */
export interface SessionEnd {
  /** Parts that follow the earlier ones without a gap. */
  readonly stored: readonly StoredPart[];
  /** Some part behind them was given a number, and is not stored, or may not be. */
  readonly hasGap: boolean;
  /** All bytes of the upload are in its parts. */
  readonly isFull: boolean;
}

/**
 * The time in which one writer puts parts. Its begin and its end are noted in the upload's record, so that a successor knows
 * whether the numbers behind the last part are free.
 */
export class PartSession {
  readonly #options: SessionOptions;
  readonly #start: number;
  #record: LoadedRecord;
  #nextNumber: number;

  private constructor(
    options: SessionOptions,
    record: LoadedRecord,
    firstNumber: number,
    start: number,
  ) {
    this.#options = options;
    this.#record = record;
    this.#nextNumber = firstNumber;
    this.#start = start;
  }

  /** @throws TusError ERR_LOCK_LOST, ERR_MAX_SIZE_EXCEEDED where no part number is left */
  static async open(options: SessionOptions, found: Survey): Promise<PartSession> {
    const run = firstRun(found);
    const first = run?.first ?? found.lastNumber + 1;
    const record = await changeRecord(
      options.place,
      found.record,
      options.fence,
      options.signal,
      ({ info, ledger }) => ({
        info,
        ledger: {
          ...requireSame(ledger, found.record.ledger),
          writer: options.maxInFlight,
          writerFence: options.fence,
          partBytes: options.plan.profile.equalParts ? partBytesAt(options.plan, 0) : undefined,
          runs: run === undefined ? ledger.runs : [...ledger.runs, run],
          done: {
            number: first - 1,
            offset: found.partsEnd,
            fence: found.tailFence,
          },
          tusdTail: found.tusdTail && {
            etag: found.tusdTail.etag,
            start: startOfTusdTail(found.record.ledger, found.tusdTail, found.partsEnd),
          },
        },
      }),
    );
    return new PartSession(options, record, first, found.partsEnd);
  }

  /**
   * Puts the fence of a writer of no parts on record. One that was overtaken before it opened its session could otherwise still
   * open it, and put parts over the pieces of its successor.
   *
   * @throws TusError ERR_LOCK_LOST, ERR_UPLOAD_NOT_FOUND
   */
  static claim({ place, fence, signal }: SessionOptions, found: Survey): Promise<LoadedRecord> {
    return changeRecord(place, found.record, fence, signal, ({ info, ledger }) => ({
      info,
      ledger: requireSame(ledger, found.record.ledger),
    }));
  }

  /** The record as this session wrote it last. */
  get record(): LoadedRecord {
    return this.#record;
  }

  /** The number that the next part gets. */
  get peekNumber(): number {
    return this.#nextNumber;
  }

  /** @throws TusError ERR_MAX_SIZE_EXCEEDED where none is left */
  nextNumber(): number {
    if (this.#nextNumber > this.#options.place.bucket.profile.maxParts) {
      throw new TusError('ERR_MAX_SIZE_EXCEEDED', { detail: 'no part number is left' });
    }
    return this.#nextNumber++;
  }

  /**
   * As {@link close}, when nothing is on its way any more. Where a part has failed, S3 is asked first: an answer may have been
   * lost, and what has been seen once must not be gone.
   */
  async closeWith(parts: PartsOnTheirWay, isFull: boolean): Promise<void> {
    if (parts.hasGap) {
      const { place, signal } = this.#options;
      const before = this.#record.ledger.done?.number ?? 0;
      parts.recognize(
        (await place.bucket.multiparts.listParts(this.#record.keys, before, signal)) ?? [],
      );
    }
    const { stored, hasGap } = parts;
    await this.close({ stored, hasGap, isFull });
  }

  async close({ stored, hasGap, isFull }: SessionEnd): Promise<void> {
    const { place, fence, signal } = this.#options;
    const last = stored.at(-1);
    const offset = stored.reduce((sum, { size }) => sum + size, this.#start);
    const gap: Run | undefined = hasGap ? { first: this.#nextNumber, start: offset } : undefined;
    const opened = this.#record;
    this.#record = await changeRecord(
      place,
      opened,
      fence,
      signal,
      ({ info, ledger }: UploadRecord) => {
        const noted = [...ledger.newest, ...stored].slice(-notedParts);
        const done = last === undefined ? ledger.done : { number: last.number, offset, fence };
        const closed: PartLedger = {
          ...requireSame(ledger, opened.ledger),
          writer: undefined,
          writerFence: undefined,
          newest: noted,
          done: gap === undefined ? done : { number: gap.first - 1, offset, fence: done?.fence },
          runs: gap === undefined ? ledger.runs : [...ledger.runs, gap],
          state: isFull ? 'completing' : ledger.state,
        };
        return { info, ledger: closed };
      },
    );
  }
}

/**
 * The run that has to begin, unless the last one can go on.
 *
 * A writer that did not come to its end may still be there, paused, with parts on their way, and when it wakes up it must not
 * overwrite what came after it. So its successor uses no number that it can have given out: those that S3 has, and behind
 * them as many as it may have had on their way, twice for safety.
 */
function firstRun({ record, highestNumber, lastNumber, partsEnd }: Survey): Run | undefined {
  const { writer } = record.ledger;
  if (writer === undefined && highestNumber === lastNumber) return undefined;
  return { first: highestNumber + 1 + 2 * (writer ?? 0), start: partsEnd };
}

/**
 * Whoever else has noted anything about parts held the lock since.
 * @throws TusError ERR_LOCK_LOST
 */
function requireSame(now: PartLedger, before: PartLedger): PartLedger {
  const [noted, expected] = [now, before].map(({ state, writer, done, runs }) =>
    JSON.stringify([state, writer, done, runs]),
  );
  if (noted !== expected) throw new TusError('ERR_LOCK_LOST');
  return now;
}
