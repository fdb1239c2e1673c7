// The key-value store in Redis or Valkey, shared by all replicas.
import { randomUUID } from "node:crypto";
import { tracing } from "../../observe/index.ts";
import type { Tracing } from "../../observe/index.ts";
import { checkTtl, StoreUnavailable } from "./contract.ts";
import type { FencedOptions, KeyValueStore, Lock, SetOptions } from "./contract.ts";
import { TrackedCache } from "./redis-cache.ts";
import { RedisLink, type RedisOptions } from "./redis-link.ts";

const ms = (ttlSeconds: number): number => Math.max(1, Math.round(checkTtl(ttlSeconds) * 1000));

/** Keys that belong together carry the same hash tag, so that a clustered server keeps them in one slot. */
const beside = (key: string, what: string): string => `{${key}}:${what}`;

class RedisStore implements KeyValueStore {
  readonly #options: RedisOptions;
  readonly #link: RedisLink;
  readonly #client: RedisLink["client"];
  readonly #prefix: string;
  readonly #cache: TrackedCache;
  readonly #traces = tracing();
  #subscriber: Promise<RedisLink> | undefined;
  #down = false;

  constructor(options: RedisOptions) {
    this.#options = options;
    this.#link = new RedisLink(options, {
      lost: (err) => {
        this.#cache.clear();
        if (!this.#down) options.log?.warn({ err }, "key-value store lost");
        this.#down = true;
      },
      ready: () => {
        this.#cache.clear();
        if (this.#down) options.log?.info("key-value store back");
        this.#down = false;
      },
    });
    this.#client = this.#link.client;
    this.#prefix = options.keyPrefix ?? "portvakt:";
    this.#cache = new TrackedCache((key) => this.#fetch(key), {
      isSure: () => this.#link.isSure,
      maxEntries: options.cacheEntries ?? 10_000,
    });
    this.#client.on("invalidate", (key: Uint8Array | string | null) =>
      key === null ? this.#cache.clear() : this.#cache.invalidate(String(key)),
    );
  }

  open(): Promise<void> {
    return this.#link.open();
  }

  /** A span when there are traces. */
  #bounded<T>(operation: string, call: Promise<T>): Promise<T> {
    return this.#traces === undefined ? this.#link.inTime(call) : this.#inSpan(this.#traces, operation, call);
  }

  async #inSpan<T>(traces: Tracing, operation: string, call: Promise<T>): Promise<T> {
    const from = performance.now();
    try {
      const result = await this.#link.inTime(call);
      traces.stored("redis", operation, performance.now() - from);
      return result;
    } catch (error) {
      traces.stored("redis", operation, performance.now() - from, error);
      throw error;
    }
  }

  async #fetch(key: string): Promise<Uint8Array | undefined> {
    const reply = await this.#bounded("GET", this.#client.get(key));
    // A copy: the reply is a window on a larger buffer that would be kept alive with it.
    return reply === null ? undefined : new Uint8Array(Buffer.from(reply));
  }

  /** The server tells of our own writes too, but a little later than it answers: a caller reads what it wrote. */
  async #write<T>(operation: string, key: string, call: Promise<T>): Promise<T> {
    try {
      return await this.#bounded(operation, call);
    } finally {
      this.#cache.invalidate(key);
    }
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#cache.get(this.#prefix + key);
  }

  async set(key: string, value: Uint8Array, { ttlSeconds, only }: SetOptions): Promise<boolean> {
    const name = this.#prefix + key;
    const condition = only === undefined ? {} : ({ condition: only === "absent" ? "NX" : "XX" } as const);
    const expiration = { type: "PX", value: ms(ttlSeconds) } as const;
    return (
      (await this.#write(
        "SET",
        name,
        this.#client.set(name, Buffer.from(value), { expiration, ...condition }),
      )) !== null
    );
  }

  async delete(...keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const names = keys.map((key) => this.#prefix + key);
    try {
      return await this.#bounded("DEL", this.#client.del(names));
    } finally {
      for (const name of names) this.#cache.invalidate(name);
    }
  }

  async deleteIf(key: string, value: Uint8Array): Promise<boolean> {
    const name = this.#prefix + key;
    return (await this.#write("DEL if", name, this.#client.deleteIf(name, Buffer.from(value)))) === 1;
  }

  claim(key: string, ttlSeconds: number): Promise<boolean> {
    return this.set(key, Buffer.of(1), { ttlSeconds, only: "absent" });
  }

  async addMember(key: string, member: string, ttlSeconds: number): Promise<void> {
    await this.#bounded("add member", this.#client.addMember(this.#prefix + key, member, ms(ttlSeconds)));
  }

  members(key: string): Promise<readonly string[]> {
    return this.#bounded("members", this.#client.liveMembers(this.#prefix + key));
  }

  async removeMember(key: string, member: string): Promise<void> {
    await this.#bounded("remove member", this.#client.zRem(this.#prefix + key, member));
  }

  async lock(key: string, { ttlSeconds }: { readonly ttlSeconds: number }): Promise<Lock | undefined> {
    const name = this.#prefix + key;
    const [lock, owner] = [beside(name, "lock"), randomUUID()];
    const fence = await this.#bounded(
      "lock",
      this.#client.takeLock(lock, beside(name, "fences"), owner, ms(ttlSeconds)),
    );
    if (fence === 0) return undefined;
    return {
      fence,
      extend: async (seconds) =>
        (await this.#bounded("extend lock", this.#client.extendLock(lock, owner, ms(seconds)))) === 1,
      release: async () => {
        await this.#bounded("unlock", this.#client.deleteIf(lock, owner));
      },
    };
  }

  async setFenced(
    key: string,
    value: Uint8Array,
    { ttlSeconds, fence, only }: FencedOptions,
  ): Promise<boolean> {
    const name = this.#prefix + key;
    const call = this.#client.setFenced(
      name,
      beside(name, "fence"),
      Buffer.from(value),
      ms(ttlSeconds),
      fence,
      only ?? "",
    );
    return (await this.#write("SET fenced", name, call)) === 1;
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#bounded("PUBLISH", this.#client.publish(this.#prefix + channel, message));
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>> {
    const name = this.#prefix + channel;
    const link = await (this.#subscriber ??= this.#openSubscriber());
    const own = (message: string): void => listener(message);
    await link.inTime(link.client.subscribe(name, own));
    return async () => {
      if (link.client.isOpen) await link.inTime(link.client.unsubscribe(name, own));
    };
  }

  /** A connection of its own: the client restores its subscriptions by itself when it reconnects. The main one reports the same trouble. */
  async #openSubscriber(): Promise<RedisLink> {
    const client = this.#client.duplicate({ emitInvalidate: false, disableOfflineQueue: false });
    const link = new RedisLink(this.#options, { lost: () => {}, ready: () => {} }, client);
    await link.open();
    if (link.client.isReady) return link;
    this.#subscriber = undefined;
    await link.close();
    throw new StoreUnavailable("the key-value store cannot be used");
  }

  async ping(): Promise<void> {
    await this.#link.inTime(this.#client.ping());
  }

  async close(): Promise<void> {
    const subscriber = await this.#subscriber?.catch(() => undefined);
    await subscriber?.close();
    this.#cache.clear();
    await this.#link.close();
  }
}

/**
 * Connects to Redis or Valkey. When it cannot be reached within the timeout the store is given all the same: its calls fail
 * fast (StoreUnavailable) until the server is there, and the connection is tried again for ever.
 */
export async function openRedisStore(options: RedisOptions): Promise<KeyValueStore> {
  const store = new RedisStore(options);
  await store.open();
  return store;
}
