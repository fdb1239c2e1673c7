import { test } from "node:test";
import assert from "node:assert/strict";
import { printSettings, readSettings, SettingsError } from "@portvakt/runtime/config";
import { parseIngress } from "../request/ingress.ts";
import { checkTogether } from "../wiring/together.ts";
import { settings } from "./settings.ts";

const key = Buffer.alloc(32, 1).toString("base64");

test("an environment written for the baseline is read as it is", () => {
  const values = readSettings(settings, {
    WONDERWALL_INGRESS: "https://app.example.no,https://app.example.no/base",
    WONDERWALL_BIND_ADDRESS: "0.0.0.0:7564",
    WONDERWALL_METRICS_BIND_ADDRESS: "127.0.0.1:7565",
    WONDERWALL_PROBE_BIND_ADDRESS: "0.0.0.0:7566",
    WONDERWALL_UPSTREAM_IP: "10.0.0.7",
    WONDERWALL_UPSTREAM_PORT: "8080",
    WONDERWALL_AUTO_LOGIN: "true",
    WONDERWALL_AUTO_LOGIN_IGNORE_PATHS: "/internal/*,/metrics",
    WONDERWALL_OPENID_PROVIDER: "azure",
    AZURE_APP_CLIENT_ID: "id",
    AZURE_APP_JWK: "{}",
    AZURE_APP_WELL_KNOWN_URL: "https://login.example/v2.0/.well-known/openid-configuration",
    WONDERWALL_ENCRYPTION_KEY: key,
    WONDERWALL_REDIS_URI: "rediss://redis:6379",
    WONDERWALL_REDIS_USERNAME: "user",
    WONDERWALL_REDIS_PASSWORD: "secret",
    WONDERWALL_SESSION_MAX_LIFETIME: "6h",
    WONDERWALL_SESSION_INACTIVITY: "true",
    WONDERWALL_SESSION_INACTIVITY_TIMEOUT: "1h",
    WONDERWALL_COOKIE_SAME_SITE: "Strict",
    WONDERWALL_SHUTDOWN_GRACEFUL_PERIOD: "45s",
    WONDERWALL_SHUTDOWN_WAIT_BEFORE_PERIOD: "5s",
    WONDERWALL_OPENID_NEW_CLIENT_AUTH_JWT_TYPE: "true",
    WONDERWALL_LOG_LEVEL: "debug",
  });
  assert.deepEqual(values.bindAddress, { host: "0.0.0.0", port: 7564 });
  assert.equal(values.upstreamIp, "10.0.0.7");
  assert.equal(values.provider, "azure");
  assert.equal(values.azureClientId, "id");
  assert.equal(values.sessionMaxLifetime, 21_600);
  assert.equal(values.sessionInactivityTimeout, 3600);
  assert.equal(values.encryptionKeys.length, 1);
  assert.equal(values.shutdownGraceSeconds, 45);
});

const wrong = [
  { name: "no ingress", env: { WONDERWALL_INGRESS: "" }, says: /PORTVAKT_LOGIN_INGRESSES/ },
  {
    name: "plain http elsewhere",
    env: { WONDERWALL_INGRESS: "http://app.example.no" },
    says: /must be https/,
  },
  {
    name: "a glob that cannot be read",
    env: { WONDERWALL_AUTO_LOGIN_IGNORE_PATHS: "/a[" },
    says: /character class/,
  },
  {
    name: "an origin that is none",
    env: { PORTVAKT_LOGIN_ALLOWED_ORIGINS: "https://x.no/path" },
    says: /not an origin/,
  },
  {
    name: "a network that is none",
    env: { PORTVAKT_LOGIN_TRUSTED_PROXIES: "10.0.0.0/40" },
    says: /not a network/,
  },
  { name: "a misspelt name", env: { PORTVAKT_LOGIN_AUTOLOGIN: "true" }, says: /PORTVAKT_LOGIN_AUTO_LOGIN/ },
];
for (const { name, env, says } of wrong) {
  test(`settings refused: ${name}`, () => {
    assert.throws(
      () => readSettings(settings, { WONDERWALL_INGRESS: "https://app.example.no", ...env }),
      (error: unknown) => error instanceof SettingsError && says.test(error.message),
    );
  });
}

test("secrets are masked where the settings are printed", () => {
  const text = printSettings(settings, {
    WONDERWALL_INGRESS: "https://app.example.no",
    WONDERWALL_ENCRYPTION_KEY: key,
    WONDERWALL_REDIS_PASSWORD: "hunter2",
    IDPORTEN_CLIENT_JWK: '{"d":"private"}',
  });
  for (const secret of [key, "hunter2", "private"]) assert.ok(!text.includes(secret));
});

test("what settings mean together is checked at the start, every problem at once, and no secret is repeated", async () => {
  const values = readSettings(settings, {
    WONDERWALL_INGRESS: "https://app.example.no",
    WONDERWALL_UPSTREAM_PORT: "8080",
    WONDERWALL_COOKIE_SECURE: "false",
    WONDERWALL_ENCRYPTION_KEY: "too-short-secret",
    PORTVAKT_LOGIN_PROVIDERS: "idporten,entra",
    PORTVAKT_LOGIN_PROVIDER_PATHS: "/x/**=openid",
    PORTVAKT_LOGIN_UPSTREAM_AUDIENCE: "local:demo:api",
    IDPORTEN_CLIENT_ID: "a",
    IDPORTEN_WELL_KNOWN_URL: "https://idporten.example/",
    IDPORTEN_CLIENT_JWK: '{"kty":"RSA","d":"private-part"}',
  });
  await assert.rejects(checkTogether(values, values.ingresses.map(parseIngress)), (error: unknown) => {
    assert.ok(error instanceof SettingsError);
    const named = error.problems.map(({ env }) => env).sort();
    assert.deepEqual(named, [
      "AZURE_APP_CLIENT_ID",
      "AZURE_APP_JWK",
      "AZURE_APP_WELL_KNOWN_URL",
      "IDPORTEN_CLIENT_JWK",
      "PORTVAKT_LOGIN_COOKIE_SECURE",
      "PORTVAKT_LOGIN_ENCRYPTION_KEYS",
      "PORTVAKT_LOGIN_PROVIDER_PATHS",
      "PORTVAKT_LOGIN_UPSTREAM_IP",
      "TOKEN_X_CLIENT_ID",
      "TOKEN_X_PRIVATE_JWK",
      "TOKEN_X_WELL_KNOWN_URL",
    ]);
    return !/private-part|too-short-secret/.test(error.message);
  });
});

test("globs may have hyphens, braces and classes, and any of them may stand in the list", () => {
  const values = readSettings(settings, {
    WONDERWALL_INGRESS: "https://app.example.no",
    WONDERWALL_AUTO_LOGIN_IGNORE_PATHS: "/internal/is-alive, /{public,open-data}/**,/d/[!ab]-*",
    PORTVAKT_LOGIN_PROVIDER_PATHS: "/{admin,ops}/**=entra",
  });
  assert.deepEqual(values.autoLoginIgnorePaths, [
    "/internal/is-alive",
    "/{public,open-data}/**",
    "/d/[!ab]-*",
  ]);
  assert.deepEqual(values.providerPaths, ["/{admin,ops}/**=entra"]);
});
