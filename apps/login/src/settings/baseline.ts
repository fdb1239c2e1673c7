// What people set for the proxy that they run today and this one calls otherwise or has no use for. None of it is passed over in
// silence.
import { setting, type SettingsOf } from "@portvakt/runtime/config";
import { ssoSettings } from "./sso.ts";

export const baselineSettings = {
  pprofEnabled: setting.flag({
    env: "WONDERWALL_PPROF_ENABLED",
    default: false,
    doc: "Of the baseline, for the profiler of its own language; has no effect here, and the log says so.",
  }),
  otelEnabled: setting.flag({
    env: "WONDERWALL_OTEL_ENABLED",
    default: false,
    doc: "Of the baseline: true is OTEL_TRACES_EXPORTER=otlp, where that is not set.",
  }),
  otelServiceName: setting.text({
    env: "WONDERWALL_OTEL_SERVICE_NAME",
    optional: true,
    doc: "Of the baseline: OTEL_SERVICE_NAME, where that is not set.",
  }),
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment with OpenTelemetry's own names beside the baseline's names for the same. */
export function withStandardNames(env: Environment): Environment {
  const asked = /^(?:true|t|1|yes|on)$/iu.test(env["WONDERWALL_OTEL_ENABLED"] ?? "");
  return {
    ...env,
    OTEL_TRACES_EXPORTER: env["OTEL_TRACES_EXPORTER"] || (asked ? "otlp" : undefined),
    OTEL_SERVICE_NAME: env["OTEL_SERVICE_NAME"] || env["WONDERWALL_OTEL_SERVICE_NAME"],
  };
}

type Values = SettingsOf<typeof baselineSettings & typeof ssoSettings>;

/** A sentence for each setting that was set and changes nothing. `values` are what the process was started with. */
export function withoutEffect(values: Values): string[] {
  const pprof = values.pprofEnabled
    ? ["WONDERWALL_PPROF_ENABLED has no effect: there is no profiler to reach over the network"]
    : [];
  return [...pprof, ...idleSso(values)];
}

/** Settings of a single sign-on that is off, or of its other side. */
function idleSso(values: Values): string[] {
  const { ssoEnabled, ssoMode } = values;
  const idle: readonly (keyof typeof ssoSettings)[] = !ssoEnabled
    ? ["ssoMode", "ssoDomain", "ssoSessionCookieName", "ssoServerUrl", "ssoServerDefaultRedirectUrl"]
    : ssoMode === "proxy"
      ? ["ssoServerDefaultRedirectUrl"]
      : ["ssoServerUrl"];
  const why = ssoEnabled ? `the mode is ${ssoMode}` : "single sign-on is off";
  return idle
    .filter((name) => values[name] !== ssoSettings[name].fallback())
    .map((name) => `${ssoSettings[name].env[0]} has no effect: ${why}`);
}

/** The names of the baseline that no setting reads: misspelt, or of a version that we do not know. */
export function unreadNames(
  names: Iterable<string>,
  schema: Readonly<Record<string, { readonly env: readonly string[] }>>,
): string[] {
  const read = new Set(Object.values(schema).flatMap(({ env }) => env));
  return [...names].filter(
    (name) => name.startsWith("WONDERWALL_") && !read.has(name) && !read.has(name.replace(/_FILE$/u, "")),
  );
}
