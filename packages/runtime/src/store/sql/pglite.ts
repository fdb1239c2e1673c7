// PGlite: PostgreSQL compiled to WebAssembly, in this process; one connection, which kysely and PGlite both take turns on.
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect, sql } from "kysely";
import type { Transaction } from "kysely";
import { StoreUnavailable } from "../key-value/contract.ts";
import { migrate } from "./migrate.ts";
import { queryTraces } from "./trace.ts";
import { checkChannel } from "./contract.ts";
import type { Migration, SqlDatabase } from "./contract.ts";

export interface PgliteOptions {
  /** Where the database is kept; in memory when absent. One process at a time. */
  readonly directory?: string;
}

/** Opens the database, making it when the directory is empty. */
export async function openPglite<S>(options: PgliteOptions): Promise<SqlDatabase<S>> {
  const pglite =
    options.directory === undefined ? await makeNew("memory://") : await openIn(options.directory);
  const query = new Kysely<S>({ dialect: new PGliteDialect({ pglite }), ...queryTraces() });
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

/** Opens what the directory holds, or makes it: wholly, or, when this process is killed meanwhile, at the next start. */
async function openIn(directory: string): Promise<PGlite> {
  await mkdir(directory, { recursive: true });
  const unfinished = `${resolve(directory)}.unfinished`;
  if (existsSync(unfinished)) await rm(directory, { recursive: true, force: true });
  else if (existsSync(join(directory, "PG_VERSION"))) return await PGlite.create(directory);
  await writeFile(unfinished, "");
  const pglite = await makeNew(directory);
  await rm(unfinished);
  return pglite;
}

/** A new database is unpacked, ready-made: three times as fast as PostgreSQL's own `initdb`. */
async function makeNew(directory: string): Promise<PGlite> {
  const { dataDir } = await import("@electric-sql/pglite-prepopulatedfs");
  return await PGlite.create(directory, { loadDataDir: await dataDir() });
}
