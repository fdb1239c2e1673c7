// What people set for the proxy that they run today and this one has no use for. None of it is passed over in silence: what would
// guard less or do nothing at all is refused, the rest is told when the process starts.
import { setting, type SettingsOf } from "@portvakt/runtime/config";
import { ssoSettings } from "./sso.ts";

const unused = "Of the baseline; has no effect here, and the log says so.";
const text = (name: string) => setting.text({ env: `WONDERWALL_${name}`, optional: true, doc: unused });

export const baselineSettings = {
  pprofEnabled: setting.flag({
    env: "WONDERWALL_PPROF_ENABLED",
    default: false,
    doc: "Of the baseline: true is refused, there is no profiler to reach over the network.",
    check: (value) => (value ? "asks for a profiler, which this proxy does not serve" : undefined),
  }),
  jwksFallbackAlg: text("OPENID_JWKS_FALLBACK_ALG"),
  redisConnectionIdleTimeout: text("REDIS_CONNECTION_IDLE_TIMEOUT"),
  otelEnabled: text("OTEL_ENABLED"),
  otelServiceName: text("OTEL_SERVICE_NAME"),
} as const;

const reasons = {
  jwksFallbackAlg: "algorithms are those that the provider's metadata lists and the key fits",
  redisConnectionIdleTimeout: "there is one connection, kept alive and opened anew when it breaks",
  otelEnabled: "traces are not sent; metrics are at /metrics of the status address",
  otelServiceName: "traces are not sent; metrics are at /metrics of the status address",
} as const;

type Values = SettingsOf<typeof baselineSettings & typeof ssoSettings>;

/** A sentence for each setting that was set and changes nothing. `values` are what the process was started with. */
export function withoutEffect(values: Values): string[] {
  const unread = (Object.keys(reasons) as (keyof typeof reasons)[]).flatMap((name) => {
    const value = values[name];
    if (value === undefined || value === "" || value === "false") return [];
    return [`${baselineSettings[name].env[0]} has no effect: ${reasons[name]}`];
  });
  return [...unread, ...idleSso(values)];
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
