import { hash } from "node:crypto";
import { memoryReplay } from "@portvakt/issuer";
import type { ClaimOnce } from "@portvakt/issuer";
import { ProtocolError } from "@portvakt/oauth";
import type { Clock } from "@portvakt/oauth";
import type { Logger } from "@portvakt/runtime/observe";
import type { SqlDatabase } from "@portvakt/runtime/store";
import { sql } from "kysely";
import { inBatches } from "./in-batches.ts";
import type { TokenxTables } from "./schema.ts";

export interface UsedOnce {
  readonly claim: (...claim: Parameters<ClaimOnce>) => Promise<boolean>;
  /** Takes over what was used before this process started. Nothing is claimed before. */
  load(): Promise<void>;
  /** Forgets what has expired; called now and then. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** What is used up, by the hash of its key. */
export interface Used {
  readonly hash: string;
  readonly expiresAt: number;
}

/** What this process holds in memory at most; when it is full, nothing more is accepted until something expires. */
export const maxRemembered = 500_000;
/**
 * For how long after its end a key is still remembered. Who judged it looked at the clock earlier than this memory does, and the clocks of two
 * replicas differ: what one takes for expired, another may still accept.
 */
export const marginSeconds = 60;
/** A database that hangs is as good as away: callers wait for it no longer than this. */
const patienceSeconds = 1;

/** What is kept in place of a key, which may name a client. */
export function hashOf(key: string): string {
  return hash("sha256", key, "base64url");
}

/**
 * Remembers used assertions and statements for all replicas: an insert of a key that is there already is a replay.
 * Claims that come together go in one query. While the database does not answer, this
 * replica's memory alone decides, for at most `graceSeconds`; after that nothing is accepted (fail closed).
 */
export function usedOnce(options: {
  db: SqlDatabase<TokenxTables>;
  now: Clock;
  log: Logger;
  graceSeconds: number;
}): UsedOnce {
  const { db, now, log, graceSeconds } = options;
  const own = memoryReplay({ now, maxEntries: maxRemembered });
  let degradedSince: number | undefined;
  let triedAt = 0;
  const share = inBatches(async (batch: readonly Used[]) => {
    triedAt = now();
    try {
      const claimed = await within(patienceSeconds, insertAbsent(db, batch, triedAt));
      if (degradedSince !== undefined) log.info("replay memory is shared again");
      degradedSince = undefined;
      return ({ hash }) => (claimed.has(hash) ? "claimed" : "used");
    } catch (err) {
      if (degradedSince === undefined)
        log.error({ err }, "replay memory is this replica's own: the database does not answer");
      degradedSince ??= now();
      return () => "unknown" as const;
    }
  });

  return {
    claim: async (key, end, by) => {
      const hash = hashOf(key);
      const expiresAt = end + marginSeconds;
      // Cheap, and it also catches replays to this replica while the database is away.
      if (!own(hash, expiresAt, by)) return false;
      const wasAwayJustNow = degradedSince !== undefined && now() - triedAt < 1;
      const result = wasAwayJustNow ? "unknown" : await share({ hash, expiresAt });
      if (result !== "unknown") return result === "claimed";
      if (now() - (degradedSince ?? now()) > graceSeconds)
        throw new ProtocolError(
          "temporarily_unavailable",
          "the server cannot tell whether the assertion is new",
        );
      return true;
    },
    // The database is asked each time.
    load: async () => undefined,
    sweep: async () => {
      await db.query.deleteFrom("used_once").where("expires_at", "<", now()).execute();
    },
    close: async () => undefined,
  };
}

async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the database did not answer in ${seconds} s`)),
      seconds * 1000,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The hashes that were not there, or had expired. Two arrays, whatever their length: one statement that is parsed and planned alike. */
async function insertAbsent(
  db: SqlDatabase<TokenxTables>,
  batch: readonly Used[],
  now: number,
): Promise<Set<string>> {
  // In one order everywhere, so that two replicas never wait for each other.
  const sorted = batch.toSorted((a, b) => (a.hash < b.hash ? -1 : 1));
  const hashes = sorted.map(({ hash }) => hash);
  const ends = sorted.map(({ expiresAt }) => expiresAt);
  const { rows } = await sql<{ hash: string }>`insert into used_once (hash, expires_at)
    select * from unnest(${hashes}::text[], ${ends}::float8[])
    on conflict (hash) do update set expires_at = excluded.expires_at where used_once.expires_at <= ${now}
    returning hash`.execute(db.query);
  return new Set(rows.map((row) => row.hash));
}
