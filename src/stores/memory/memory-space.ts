/** Counts the bytes that all uploads of a store take together. */
export class MemorySpace {
  #free: number;

  constructor(maxBytes: number) {
    this.#free = maxBytes;
  }

  /** Takes up to `bytes`, and returns how many there were. */
  take(bytes: number): number {
    const granted = Math.min(bytes, this.#free);
    this.#free -= granted;
    return granted;
  }

  give(bytes: number): void {
    this.#free += bytes;
  }
}
