import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import http from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { JWTPayload } from "jose";
import { openKeyValueStore, StoreUnavailable, type KeyValueStore } from "@portvakt/runtime/store";
import { navigation } from "./browser.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const one = await openStage(options);
  t.after(() => one.close());
  return one;
}

const sessionName = "__Host-io.nais.wonderwall.session";
const form = { "content-type": "application/x-www-form-urlencoded" };

test("RP-Initiated Logout section 2: the session ends here, at the provider, and its tokens are revoked", async (t) => {
  const { signedIn, ingress, provider } = await stage(t);
  const user = await signedIn();
  const cookie = `${sessionName}=${user.cookie(sessionName)}`;
  const away = await user.send(`${ingress}/oauth2/logout`, { headers: navigation });
  const url = new URL(away.headers.location ?? "");
  assert.equal(url.origin + url.pathname, `${provider.issuer}/logout`);
  assert.equal(url.searchParams.get("post_logout_redirect_uri"), `${ingress}/oauth2/logout/callback`);
  assert.equal(url.searchParams.get("client_id"), "client-1");
  assert.match(url.searchParams.get("id_token_hint") ?? "", /^ey/);
  assert.match(url.searchParams.get("state") ?? "", /^[\w-]{43}$/);
  assert.equal(user.cookie(sessionName), undefined);
  assert.equal(
    (await user.send(`${ingress}/oauth2/session`, { headers: { cookie } })).status,
    401,
    "a copied cookie is worth nothing",
  );
  const back = await user.go(url.href);
  assert.equal(back.url, `${ingress}/`);
  assert.deepEqual(user.cookieNames(), []);
  await provider.arrived("/revoke", 2);
});

test("logout goes on to the address asked for, if it is the application's own", async (t) => {
  const { signedIn, ingress } = await stage(t);
  const targets = [
    ["/bye?x=1", `${ingress}/bye?x=1`],
    ["https://evil.example/", `${ingress}/`],
    ["//evil.example/", `${ingress}/`],
  ];
  for (const [redirect, lands] of targets) {
    const answer = await (
      await signedIn()
    ).go(`${ingress}/oauth2/logout?redirect=${encodeURIComponent(redirect!)}`);
    assert.equal(answer.url, lands);
  }
});

test("a provider without end_session_endpoint: the user goes straight on", async (t) => {
  const { signedIn, ingress } = await stage(t, {
    knobs: { endSession: false },
    env: { WONDERWALL_OPENID_POST_LOGOUT_REDIRECT_URI: "https://www.example.no/" },
  });
  const answer = await (await signedIn()).send(`${ingress}/oauth2/logout`, { headers: navigation });
  assert.equal(answer.headers.location, "https://www.example.no/");
});

test("local logout: 204, and not offered with ID-porten", async (t) => {
  const plain = await stage(t);
  const user = await plain.signedIn();
  assert.equal((await user.send(`${plain.ingress}/oauth2/logout/local`)).status, 204);
  assert.equal((await user.send(`${plain.ingress}/oauth2/session`)).status, 401);
  const idporten = await stage(t, { env: { PORTVAKT_LOGIN_PROVIDER: "idporten" } });
  assert.equal((await idporten.browser().send(`${idporten.ingress}/oauth2/logout/local`)).status, 404);
});

test("weak point 4.2.10: front-channel logout wants both iss and sid, and ends that session on every replica", async (t) => {
  const one = await stage(t, { replicas: 2 });
  const { ingress, provider } = one;
  const user = await one.signedIn();
  const cookie = `${sessionName}=${user.cookie(sessionName)}`;
  const frame = (query: string) => one.browser(1).send(`${ingress}/oauth2/logout/frontchannel?${query}`);
  const alive = async () =>
    (await user.send(`${ingress}/oauth2/session`, { headers: { cookie } })).status === 200;
  assert.equal((await frame("")).status, 202);
  assert.equal((await frame("sid=sid-1")).status, 400);
  assert.equal((await frame("sid=sid-1&iss=https%3A%2F%2Fevil.example")).status, 400);
  assert.equal(await alive(), true);
  assert.equal((await frame(`sid=other&iss=${encodeURIComponent(provider.issuer)}`)).status, 200);
  assert.equal(await alive(), true);
  const answer = await frame(`sid=sid-1&iss=${encodeURIComponent(provider.issuer)}`);
  assert.equal(answer.status, 200);
  assert.match(
    String(answer.headers["content-security-policy"]),
    /frame-ancestors http:\/\/127\.0\.0\.1:\d+$/,
  );
  assert.equal(await alive(), false);
});

