import type { Metrics } from "@portvakt/runtime/observe";
import type { Connection } from "./connections/connection.ts";
import { metrics as table } from "./observed.ts";

/** What the token API counts. Labels are names of ours: no target, no client, no token. */
export interface Meters {
  readonly request: (path: string, status: number) => void;
  readonly cache: (provider: string, source: string) => void;
  readonly introspection: (provider: string, code: string) => void;
  readonly provider: (provider: string, seconds: number, outcome: string) => void;
  readonly sizes: (tokens: number, verified: number, connections: readonly Connection[]) => void;
}

/** Registers the token API's metrics. */
export function createMeters(metrics: Metrics): Meters {
  const requests = metrics.counter(table.requests);
  const cache = metrics.counter(table.cache);
  const introspections = metrics.counter(table.introspections);
  const latency = metrics.histogram(table.providerSeconds);
  const held = metrics.gauge(table.entries);
  const open = metrics.gauge(table.breakerOpen);
  return {
    request: batched((path: string, status: number, by) => requests.inc({ path, status }, by)),
    cache: batched((provider: string, source: string, by) => cache.inc({ provider, source }, by)),
    introspection: batched((provider: string, result: string, by) =>
      introspections.inc({ provider, result }, by),
    ),
    provider: (provider, seconds, outcome) => latency.observe(seconds, { provider, outcome }),
    sizes: (tokens, verified, connections) => {
      held.set(tokens, { kind: "issued" });
      held.set(verified, { kind: "verified" });
      for (const { provider, breaker } of connections)
        open.set(breaker.isClosed ? 0 : 1, { provider: provider.name });
    },
  };
}

const batchMilliseconds = 50;

/** Counts at hand and adds up to the metric a little later: labels are worked on once per batch, not once per request. */
function batched<A extends string, B extends string | number>(
  add: (a: A, b: B, by: number) => void,
): (a: A, b: B) => void {
  const counts = new Map<A, Map<B, number>>();
  let scheduled = false;
  const flush = (): void => {
    scheduled = false;
    for (const [a, inner] of counts) for (const [b, by] of inner) add(a, b, by);
    counts.clear();
  };
  return (a, b) => {
    const inner = counts.get(a) ?? new Map<B, number>();
    if (inner.size === 0) counts.set(a, inner);
    inner.set(b, (inner.get(b) ?? 0) + 1);
    if (scheduled) return;
    scheduled = true;
    setTimeout(flush, batchMilliseconds).unref();
  };
}
