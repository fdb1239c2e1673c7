// Values of a Redis server kept in this process for as long as the server promises to tell when they change (CLIENT TRACKING).

interface Pending {
  readonly value: Promise<Uint8Array | undefined>;
  stale: boolean;
}

/**
 * Reads through to `load`, keeps what it gave until `invalidate`, and gives what it keeps only while `isSure` says that changes would be
 * told. A read that was under way when its key changed gives its caller what it read, but is not kept. Bounded: the least recently read
 * entry leaves first.
 */
export class TrackedCache {
  readonly #load: (key: string) => Promise<Uint8Array | undefined>;
  readonly #isSure: () => boolean;
  readonly #max: number;
  readonly #values = new Map<string, Uint8Array | undefined>();
  readonly #pending = new Map<string, Pending>();

  constructor(
    load: (key: string) => Promise<Uint8Array | undefined>,
    options: { readonly isSure: () => boolean; readonly maxEntries: number },
  ) {
    this.#load = load;
    this.#isSure = options.isSure;
    this.#max = options.maxEntries;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    if (this.#values.has(key) && this.#isSure()) {
      const value = this.#values.get(key);
      this.#values.delete(key);
      this.#values.set(key, value);
      return value;
    }
    return await (this.#pending.get(key) ?? this.#start(key)).value;
  }

  invalidate(key: string): void {
    this.#values.delete(key);
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    pending.stale = true;
    this.#pending.delete(key);
  }

  /** For a lost connection: whatever changes now, nobody will tell. */
  clear(): void {
    this.#values.clear();
    for (const key of this.#pending.keys()) this.invalidate(key);
  }

  #start(key: string): Pending {
    const pending: Pending = { value: this.#load(key), stale: false };
    this.#pending.set(key, pending);
    pending.value.then(
      (value) => this.#keep(key, pending, value),
      () => this.#settle(key, pending),
    );
    return pending;
  }

  #keep(key: string, pending: Pending, value: Uint8Array | undefined): void {
    this.#settle(key, pending);
    if (pending.stale || this.#max === 0) return;
    if (this.#values.size >= this.#max) {
      const oldest = this.#values.keys().next();
      if (oldest.done !== true) this.#values.delete(oldest.value);
    }
    this.#values.set(key, value);
  }

  #settle(key: string, pending: Pending): void {
    if (this.#pending.get(key) === pending) this.#pending.delete(key);
  }
}
