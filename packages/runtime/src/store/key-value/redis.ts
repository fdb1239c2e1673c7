// The key-value store in Redis or Valkey, shared by all replicas.
import { randomUUID } from "node:crypto";
import { createClient, RESP_TYPES } from "@redis/client";
import { tracing } from "../../observe/index.ts";
import type { Logger, Secret, Tracing } from "../../observe/index.ts";
import { checkTtl, StoreUnavailable } from "./contract.ts";
import type { FencedOptions, KeyValueStore, Lock, SetOptions } from "./contract.ts";
import { TrackedCache } from "./redis-cache.ts";
import { scripts } from "./redis-scripts.ts";

export interface RedisOptions {
  /** `redis://` or `rediss://` (TLS), with user name and password in it where the server wants them. */
  readonly url: Secret;
  readonly username?: string;
  readonly password?: Secret;
  /** Put before every key and channel. */
  readonly keyPrefix?: string;
  /** How long a call may take before it fails. Default 2 s. */
  readonly timeoutSeconds?: number;
  /** After how long the server, or something on the way, closes an idle connection. */
  readonly idleSeconds?: number;
  /** Values kept in this process while the server watches them for us. Default 10,000; 0 turns it off. */
  readonly cacheEntries?: number;
  readonly log?: Logger;
}

/** Retries soon, then every second: a store that returns is in use again within about a second. */
const retryDelay = (retries: number): number => Math.min(50 * 2 ** Math.min(retries, 5), 1000);

function connect(options: RedisOptions) {
  const timeoutMs = (options.timeoutSeconds ?? 2) * 1000;
  const client = createClient({
    url: options.url.reveal(),
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password.reveal() }),
    scripts,
    RESP: 3,
    emitInvalidate: true,
    // While the connection is down calls fail at once instead of piling up.
    disableOfflineQueue: true,
    commandsQueueMaxLength: 100_000,
    maintNotifications: "disabled",
    // A connection that a firewall forgot is noticed by a ping without an answer.
    pingInterval: Math.min(2000, (options.idleSeconds ?? 4) * 500),
    socket: { connectTimeout: timeoutMs, socketTimeout: 5000, reconnectStrategy: retryDelay },
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
  return client;
}

type Client = ReturnType<typeof connect>;

const ms = (ttlSeconds: number): number => Math.max(1, Math.round(checkTtl(ttlSeconds) * 1000));

/** Keys that belong together carry the same hash tag, so that a clustered server keeps them in one slot. */
const beside = (key: string, what: string): string => `{${key}}:${what}`;

class RedisStore implements KeyValueStore {
  readonly #client: Client;
  readonly #prefix: string;
  readonly #timeoutMs: number;
  readonly #cache: TrackedCache;
  readonly #traces = tracing();
  #subscriber: Promise<Client> | undefined;
  #down = false;

  constructor(client: Client, options: RedisOptions) {
    this.#client = client;
    this.#prefix = options.keyPrefix ?? "portvakt:";
    this.#timeoutMs = (options.timeoutSeconds ?? 2) * 1000;
    this.#cache = new TrackedCache((key) => this.#fetch(key), options.cacheEntries ?? 10_000);
    client.on("invalidate", (key: Uint8Array | string | null) =>
      key === null ? this.#cache.clear() : this.#cache.invalidate(String(key)),
    );
    client.on("error", (error: unknown) => {
      this.#cache.clear();
      if (!this.#down) options.log?.warn({ err: error }, "key-value store lost");
      this.#down = true;
    });
    client.on("ready", () => {
      this.#cache.clear();
      if (this.#down) options.log?.info("key-value store back");
      this.#down = false;
    });
  }

  /** Ends every call in bounded time, and gives every failure the one name that callers know; a span when there are traces. */
  #bounded<T>(operation: string, call: Promise<T>): Promise<T> {
    return this.#traces === undefined ? this.#inTime(call) : this.#inSpan(this.#traces, operation, call);
  }

  async #inSpan<T>(traces: Tracing, operation: string, call: Promise<T>): Promise<T> {
    const from = performance.now();
    try {
      const result = await this.#inTime(call);
      traces.stored("redis", operation, performance.now() - from);
      return result;
    } catch (error) {
      traces.stored("redis", operation, performance.now() - from, error);
      throw error;
    }
  }

  async #inTime<T>(call: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new StoreUnavailable("the key-value store did not answer in time")),
        this.#timeoutMs,
      );
    });
    try {
      return await Promise.race([call, late]);
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      throw new StoreUnavailable("the key-value store cannot be used", { cause: error });
    } finally {
      clearTimeout(timer);
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
    const subscriber = await (this.#subscriber ??= this.#connectSubscriber());
    const own = (message: string): void => listener(message);
    await this.#bounded("SUBSCRIBE", subscriber.subscribe(name, own));
    return async () => {
      if (subscriber.isOpen) await this.#bounded("UNSUBSCRIBE", subscriber.unsubscribe(name, own));
    };
  }

  /** A connection of its own: the client restores its subscriptions by itself when it reconnects. */
  async #connectSubscriber(): Promise<Client> {
    const subscriber = this.#client.duplicate({
      emitInvalidate: false,
      disableOfflineQueue: false,
    });
    subscriber.on("error", () => {}); // the main connection reports the same trouble
    await this.#inTime(subscriber.connect()).catch((error: unknown) => {
      subscriber.destroy();
      this.#subscriber = undefined;
      throw error;
    });
    return subscriber;
  }

  async ping(): Promise<void> {
    await this.#inTime(this.#client.ping());
  }

  async close(): Promise<void> {
    const subscriber = await this.#subscriber?.catch(() => undefined);
    subscriber?.destroy();
    this.#cache.clear();
    if (this.#client.isReady) await this.#inTime(this.#client.close()).catch(() => this.#client.destroy());
    else this.#client.destroy();
  }
}

/**
 * Connects to Redis or Valkey. When it cannot be reached within the timeout the store is given all the same: its calls fail
 * fast (StoreUnavailable) until the server is there, and the connection is tried again for ever.
 */
export async function openRedisStore(options: RedisOptions): Promise<KeyValueStore> {
  const client = connect(options);
  const store = new RedisStore(client, options);
  const connected = client.connect().then(
    () => undefined,
    () => undefined,
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, (options.timeoutSeconds ?? 2) * 1000);
  });
  await Promise.race([connected, late]);
  clearTimeout(timer);
  return store;
}
