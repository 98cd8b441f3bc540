import { TusError } from '../../core/errors.js';
import { changeRecord, type LoadedRecord, type Place } from './load-record.js';
import { type PartPlan, partBytesAt } from './part-size.js';
import type { PartsOnTheirWay } from './parts-on-their-way.js';
import type { StoredPart } from './multipart-uploads.js';
import type { Signal } from './s3-calls.js';
import { startOfTusdTail, type Survey } from './survey.js';
import { type PartLedger, recordedEnd, type Run, withRun } from './upload-record.js';

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
  /** Its parts count only once it is closed. */
  readonly isProvisional: boolean;
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
  /** As it was noted when this session began. */
  readonly #before: NonNullable<PartLedger['done']>;
  #record: LoadedRecord;
  #nextNumber: number;

  private constructor(options: SessionOptions, record: LoadedRecord) {
    this.#options = options;
    this.#record = record;
    this.#before = recordedEnd(record.ledger);
    this.#nextNumber = this.#before.number + 1;
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
          isProvisional: options.isProvisional || undefined,
          partBytes: options.plan.profile.equalParts ? partBytesAt(options.plan, 0) : undefined,
          runs: run === undefined ? ledger.runs : withRun(ledger.runs, run),
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
    return new PartSession(options, record);
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

  get #isOpen(): boolean {
    return this.#record.ledger.writer !== undefined;
  }

  /**
   * As {@link close}, when nothing is on its way any more. Where a part has failed, S3 is asked first: an answer may have been
   * lost, and what has been seen once must not be gone.
   */
  async closeWith(parts: PartsOnTheirWay, isFull: boolean, signal: Signal): Promise<void> {
    if (!this.#isOpen) return;
    if (parts.hasGap) {
      const { multiparts } = this.#options.place.bucket;
      const { keys } = this.#record;
      parts.recognize((await multiparts.listParts(keys, this.#before.number, signal)) ?? []);
    }
    const { stored, hasGap } = parts;
    await this.close({ stored, hasGap, isFull }, signal);
  }

  async close({ stored, hasGap, isFull }: SessionEnd, signal: Signal): Promise<void> {
    const last = stored.at(-1);
    const offset = stored.reduce((sum, { size }) => sum + size, this.#before.offset);
    const { fence } = last === undefined ? this.#before : this.#options;
    const gap: Run | undefined = hasGap ? { first: this.#nextNumber, start: offset } : undefined;
    const number = gap === undefined ? (last?.number ?? this.#before.number) : gap.first - 1;
    await this.#note(signal, (ledger) => ({
      newest: [...ledger.newest, ...stored].slice(-notedParts),
      done: { number, offset, fence },
      runs: gap === undefined ? ledger.runs : withRun(ledger.runs, gap),
      state: isFull ? 'completing' : ledger.state,
    }));
  }

  /** Takes back all that this session has stored, closed or not: what was there before counts, and nothing else. */
  async undo(signal: Signal): Promise<void> {
    const { number: lastNumber, offset, fence } = this.#before;
    const run: Run = { first: this.#nextNumber, start: offset };
    await this.#note(signal, (ledger) => ({
      newest: ledger.newest.filter(({ number }) => number <= lastNumber),
      done: { number: run.first - 1, offset, fence },
      runs: withRun(ledger.runs, run),
      state: 'receiving',
    }));
  }

  /** @throws TusError ERR_LOCK_LOST */
  async #note(
    signal: Signal,
    change: (ledger: PartLedger) => Pick<PartLedger, 'newest' | 'done' | 'runs' | 'state'>,
  ): Promise<void> {
    const { place, fence } = this.#options;
    const before = this.#record;
    this.#record = await changeRecord(place, before, fence, signal, ({ info, ledger }) => ({
      info,
      ledger: {
        ...requireSame(ledger, before.ledger),
        ...change(ledger),
        writer: undefined,
        writerFence: undefined,
        isProvisional: undefined,
      },
    }));
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
