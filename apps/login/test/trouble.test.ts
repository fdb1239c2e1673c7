import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { openKeyValueStore, StoreUnavailable, type KeyValueStore } from "@portvakt/runtime/store";
import { background, navigation } from "./browser.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const one = await openStage(options);
  t.after(() => one.close());
  return one;
}

const autoLogin = { PORTVAKT_LOGIN_AUTO_LOGIN: "true" };

/** A store that can be taken away and given back. */
async function fragileStore(): Promise<{ store: KeyValueStore; power: { on: boolean } }> {
  const inner = await openKeyValueStore({ now: () => 1_800_000_000 });
  const power = { on: true };
  const store = new Proxy(inner, {
    get(target, name: keyof KeyValueStore) {
      const method = target[name].bind(target) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) =>
        power.on || name === "close" ? method(...args) : Promise.reject(new StoreUnavailable("away"));
    },
  });
  return { store, power };
}

test("the store goes away: requests with a session get 503 with Retry-After, never a login and never the application; then it heals", async (t) => {
  for (const env of [autoLogin, {}]) {
    const { store, power } = await fragileStore();
    const { signedIn, ingress, upstream, provider, replicas } = await stage(t, { env, store });
    const user = await signedIn();
    upstream.seen.length = 0;
    power.on = false;
    for (const headers of [navigation, background]) {
      const answer = await user.send(`${ingress}/`, { headers });
      assert.equal(answer.status, 503);
      assert.equal(answer.headers["retry-after"], "2");
    }
    for (const path of ["session", "session/refresh"])
      assert.equal((await user.send(`${ingress}/oauth2/${path}`)).status, 503);
    const logout = await user.send(`${ingress}/oauth2/logout`, { headers: navigation });
    assert.equal(logout.status, 503, "a logout that did not happen is not shown as one");
    assert.equal((await replicas[0]!.running.ready()).checks["store"]?.ok, false);
    assert.equal(upstream.seen.length, 0);
    const begun = provider.count("/par");
    power.on = true;
    assert.equal((await user.send(`${ingress}/`)).status, 200);
    assert.equal(provider.count("/par"), begun);
  }
});

test("the store is away when a sign-in ends: 503, and no loop", async (t) => {
  const { store, power } = await fragileStore();
  const { browser, ingress, provider } = await stage(t, { store });
  const user = browser();
  const away = await user.send(`${ingress}/oauth2/login`, { headers: navigation });
  power.on = false;
  assert.equal((await user.go(away.headers.location ?? "")).status, 503);
  assert.equal(provider.count("/authorize"), 1);
});

const challenge =
  'Bearer error="insufficient_user_authentication", error_description="a higher level", acr_values="idporten-loa-high", max_age="60"';

test("RFC 9470: a challenge from the application turns a navigation into a new login at that level, back to the same page", async (t) => {
  const { signedIn, ingress, upstream, provider } = await stage(t, {
    env: {
      ...autoLogin,
      PORTVAKT_LOGIN_PROVIDER: "idporten",
      PORTVAKT_LOGIN_ACR_VALUES: "idporten-loa-substantial",
    },
    knobs: { acr: "idporten-loa-substantial" },
  });
  const user = await signedIn();
  upstream.handler = (_request, response) => {
    if (provider.knobs.acr === "idporten-loa-high") response.end("paid");
    else response.writeHead(401, { "www-authenticate": challenge }).end("step up");
  };
  const call = await user.send(`${ingress}/pay?sum=1`, { headers: background });
  assert.equal(call.status, 401, "a background call gets the application's own answer");
  assert.equal(call.headers["www-authenticate"], challenge);
  provider.requests.length = 0;
  const asked = await user.send(`${ingress}/pay?sum=1`, { headers: navigation });
  assert.equal(asked.status, 302);
  provider.knobs.acr = "idporten-loa-high";
  const answer = await user.go(new URL(asked.headers.location ?? "", ingress).href);
  assert.equal(answer.url, `${ingress}/pay?sum=1`);
  assert.equal(answer.body, "paid");
  const form = provider.requests.find((one) => one.path === "/par")?.form;
  assert.deepEqual([form?.get("acr_values"), form?.get("max_age")], ["idporten-loa-high", "60"]);
});

const challenges = [
  { name: "another error", header: 'Bearer error="invalid_token", acr_values="idporten-loa-high"' },
  {
    name: "another scheme",
    header: 'Basic realm="x", error="insufficient_user_authentication", acr_values="a"',
  },
  { name: "no wish", header: 'Bearer error="insufficient_user_authentication"' },
];
for (const { name, header } of challenges) {
  test(`RFC 9470 section 3: ${name} is passed on`, async (t) => {
    const { signedIn, ingress, upstream } = await stage(t);
    const user = await signedIn();
    upstream.handler = (_request, response) =>
      void response.writeHead(401, { "www-authenticate": header }).end();
    assert.equal((await user.send(`${ingress}/`, { headers: navigation })).status, 401);
  });
}

test("without a session a challenge is passed on", async (t) => {
  const { browser, ingress, upstream } = await stage(t);
  upstream.handler = (_request, response) =>
    void response.writeHead(401, { "www-authenticate": challenge }).end();
  assert.equal((await browser().send(`${ingress}/`, { headers: navigation })).status, 401);
});

test("forward-auth: off unless asked for; 204 or 401; tokens only where the settings say so", async (t) => {
  const off = await stage(t);
  assert.equal((await off.browser().send(`${off.ingress}/oauth2/session/forwardauth`)).status, 404);
  const plain = await stage(t, { env: { WONDERWALL_SESSION_FORWARD_AUTH: "true" } });
  const user = await plain.signedIn();
  const answer = await user.send(`${plain.ingress}/oauth2/session/forwardauth`);
  assert.deepEqual(
    [answer.status, answer.headers.authorization, answer.headers["x-wonderwall-forward-auth-token"]],
    [204, undefined, undefined],
  );
  assert.equal((await plain.browser().send(`${plain.ingress}/oauth2/session/forwardauth`)).status, 401);
  const full = await stage(t, {
    env: { WONDERWALL_SESSION_FORWARD_AUTH: "true", WONDERWALL_SESSION_FORWARD_AUTH_SET_HEADERS: "true" },
  });
  const told = await (await full.signedIn()).send(`${full.ingress}/oauth2/session/forwardauth`);
  assert.match(told.headers.authorization ?? "", /^Bearer ey/);
  assert.match(String(told.headers["x-wonderwall-forward-auth-token"]), /^ey/);
});

test("ping answers on every host; what is not ours under /oauth2 is 404 and never proxied; nothing of ours is cached", async (t) => {
  const { browser, ingress, upstream } = await stage(t);
  const pong = await browser().send(`${ingress}/oauth2/ping`, { headers: { host: "10.0.0.1" } });
  assert.deepEqual([pong.status, pong.body, pong.headers["cache-control"]], [200, "pong", "no-store"]);
  assert.equal((await browser().send(`${ingress}/oauth2/other`)).status, 404);
  assert.equal((await browser().send(`${ingress}/oauth2/session`, { method: "DELETE" })).status, 405);
  assert.equal((await browser().send(`${ingress}/oauth2`)).status, 404);
  assert.equal(upstream.seen.length, 0);
  assert.equal((await browser().send(`${ingress}/oauth2x`)).status, 200);
});
