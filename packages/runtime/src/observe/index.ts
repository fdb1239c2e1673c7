/**
 * Owns: logs, metrics, traces, correlation ids, and the Secret that none of them can print.
 * Does not own: what is worth logging, counting or tracing; each app has its own tables of metrics and spans.
 * Request path: every request has a correlation id, and a span when traces are on; its log lines and problem bodies carry them.
 * Spec: design.md "Choices" (observability); style.md practice 14.
 */
import { randomUUID } from "node:crypto";

export { fingerprint, Secret } from "./secret.ts";
export { createLogger, logFormats, logLevels } from "./logger.ts";
export type { LogDestination, LogFormat, Logger, LoggerOptions, LogLevel } from "./logger.ts";
export { createMetrics, runtimeMetrics } from "./metrics.ts";
export type {
  CounterMetric,
  GaugeMetric,
  HistogramMetric,
  Labels,
  MetricOptions,
  MetricTable,
  Metrics,
} from "./metrics.ts";
export {
  nameRequest,
  noteOnRequest,
  spanAttributes,
  traced,
  tracedFetch,
  traceSamplers,
  tracing,
} from "./traces.ts";
export type {
  RequestTraces,
  SpanKind,
  SpanNotes,
  TracedCall,
  Traces,
  TraceSampler,
  Tracing,
} from "./traces.ts";
export { scrub, scrubLine } from "./redact.ts";

/** The caller's X-Request-Id, or X-Correlation-ID, when it is sane (1 to 64 of letters, digits, `.`, `_`, `-`, and no token), else a new UUID. */
export function correlationId(headers: Headers): string {
  const given = headers.get("x-request-id") ?? headers.get("x-correlation-id");
  return given !== null && /^(?!ey)[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
}
