import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { memoryReplay } from "@portvakt/issuer";
import type { ClaimOnce } from "@portvakt/issuer";
import { ProtocolError } from "@portvakt/oauth";
import type { Clock } from "@portvakt/oauth";
import type { Logger } from "@portvakt/runtime/observe";
import type { SqlDatabase } from "@portvakt/runtime/store";
import { sql } from "kysely";
import type { TokenxTables } from "./schema.ts";

export interface UsedOnce {
  readonly claim: ClaimOnce;
  /** Takes over what was used before this process started. */
  load(): Promise<void>;
  /** Resolves when everything that was claimed so far is in the database, or could not be written. */
  flush(): Promise<void>;
  /** Forgets what has expired; called now and then. */
  sweep(): Promise<void>;
  /** Since when the database has not answered, seconds since the epoch. */
  readonly degradedSince: number | undefined;
}

type Outcome = "claimed" | "used" | "unknown";

interface Waiting {
  readonly hash: string;
  readonly expiresAt: number;
  settle(result: Outcome): void;
}

const maxBatch = 1_000;
/** A database that hangs is as good as away: callers wait for it no longer than this. */
const patienceSeconds = 1;

/**
 * Between two writes to embedded PGlite, which nobody waits for: a query costs as much CPU there as ten signatures, however few its
 * rows are. A process that is killed, not ended, forgets what it took in this time.
 */
const gatherMs = 250;

/**
 * Remembers used assertions and statements for all replicas: an insert of a key that is there already is a replay.
 * Claims that come while one query is under way go together in the next one. While the database does not answer, this
 * replica's memory alone decides, for at most `graceSeconds`; after that nothing is accepted (fail closed).
 */
export function usedOnce(options: {
  db: SqlDatabase<TokenxTables>;
  now: Clock;
  log: Logger;
  graceSeconds: number;
}): UsedOnce {
  const { db, now, log, graceSeconds } = options;
  const own = memoryReplay({ now, maxEntries: 500_000 });
  let degradedSince: number | undefined;
  let triedAt = 0;
  const pauseMs = db.kind === "pglite" ? gatherMs : 0;
  const { add: share, flush } = inBatches(pauseMs, async (batch) => {
    triedAt = now();
    try {
      const claimed = await within(patienceSeconds, insertAbsent(db, batch, triedAt));
      if (degradedSince !== undefined) log.info("replay memory is shared again");
      degradedSince = undefined;
      for (const one of batch) one.settle(claimed.has(one.hash) ? "claimed" : "used");
    } catch (err) {
      if (degradedSince === undefined)
        log.error({ err }, "replay memory is this replica's own: the database does not answer");
      degradedSince ??= now();
      for (const one of batch) one.settle("unknown");
    }
  });

  return {
    claim: async (key, expiresAt) => {
      const hash = createHash("sha256").update(key).digest("base64url");
      // Cheap, and it also catches replays to this replica while the database is away.
      if (!(await own(hash, expiresAt))) return false;
      if (db.kind === "pglite") {
        // Nobody else has this database: memory decides, and the table is there for the next start.
        void share(hash, expiresAt);
        return true;
      }
      const wasAwayJustNow = degradedSince !== undefined && now() - triedAt < 1;
      const result = wasAwayJustNow ? "unknown" : await share(hash, expiresAt);
      if (result !== "unknown") return result === "claimed";
      if (now() - (degradedSince ?? now()) > graceSeconds)
        throw new ProtocolError(
          "temporarily_unavailable",
          "the server cannot tell whether the assertion is new",
        );
      return true;
    },
    load: async () => {
      // Where others write too, the database is asked each time.
      if (db.kind === "pglite")
        for (const row of await readUnexpired(db, now())) await own(row.hash, row.expires_at);
    },
    flush,
    sweep: async () => {
      await db.query.deleteFrom("used_once").where("expires_at", "<", now()).execute();
    },
    get degradedSince() {
      return degradedSince;
    },
  };
}

interface Batches {
  add(hash: string, expiresAt: number): Promise<Outcome>;
  /** Resolves when nothing is waiting any more; pauses are left out from then on. */
  flush(): Promise<void>;
}

/**
 * Gathers claims while a query is under way, and for `pauseMs` after it, so that the database sees one query at a time,
 * however many requests there are. A claim after a quiet time is written at once.
 */
function inBatches(pauseMs: number, insert: (batch: readonly Waiting[]) => Promise<void>): Batches {
  let queue: Waiting[] = [];
  let draining: Promise<void> | undefined;
  const hurry = new AbortController();
  const drain = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue.slice(0, maxBatch);
      queue = queue.slice(maxBatch);
      await insert(batch);
      if (pauseMs > 0 && queue.length < maxBatch)
        await delay(pauseMs, undefined, { signal: hurry.signal }).catch(() => undefined);
    }
    draining = undefined;
  };
  return {
    add: (hash, expiresAt) =>
      new Promise((settle) => {
        queue.push({ hash, expiresAt, settle });
        draining ??= drain();
      }),
    flush: async () => {
      hurry.abort();
      await draining;
    },
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

function readUnexpired(
  db: SqlDatabase<TokenxTables>,
  now: number,
): Promise<readonly TokenxTables["used_once"][]> {
  return db.query.selectFrom("used_once").selectAll().where("expires_at", ">", now).execute();
}

/** The hashes that were not there, or had expired. Two arrays, whatever their length: one statement that is parsed and planned alike. */
async function insertAbsent(
  db: SqlDatabase<TokenxTables>,
  batch: readonly Waiting[],
  now: number,
): Promise<Set<string>> {
  // In one order everywhere, so that two replicas never wait for each other.
  const sorted = batch.toSorted((a, b) => (a.hash < b.hash ? -1 : 1));
  const hashes = sorted.map(({ hash }) => hash);
  const ends = sorted.map(({ expiresAt }) => expiresAt);
  const insert = sql`insert into used_once (hash, expires_at)
    select * from unnest(${hashes}::text[], ${ends}::float8[])
    on conflict (hash) do update set expires_at = excluded.expires_at where used_once.expires_at <= ${now}`;
  if (db.kind === "pglite") {
    await insert.execute(db.query);
    return new Set(hashes);
  }
  const { rows } = await sql<{ hash: string }>`${insert} returning hash`.execute(db.query);
  return new Set(rows.map((row) => row.hash));
}
