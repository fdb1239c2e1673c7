// Weak points of the proxy that people run today, which are not named by another test.
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { generateKeyPair, exportJWK } from "jose";
import { readSettings } from "@portvakt/runtime/config";
import { createLogger, createMetrics } from "@portvakt/runtime/observe";
import { openKeyValueStore } from "@portvakt/runtime/store";
import { settings, start } from "../src/index.ts";
import { background, navigation } from "./browser.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const one = await openStage(options);
  t.after(() => one.close());
  return one;
}

test("weak point 4.2.6: sessions in memory expire, are locked for a refresh, and are never chosen without a word", async (t) => {
  let at = 1_800_000_000;
  const memory = await openKeyValueStore({ now: () => at });
  await memory.set("session", new Uint8Array(1), { ttlSeconds: 60 });
  assert.ok(await memory.lock("refresh", { ttlSeconds: 10 }));
  assert.equal(await memory.lock("refresh", { ttlSeconds: 10 }), undefined);
  at += 61;
  assert.equal(await memory.get("session"), undefined);
  await memory.close();
  const { provider } = await stage(t, { secret: true });
  const logs: string[] = [];
  const log = createLogger({ name: "login", destination: { write: (line) => void logs.push(line) } });
  const values = readSettings(settings, {
    PORTVAKT_LOGIN_BIND_ADDRESS: "127.0.0.1:0",
    PORTVAKT_LOGIN_INGRESSES: "https://app.test",
    PORTVAKT_LOGIN_CLIENT_ID: "client-1",
    PORTVAKT_LOGIN_CLIENT_SECRET: "s3cret",
    PORTVAKT_LOGIN_WELL_KNOWN_URL: provider.wellKnownUrl,
  });
  const running = await start(values, { now: () => at, log, metrics: createMetrics() });
  await running.close();
  assert.ok(logs.some((line) => line.includes("PORTVAKT_LOGIN_REDIS_URI is not set")));
  assert.ok(logs.some((line) => line.includes("PORTVAKT_LOGIN_ENCRYPTION_KEYS is not set")));
});

test("weak point 4.2.7: neither hosts nor paths of requests become labels or are remembered", async (t) => {
  const { browser, ingress, replicas } = await stage(t, { env: { PORTVAKT_LOGIN_AUTO_LOGIN: "true" } });
  const { metrics } = replicas[0]!;
  const ask = async (from: number, to: number): Promise<string[]> => {
    for (let index = from; index < to; index++) {
      const headers = { ...background, host: index % 2 === 0 ? "app.test" : `host-${index}.test` };
      await browser().send(`${ingress}/path-${index}`, { headers });
    }
    return (await metrics.render()).split("\n").map((line) => line.replace(/ [^ ]+$/u, ""));
  };
  const before = await ask(0, 4);
  const after = await ask(4, 60);
  assert.deepEqual(after, before, "as many series as before");
  assert.ok(!after.some((line) => /path-|host-|app\.test/u.test(line)));
});

test("weak point 4.2.12: what is counted cannot be reset or made up by the browser that is counted", async (t) => {
  const { signedIn, browser, ingress, provider } = await stage(t);
  const user = await signedIn();
  const name = "__Host-io.nais.wonderwall.session";
  const cookie = `${name}=${user.cookie(name)}`;
  const statuses: number[] = [];
  for (let index = 0; index < 6; index++) {
    const fresh = browser();
    statuses.push(
      (await fresh.send(`${ingress}/oauth2/login`, { headers: { ...navigation, cookie } })).status,
    );
  }
  assert.deepEqual(statuses, [302, 302, 302, 302, 302, 429], "no cookie but the session's own counts");
  provider.knobs.authorizeError = "server_error";
  const one = browser();
  await one.go(`${ingress}/oauth2/login`);
  const asked = provider.count("/authorize");
  const retry = one.cookieNames().find((each) => each.endsWith(".retry"));
  assert.ok(retry !== undefined && !/^\d+$/u.test(one.cookie(retry) ?? ""), "the count is sealed");
  one.setCookie(retry, "0");
  await one.go(`${ingress}/oauth2/login`);
  assert.ok(provider.count("/authorize") - asked <= 4, "a made-up count is no licence to go on for ever");
});

