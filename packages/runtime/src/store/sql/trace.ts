// Queries in traces: what kind of statement and how long, never the statement.
import type { KyselyConfig } from "kysely";
import { tracing } from "../../observe/index.ts";

/** What kysely calls after each query; nothing when there are no traces. */
export function queryTraces(): Pick<KyselyConfig, "log"> {
  const traces = tracing();
  if (traces === undefined) return {};
  return {
    log: (event) => {
      const operation = /^\W*(\w{1,20})/.exec(event.query.sql)?.[1]?.toUpperCase() ?? "QUERY";
      const error = event.level === "error" ? event.error : undefined;
      traces.stored("postgresql", operation, event.queryDurationMillis, error);
    },
  };
}
