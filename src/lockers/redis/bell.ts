/** Wakes one who waits. What rings while nobody waits is heard by the next who does. */
export class Bell {
  #isRung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /**
   * Waits for the bell, for `limitMs` at most.
   * @throws the signal's reason
   */
  async wait(limitMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#isRung) await this.#sleep(limitMs, signal);
    signal.throwIfAborted();
    this.#isRung = false;
  }

  #sleep(limitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(wake, limitMs).unref();
      signal.addEventListener('abort', wake, { once: true });
      this.#wake = wake;
    });
  }
}
