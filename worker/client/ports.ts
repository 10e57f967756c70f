/** Where results are read. */
export interface ResultsPort extends AsyncDisposable {
  /**
   * Hands over the row under a key, if there is one, and each that is published from then on, in the order of the server; none is missed
   * in between, nor over a lost connection. Resolves when it listens. The returned function ends it. Rejects only on disposal.
   */
  watch(key: string, onRow: (row: Uint8Array) => void): Promise<() => void>;
  read(key: string): Promise<Uint8Array | undefined>;
  write(key: string, value: string, ttlSeconds: number): Promise<void>;
  remove(key: string): Promise<void>;
}

/** The world's time and chance, as arguments, so that tests own them. */
export interface Surroundings {
  readonly now: () => number;
  readonly newId: () => string;
  readonly pause: (ms: number) => Promise<void>;
}
