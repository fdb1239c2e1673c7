// The settings that every server process of ours has.
import { setting } from "../config/index.ts";
import type { Address, Setting, SettingsOf } from "../config/index.ts";
import { logFormats, logLevels, traceSamplers } from "../observe/index.ts";
import type { LogFormat, LogLevel } from "../observe/index.ts";

/** A type alias, not an interface: only an alias counts as a Schema. */
export type CommonSettings = {
  readonly statusAddress: Setting<Address>;
  readonly logLevel: Setting<LogLevel>;
  readonly logFormat: Setting<LogFormat>;
  readonly shutdownGraceSeconds: Setting<number>;
  readonly shutdownWaitSeconds: Setting<number>;
};

/** Names that other programs use for the same settings. */
export type CommonAliases = { readonly [K in keyof CommonSettings]?: readonly string[] };

/** Settings named `PORTVAKT_<APP>_…`; spread them into the app's schema. */
export function commonSettings(
  app: string,
  aliases: CommonAliases = {},
  statusAddress = "127.0.0.1:0",
): CommonSettings {
  const prefix = `PORTVAKT_${app.toUpperCase()}_`;
  const env = (name: string, key: keyof CommonSettings): readonly string[] => [
    prefix + name,
    ...(aliases[key] ?? []),
  ];
  return {
    statusAddress: setting.address({
      env: env("STATUS_ADDRESS", "statusAddress"),
      default: statusAddress,
      doc: "Where /healthz, /readyz and /metrics are served; port 0 takes a free one and logs it.",
    }),
    logLevel: setting.choice({
      env: env("LOG_LEVEL", "logLevel"),
      values: logLevels,
      default: "info",
      doc: "The least level that is logged.",
    }),
    logFormat: setting.choice({
      env: env("LOG_FORMAT", "logFormat"),
      values: logFormats,
      default: "json",
      doc: "JSON for machines, text for a terminal.",
    }),
    shutdownGraceSeconds: setting.seconds({
      env: env("SHUTDOWN_GRACE", "shutdownGraceSeconds"),
      default: 30,
      max: 3600,
      doc: "How long requests in flight may take to finish after SIGTERM.",
    }),
    shutdownWaitSeconds: setting.seconds({
      env: env("SHUTDOWN_WAIT", "shutdownWaitSeconds"),
      default: 0,
      max: 600,
      doc: "How long to go on serving, while reporting not ready, before the listeners close: time for load balancers to notice. At least 0.2 s.",
    }),
  };
}

/**
 * OpenTelemetry's standard variables, the same for every server. The exporter itself also reads the standard
 * OTEL_EXPORTER_OTLP_TIMEOUT, _COMPRESSION, _CERTIFICATE, _CLIENT_CERTIFICATE and _CLIENT_KEY.
 */
export const traceSettings = {
  tracesEndpoint: setting.url({
    env: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    optional: true,
    doc: "Where traces are sent, the whole URL. Setting this, the next or OTEL_TRACES_EXPORTER turns traces on.",
  }),
  otlpEndpoint: setting.url({
    env: "OTEL_EXPORTER_OTLP_ENDPOINT",
    optional: true,
    doc: "The collector that traces are sent to by OTLP over HTTP, at /v1/traces below it.",
  }),
  tracesExporter: setting.text({
    env: "OTEL_TRACES_EXPORTER",
    optional: true,
    doc: "`otlp` turns traces on, to http://localhost:4318 when no endpoint is set; `none` turns them off.",
  }),
  otlpProtocol: setting.text({
    env: ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"],
    default: "http/protobuf",
    doc: "Only http/protobuf is spoken. With another, nothing is sent and the log says so.",
  }),
  otlpHeaders: setting.secret({
    env: ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"],
    optional: true,
    doc: "Headers for the collector, as name=value pairs with commas between.",
  }),
  sdkDisabled: setting.flag({ env: "OTEL_SDK_DISABLED", default: false, doc: "Turns traces off." }),
  serviceName: setting.text({
    env: "OTEL_SERVICE_NAME",
    optional: true,
    doc: "The name that traces come under; without it portvakt-login, portvakt-tokens and so on.",
  }),
  resourceAttributes: setting.text({
    env: "OTEL_RESOURCE_ATTRIBUTES",
    optional: true,
    doc: "What traces say of this process, as name=value pairs with commas between.",
  }),
  tracesSampler: setting.choice({
    env: "OTEL_TRACES_SAMPLER",
    values: traceSamplers,
    default: "parentbased_always_on",
    doc: "Which traces are kept. Those with parentbased_ do as the caller did, and decide only for traces that begin here.",
  }),
  tracesSamplerArg: setting.text({
    env: "OTEL_TRACES_SAMPLER_ARG",
    default: "1",
    doc: "For samplers with traceidratio: the share that is kept, 0 to 1.",
    check: (value) =>
      /^(?:0|1|0?\.\d{1,9}|[01]\.0{0,9})$/.test(value) ? undefined : "is no number from 0 to 1",
  }),
} as const;

export type TraceSettings = SettingsOf<typeof traceSettings>;
