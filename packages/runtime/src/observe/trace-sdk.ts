// OpenTelemetry's SDK as our processes use it: OTLP over HTTP, a bounded queue, an end of bounded time. Loaded only when traces are on.
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { ExportResultCode, parseKeyPairsIntoRecord, W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Sampler, SpanExporter } from "@opentelemetry/sdk-trace";
import type { Logger } from "./logger.ts";
import { runtimeMetrics } from "./metrics.ts";
import type { Metrics } from "./metrics.ts";
import type { Secret } from "./secret.ts";
import { createTracing } from "./trace-spans.ts";
import { setTracing } from "./traces.ts";
import type { Traces, TraceSampler } from "./traces.ts";

export interface TraceOptions {
  /** The service's name where neither `serviceName` nor the resource's attributes give one. */
  readonly name: string;
  /** Where spans go, whole. */
  readonly url: string;
  /** `name=value` pairs with commas between, as the standard variable has them. */
  readonly headers?: Secret | undefined;
  readonly serviceName?: string | undefined;
  /** As `headers`: what is said of the process in every batch. */
  readonly resourceAttributes?: string | undefined;
  readonly sampler: TraceSampler;
  /** The share of new traces that the samplers with a ratio keep, 0 to 1. */
  readonly ratio: number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** How long the end may take: a collector that is down must not hold up the end of a process. */
const flushSeconds = 3;

const samplers: Readonly<Record<TraceSampler, (ratio: number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio) => new TraceIdRatioBasedSampler(ratio),
  parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
  parentbased_traceidratio: (ratio) => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
};

/** Counts what is sent and what is lost, and says once when the collector goes away and when it is back. */
function watched(inner: SpanExporter, log: Logger, metrics: Metrics): SpanExporter {
  const spans = metrics.counter(runtimeMetrics.tracedSpans);
  let down = false;
  return {
    export: (batch, done) =>
      inner.export(batch, (result) => {
        const failed = result.code !== ExportResultCode.SUCCESS;
        spans.inc({ outcome: failed ? "lost" : "sent" }, batch.length);
        if (failed && !down)
          log.warn({ err: result.error }, "traces cannot be sent; those of the meantime are lost");
        if (!failed && down) log.info("traces are sent again");
        down = failed;
        // A failure is told here; the SDK would tell it once more, in its own way.
        done({ code: ExportResultCode.SUCCESS });
      }),
    shutdown: () => inner.shutdown(),
  };
}

/** Turns traces on for this process. */
export function startTraces(options: TraceOptions): Traces {
  const { log, metrics } = options;
  const exporter = new OTLPTraceExporter({
    url: options.url,
    headers: parseKeyPairsIntoRecord(options.headers?.reveal()),
  });
  const provider = new TracerProvider({
    resource: defaultResource().merge(
      resourceFromAttributes({
        "service.name": options.name,
        "service.instance.id": randomUUID(),
        ...parseKeyPairsIntoRecord(options.resourceAttributes),
        ...(options.serviceName === undefined ? {} : { "service.name": options.serviceName }),
      }),
    ),
    sampler: samplers[options.sampler](options.ratio),
    // The queue is bounded (2,048 spans): what comes faster than it can be sent is dropped, and nothing waits.
    spanProcessors: [new BatchSpanProcessor({ exporter: watched(exporter, log, metrics) })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  setTracing(createTracing(provider.getTracer("portvakt"), new W3CTraceContextPropagator()));
  return {
    close: async () => {
      setTracing(undefined);
      const sent = provider.shutdown().then(
        () => true,
        () => false,
      );
      const late = delay(flushSeconds * 1000, false, { ref: false });
      if (!(await Promise.race([sent, late])))
        log.warn("the last traces were lost: the collector does not take them");
      context.disable();
    },
  };
}
