import type { MetricTable } from "@portvakt/runtime/observe";

/** What the login proxy counts. */
export const metrics = {
  logins: {
    kind: "counter",
    name: "portvakt_login_logins_total",
    help: "Ends of sign-ins, by provider and outcome",
    labels: ["provider", "outcome"],
  },
  started: {
    kind: "counter",
    name: "portvakt_login_started_total",
    help: "Sign-ins begun, by provider",
    labels: ["provider"],
  },
  logouts: {
    kind: "counter",
    name: "portvakt_login_logouts_total",
    help: "Logouts, by operation",
    labels: ["operation"],
  },
  refreshes: {
    kind: "counter",
    name: "portvakt_login_refreshes_total",
    help: "Token refreshes at the provider, by outcome",
    labels: ["outcome"],
  },
  answered: {
    kind: "counter",
    name: "portvakt_login_answered_total",
    help: "Requests for the application that the proxy answered itself, by reason",
    labels: ["why"],
  },
} as const satisfies MetricTable;
