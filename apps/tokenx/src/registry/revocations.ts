import type { Clock, JwtClaims } from "@portvakt/oauth";
import type { SqlDatabase } from "@portvakt/runtime/store";
import { sql } from "kysely";
import { fromDatabase } from "./database.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import type { Refresh } from "./one-at-a-time.ts";
import { lockIds } from "./schema.ts";
import type { TokenxTables } from "./schema.ts";

/** Tokens and sessions that were ended before their time, in memory on every replica. */
export interface Revocations {
  isRevoked(claims: Readonly<JwtClaims>): boolean;
  /** Ends one token of ours, until it would have expired anyway (seconds since the epoch). */
  revokeToken(jti: string, expiresAt: number): Promise<void>;
  /** Ends a session at an identity provider, and with it every token that came of it. */
  revokeSession(idp: string, sid: string): Promise<void>;
  /** Takes over what other replicas wrote. Many callers at once share one query. */
  readonly refresh: Refresh;
  /** Forgets what would have expired by now. */
  sweep(): Promise<void>;
}

export const revocationChannel = "tokenx_revocations";
/** Longer than any provider's access token lives. */
const sessionSeconds = 86_400;

const tokenKey = (jti: string): string => `jti:${jti}`;
const sessionKey = (idp: string, sid: string): string => `sid:${idp.length}:${idp}:${sid}`;

/** Revocations live in the database, are told to every replica by a notice, and asked for now and then, by what is new. */
export function createRevocations(options: { db: SqlDatabase<TokenxTables>; now: Clock }): Revocations {
  const { db, now } = options;
  /** What is revoked, by when it would have expired. Nothing is ever taken back, so reads only add to it. */
  const ended = new Map<string, number>();
  /** What of it the database may not have: it counts here all the same, and is written when it is asked for again. */
  const unwritten = new Set<string>();

  async function end(what: string, expiresAt: number): Promise<void> {
    if ((ended.get(what) ?? 0) >= expiresAt && !unwritten.has(what)) return;
    ended.set(what, expiresAt);
    unwritten.add(what);
    const writing = db.query.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(${lockIds.revocations})`.execute(tx);
      await tx
        .insertInto("revocations")
        .values({ what, expires_at: expiresAt })
        .onConflict((conflict) =>
          conflict.column("what").doUpdateSet({ expires_at: expiresAt, revision: sql`excluded.revision` }),
        )
        .execute();
      await db.notify(revocationChannel, "changed", tx);
    });
    await fromDatabase(writing);
    unwritten.delete(what);
  }

  return {
    isRevoked: (claims) => {
      if (ended.size === 0) return false;
      const { jti, iss, sid, idp } = claims;
      const issuer = typeof idp === "string" ? idp : iss;
      return (
        (jti !== undefined && ended.has(tokenKey(jti))) ||
        (typeof sid === "string" && issuer !== undefined && ended.has(sessionKey(issuer, sid)))
      );
    },
    revokeToken: (jti, expiresAt) => end(tokenKey(jti), expiresAt),
    revokeSession: (idp, sid) => end(sessionKey(idp, sid), now() + sessionSeconds),
    refresh: oneAtATime(async (after) => {
      const rows = await db.query
        .selectFrom("revocations")
        .selectAll()
        .where("revision", ">", after)
        .orderBy("revision")
        .execute();
      for (const { what, expires_at } of rows) ended.set(what, expires_at);
      return Number(rows.at(-1)?.revision ?? after);
    }),
    sweep: async () => {
      const at = now();
      for (const [what, expiresAt] of ended) {
        if (expiresAt > at) continue;
        ended.delete(what);
        unwritten.delete(what);
      }
      await db.query.deleteFrom("revocations").where("expires_at", "<", at).execute();
    },
  };
}
