import type { SpanKind } from "@portvakt/runtime/observe";

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
