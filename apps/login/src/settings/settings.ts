import { defineSettings, setting } from "@portvakt/runtime/config";
import type { SettingsOf } from "@portvakt/runtime/config";
import { commonSettings } from "@portvakt/runtime/process";
import { compileExclusions } from "../request/exclusions.ts";
import { isLoopback, parseIngress } from "../request/ingress.ts";
import { baselineSettings } from "./baseline.ts";
import { named, sentence } from "./names.ts";
import { providerSettings } from "./provider.ts";
import { ssoSettings } from "./sso.ts";
import { trustedPeers } from "../proxy/peers.ts";

/** Every setting of the login proxy, with the names of the baseline and of the platform's presets. */
export const settings = defineSettings({
  ...commonSettings(
    "login",
    {
      logLevel: ["WONDERWALL_LOG_LEVEL"],
      logFormat: ["WONDERWALL_LOG_FORMAT"],
      shutdownGraceSeconds: ["WONDERWALL_SHUTDOWN_GRACEFUL_PERIOD"],
      shutdownWaitSeconds: ["WONDERWALL_SHUTDOWN_WAIT_BEFORE_PERIOD"],
      statusAddress: ["WONDERWALL_METRICS_BIND_ADDRESS"],
    },
    "127.0.0.1:3001",
  ),
  bindAddress: setting.address({
    env: named("BIND_ADDRESS"),
    default: "127.0.0.1:3000",
    doc: "Where browsers, or the ingress in front, reach the proxy.",
  }),
  probeAddress: setting.address({
    env: named("PROBE_BIND_ADDRESS"),
    optional: true,
    doc: "A second address for /healthz and /readyz, for platforms that probe another port than they scrape.",
  }),
  ingresses: setting.list({
    env: named("INGRESSES", "INGRESS"),
    of: setting.text({ env: "ingress", doc: "", check: sentence(parseIngress) }),
    doc: "The addresses under which browsers reach the application, such as https://app.example.no/base. At least one.",
    check: (values) => (values.length === 0 ? "names no ingress" : undefined),
  }),
  upstreamHost: setting.text({
    env: named("UPSTREAM_HOST"),
    default: "127.0.0.1:8080",
    doc: "Host and port of the application; with https:// in front, over TLS.",
    check: sentence(upstreamOrigin),
  }),
  upstreamIp: setting.text({
    env: named("UPSTREAM_IP"),
    optional: true,
    doc: "Address of the application; together with the port it replaces the host.",
  }),
  upstreamPort: setting.whole({
    env: named("UPSTREAM_PORT"),
    default: 0,
    min: 0,
    max: 65_535,
    doc: "Port of the application, together with its address; 0 = not set.",
  }),
  upstreamCa: setting.text({
    env: named("UPSTREAM_CA", ""),
    optional: true,
    doc: "PEM certificates that the application's TLS certificate is checked against, instead of the system's.",
  }),
  upstreamAudience: setting.text({
    env: named("UPSTREAM_AUDIENCE", ""),
    optional: true,
    doc: "Exchange at the edge: the application receives a token made for this audience (cluster:namespace:app) instead of the sign-in's own.",
  }),
  tokenxClientId: setting.text({
    env: "TOKEN_X_CLIENT_ID",
    optional: true,
    doc: "Preset of the platform, for exchange at the edge.",
  }),
  tokenxJwk: setting.secret({
    env: "TOKEN_X_PRIVATE_JWK",
    optional: true,
    doc: "Preset of the platform, for exchange at the edge.",
  }),
  tokenxWellKnownUrl: setting.url({
    env: "TOKEN_X_WELL_KNOWN_URL",
    optional: true,
    doc: "Preset of the platform, for exchange at the edge.",
  }),
  upstreamIncludeIdToken: setting.flag({
    env: named("UPSTREAM_INCLUDE_ID_TOKEN"),
    default: false,
    doc: "Whether the application also receives the ID token, in X-Wonderwall-Id-Token.",
  }),
  upstreamAccessLogs: setting.flag({
    env: named("UPSTREAM_ACCESS_LOGS"),
    default: false,
    doc: "Whether every request that is passed on is logged (method and correlation id, no path).",
  }),
  trustedProxies: setting.list({
    env: named("TRUSTED_PROXIES", ""),
    default: [],
    doc: "Networks whose Forwarded and X-Forwarded-* headers are believed, such as 10.0.0.0/8.",
    check: sentence(trustedPeers),
  }),
  allowedOrigins: setting.list({
    env: named("ALLOWED_ORIGINS", ""),
    default: [],
    doc: "Further origins whose pages may send unsafe requests with a session.",
    check: originsProblem,
  }),
  stripAuthorization: setting.flag({
    env: named("STRIP_AUTHORIZATION", ""),
    default: false,
    doc: "Whether a client's own Authorization header is removed also where auto-login is off.",
  }),
  autoLogin: setting.flag({
    env: named("AUTO_LOGIN"),
    default: false,
    doc: "Whether requests without a session are sent to sign in instead of to the application.",
  }),
  autoLoginIgnorePaths: setting.list({
    env: named("AUTO_LOGIN_IGNORE_PATHS"),
    default: [],
    doc: "Globs of paths that auto-login leaves alone.",
    check: sentence(compileExclusions),
  }),
  cookiePrefix: setting.text({
    env: named("COOKIE_PREFIX"),
    default: "io.nais.wonderwall",
    doc: "How the names of our cookies begin.",
    check: (value) => (/^[\w.-]{1,64}$/.test(value) ? undefined : "is not fit for a cookie's name"),
  }),
  cookieSameSite: setting.choice({
    env: named("COOKIE_SAME_SITE"),
    values: ["Lax", "Strict", "None"],
    default: "Lax",
    doc: "SameSite of the session's cookie.",
  }),
  cookieSecure: setting.flag({
    env: named("COOKIE_SECURE"),
    default: true,
    doc: "False only where every ingress is on this machine.",
  }),
  encryptionKeys: setting.list({
    env: named("ENCRYPTION_KEYS", "ENCRYPTION_KEY"),
    of: setting.secret({ env: "key", doc: "" }),
    default: [],
    doc: "Keys for our cookies, base64 of 32 bytes each; the first seals, every one opens. Without any, a key of this process's own: sessions do not outlive it.",
  }),
  ...providerSettings,
  rateLimitEnabled: setting.flag({
    env: named("RATELIMIT_ENABLED"),
    default: true,
    doc: "Whether logins of a signed-in browser are limited.",
  }),
  rateLimitLogins: setting.whole({
    env: named("RATELIMIT_LOGINS"),
    default: 5,
    min: 1,
    max: 100,
    doc: "How many logins the window has room for.",
  }),
  rateLimitWindow: setting.seconds({
    env: named("RATELIMIT_WINDOW"),
    default: 5,
    min: 1,
    max: 3600,
    doc: "How long a login takes up its place.",
  }),
  redisUri: setting.secret({
    env: named("REDIS_URI"),
    optional: true,
    doc: "Where sessions are kept, redis:// or rediss://. Without it, in this process: sessions end with it and no replica sees them.",
  }),
  redisAddress: setting.text({
    env: named("REDIS_ADDRESS", "REDIS_ADDRESS"),
    optional: true,
    check: (address) => (address.includes("@") ? "has a user name or password in it" : undefined),
    doc: "Host and port of Redis, where no URI is set.",
  }),
  redisUsername: setting.text({
    env: named("REDIS_USERNAME"),
    optional: true,
    doc: "User name at Redis, where the URI has none.",
  }),
  redisPassword: setting.secret({
    env: named("REDIS_PASSWORD"),
    optional: true,
    doc: "Password at Redis, where the URI has none.",
  }),
  redisTls: setting.flag({
    env: named("REDIS_TLS"),
    default: true,
    doc: "Whether Redis by host and port is reached over TLS.",
  }),
  redisConnectionIdleTimeout: setting.whole({
    env: named("REDIS_CONNECTION_IDLE_TIMEOUT"),
    default: 0,
    min: -1,
    max: 86_400,
    doc: "Seconds after which Redis, or something on the way, closes idle connections: ours is pinged twice in that time. 0 and -1: every 2 s.",
  }),
  ...baselineSettings,
  ...ssoSettings,
  sessionMaxLifetime: setting.seconds({
    env: named("SESSION_MAX_LIFETIME"),
    default: "10h",
    min: 10,
    doc: "How long a session lasts at most.",
  }),
  sessionInactivity: setting.flag({
    env: named("SESSION_INACTIVITY"),
    default: false,
    doc: "Whether sessions end without activity.",
  }),
  sessionInactivityTimeout: setting.seconds({
    env: named("SESSION_INACTIVITY_TIMEOUT"),
    default: "30m",
    min: 2,
    doc: "Without a request for this long a session is inactive.",
  }),
  forwardAuth: setting.flag({
    env: named("SESSION_FORWARD_AUTH"),
    default: false,
    doc: "Whether /oauth2/session/forwardauth answers.",
  }),
  forwardAuthSetHeaders: setting.flag({
    env: named("SESSION_FORWARD_AUTH_SET_HEADERS"),
    default: false,
    doc: "Whether it answers with tokens in headers.",
  }),
  forwardAuthAddress: setting.address({
    env: named("SESSION_FORWARD_AUTH_BIND_ADDRESS", ""),
    optional: true,
    doc: "A second address, which no browser reaches, for the proxy in front: /oauth2/session/forwardauth then answers there alone.",
  }),
});

/** What `start` is given. */
export type LoginSettings = SettingsOf<typeof settings>;

/** Where the application is, as an origin. Throws: Error with a sentence. */
export function upstreamOrigin(text: string): string {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`);
  if (url === null || url.pathname !== "/" || url.search !== "" || url.username !== "")
    throw new Error("is not host:port");
  return url.origin;
}

function originsProblem(values: readonly string[]): string | undefined {
  const wrong = values.find((value) => {
    const url = URL.parse(value);
    return url?.origin !== value || (url.protocol !== "https:" && !isLoopback(url.hostname));
  });
  return wrong === undefined ? undefined : `"${wrong}" is not an origin such as https://app.example.no`;
}
