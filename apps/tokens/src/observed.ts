import type { MetricTable, SpanKind } from "@portvakt/runtime/observe";

/** What the token API traces beside its requests and those to providers. */
export const spans = {
  acquire: {
    name: "get token",
    help: "A token is asked for at a provider, retries included, because none is held.",
    attributes: ["provider", "target"],
  },
  judge: {
    name: "verify token",
    help: "A token is judged that is not remembered; the provider's keys are fetched within it when they are old.",
    attributes: ["provider", "outcome"],
  },
} as const satisfies Readonly<Record<string, SpanKind>>;

/** What the token API counts. Labels are names of ours: no target, no client, no token. */
export const metrics = {
  requests: {
    kind: "counter",
    name: "portvakt_tokens_requests_total",
    help: "Requests answered, by endpoint and status.",
    labels: ["path", "status"],
  },
  cache: {
    kind: "counter",
    name: "portvakt_tokens_cache_total",
    help: "Tokens handed out, by provider and source: hit, miss, stale (kept through an outage).",
    labels: ["provider", "source"],
  },
  introspections: {
    kind: "counter",
    name: "portvakt_tokens_introspections_total",
    help: "Tokens judged, by provider and result: active, or the reason why not.",
    labels: ["provider", "result"],
  },
  providerSeconds: {
    kind: "histogram",
    name: "portvakt_tokens_provider_seconds",
    help: "How long providers took to answer token requests.",
    labels: ["provider", "outcome"],
  },
  entries: {
    kind: "gauge",
    name: "portvakt_tokens_entries",
    help: "Tokens in memory, by kind.",
    labels: ["kind"],
  },
  breakerOpen: {
    kind: "gauge",
    name: "portvakt_tokens_breaker_open",
    help: "1 while a provider is taken to be down.",
    labels: ["provider"],
  },
} as const satisfies MetricTable;
