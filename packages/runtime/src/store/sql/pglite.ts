// PGlite: PostgreSQL compiled to WebAssembly, in this process; one connection, which kysely and PGlite both take turns on.
import { mkdir } from "node:fs/promises";
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect, sql } from "kysely";
import type { Transaction } from "kysely";
import { StoreUnavailable } from "../key-value/contract.ts";
import { migrate } from "./migrate.ts";
import { checkChannel } from "./contract.ts";
import type { Migration, SqlDatabase } from "./contract.ts";

export interface PgliteOptions {
  /** Where the database is kept; in memory when absent. One process at a time. */
  readonly directory?: string;
}

/** Opens the database, making it when the directory is empty. */
export async function openPglite<S>(options: PgliteOptions): Promise<SqlDatabase<S>> {
  if (options.directory !== undefined) await mkdir(options.directory, { recursive: true });
  const pglite = new PGlite(options.directory ?? "memory://");
  await pglite.waitReady;
  const query = new Kysely<S>({ dialect: new PGliteDialect({ pglite }) });
  return {
    kind: "pglite",
    query,
    sql,
    migrate: (migrations: Readonly<Record<string, Migration>>) => migrate(query, migrations),
    listen: async (channel, listener) => {
      const stop = await pglite.listen(checkChannel(channel), (payload) => listener(payload));
      return async () => {
        if (!pglite.closed) await stop();
      };
    },
    notify: async (channel: string, payload: string, within?: Transaction<S>) => {
      await sql`select pg_notify(${channel}, ${payload})`.execute(within ?? query);
    },
    ping: async () => {
      if (pglite.closed) throw new StoreUnavailable("the database is closed");
      await pglite.query("select 1");
    },
    close: async () => {
      await query.destroy();
      if (!pglite.closed) await pglite.close();
    },
  };
}
