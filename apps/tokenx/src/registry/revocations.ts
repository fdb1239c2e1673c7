import type { Clock, JwtClaims } from "@portvakt/oauth";
import type { SqlDatabase } from "@portvakt/runtime/store";
import { fromDatabase } from "./database.ts";
import type { TokenxTables } from "./schema.ts";

/** Tokens and sessions that were ended before their time, in memory on every replica. */
export interface Revocations {
  isRevoked(claims: Readonly<JwtClaims>): boolean;
  /** Ends one token of ours, until it would have expired anyway (seconds since the epoch). */
  revokeToken(jti: string, expiresAt: number): Promise<void>;
  /** Ends a session at an identity provider, and with it every token that came of it. */
  revokeSession(idp: string, sid: string): Promise<void>;
  refresh(): Promise<void>;
  /** Forgets what would have expired by now. */
  sweep(): Promise<void>;
}

export const revocationChannel = "tokenx_revocations";
/** Longer than any provider's access token lives. */
const sessionSeconds = 86_400;

const tokenKey = (jti: string): string => `jti:${jti}`;
const sessionKey = (idp: string, sid: string): string => `sid:${idp.length}:${idp}:${sid}`;

/** Revocations live in the database, are told to every replica by a notice, and read again now and then. */
export function createRevocations(options: { db: SqlDatabase<TokenxTables>; now: Clock }): Revocations {
  const { db, now } = options;
  /** What is revoked, by when it would have expired. Nothing is ever taken back, so reads only add to it. */
  const ended = new Map<string, number>();
  /** What of it the database is known to have. */
  const stored = new Map<string, number>();

  async function end(what: string, expiresAt: number): Promise<void> {
    if ((stored.get(what) ?? 0) >= expiresAt) return;
    ended.set(what, expiresAt);
    const writing = db.query.transaction().execute(async (tx) => {
      await tx
        .insertInto("revocations")
        .values({ what, expires_at: expiresAt })
        .onConflict((conflict) => conflict.column("what").doUpdateSet({ expires_at: expiresAt }))
        .execute();
      await db.notify(revocationChannel, "changed", tx);
    });
    await fromDatabase(writing);
    stored.set(what, expiresAt);
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
    refresh: async () => {
      const rows = await db.query
        .selectFrom("revocations")
        .selectAll()
        .where("expires_at", ">", now())
        .execute();
      for (const { what, expires_at } of rows) {
        ended.set(what, expires_at);
        stored.set(what, expires_at);
      }
      for (const held of [ended, stored])
        for (const [what, expiresAt] of held) if (expiresAt <= now()) held.delete(what);
    },
    sweep: async () => {
      await db.query.deleteFrom("revocations").where("expires_at", "<", now()).execute();
    },
  };
}