type Change = (claims: JWTPayload) => JWTPayload;
const event = "http://schemas.openid.net/event/backchannel-logout";
const logoutTokens: { name: string; change?: Change; typ?: string; status: number }[] = [
  { name: "by sid", status: 200 },
  { name: "by sub alone", change: ({ sid: _sid, ...claims }) => claims, status: 200 },
  { name: "typ JWT", typ: "JWT", status: 200 },
  {
    name: "section 2.6 (3): another issuer",
    change: (claims) => ({ ...claims, iss: "https://evil.example" }),
    status: 400,
  },
  {
    name: "section 2.6 (3): another audience",
    change: (claims) => ({ ...claims, aud: "client-2" }),
    status: 400,
  },
  {
    name: "section 2.6 (4): expired",
    change: (claims) => ({ ...claims, exp: Number(claims.iat) - 60 }),
    status: 400,
  },
  {
    name: "section 2.6 (5): neither sub nor sid",
    change: ({ sid: _sid, sub: _sub, ...claims }) => claims,
    status: 400,
  },
  { name: "section 2.6 (6): no logout event", change: (claims) => ({ ...claims, events: {} }), status: 400 },
  { name: "section 2.6 (7): a nonce", change: (claims) => ({ ...claims, nonce: "n" }), status: 400 },
  { name: "section 2.6: no jti", change: ({ jti: _jti, ...claims }) => claims, status: 400 },
  { name: "another kind of token", typ: "at+jwt", status: 400 },
];
for (const { name, change, typ, status } of logoutTokens) {
  test(`Back-Channel Logout 1.0: ${name}: ${status}`, async (t) => {
    const { signedIn, ingress, provider, clock, browser } = await stage(t);
    const user = await signedIn();
    const claims = {
      iss: provider.issuer,
      aud: "client-1",
      iat: clock.now,
      exp: clock.now + 120,
      jti: "j1",
      sub: "user-1",
      sid: "sid-1",
      events: { [event]: {} },
    };
    const token = await provider.sign(change?.(claims) ?? claims, { typ: typ ?? "logout+jwt" });
    const send = () =>
      browser().send(`${ingress}/oauth2/logout/backchannel`, {
        method: "POST",
        headers: form,
        body: `logout_token=${token}`,
      });
    const answer = await send();
    assert.equal(answer.status, status);
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal((await user.send(`${ingress}/oauth2/session`)).status, status === 200 ? 401 : 200);
    if (status === 200) assert.equal((await send()).status, 400, "section 2.6 (8): a jti is good once");
  });
}

test("Back-Channel Logout 1.0: an ID token is no logout token", async (t) => {
  const { signedIn, ingress, provider, clock, browser } = await stage(t);
  const user = await signedIn();
  const token = await provider.sign({
    iss: provider.issuer,
    aud: "client-1",
    iat: clock.now,
    exp: clock.now + 120,
    jti: "j",
    sub: "user-1",
  });
  const answer = await browser().send(`${ingress}/oauth2/logout/backchannel`, {
    method: "POST",
    headers: form,
    body: `logout_token=${token}`,
  });
  assert.equal(answer.status, 400);
  assert.equal((await user.send(`${ingress}/oauth2/session`)).status, 200);
});

