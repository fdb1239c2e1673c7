// The contract of a key-value store: what every implementation promises and the suite checks.

/** A key-value store for sessions, locks and replay marks. Every value has a time to live; every call ends within about 2 s. */
export interface KeyValueStore {
  get(key: string): Promise<Uint8Array | undefined>;
  /** Sets a value. With `only`, does so only when the key is absent or present; gives whether it did. */
  set(key: string, value: Uint8Array, options: SetOptions): Promise<boolean>;
  /** Deletes keys (values or sets of members); gives how many were there. */
  delete(...keys: readonly string[]): Promise<number>;
  /** Deletes a value if it still is this one; gives whether it did. What was written meanwhile stays. */
  deleteIf(key: string, value: Uint8Array): Promise<boolean>;
  /** Marks a key as used; true the first time within `ttlSeconds`. Atomic over all replicas: of many claims at once, one wins. */
  claim(key: string, ttlSeconds: number): Promise<boolean>;
  /** Adds a member, with a time to live of its own, to the set at `key`. Adding it again renews it. */
  addMember(key: string, member: string, ttlSeconds: number): Promise<void>;
  members(key: string): Promise<readonly string[]>;
  removeMember(key: string, member: string): Promise<void>;
  /** Takes a lock that frees itself after `ttlSeconds`; undefined when another holds it. Does not wait. */
  lock(key: string, options: { readonly ttlSeconds: number }): Promise<Lock | undefined>;
  /**
   * Sets a value unless a holder of a later lock has set it already: a holder that was slow past its lock's life cannot
   * overwrite its successor. `only: "present"` also refuses to bring back a key that was deleted meanwhile.
   */
  setFenced(key: string, value: Uint8Array, options: FencedOptions): Promise<boolean>;
  publish(channel: string, message: string): Promise<void>;
  /** Calls `listener` for each message until the returned function is called. Messages sent while disconnected are lost. */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>>;
  /** *Throws* StoreUnavailable when the store cannot be used now. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface SetOptions {
  readonly ttlSeconds: number;
  readonly only?: "absent" | "present";
}

export interface FencedOptions {
  readonly ttlSeconds: number;
  readonly fence: number;
  readonly only?: "present";
}

export interface Lock {
  /** Higher than the fence of every lock that was taken on this key before. */
  readonly fence: number;
  /** Lets the lock live this long from now on if it is still this one; gives whether it is. */
  extend(ttlSeconds: number): Promise<boolean>;
  /** Frees the lock if it is still this one. */
  release(): Promise<void>;
}

/** The store cannot be reached, does not answer in time, or is full. Callers answer 503 and try again later. */
export class StoreUnavailable extends Error {
  readonly code = "store_unavailable";
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreUnavailable";
  }
}

/** Times to live come from settings and tokens: a wrong one must not mean "for ever". */
export function checkTtl(ttlSeconds: number): number {
  if (!(ttlSeconds > 0 && ttlSeconds <= 10 * 365 * 86_400))
    throw new RangeError(`a time to live of ${ttlSeconds} s is out of range`);
  return ttlSeconds;
}
