import type { MetricTable } from "@portvakt/runtime/observe";

/** What the stand-ins count. */
export const metrics = {
  answers: {
    kind: "counter",
    name: "portvakt_standins_answers_total",
    help: "Answers of the stand-ins, by provider, endpoint and HTTP status.",
    labels: ["provider", "endpoint", "status"],
  },
} as const satisfies MetricTable;
