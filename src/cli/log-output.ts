import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';

/** Characters that may wait for a reader. More are dropped: memory is worth more than the log. */
const maxWaiting = 1024 * 1024;
const retryMs = 100;

/** What a pipe takes in one piece, never mixed with what others write: Linux's PIPE_BUF. */
const pipeBytes = 4096;

/** Hands `text` to the system without ever blocking, and calls `done` once it is there or lost. */
export type Send = (text: string, done: (error?: Error | null) => void) => void;

export interface LogOutputOptions {
  readonly send: Send;
  /** A line that tells of `dropped` lines that nobody will see. */
  readonly droppedNotice: (dropped: number) => string;
}

/**
 * Lines on their way out. Whoever writes never waits: lines gather while others are being sent, and where the reader
 * stalls (a full pipe, Ctrl-S on a terminal, a slow disk) they are dropped and counted.
 */
export class LogOutput {
  readonly #options: LogOutputOptions;
  #waiting = '';
  #dropped = 0;
  #sending = false;
  #idle: (() => void) | undefined;

  constructor(options: LogOutputOptions) {
    this.#options = options;
  }

  write(line: string): void {
    if (this.#waiting.length + line.length > maxWaiting) {
      this.#dropped += 1;
      return;
    }
    this.#waiting += line;
    if (this.#sending) return;
    this.#sending = true;
    // One write for all that is logged in this turn of the event loop saves a busy server a fifth of its CPU time.
    setImmediate(() => this.#send());
  }

  /** Resolves once every line is out, at the latest after `timeoutMs`. */
  async flush(timeoutMs: number): Promise<void> {
    if (!this.#sending) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
  }

  /** The lines that still wait, for the last moment of a process; they are not sent any more. */
  takeWaiting(): string {
    const waiting = this.#waiting;
    this.#waiting = '';
    return waiting;
  }

  #send(): void {
    const text = this.#waiting;
    this.#waiting = '';
    this.#options.send(text, () => {
      // An error loses these lines only: a full disk has space again some day, and a reader that is gone needs none.
      this.#noticeDropped();
      if (this.#waiting !== '') {
        this.#send();
      } else {
        this.#sending = false;
        this.#idle?.();
      }
    });
  }

  #noticeDropped(): void {
    if (this.#dropped === 0) return;
    this.#waiting += this.#options.droppedNotice(this.#dropped);
    this.#dropped = 0;
  }
}

export interface StandardOutputOptions extends Pick<LogOutputOptions, 'droppedNotice'> {
  /** Whether other processes write their lines to the same place. */
  readonly shared: boolean;
}

/** Standard output of this process, flushed when it exits or crashes. */
export function standardOutput({ shared, droppedNotice }: StandardOutputOptions): LogOutput {
  const descriptor = process.stdout.isTTY ? openTerminal() : process.stdout.fd;
  const send = isPipe() ? sendToPipe(shared) : sendToFile(descriptor);
  const output = new LogOutput({ send, droppedNotice });
  process.on('exit', () => {
    const waiting = output.takeWaiting();
    try {
      if (waiting !== '') writeSync(descriptor, waiting);
    } catch {
      // Nobody is left to tell.
    }
  });
  return output;
}

function isPipe(): boolean {
  const stats = fstatSync(process.stdout.fd);
  return stats.isFIFO() || stats.isSocket();
}

/** Node writes to pipes without blocking, off Windows. */
function sendToPipe(shared: boolean): Send {
  // Without a listener, the error of a reader that went away would end the process.
  process.stdout.on('error', () => undefined);
  return shared
    ? (text, done) => sendPieces(Buffer.from(text), done)
    : (text, done) => void process.stdout.write(text, done);
}

/** Lines in pieces that a pipe takes whole. A longer line goes alone, and can be torn where the pipe is nearly full. */
function sendPieces(lines: Buffer, done: (error?: Error | null) => void): void {
  const fits =
    lines.length <= pipeBytes ? lines.length : lines.lastIndexOf('\n', pipeBytes - 1) + 1;
  const end = fits > 0 ? fits : lines.indexOf('\n') + 1;
  process.stdout.write(lines.subarray(0, end), (error) => {
    if (error || end === lines.length) done(error);
    else sendPieces(lines.subarray(end), done);
  });
}

/**
 * The terminal, opened once more so that writing never blocks. On the descriptor that we were given, a terminal that is
 * halted with Ctrl-S would hold a thread for as long, and the exit of the process with it.
 */
function openTerminal(): number {
  try {
    return openSync('/dev/stdout', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // Windows, or somebody else's terminal.
    return process.stdout.fd;
  }
}

/** Node writes to files in the middle of everything else, however slow the disk; the thread pool does it aside. */
function sendToFile(descriptor: number): Send {
  return function send(text, done) {
    sendBytes(descriptor, Buffer.from(text), done);
  };
}

function sendBytes(descriptor: number, bytes: Buffer, done: (error?: Error | null) => void): void {
  write(descriptor, bytes, (error, written) => {
    if (error?.code === 'EAGAIN') {
      // A halted terminal. Node has no event for it to wait for.
      setTimeout(() => sendBytes(descriptor, bytes, done), retryMs).unref();
    } else if (error ?? written === bytes.length) {
      done(error);
    } else {
      sendBytes(descriptor, bytes.subarray(written), done);
    }
  });
}
