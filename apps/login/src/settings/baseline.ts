// What people set for the proxy that they run today and this one has no use for. None of it is passed over in silence: what would
// guard less or do nothing at all is refused, the rest is told when the process starts.
import { setting, type SettingsOf } from "@portvakt/runtime/config";

const unused = "Of the baseline; has no effect here, and the log says so.";
const text = (name: string) => setting.text({ env: `WONDERWALL_${name}`, optional: true, doc: unused });

export const baselineSettings = {
  ssoEnabled: setting.flag({
    env: ["PORTVAKT_LOGIN_SSO_ENABLED", "WONDERWALL_SSO_ENABLED"],
    default: false,
    doc: "The baseline's single sign-on modes are not built: true is refused rather than ignored.",
    check: (value) => (value ? "asks for a mode that this proxy does not have yet" : undefined),
  }),
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
  ssoDomain: text("SSO_DOMAIN"),
  ssoMode: text("SSO_MODE"),
  ssoSessionCookieName: text("SSO_SESSION_COOKIE_NAME"),
  ssoServerUrl: text("SSO_SERVER_URL"),
  ssoServerDefaultRedirectUrl: text("SSO_SERVER_DEFAULT_REDIRECT_URL"),
} as const;

const reasons = {
  jwksFallbackAlg: "algorithms are those that the provider's metadata lists and the key fits",
  redisConnectionIdleTimeout: "there is one connection, kept alive and opened anew when it breaks",
  otelEnabled: "traces are not sent; metrics are at /metrics of the status address",
  otelServiceName: "traces are not sent; metrics are at /metrics of the status address",
  ssoDomain: "single sign-on is off",
  ssoMode: "single sign-on is off",
  ssoSessionCookieName: "single sign-on is off",
  ssoServerUrl: "single sign-on is off",
  ssoServerDefaultRedirectUrl: "single sign-on is off",
} as const;

/** A sentence for each setting that was set and changes nothing. `values` are what the process was started with. */
export function withoutEffect(values: SettingsOf<typeof baselineSettings>): string[] {
  return (Object.keys(reasons) as (keyof typeof reasons)[]).flatMap((name) => {
    const value = values[name];
    if (value === undefined || value === "" || value === "false") return [];
    return [`${baselineSettings[name].env[0]} has no effect: ${reasons[name]}`];
  });
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
