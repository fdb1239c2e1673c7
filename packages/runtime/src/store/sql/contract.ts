// The contract of a SQL database: PostgreSQL, or PGlite (PostgreSQL inside this process) where nothing is installed.
import type { Kysely, sql, Transaction } from "kysely";

/** One step of a schema's history. `up` runs once, inside a transaction; steps are taken in the order of their names. */
export interface Migration {
  // Migrations see the schema of their own time, not today's type.
  up(db: Kysely<never>): Promise<void>;
}

export interface SqlDatabase<S> {
  readonly kind: "postgres" | "pglite";
  /** Queries and transactions (`query.transaction().execute(…)`). */
  readonly query: Kysely<S>;
  /** Kysely's tag for SQL text, here so that who needs no database loads no kysely. */
  readonly sql: typeof sql;
  /** Brings the schema up to date. Safe to call from any number of replicas at once: one works, the others wait. *Throws* when a step fails; its transaction is undone. */
  migrate(migrations: Readonly<Record<string, Migration>>): Promise<void>;
  /**
   * Calls `listener` for each notification on the channel, and with undefined when notifications may have been missed (the
   * connection was lost and is back): read afresh what they were about. Gives a function that ends it.
   */
  listen(channel: string, listener: (payload: string | undefined) => void): Promise<() => Promise<void>>;
  /** Tells every listener on every replica; inside a transaction, when it commits. The payload is at most 7,999 bytes. */
  notify(channel: string, payload: string, within?: Transaction<S>): Promise<void>;
  /** *Throws* StoreUnavailable when the database cannot be used now. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Channel names become part of SQL text. *Throws* RangeError for one that is more than a plain name. */
export function checkChannel(channel: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(channel))
    throw new RangeError(`${JSON.stringify(channel)} is no channel name`);
  return channel;
}
