// The settings that every server process of ours has.
import { setting } from "../config/index.ts";
import type { Address, Setting } from "../config/index.ts";
import { logFormats, logLevels } from "../observe/index.ts";
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
export function commonSettings(app: string, aliases: CommonAliases = {}): CommonSettings {
  const prefix = `PORTVAKT_${app.toUpperCase()}_`;
  const env = (name: string, key: keyof CommonSettings): readonly string[] => [
    prefix + name,
    ...(aliases[key] ?? []),
  ];
  return {
    statusAddress: setting.address({
      env: env("STATUS_ADDRESS", "statusAddress"),
      default: "127.0.0.1:0",
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
      doc: "How long to go on serving, while reporting not ready, before the listeners close: time for load balancers to notice.",
    }),
  };
}
