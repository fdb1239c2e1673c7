/**
 * Owns: key-value storage (memory, Redis or Valkey) and SQL (PostgreSQL or embedded PGlite), each kind behind one contract
 *   that one suite checks; bounded calls, reconnecting, locks with fences.
 * Does not own: what is stored, and sealing it (`runtime/seal`).
 * Request path: login reads a session; TokenX its registry; token endpoints claim a `jti`.
 * Spec: design.md "Choices" (sessions, registry).
 *
 * Drivers are loaded when they are used: a process that keeps its sessions in memory never reads the Redis client.
 */
import type { Logger, Secret } from "../observe/index.ts";
import type { KeyValueStore } from "./key-value/contract.ts";
import { openMemoryStore } from "./key-value/memory.ts";
import type { SqlDatabase } from "./sql/contract.ts";

export { StoreUnavailable } from "./key-value/contract.ts";
export type { FencedOptions, KeyValueStore, Lock, SetOptions } from "./key-value/contract.ts";
export type { Migration, SqlDatabase } from "./sql/contract.ts";
export type { Generated, Insertable, Kysely, Selectable, Transaction } from "kysely";

export interface KeyValueOptions {
  /** `redis://` or `rediss://`; absent, the store is this process's memory. */
  readonly url?: Secret | undefined;
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  readonly now: () => number;
  /** For the store in memory: how many entries it takes before it refuses more. Default 100,000. */
  readonly maxEntries?: number | undefined;
  /** Put before every key in Redis. Default "portvakt:". */
  readonly keyPrefix?: string | undefined;
  /** How long a call to Redis may take. Default 2 s. */
  readonly timeoutSeconds?: number | undefined;
  /** For Redis: after how long something closes idle connections. Ours is never idle for that long. */
  readonly idleSeconds?: number | undefined;
  readonly log?: Logger | undefined;
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Options that are set, without those that are undefined. */
function given<T extends object>(options: T): Partial<Given<T>> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<
    Given<T>
  >;
}

/** Opens the store that `url` names. A Redis that is down is no error here: its calls fail until it is back. *Throws* RangeError for another kind of URL. */
export async function openKeyValueStore(options: KeyValueOptions): Promise<KeyValueStore> {
  const { url, now, maxEntries, ...rest } = options;
  if (url === undefined) return openMemoryStore({ now, ...given({ maxEntries }) });
  if (!/^rediss?:\/\//.test(url.reveal()))
    throw new RangeError("the key-value store's URL is neither redis:// nor rediss://");
  const { openRedisStore } = await import("./key-value/redis.ts");
  return await openRedisStore({ url, ...given(rest) });
}

export interface SqlOptions {
  /** `postgres://` or `postgresql://`; absent, PGlite is used. */
  readonly url?: Secret | undefined;
  /** Where PGlite keeps its files; absent, in memory. */
  readonly directory?: string | undefined;
  readonly maxConnections?: number | undefined;
  readonly log?: Logger | undefined;
}

/** Opens the database that `url` names, or PGlite. *Throws* RangeError for another kind of URL. */
export async function openSqlDatabase<Schema>(options: SqlOptions = {}): Promise<SqlDatabase<Schema>> {
  const { url, directory, maxConnections, log } = options;
  if (url === undefined) {
    const { openPglite } = await import("./sql/pglite.ts");
    return await openPglite<Schema>(given({ directory }));
  }
  if (!/^postgres(?:ql)?:\/\//.test(url.reveal()))
    throw new RangeError("the database's URL is neither postgres:// nor postgresql://");
  const { openPostgres } = await import("./sql/postgres.ts");
  return await openPostgres<Schema>({ url, ...given({ maxConnections, log }) });
}