test("a back-channel logout on one replica ends the event streams and WebSockets of the session on another", async (t) => {
  const one = await stage(t, { replicas: 2 });
  const { ingress, provider, clock, upstream, replicas } = one;
  const cookie = `${sessionName}=${(await one.signedIn()).cookie(sessionName)}`;
  upstream.handler = (_request, response) => {
    response.writeHead(200, { "content-type": "Text/Event-Stream" });
    response.write("data: 1\n\n");
  };
  upstream.server.on("upgrade", (_request, socket) => {
    // A text frame and the beginning of another: the close frame must not be written into the middle of it.
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.write(Buffer.from([0x81, 0x02, 0x68, 0x69]));
    socket.on("error", () => undefined);
    socket.on("end", () => socket.end());
  });
  const [host, port] = replicas[0]!.address.split(":");
  const stream = http.get({
    host,
    port,
    path: "/raw/events",
    headers: { host: "app.test", cookie },
    agent: false,
  });
  const [events] = (await once(stream, "response")) as [http.IncomingMessage];
  events.on("error", () => undefined);
  events.resume();
  const socketRequest = http.get({
    host,
    port,
    path: "/ws",
    headers: { host: "app.test", cookie, origin: ingress, connection: "Upgrade", upgrade: "websocket" },
    agent: false,
  });
  const [, socket, first] = (await once(socketRequest, "upgrade")) as [
    unknown,
    NodeJS.ReadWriteStream,
    Buffer,
  ];
  const frames: Buffer[] = [first];
  socket.on("data", (chunk: Buffer) => frames.push(chunk));
  const closed = Promise.all(
    [events, socket].map((one: NodeJS.EventEmitter) => new Promise((resolve) => one.on("close", resolve))),
  );
  const claims = {
    iss: provider.issuer,
    aud: "client-1",
    iat: clock.now,
    exp: clock.now + 120,
    jti: "j1",
    sid: "sid-1",
    events: { [event]: {} },
  };
  const token = await provider.sign(claims, { typ: "logout+jwt" });
  const answer = await one.browser(1).send(`${ingress}/oauth2/logout/backchannel`, {
    method: "POST",
    headers: form,
    body: `logout_token=${token}`,
  });
  assert.equal(answer.status, 200);
  await closed;
  const bytes = Buffer.concat(frames);
  assert.equal(bytes.subarray(0, 4).toString("hex"), "81026869");
  assert.equal(bytes[4], 0x88, "a close frame (RFC 6455 section 5.5.1)");
  assert.equal(bytes.readUInt16BE(6), 4401);
});

/** A proxy whose provider has not yet said anything of itself, and a session from before. */
async function justStarted(t: TestContext): Promise<{ first: Stage; later: Stage; say: () => void }> {
  const store = await openKeyValueStore({ now: () => 1_800_000_000 });
  t.after(() => store.close());
  const first = await stage(t, { store });
  const said = Promise.withResolvers<void>();
  const server = http.createServer((_request, response) => {
    void said.promise
      .then(() => fetch(first.provider.wellKnownUrl))
      .then(async (answer) =>
        response.setHeader("content-type", "application/json").end(await answer.text()),
      );
  });
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const wellKnownUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { first, later: await stage(t, { store, wellKnownUrl }), say: said.resolve };
}

test("just after the start, a logout waits until the provider is known: its session ends too", async (t) => {
  const { first, later, say } = await justStarted(t);
  const user = await first.signedIn();
  const again = later.browser();
  await again.send(`${later.ingress}/oauth2/ping`);
  again.setCookie(sessionName, user.cookie(sessionName)!);
  const leaving = again.send(`${later.ingress}/oauth2/logout`, { headers: navigation });
  await later.browser().send(`${later.ingress}/oauth2/ping`);
  say();
  const to = new URL((await leaving).headers.location ?? "");
  assert.equal(to.origin + to.pathname, `${first.provider.issuer}/logout`);
  await first.provider.arrived("/revoke", 2);
});

test("just after the start, a logout by the provider waits too: it is told once", async (t) => {
  const { first, later, say } = await justStarted(t);
  const user = await first.signedIn();
  const iss = encodeURIComponent(first.provider.issuer);
  const frame = later.browser().send(`${later.ingress}/oauth2/logout/frontchannel?sid=sid-1&iss=${iss}`);
  await later.browser().send(`${later.ingress}/oauth2/ping`);
  say();
  assert.equal((await frame).status, 200);
  assert.equal((await user.send(`${first.ingress}/oauth2/session`)).status, 401);
});

