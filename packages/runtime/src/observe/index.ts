/**
 * Owns: logs, metrics, correlation ids, and the Secret that none of them can print.
 * Does not own: what is worth logging or counting; each app names its own. No tracing yet.
 * Request path: every request has a correlation id; its log lines and problem bodies carry it.
 * Spec: design.md "Choices" (observability); style.md practice 14.
 */
import { randomUUID } from "node:crypto";

export { fingerprint, Secret } from "./secret.ts";
export { createLogger, logFormats, logLevels } from "./logger.ts";
export type { LogDestination, LogFormat, Logger, LoggerOptions, LogLevel } from "./logger.ts";
export { createMetrics } from "./metrics.ts";
export type {
  CounterMetric,
  GaugeMetric,
  HistogramMetric,
  Labels,
  MetricOptions,
  Metrics,
} from "./metrics.ts";
export { scrub } from "./redact.ts";

/** The caller's X-Request-Id when it is sane (1 to 64 of letters, digits, `.`, `_`, `-`, and no token), else a new UUID. */
export function correlationId(headers: Headers): string {
  const given = headers.get("x-request-id");
  return given !== null && /^(?!ey)[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
}
