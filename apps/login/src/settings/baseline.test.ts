import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { readSettings } from "@portvakt/runtime/config";
import { traceSettings } from "@portvakt/runtime/process";
import { checkTogether } from "../wiring/together.ts";
import { ingressesOf } from "../wiring/sso.ts";
import { redisUrl } from "../wiring/secrets.ts";
import { unreadNames, withoutEffect, withStandardNames } from "./baseline.ts";
import { settings } from "./settings.ts";

const base = { WONDERWALL_INGRESS: "https://app.test" };
const silent = [
  { name: "WONDERWALL_PPROF_ENABLED", value: "true" },
  { name: "WONDERWALL_SSO_DOMAIN", value: "example.no" },
  { name: "WONDERWALL_SSO_MODE", value: "proxy" },
  { name: "WONDERWALL_SSO_SESSION_COOKIE_NAME", value: "x" },
  { name: "WONDERWALL_SSO_SERVER_URL", value: "https://sso.example.no" },
  { name: "WONDERWALL_SSO_SERVER_DEFAULT_REDIRECT_URL", value: "https://example.no" },
];
for (const { name, value } of silent) {
  test(`${name} has no effect by itself, and that is told`, () => {
    const told = withoutEffect(readSettings(settings, { ...base, [name]: value }));
    assert.equal(told.length, 1);
    const shown = name.replace("WONDERWALL_SSO", "PORTVAKT_LOGIN_SSO");
    assert.match(told[0]!, new RegExp(`^${shown} has no effect: `));
  });
}

const traced: { name: string; env: Record<string, string>; exporter?: string; service?: string }[] = [
  { name: "nothing", env: {} },
  { name: "otel.enabled", env: { WONDERWALL_OTEL_ENABLED: "true" }, exporter: "otlp" },
  { name: "otel.enabled=false", env: { WONDERWALL_OTEL_ENABLED: "false" } },
  {
    name: "otel.enabled, and the standard name says no",
    env: { WONDERWALL_OTEL_ENABLED: "true", OTEL_TRACES_EXPORTER: "none" },
    exporter: "none",
  },
  { name: "otel.service-name", env: { WONDERWALL_OTEL_SERVICE_NAME: "x" }, service: "x" },
  {
    name: "otel.service-name beside the standard name",
    env: { WONDERWALL_OTEL_SERVICE_NAME: "x", OTEL_SERVICE_NAME: "y" },
    service: "y",
  },
];
for (const { name, env, exporter, service } of traced) {
  test(`traces by the baseline's names: ${name}`, () => {
    const read = readSettings(traceSettings, withStandardNames(env));
    assert.deepEqual([read.tracesExporter, read.serviceName], [exporter, service]);
    assert.doesNotThrow(() => readSettings(settings, { ...base, ...env }));
  });
}

test("bind-address, metrics-bind-address, probe-bind-address: where the baseline listens when nothing is said", () => {
  const { bindAddress, statusAddress, probeAddress } = readSettings(settings, base);
  assert.deepEqual(bindAddress, { host: "127.0.0.1", port: 3000 });
  assert.deepEqual(statusAddress, { host: "127.0.0.1", port: 3001 });
  assert.equal(probeAddress, undefined);
});

test("redis.connection-idle-timeout: the connection is kept from being idle for so long", () => {
  const seconds = (value: string): number | undefined =>
    redisUrl(readSettings(settings, { ...base, WONDERWALL_REDIS_CONNECTION_IDLE_TIMEOUT: value }))
      .idleSeconds;
  assert.deepEqual(["1", "600", "0", "-1"].map(seconds), [1, 600, undefined, undefined]);
});

const sso = {
  WONDERWALL_INGRESS: "https://app.example.no",
  WONDERWALL_SSO_ENABLED: "true",
  WONDERWALL_SSO_SESSION_COOKIE_NAME: "sso",
  WONDERWALL_REDIS_URI: "rediss://redis:6379",
  WONDERWALL_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString("base64"),
};
const server = {
  ...sso,
  WONDERWALL_OPENID_CLIENT_ID: "c",
  WONDERWALL_OPENID_CLIENT_SECRET: "s",
  WONDERWALL_OPENID_WELL_KNOWN_URL: "https://issuer.test/.well-known/openid-configuration",
  WONDERWALL_SSO_DOMAIN: "example.no",
  WONDERWALL_SSO_SERVER_DEFAULT_REDIRECT_URL: "https://www.example.no/",
};
const proxy = {
  ...sso,
  WONDERWALL_SSO_MODE: "proxy",
  WONDERWALL_SSO_SERVER_URL: "https://login.example.no",
};
const problemsOf = async (env: Record<string, string>): Promise<string> => {
  const values = readSettings(settings, env);
  return checkTogether(values, ingressesOf(values)).then(
    () => "",
    (error: unknown) => String(error),
  );
};

