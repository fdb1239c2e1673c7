// PostgreSQL through pg and kysely.
import { Kysely, PostgresDialect, sql } from "kysely";
import type { Transaction } from "kysely";
import { Client, Pool } from "pg";
import type { Logger, Secret } from "../../observe/index.ts";
import { StoreUnavailable } from "../key-value/contract.ts";
import { migrate } from "./migrate.ts";
import { queryTraces } from "./trace.ts";
import { PostgresListener } from "./postgres-listen.ts";
import type { Migration, SqlDatabase } from "./contract.ts";

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database` */
  readonly url: Secret;
  /** Default 10. */
  readonly maxConnections?: number;
  /** How long a query, or waiting for a connection, may take. Default 2 s for connections, 10 s for queries. */
  readonly connectTimeoutSeconds?: number;
  readonly queryTimeoutSeconds?: number;
  readonly log?: Logger;
}

/** Opens a pool. Connections are made when needed, so a database that is down fails calls, not this. */
export async function openPostgres<S>(options: PostgresOptions): Promise<SqlDatabase<S>> {
  const connectionTimeoutMillis = (options.connectTimeoutSeconds ?? 2) * 1000;
  const queryMs = (options.queryTimeoutSeconds ?? 10) * 1000;
  const connection = {
    connectionString: options.url.reveal(),
    connectionTimeoutMillis,
    keepAlive: true,
    application_name: "portvakt",
  };
  const pool = new Pool({
    ...connection,
    max: options.maxConnections ?? 10,
    idleTimeoutMillis: 60_000,
    statement_timeout: queryMs,
    // A server that went away without a word: the client gives up a little after the server would have.
    query_timeout: queryMs + 1000,
  });
  // An idle connection that breaks is replaced by the pool; without a listener the error would end the process.
  pool.on("error", (error) => options.log?.warn({ err: error }, "database connection lost"));
  // While a connection is lent out the pool does not listen to it, and the query that fails is enough to hear of it.
  pool.on("connect", (client) => client.on("error", () => undefined));
  const query = new Kysely<S>({ dialect: new PostgresDialect({ pool }), ...queryTraces() });
  const listener = new PostgresListener(() => new Client(connection), options.log);
  return {
    kind: "postgres",
    query,
    sql,
    // Not through the pool: waiting for the lock and long steps must not run into its time limits.
    migrate: async (migrations: Readonly<Record<string, Migration>>) => {
      const own = new Kysely<S>({
        dialect: new PostgresDialect({ pool: new Pool({ ...connection, max: 1 }) }),
      });
      await migrate(own, migrations).finally(() => own.destroy());
    },
    listen: (channel, fn) => listener.listen(channel, fn),
    notify: async (channel: string, payload: string, within?: Transaction<S>) => {
      await sql`select pg_notify(${channel}, ${payload})`.execute(within ?? query);
    },
    ping: async () => {
      try {
        await sql`select 1`.execute(query);
      } catch (error) {
        throw new StoreUnavailable("the database cannot be used", { cause: error });
      }
    },
    close: async () => {
      await listener.close();
      await query.destroy();
    },
  };
}
