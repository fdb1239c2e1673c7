import { createPolicy } from "@portvakt/policy";
import type { Policy } from "@portvakt/policy";
import type { Clock } from "@portvakt/oauth";
import type { Logger } from "@portvakt/runtime/observe";
import type { SqlDatabase } from "@portvakt/runtime/store";
import { sql } from "kysely";
import type { Transaction } from "kysely";
import { fromDatabase } from "./database.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import type { Refresh } from "./one-at-a-time.ts";
import { toApplication } from "./registration.ts";
import type { Application, Registration } from "./registration.ts";
import { lockIds } from "./schema.ts";
import type { TokenxTables } from "./schema.ts";

/** The registered applications, in memory; the database is where they are kept. */
export interface Registry {
  get(id: string): Application | undefined;
  /** All applications, for those who list them. */
  all(): Iterable<Application>;
  readonly size: number;
  /** Takes over what other replicas wrote. Many callers at once share one query. */
  readonly refresh: Refresh;
  /** Registers or replaces; false when a later statement has been taken already. Resolves when it is stored. */
  put(registration: Registration): Promise<boolean>;
  /** Deletes at once, here and (by notice) on every replica. No statement from before `askedAt` (seconds) brings it back. */
  remove(id: string, askedAt: number): Promise<void>;
  /** The access policy of everything that is registered, as it is now. */
  readonly policy: Policy;
}

export const registryChannel = "tokenx_registry";
const tombstoneSeconds = 7 * 86_400;
const namesMaxAgeSeconds = 30;

type Applications = Map<string, Application>;
type Options = { readonly db: SqlDatabase<TokenxTables>; readonly now: Clock; readonly log: Logger };

export function createRegistry(options: Options): Registry {
  const { db, now } = options;
  const applications: Applications = new Map();
  const refresh = follow(applications, options);

  async function write(change: (tx: Transaction<TokenxTables>) => Promise<boolean>): Promise<boolean> {
    const writing = db.query.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(${lockIds.registry})`.execute(tx);
      const result = await change(tx);
      if (result) await db.notify(registryChannel, "changed", tx);
      return result;
    });
    const changed = await fromDatabase(writing);
    await fromDatabase(refresh());
    return changed;
  }

  return {
    get: (id) => applications.get(id),
    all: () => applications.values(),
    get size() {
      return applications.size;
    },
    refresh,
    put: (registration) => write((tx) => upsert(tx, registration, now())),
    remove: async (id, askedAt) => {
      await write((tx) => bury(tx, { id, askedAt, now: now() }));
    },
    policy: livePolicy(applications, now),
  };
}

/** Makes the function that brings `applications` up to date with the table, by what changed since the last time. */
function follow(applications: Applications, { db, log }: Options): Refresh {
  return oneAtATime(async (after) => {
    const rows = await db.query
      .selectFrom("clients")
      .select(["client_id", "registration", "revision"])
      .where("revision", ">", after)
      .orderBy("revision")
      .execute();
    for (const row of rows) {
      if (row.registration === null) applications.delete(row.client_id);
      else applications.set(row.client_id, toApplication(JSON.parse(row.registration) as Registration));
    }
    if (rows.length > 0) log.debug({ changed: rows.length, size: applications.size }, "registry read");
    return Number(rows.at(-1)?.revision ?? after);
  });
}

const nextRevision = sql<number>`(select coalesce(max(revision), 0) + 1 from clients)`;

async function upsert(
  tx: Transaction<TokenxTables>,
  registration: Registration,
  now: number,
): Promise<boolean> {
  const values = {
    revision: nextRevision,
    registration: JSON.stringify(registration),
    stated_at: registration.statedAt,
    changed_at: now,
  };
  const result = await tx
    .insertInto("clients")
    .values({ client_id: registration.clientId, ...values })
    .onConflict((conflict) =>
      conflict
        .column("client_id")
        .doUpdateSet(values)
        .where("clients.stated_at", "<=", registration.statedAt),
    )
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) > 0;
}

async function bury(
  tx: Transaction<TokenxTables>,
  { id, askedAt, now }: { id: string; askedAt: number; now: number },
): Promise<boolean> {
  // Of one that is not here, or not any more, it is noted too: a statement from before may be on its way.
  const values = { registration: null, revision: nextRevision, changed_at: now };
  await tx
    .insertInto("clients")
    .values({ client_id: id, stated_at: askedAt, ...values })
    .onConflict((conflict) =>
      conflict
        .column("client_id")
        .doUpdateSet({ stated_at: sql<number>`greatest(clients.stated_at, ${askedAt})`, ...values }),
    )
    .execute();
  // The newest row stays, whatever its age: revisions count on from it.
  await tx
    .deleteFrom("clients")
    .where("registration", "is", null)
    .where("changed_at", "<", now - tombstoneSeconds)
    .where("revision", "<", (qb) =>
      qb.selectFrom("clients").select(({ fn }) => fn.max("revision").as("newest")),
    )
    .execute();
  return true;
}

const clusterOf = (id: string): string => id.split(":", 1)[0] ?? "";

/** A policy that looks into the registry: a registration changes one target, and nothing else is made anew. */
function livePolicy(applications: ReadonlyMap<string, Application>, now: Clock): Policy {
  let names = { policy: createPolicy([]), madeAt: Number.NEGATIVE_INFINITY };
  return {
    get size() {
      return applications.size;
    },
    warnings: [],
    target: (id) => applications.get(id)?.target(),
    // Only for the sentence that goes with a refusal, so it may be a little behind, and costs little however often it is asked.
    similar: (id) => {
      if (Math.abs(now() - names.madeAt) > namesMaxAgeSeconds) {
        const known = [...applications.keys()].map((name) => ({ id: name, inbound: [] }));
        names = { policy: createPolicy(known), madeAt: now() };
      }
      const similar = names.policy.similar(id);
      // A cluster's names are not for others' registrars, who read such sentences.
      return similar !== undefined && clusterOf(similar) === clusterOf(id) ? similar : undefined;
    },
    newDecisionId: () => names.policy.newDecisionId(),
  };
}