test("single sign-on: what each mode needs, and nothing else", async () => {
  assert.equal(await problemsOf(server), "");
  assert.equal(await problemsOf(proxy), "", "a proxy has no client of its own");
  const needed: [Record<string, string>, string[]][] = [
    [server, ["REDIS_URI", "ENCRYPTION_KEY", "SSO_SESSION_COOKIE_NAME", "SSO_DOMAIN"]],
    [server, ["SSO_SERVER_DEFAULT_REDIRECT_URL", "OPENID_CLIENT_ID"]],
    [proxy, ["REDIS_URI", "ENCRYPTION_KEY", "SSO_SESSION_COOKIE_NAME", "SSO_SERVER_URL"]],
  ];
  for (const [all, names] of needed)
    for (const name of names) {
      const env = Object.fromEntries(Object.entries(all).filter(([key]) => key !== `WONDERWALL_${name}`));
      assert.match(await problemsOf(env), new RegExp(name.replace("OPENID_", "")), name);
    }
});

const wrong = [
  { name: "a domain that is a whole top level", env: { ...server, WONDERWALL_SSO_DOMAIN: "no" } },
  { name: "a domain that is a URL", env: { ...server, WONDERWALL_SSO_DOMAIN: "https://example.no" } },
  { name: "a domain that is an address", env: { ...server, WONDERWALL_SSO_DOMAIN: "10.0.0.1" } },
  { name: "a server outside its domain", env: { ...server, WONDERWALL_SSO_DOMAIN: "ample.no" } },
  { name: "a proxy outside the domain", env: { ...proxy, WONDERWALL_SSO_DOMAIN: "example.com" } },
  { name: "a server by plain http", env: { ...proxy, WONDERWALL_SSO_SERVER_URL: "http://login.example.no" } },
  {
    name: "a cookie that no domain can have",
    env: { ...proxy, WONDERWALL_SSO_SESSION_COOKIE_NAME: "__Host-x" },
  },
];
for (const { name, env } of wrong) {
  test(`single sign-on refuses ${name}`, async () => {
    const said = await Promise.resolve()
      .then(() => problemsOf(env))
      .catch(String);
    assert.match(said, /PORTVAKT_LOGIN_SSO_|WONDERWALL_SSO_/);
  });
}

test("every flag of the baseline is read, and what no setting reads is told", () => {
  const flags =
    "bind-address metrics-bind-address probe-bind-address pprof-enabled log-format log-level shutdown-graceful-period shutdown-wait-before-period auto-login auto-login-ignore-paths ingress upstream-host upstream-ip upstream-port upstream-include-id-token upstream-access-logs cookie.prefix cookie.same-site cookie.secure encryption-key openid.provider openid.client-id openid.well-known-url openid.client-jwk openid.client-secret openid.scopes openid.audiences openid.acr-values openid.ui-locales openid.domain-hint openid.resource-indicator openid.post-logout-redirect-uri openid.jwks-fallback-alg openid.new-client-auth-jwt-type otel.enabled otel.service-name ratelimit.enabled ratelimit.logins ratelimit.window redis.uri redis.address redis.username redis.password redis.tls redis.connection-idle-timeout session.max-lifetime session.inactivity session.inactivity-timeout session.forward-auth session.forward-auth-set-headers sso.enabled sso.domain sso.mode sso.session-cookie-name sso.server-url sso.server-default-redirect-url";
  const names = flags.split(" ").map((flag) => `WONDERWALL_${flag.toUpperCase().replace(/[.-]/gu, "_")}`);
  assert.equal(names.length, 56);
  assert.deepEqual(unreadNames([...names, "PATH", "WONDERWALL_INGRES"], settings), ["WONDERWALL_INGRES"]);
});

test("--check-config also finds what settings mean wrongly together", () => {
  const main = resolve(import.meta.dirname, "../main.ts");
  const run = (env: Record<string, string>) =>
    spawnSync(process.execPath, [main, "--check-config"], { env, encoding: "utf8" });
  const wrong = run({ ...base, PORTVAKT_LOGIN_UPSTREAM_IP: "127.0.0.1" });
  assert.equal(wrong.status, 2);
  for (const name of ["PORTVAKT_LOGIN_UPSTREAM_IP", "PORTVAKT_LOGIN_CLIENT_ID", "PORTVAKT_LOGIN_CLIENT_JWK"])
    assert.ok(wrong.stderr.includes(name), name);
  const right = run({
    ...base,
    PORTVAKT_LOGIN_CLIENT_ID: "c",
    PORTVAKT_LOGIN_CLIENT_SECRET: "s",
    PORTVAKT_LOGIN_WELL_KNOWN_URL: "https://issuer.test/.well-known/openid-configuration",
  });
  assert.deepEqual([right.status, right.stderr], [0, ""]);
});
