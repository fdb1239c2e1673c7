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
    request: (path, status) => requests.inc({ path, status }),
    cache: (provider, source) => cache.inc({ provider, source }),
    introspection: (provider, result) => introspections.inc({ provider, result }),
    provider: (provider, seconds, outcome) => latency.observe(seconds, { provider, outcome }),
    sizes: (tokens, verified, connections) => {
      held.set(tokens, { kind: "issued" });
      held.set(verified, { kind: "verified" });
      for (const { provider, breaker } of connections)
        open.set(breaker.isClosed ? 0 : 1, { provider: provider.name });
    },
  };
}
