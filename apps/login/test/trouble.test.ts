import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import type { Writable } from "node:stream";
import { publicClient } from "@portvakt/oauth";
import { loginHabits } from "@portvakt/providers";
import { openKeyValueStore, StoreUnavailable, type KeyValueStore } from "@portvakt/runtime/store";
import { background, navigation } from "./browser.ts";
import { selfSigned } from "./certificate.ts";
import { connectProvider } from "../src/provider/connection.ts";
import { startProvider } from "./provider-double.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";
import { sendRaw } from "./wire.ts";

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

for (const { channel, status } of [
  { channel: "front", status: 202 },
  { channel: "back", status: 503 },
]) {
  test(`the store is away when the provider logs out by the ${channel} channel: ${status}, and the session ends once it is back`, async (t) => {
    const { store, power } = await fragileStore();
    const { signedIn, browser, ingress, provider, clock } = await stage(t, { store });
    const user = await signedIn();
    const names = { iss: provider.issuer, sid: "sid-1" };
    const events = { "http://schemas.openid.net/event/backchannel-logout": {} };
    const times = { iat: clock.now, exp: clock.now + 60 };
    const token = await provider.sign(
      { ...names, ...times, aud: "client-1", jti: "j", events },
      { typ: "logout+jwt" },
    );
    power.on = false;
    const url = `${ingress}/oauth2/logout/${channel}channel`;
    const answer =
      channel === "front"
        ? await browser().send(`${url}?${new URLSearchParams(names)}`)
        : await browser().send(url, {
            method: "POST",
            headers: { "content-type": "application/x-www-form-urlencoded" },
            body: `logout_token=${token}`,
          });
    assert.equal(answer.status, status);
    power.on = true;
    await provider.arrived("/revoke", 1);
    assert.equal((await user.send(`${ingress}/oauth2/session`)).status, 401);
  });
}

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

test("users need 9: an event stream ends within a second when its session expires or becomes inactive", async (t) => {
  const inactivity = {
    PORTVAKT_LOGIN_SESSION_INACTIVITY: "true",
    PORTVAKT_LOGIN_SESSION_INACTIVITY_TIMEOUT: "60s",
  };
  for (const [env, seconds] of [
    [{}, 36_001],
    [inactivity, 61],
  ] as const) {
    const { signedIn, replicas, upstream, clock } = await stage(t, { env });
    const user = await signedIn();
    upstream.handler = (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
    };
    const cookie = `__Host-io.nais.wonderwall.session=${user.cookie("__Host-io.nais.wonderwall.session")}`;
    const [host, port] = replicas[0]!.address.split(":");
    const outgoing = http.get({
      host,
      port,
      path: "/raw/events",
      headers: { host: "app.test", cookie },
      agent: false,
    });
    const [incoming] = (await once(outgoing, "response")) as [http.IncomingMessage];
    const closed = new Promise((resolve) => incoming.on("close", resolve));
    incoming.on("error", () => undefined).resume();
    clock.now += seconds;
    await closed;
  }
});

test("weak point 4.2.5: metadata is read while running: a provider that comes up late is used at the next click", async (t) => {
  const probe = await startProvider({ clientId: "client-1", now: () => 0 });
  const port = Number(new URL(probe.issuer).port);
  await probe.close();
  const { browser, ingress, clock, replicas } = await stage(t, {
    secret: true,
    wellKnownUrl: probe.wellKnownUrl,
  });
  assert.equal((await browser().send(`${ingress}/oauth2/login`, { headers: navigation })).status, 503);
  const late = await startProvider({
    clientId: "client-1",
    clientSecret: "s3cret",
    now: () => clock.now,
    port,
  });
  t.after(() => late.close());
  clock.now += 10;
  assert.equal((await browser().send(`${ingress}/oauth2/login`, { headers: navigation })).status, 302);
  assert.equal((await replicas[0]!.running.ready()).ready, true);
});

test("metadata is read again while running", async (t) => {
  const provider = await startProvider({ clientId: "client-1", now: () => 0 });
  t.after(() => provider.close());
  const connection = connectProvider({
    setup: {
      name: "openid",
      habits: loginHabits.openid,
      clientId: "client-1",
      wellKnownUrl: provider.wellKnownUrl,
      tenants: [],
      trustedAudiences: [],
      authenticate: () => publicClient({ clientId: "client-1" }),
    },
    now: () => 0,
    fetch,
    onTrouble: () => assert.fail(),
    rereadSeconds: 0.01,
  });
  t.after(() => connection.close());
  assert.equal((await connection.provider()).metadata.end_session_endpoint, `${provider.issuer}/logout`);
  provider.knobs.endSession = false;
  // The third read from here began after the change, so the second of them has been taken in.
  await provider.arrived(
    "/.well-known/openid-configuration",
    provider.count("/.well-known/openid-configuration") + 3,
  );
  assert.equal(connection.known()?.metadata.end_session_endpoint, undefined);
});

test("Entra's {tenantid}: only listed tenants sign in, and the token's own tid must fit its issuer", async (t) => {
  const tenant = "11111111-1111-1111-1111-111111111111";
  for (const [tid, issuerTid, status] of [
    [tenant, tenant, 200],
    ["other", "other", 500],
    [tenant, "other", 500],
  ] as const) {
    const one = await stage(t, {
      env: { PORTVAKT_LOGIN_PROVIDER: "azure", PORTVAKT_LOGIN_TENANTS: tenant },
      knobs: {
        announceIss: false,
        metadata: { issuer: "https://login.example/{tenantid}/v2.0" },
        assertionAudience: "https://login.example/{tenantid}/v2.0",
        idClaims: (claims) => ({ ...claims, tid, iss: `https://login.example/${issuerTid}/v2.0` }),
      },
    });
    assert.equal((await one.browser().go(`${one.ingress}/oauth2/login`)).status, status);
  }
});

