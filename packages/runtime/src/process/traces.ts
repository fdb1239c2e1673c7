// From OpenTelemetry's standard variables to traces that are on, or not.
import type { Logger, Metrics, Traces } from "../observe/index.ts";
import type { TraceSettings } from "./settings.ts";

/** Where traces go; undefined when nothing asks for them. */
function endpointOf(settings: TraceSettings): string | undefined {
  const { tracesEndpoint, otlpEndpoint, tracesExporter, sdkDisabled } = settings;
  const base = otlpEndpoint ?? (tracesExporter === undefined ? undefined : "http://localhost:4318");
  if (sdkDisabled || tracesExporter === "none") return undefined;
  return tracesEndpoint ?? (base === undefined ? undefined : `${base.replace(/\/$/, "")}/v1/traces`);
}

/** Whether the process will have traces, as far as its settings say. */
export function wantsTraces(settings: TraceSettings): boolean {
  return endpointOf(settings) !== undefined;
}

/** The name that traces come under: `portvakt-login` for "login" and "portvakt login". */
function serviceName(processName: string): string {
  return `portvakt-${processName.replace(/^portvakt[ -]/, "").replaceAll(" ", "-")}`;
}

/** Turns traces on when the settings ask for them. What it cannot do it says in the log: no server stays down for want of traces. */
export async function startTracesIfAsked(
  settings: TraceSettings,
  process: { readonly name: string; readonly log: Logger; readonly metrics: Metrics },
): Promise<Traces | undefined> {
  const url = endpointOf(settings);
  if (url === undefined) return undefined;
  const { log } = process;
  const { tracesExporter = "otlp", otlpProtocol } = settings;
  if (tracesExporter !== "otlp") {
    log.warn({ OTEL_TRACES_EXPORTER: tracesExporter }, "no traces: the only exporter is otlp");
    return undefined;
  }
  if (otlpProtocol !== "http/protobuf") {
    const what = "no traces: the only protocol is http/protobuf, which collectors take on port 4318";
    log.warn({ OTEL_EXPORTER_OTLP_PROTOCOL: otlpProtocol }, what);
    return undefined;
  }
  try {
    const { startTraces } = await import("../observe/trace-sdk.ts");
    return startTraces({
      ...process,
      name: serviceName(process.name),
      url,
      headers: settings.otlpHeaders,
      serviceName: settings.serviceName,
      resourceAttributes: settings.resourceAttributes,
      sampler: settings.tracesSampler,
      ratio: Number(settings.tracesSamplerArg),
    });
  } catch (error) {
    log.warn({ err: error }, "no traces: they could not be started");
    return undefined;
  }
}
