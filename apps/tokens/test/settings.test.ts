import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readSettings, SettingsError } from "@portvakt/runtime/config";
import { openOutbound } from "../src/connections/outbound.ts";
import { check, settings } from "../src/index.ts";
import { clientKey, startApi, until } from "./api.ts";

const entra = {
  AZURE_ENABLED: "true",
  AZURE_APP_CLIENT_ID: "id",
  AZURE_APP_WELL_KNOWN_URL: "http://127.0.0.1:1/.well-known/openid-configuration",
};

test("--check-config: what settings mean wrongly together is found without asking anybody", async (t) => {
  const jwk = JSON.stringify((await clientKey()).privateJwk);
  const rows = [
    { name: "right", env: { ...entra, AZURE_APP_JWK: jwk }, problem: undefined },
    {
      name: "no key, no secret, no workload token",
      env: entra,
      problem: /AZURE_APP_JWK or AZURE_APP_CLIENT_SECRET/,
    },
    {
      name: "a key that cannot be used",
      env: { ...entra, AZURE_APP_JWK: "{}" },
      problem: /AZURE_APP_JWK cannot be used/,
    },
    {
      name: "on a network without a secret",
      env: { PORTVAKT_TOKENS_BIND_ADDRESS: "0.0.0.0:3000" },
      problem: /BIND_ADDRESS is not a loopback address/,
    },
    {
      name: "bound tokens of a provider that is not there",
      env: { PORTVAKT_TOKENS_DPOP_PROVIDERS: "tokenx" },
      problem: /DPOP_PROVIDERS names a provider that is not enabled/,
    },
  ];
  for (const { name, env, problem } of rows) {
    await t.test(name, async () => {
      const found = await check(readSettings(settings, env)).catch((error: unknown) => error);
      if (problem === undefined) assert.equal(found, undefined);
      else assert.match(found instanceof SettingsError ? found.message : "", problem);
    });
  }
});

test("--check-config, in a process of its own: exit 2, and what to set", async () => {
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, "--check-config"], {
    env: entra,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => (said += String(chunk)));
  const [code] = await once(child, "close");
  assert.equal(code, 2);
  assert.match(said, /AZURE_APP_JWK is not set/);
});

test("baseline 1.2.7 row 40: times that other sidecars are given in milliseconds are kept to", async () => {
  await using api = await startApi({
    env: {
      TEXAS_HTTP_READ_TIMEOUT_MILLIS: "30",
      TEXAS_HTTP_MAX_RETRIES: "0",
      PORTVAKT_TOKENS_PATIENCE: "60s",
    },
  });
  api.entra.always = "hang";
  const started = performance.now();
  const reply = await api.post("/api/v1/token", {
    identity_provider: "entra_id",
    target: "local:benefits:case-api",
  });
  assert.equal(reply.status, 503);
  assert.ok(performance.now() - started < 4000, "not the 5 s that an attempt may take by default");
});

test("baseline 1.2.7 row 38: no more connections to a provider than set", async () => {
  await using api = await startApi({ env: { TEXAS_HTTP_POOL_MAX_IDLE: "2" } });
  await until(async () => (await api.ready()).ready);
  api.entra.always = { delayMs: 20 };
  const ask = (n: number) =>
    api.post("/api/v1/token", { identity_provider: "entra_id", target: `local:benefits:app-${n}` });
  const replies = await Promise.all(Array.from({ length: 10 }, (_, n) => ask(n)));
  assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]));
  assert.equal(api.entra.mostConnections, 2);
});

test("baseline 1.2.7 row 40: a provider that cannot be connected to is given up after the connect timeout", async (t) => {
  // Connecting over TLS is over when hands were shaken, and this one keeps its hands to itself.
  const mute = createServer().listen(0, "127.0.0.1");
  await once(mute, "listening");
  t.after(() => mute.close());
  const { port } = mute.address() as AddressInfo;
  const outbound = await openOutbound({ connectMillis: 50, connectSeconds: 30, connections: undefined });
  t.after(() => outbound.close());
  const error = await outbound.fetch(`https://127.0.0.1:${port}/`).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof TypeError);
  assert.equal((error.cause as { code?: string }).code, "UND_ERR_CONNECT_TIMEOUT");
});

test("a machine token that is in use is renewed near its expiry without a call", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  await using api = await startApi();
  const ask = { identity_provider: "entra_id", target: "local:benefits:case-api" };
  await api.post("/api/v1/token", ask);
  await api.post("/api/v1/token", ask);
  assert.equal(api.entra.received.length, 1);
  api.clock.seconds += 3600 * 0.8;
  t.mock.timers.tick(5000);
  await until(() => api.entra.received.length === 2);
});
