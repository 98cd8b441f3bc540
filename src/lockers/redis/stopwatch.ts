/**
 * Measures how long ago it was made. By the clock that went further: the monotonic one cannot be turned back, and the wall
 * clock goes on while the machine sleeps.
 */
export class Stopwatch {
  readonly #monotonic = performance.now();
  readonly #wall = Date.now();

  get elapsedMs(): number {
    return Math.max(performance.now() - this.#monotonic, Date.now() - this.#wall);
  }
}
