import type { MetricTable, SpanKind } from "@portvakt/runtime/observe";

/** What TokenX traces beside its requests, its database and what it asks of trusted issuers. */
export const spans = {
  authenticate: {
    name: "authenticate client",
    help: "The client's assertion is judged, and its `jti` claimed.",
    attributes: ["actor"],
  },
  judge: {
    name: "verify subject token",
    help: "The subject token is judged; its issuer's keys are fetched within it when they are old.",
    attributes: [],
  },
  decide: {
    name: "decide",
    help: "The access policy is asked.",
    attributes: ["actor", "target", "outcome", "reason", "decision"],
  },
} as const satisfies Readonly<Record<string, SpanKind>>;

/** What TokenX counts. */
export const metrics = {
  requests: {
    kind: "counter",
    name: "portvakt_tokenx_token_requests_total",
    help: "Token requests by outcome and error code",
    labels: ["outcome", "error"],
  },
  seconds: {
    kind: "histogram",
    name: "portvakt_tokenx_token_request_seconds",
    help: "How long token requests took, by outcome",
    labels: ["outcome"],
  },
  issued: {
    kind: "counter",
    name: "portvakt_tokenx_tokens_issued_total",
    help: "Issued tokens by client and audience",
    labels: ["client_id", "audience"],
  },
  untied: {
    kind: "counter",
    name: "portvakt_tokenx_untied_subject_tokens_total",
    help: "External subject tokens that were not made for the caller, by issuer",
    labels: ["issuer"],
  },
  registrations: {
    kind: "counter",
    name: "portvakt_tokenx_registry_changes_total",
    help: "Registrations and deletions of clients",
    labels: ["change"],
  },
} as const satisfies MetricTable;
