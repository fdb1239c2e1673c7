import type { AuditEvent } from "@portvakt/issuer";
import type { Clock } from "@portvakt/oauth";
import type { Decision } from "@portvakt/policy";
import type { Logger } from "@portvakt/runtime/observe";
import type { SqlDatabase } from "@portvakt/runtime/store";
import type { TokenxTables } from "./schema.ts";

/** One decision or refusal, for whoever asks later why. Holds no token. */
export interface AuditRecord {
  readonly at: number;
  readonly outcome: AuditEvent["outcome"];
  readonly actor?: string | undefined;
  readonly target?: string | undefined;
  readonly idp?: string | undefined;
  readonly error?: string | undefined;
  readonly description?: string | undefined;
  readonly decision?: Decision | undefined;
  readonly correlation_id: string;
}

/** Refusals by decision id, kept for whoever asks why. What was allowed is in the log only: there is no row per issued token. */
export interface DecisionStore {
  /** Takes a record, and stores it with the next flush; the request does not wait. */
  add(record: AuditRecord): void;
  flush(): Promise<void>;
  find(id: string): Promise<AuditRecord | undefined>;
  /** The newest that are stored, at most so many. */
  recent(limit: number): Promise<readonly AuditRecord[]>;
  /** Forgets what is older than the retention. */
  sweep(): Promise<void>;
}

/** How many are stored at once, which is once a second. */
const maxWaiting = 200;
/** How many of one actor: who is refused in a loop does not crowd out the others. */
const maxWaitingEach = 20;
/** How many are kept, whatever the retention: somebody who is refused all day does not fill the database. */
const maxStored = 100_000;

export function decisionStore(options: {
  db: SqlDatabase<TokenxTables>;
  now: Clock;
  log: Logger;
  retentionSeconds: number;
}): DecisionStore {
  const { db, now, log, retentionSeconds } = options;
  let waiting: AuditRecord[] = [];
  const waitingOf = new Map<string | undefined, number>();

  return {
    add: (record) => {
      // While the database is away, or refusals come in a flood, the newest are dropped; the log has them.
      if (record.decision?.outcome !== "deny" || waiting.length >= maxWaiting) return;
      const ofActor = waitingOf.get(record.actor) ?? 0;
      if (ofActor >= maxWaitingEach) return;
      waitingOf.set(record.actor, ofActor + 1);
      waiting.push(record);
    },
    flush: async () => {
      const batch = waiting;
      if (batch.length === 0) return;
      waiting = [];
      waitingOf.clear();
      const rows = batch.flatMap((record) => {
        const id = record.decision?.id;
        return id === undefined ? [] : [{ id, at: record.at, record: JSON.stringify(record) }];
      });
      try {
        await db.query
          .insertInto("decisions")
          .values(rows)
          .onConflict((conflict) => conflict.column("id").doNothing())
          .execute();
      } catch (err) {
        log.warn({ err, lost: rows.length }, "decisions could not be stored");
      }
    },
    find: async (id) => {
      const unstored = waiting.find(({ decision }) => decision?.id === id);
      if (unstored !== undefined) return unstored;
      const row = await db.query
        .selectFrom("decisions")
        .select("record")
        .where("id", "=", id)
        .where("at", ">", now() - retentionSeconds)
        .executeTakeFirst();
      return row && (JSON.parse(row.record) as AuditRecord);
    },
    recent: async (limit) => {
      const rows = await db.query
        .selectFrom("decisions")
        .select("record")
        .where("at", ">", now() - retentionSeconds)
        .orderBy("at", "desc")
        .limit(limit)
        .execute();
      return rows.map((row) => JSON.parse(row.record) as AuditRecord);
    },
    sweep: () => forget(db, now() - retentionSeconds),
  };
}

/** Forgets what is older, and what is more than may be kept. */
async function forget(db: SqlDatabase<TokenxTables>, before: number): Promise<void> {
  await db.query.deleteFrom("decisions").where("at", "<", before).execute();
  await db.query
    .deleteFrom("decisions")
    .where("at", "<", (all) =>
      all.selectFrom("decisions").select("at").orderBy("at", "desc").limit(1).offset(maxStored),
    )
    .execute();
}
