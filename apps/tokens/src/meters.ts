import type { Metrics } from "@portvakt/runtime/observe";
import type { Connection } from "./connections/connection.ts";

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
  const requests = metrics.counter({
    name: "portvakt_tokens_requests_total",
    help: "Requests answered, by endpoint and status.",
    labels: ["path", "status"],
  });
  const cache = metrics.counter({
    name: "portvakt_tokens_cache_total",
    help: "Tokens handed out, by provider and source: hit, miss, stale (kept through an outage).",
    labels: ["provider", "source"],
  });
  const introspections = metrics.counter({
    name: "portvakt_tokens_introspections_total",
    help: "Tokens judged, by provider and result: active, or the reason why not.",
    labels: ["provider", "result"],
  });
  const latency = metrics.histogram({
    name: "portvakt_tokens_provider_seconds",
    help: "How long providers took to answer token requests.",
    labels: ["provider", "outcome"],
  });
  const held = metrics.gauge({
    name: "portvakt_tokens_entries",
    help: "Tokens in memory, by kind.",
    labels: ["kind"],
  });
  const open = metrics.gauge({
    name: "portvakt_tokens_breaker_open",
    help: "1 while a provider is taken to be down.",
    labels: ["provider"],
  });
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