/** Sends a logout token with these claims by the back channel. */
async function backChannel(one: Stage, claims: JWTPayload): Promise<number> {
  const { issuer } = one.provider;
  const [iat, exp] = [one.clock.now, one.clock.now + 120];
  const token = await one.provider.sign(
    { iss: issuer, aud: "client-1", iat, exp, events: { [event]: {} }, ...claims },
    { typ: "logout+jwt" },
  );
  const body = `logout_token=${token}`;
  const url = `${one.ingress}/oauth2/logout/backchannel`;
  return (await one.browser().send(url, { method: "POST", headers: form, body })).status;
}

for (const sessionState of [undefined, "hash.salt"])
  test(`Back-Channel Logout 1.0 section 2.7: sid and sub end a session whose ID token had no sid (session_state ${sessionState})`, async (t) => {
    const one = await stage(t, { knobs: { sid: undefined, sessionState } });
    const user = await one.signedIn();
    one.provider.knobs.sub = "user-2";
    const stranger = await one.signedIn();
    assert.equal(await backChannel(one, { jti: "j1", sid: "s-1", sub: "user-1" }), 200);
    assert.equal((await user.send(`${one.ingress}/oauth2/session`)).status, 401);
    assert.equal((await stranger.send(`${one.ingress}/oauth2/session`)).status, 200);
    await one.provider.arrived("/revoke", 1);
  });

test("Back-Channel Logout 1.0 section 2.7: sid and sub leave the same user's sessions of another sid alone", async (t) => {
  const one = await stage(t);
  const here = await one.signedIn();
  one.provider.knobs.sid = "sid-2";
  const there = await one.signedIn();
  assert.equal(await backChannel(one, { jti: "j1", sid: "sid-1", sub: "user-1" }), 200);
  assert.equal((await here.send(`${one.ingress}/oauth2/session`)).status, 401);
  assert.equal((await there.send(`${one.ingress}/oauth2/session`)).status, 200);
});

/** A store of which what is named in `down` does not work. */
async function halfStore(): Promise<{ store: KeyValueStore; down: { works: (method: string) => boolean } }> {
  const inner = await openKeyValueStore({ now: () => 1_800_000_000 });
  const down = { works: (_method: string): boolean => true };
  const store = new Proxy(inner, {
    get(target, name: keyof KeyValueStore) {
      const method = target[name].bind(target) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) =>
        down.works(name) ? method(...args) : Promise.reject(new StoreUnavailable("away"));
    },
  });
  return { store, down };
}

test("front-channel logouts that anybody can send while the store is away crowd out no back-channel logout", async (t) => {
  const { store, down } = await halfStore();
  const one = await stage(t, { store });
  const user = await one.signedIn();
  const iss = encodeURIComponent(one.provider.issuer);
  const frame = (sid: string) =>
    one.browser().send(`${one.ingress}/oauth2/logout/frontchannel?iss=${iss}&sid=${sid}`);
  down.works = () => false;
  for (let round = 0; round < 10; round++)
    await Promise.all(Array.from({ length: 100 }, (_, index) => frame(`forged-${round}-${index}`)));
  assert.equal((await frame("forged-0-0")).status, 202, "it waits already");
  const full = await frame("sid-1");
  assert.deepEqual([full.status, full.headers["retry-after"]], [503, "2"]);
  assert.equal(await backChannel(one, { jti: "j1", sid: "sid-1" }), 503);
  down.works = () => true;
  await one.provider.arrived("/revoke", 1);
  assert.equal((await user.send(`${one.ingress}/oauth2/session`)).status, 401);
});

test("a store that reads and does not write: 503, and nothing is shown as done", async (t) => {
  const { store, down } = await halfStore();
  const one = await stage(t, { store });
  const user = await one.signedIn();
  down.works = (method) => method === "get";
  for (const path of ["login", "login?prompt=login", "logout", "logout/local", "session/refresh"]) {
    const headers = { ...navigation, "sec-fetch-site": "same-origin" };
    one.clock.now += 61;
    const answer = await user.send(`${one.ingress}/oauth2/${path}`, { headers });
    assert.equal(answer.status, 503, path);
    assert.match(answer.headers["retry-after"] ?? "", /^\d$/);
    assert.equal(answer.headers["set-cookie"], undefined);
  }
  down.works = () => true;
  assert.equal((await user.send(`${one.ingress}/oauth2/session`)).status, 200);
});