test("the application behind TLS: its certificate is checked", async (t) => {
  const { key, cert } = selfSigned("localhost");
  const server = https.createServer({ key, cert }, (_request, response) => response.end("over TLS"));
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  t.after(() => server.close());
  const address = `https://localhost:${(server.address() as AddressInfo).port}`;
  const trusting = await stage(t, {
    env: { PORTVAKT_LOGIN_UPSTREAM_HOST: address, PORTVAKT_LOGIN_UPSTREAM_CA: cert },
  });
  assert.equal((await trusting.browser().send(`${trusting.ingress}/`)).body, "over TLS");
  const wary = await stage(t, { env: { PORTVAKT_LOGIN_UPSTREAM_HOST: address } });
  assert.equal((await wary.browser().send(`${wary.ingress}/`)).status, 502);
});

test("back-pressure: what one side does not read is not taken from the other", async (t) => {
  const { replicas, upstream } = await stage(t);
  const [host, port] = replicas[0]!.address.split(":");
  const piece = Buffer.alloc(65_536);
  const limit = 64 * 1024 * 1024;
  /** Writes until the other side takes no more for a while; gives how much it took. */
  const pour = (into: Writable): Promise<number> =>
    new Promise((resolve) => {
      let taken = 0;
      let idle: NodeJS.Timeout | undefined;
      const write = (): void => {
        clearTimeout(idle);
        idle = setTimeout(() => resolve(taken), 300);
        while (taken < limit) {
          taken += piece.length;
          if (!into.write(piece)) return;
        }
        resolve(taken);
      };
      into.on("drain", write).on("error", () => undefined);
      write();
    });
  const reached = Promise.withResolvers<Writable>();
  upstream.handler = (request, response) => {
    if (request.url === "/raw/down") reached.resolve(response);
  };
  const up = http
    .request({ host, port, path: "/raw/up", method: "POST", headers: { host: "app.test" }, agent: false })
    .on("error", () => undefined);
  assert.ok((await pour(up)) < 32 * 1024 * 1024, "an upload that the application does not read");
  up.destroy();
  const down = http
    .get({ host, port, path: "/raw/down", headers: { host: "app.test" }, agent: false }, () => undefined)
    .on("error", () => undefined);
  assert.ok(
    (await pour(await reached.promise)) < 32 * 1024 * 1024,
    "a download that the client does not read",
  );
  down.destroy();
});

test("the application's answer: its own cookies pass, cookies named like ours and hop-by-hop headers do not", async (t) => {
  const { browser, ingress, upstream } = await stage(t);
  upstream.handler = (_request, response) => {
    const planted = "__Host-io.nais.wonderwall.session=planted; Path=/; Secure";
    response.writeHead(200, {
      "set-cookie": ["theme=dark", planted],
      connection: "close, x-inner",
      "x-inner": "1",
      "x-outer": "2",
      "proxy-authenticate": "Basic",
    });
    response.end();
  };
  const { headers } = await browser().send(`${ingress}/`);
  assert.deepEqual(headers["set-cookie"], ["theme=dark"]);
  assert.deepEqual(
    [headers["x-inner"], headers["x-outer"], headers["proxy-authenticate"]],
    [undefined, "2", undefined],
  );
});

for (const [name, given, kept] of [
  ["sane", "req-1.A_b", true],
  ["with spaces", "a b", false],
  ["a token", `ey${"A".repeat(30)}.eyA.sig`, false],
  ["too long", "x".repeat(65), false],
] as const) {
  test(`X-Request-Id that is ${name} is ${kept ? "passed on" : "replaced"}`, async (t) => {
    const { browser, ingress, upstream } = await stage(t);
    await browser().send(`${ingress}/`, { headers: { "x-request-id": given } });
    const id = upstream.seen[0]?.headers["x-request-id"];
    assert.equal(id === given, kept);
    assert.match(String(id), /^[\w.-]{1,64}$/);
  });
}

const refused = [
  { name: "two hosts", head: "GET / HTTP/1.1\r\nHost: app.test\r\nHost: x", status: 400 },
  { name: "TRACE", head: "TRACE / HTTP/1.1\r\nHost: app.test", status: 400 },
  {
    name: "a cross-site POST",
    head: "POST / HTTP/1.1\r\nHost: app.test\r\nSec-Fetch-Site: cross-site",
    status: 403,
  },
  { name: "a path of ours that is not there", head: "GET /oauth2/x HTTP/1.1\r\nHost: app.test", status: 404 },
  {
    name: "a logout token that is none",
    head: "POST /oauth2/logout/backchannel HTTP/1.1\r\nHost: app.test",
    status: 400,
  },
  {
    name: "a replayed state",
    head: "GET /oauth2/callback?state=x&code=y HTTP/1.1\r\nHost: app.test",
    status: 401,
  },
];
for (const { name, head, status } of refused) {
  test(`bad input is logged with its correlation id: ${name}`, async (t) => {
    const { replicas, logs, signedIn, upstream } = await stage(t);
    const sessionName = "__Host-io.nais.wonderwall.session";
    const cookie = `${sessionName}=${(await signedIn()).cookie(sessionName)}`;
    const seen = upstream.seen.length;
    const rest = `Cookie: ${cookie}\r\nX-Request-Id: ref-77\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
    const bad = name === "a replayed state" ? rest.replace(/Cookie: .*\r\n/u, "") : rest;
    const answer = await sendRaw(replicas[0]!.address, `${head}\r\n${bad}`);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.ok(logs.some((line) => line.includes('"correlation_id":"ref-77"')));
    assert.equal(upstream.seen.length, seen);
  });
}
