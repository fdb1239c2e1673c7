// The key-value store in this process's memory: for one replica, for development and for tests.
import { checkTtl, StoreUnavailable } from "./contract.ts";
import type { FencedOptions, KeyValueStore, Lock, SetOptions } from "./contract.ts";

type Content =
  | { readonly kind: "value"; readonly value: Uint8Array; readonly fence: number }
  | { readonly kind: "members"; readonly members: Map<string, number> };

interface Entry {
  readonly content: Content;
  /** Seconds since the epoch. */
  expiresAt: number;
}

export interface MemoryOptions {
  readonly now: () => number;
  /** Default 100,000. */
  readonly maxEntries?: number;
}

/** How many entries each write looks at for expiry; two would do to keep up, more shrinks the store sooner. */
const sweepPerWrite = 4;

/**
 * A map with expiry and a bound. When it is full of live entries it refuses new keys (StoreUnavailable) rather than evicting
 * old ones: evicting a replay mark would admit a token twice, and evicting a session would sign a user out.
 */
class Entries {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;
  readonly #max: number;
  #sweep: Iterator<[string, Entry]>;
  #fullSweepAt = -Infinity;

  constructor(options: MemoryOptions) {
    this.#now = options.now;
    this.#max = options.maxEntries ?? 100_000;
    this.#sweep = this.#entries.entries();
  }

  get now(): number {
    return this.#now();
  }

  live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAt > this.#now()) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  put(key: string, entry: Entry): void {
    this.#sweepSome();
    if (!this.#entries.has(key) && this.#entries.size >= this.#max) this.#makeRoom();
    this.#entries.set(key, entry);
  }

  remove(key: string): boolean {
    const was = this.live(key) !== undefined;
    this.#entries.delete(key);
    return was;
  }

  clear(): void {
    this.#entries.clear();
  }

  #sweepSome(): void {
    const now = this.#now();
    for (let i = 0; i < sweepPerWrite; i++) {
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = this.#entries.entries();
        return;
      }
      if (next.value[1].expiresAt <= now) this.#entries.delete(next.value[0]);
    }
  }

  #makeRoom(): void {
    const now = this.#now();
    // A full sweep costs the whole map, so one a second, however many writers knock.
    if (now - this.#fullSweepAt >= 1 || now < this.#fullSweepAt) {
      this.#fullSweepAt = now;
      for (const [key, entry] of this.#entries) if (entry.expiresAt <= now) this.#entries.delete(key);
    }
    if (this.#entries.size >= this.#max)
      throw new StoreUnavailable(`the store in memory is full (${this.#max} entries)`);
  }
}

class MemoryStore implements KeyValueStore {
  readonly #entries: Entries;
  readonly #listeners = new Map<string, Set<(message: string) => void>>();
  #fence = 0;
  #lockId = 0;

  constructor(options: MemoryOptions) {
    this.#entries = new Entries(options);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const content = this.#entries.live(key)?.content;
    return content?.kind === "value" ? content.value : undefined;
  }

  async set(key: string, value: Uint8Array, { ttlSeconds, only }: SetOptions): Promise<boolean> {
    checkTtl(ttlSeconds);
    const present = this.#entries.live(key);
    if (only !== undefined && (only === "present") !== (present !== undefined)) return false;
    const fence = present?.content.kind === "value" ? present.content.fence : 0;
    this.#entries.put(key, {
      content: { kind: "value", value, fence },
      expiresAt: this.#entries.now + ttlSeconds,
    });
    return true;
  }

  async delete(...keys: readonly string[]): Promise<number> {
    return keys.filter((key) => this.#entries.remove(key)).length;
  }

  async deleteIf(key: string, value: Uint8Array): Promise<boolean> {
    const present = await this.get(key);
    return present !== undefined && Buffer.compare(present, value) === 0 && this.#entries.remove(key);
  }

  claim(key: string, ttlSeconds: number): Promise<boolean> {
    return this.set(key, new Uint8Array(), { ttlSeconds, only: "absent" });
  }

  async addMember(key: string, member: string, ttlSeconds: number): Promise<void> {
    checkTtl(ttlSeconds);
    const expiresAt = this.#entries.now + ttlSeconds;
    const entry = this.#entries.live(key);
    if (entry?.content.kind === "members") {
      entry.content.members.set(member, expiresAt);
      entry.expiresAt = Math.max(entry.expiresAt, expiresAt);
    } else
      this.#entries.put(key, {
        content: { kind: "members", members: new Map([[member, expiresAt]]) },
        expiresAt,
      });
  }

  async members(key: string): Promise<readonly string[]> {
    const content = this.#entries.live(key)?.content;
    if (content?.kind !== "members") return [];
    const now = this.#entries.now;
    for (const [member, expiresAt] of content.members) if (expiresAt <= now) content.members.delete(member);
    return [...content.members.keys()];
  }

  async removeMember(key: string, member: string): Promise<void> {
    const content = this.#entries.live(key)?.content;
    if (content?.kind !== "members") return;
    content.members.delete(member);
    if (content.members.size === 0) this.#entries.remove(key);
  }

  async lock(key: string, { ttlSeconds }: { readonly ttlSeconds: number }): Promise<Lock | undefined> {
    const name = `lock ${key}`;
    const owner = new TextEncoder().encode(String(++this.#lockId));
    if (!(await this.set(name, owner, { ttlSeconds, only: "absent" }))) return undefined;
    return {
      fence: ++this.#fence,
      extend: async (seconds) =>
        (await this.get(name)) === owner &&
        (await this.set(name, owner, { ttlSeconds: seconds, only: "present" })),
      release: async () => {
        if ((await this.get(name)) === owner) this.#entries.remove(name);
      },
    };
  }

  async setFenced(
    key: string,
    value: Uint8Array,
    { ttlSeconds, fence, only }: FencedOptions,
  ): Promise<boolean> {
    checkTtl(ttlSeconds);
    const present = this.#entries.live(key);
    if (only === "present" && present === undefined) return false;
    if (present?.content.kind === "value" && present.content.fence > fence) return false;
    this.#entries.put(key, {
      content: { kind: "value", value, fence },
      expiresAt: this.#entries.now + ttlSeconds,
    });
    return true;
  }

  async publish(channel: string, message: string): Promise<void> {
    // After the publisher's own turn, as over a network; a listener that throws harms neither publisher nor other listeners.
    for (const listener of this.#listeners.get(channel) ?? []) queueMicrotask(() => listener(message));
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>> {
    const listeners = this.#listeners.get(channel) ?? new Set();
    const own = (message: string): void => listener(message);
    this.#listeners.set(channel, listeners.add(own));
    return async () => {
      listeners.delete(own);
      if (listeners.size === 0) this.#listeners.delete(channel);
    };
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {
    this.#entries.clear();
    this.#listeners.clear();
  }
}

/** Opens an empty store. */
export function openMemoryStore(options: MemoryOptions): KeyValueStore {
  return new MemoryStore(options);
}