test("weak point 4.2.13: every cookie has the configured prefix", async (t) => {
  const { browser, ingress, provider } = await stage(t, {
    env: { PORTVAKT_LOGIN_COOKIE_PREFIX: "my.app" },
    knobs: { authorizeError: "server_error" },
  });
  const one = browser();
  const names = new Set<string>();
  const note = (): void => one.cookieNames().forEach((name) => names.add(name));
  await one.go(`${ingress}/oauth2/login`);
  note();
  provider.knobs.authorizeError = undefined;
  const away = await one.send(`${ingress}/oauth2/login`, { headers: navigation });
  note();
  await one.go(away.headers.location!);
  note();
  await one.send(`${ingress}/oauth2/login`, { headers: navigation });
  await one.send(`${ingress}/oauth2/logout`, { headers: navigation });
  note();
  const kinds = [...names].map((name) => name.replace(/^__Host-my\.app\./u, "").replace(/\.[\w-]{8}$/u, ""));
  assert.deepEqual([...new Set(kinds)].sort(), ["callback", "logout", "retry", "session"]);
});

test("weak point 4.2.16: readiness tells of the store and of each provider", async (t) => {
  const inner = await openKeyValueStore({ now: () => 1_800_000_000 });
  const power = { on: true };
  const store = new Proxy(inner, {
    get: (target, name: keyof typeof inner) =>
      name === "ping" && !power.on
        ? () => Promise.reject(new Error("away"))
        : (target[name] as () => unknown).bind(target),
  });
  const { replicas, signedIn } = await stage(t, { store });
  await signedIn();
  const { running } = replicas[0]!;
  assert.equal((await running.ready()).ready, true);
  power.on = false;
  const away = await running.ready();
  assert.deepEqual(
    [away.ready, away.checks["store"]?.ok, away.checks["provider:openid"]?.ok],
    [false, false, true],
  );
});

test("weak point 4.2.18: auto-login sends back to the page that was asked for, whatever Referer says", async (t) => {
  const { browser, ingress } = await stage(t, { env: { PORTVAKT_LOGIN_AUTO_LOGIN: "true" } });
  const answer = await browser().send(`${ingress}/page?x=1`, {
    headers: { ...navigation, referer: `${ingress}/other` },
  });
  assert.equal(answer.headers.location, "/oauth2/login?redirect=%2Fpage%3Fx%3D1");
});

test("weak point 4.2.18: session/refresh answers POST, and GET where another site cannot forge it", async (t) => {
  const { signedIn, ingress } = await stage(t);
  const user = await signedIn();
  const url = `${ingress}/oauth2/session/refresh`;
  const from = (site: string) => ({ ...background, "sec-fetch-site": site });
  assert.equal((await user.send(url, { method: "POST", headers: from("same-origin") })).status, 200);
  assert.equal((await user.send(url, { headers: from("same-origin") })).status, 200);
  assert.equal((await user.send(url, { headers: from("cross-site") })).status, 403);
});

test("weak point 4.2.18: both names of the platform's key are read, and the chart's name for the locale", async () => {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = JSON.stringify({ ...(await exportJWK(privateKey)), kid: "k", alg: "RS256" });
  const base = { WONDERWALL_INGRESS: "https://app.test", WONDERWALL_OPENID_LOCALE: "nn" };
  for (const name of ["AZURE_APP_JWK", "AZURE_APP_CLIENT_JWK"])
    assert.equal(readSettings(settings, { ...base, [name]: jwk }).azureClientJwk?.reveal(), jwk);
  assert.equal(readSettings(settings, base).uiLocales, "nn");
  assert.equal(
    readSettings(settings, { ...base, WONDERWALL_UPSTREAM_ACCESS_LOGS: "true" }).upstreamAccessLogs,
    true,
  );
});

test("weak point 4.2.18: without a level ID-porten is asked for the high one", async (t) => {
  const { browser, ingress, provider } = await stage(t, { env: { PORTVAKT_LOGIN_PROVIDER: "idporten" } });
  await browser().send(`${ingress}/oauth2/login`, { headers: navigation });
  const asked = provider.requests.find(({ path }) => path === "/par");
  assert.equal(asked?.form.get("acr_values"), "idporten-loa-high");
});
