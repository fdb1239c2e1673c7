// Single sign-on: the baseline's server and proxy modes (peers.md section 1.1).
import { test } from "node:test";
import assert from "node:assert/strict";
import http from "node:http";
import { once } from "node:events";
import { background, navigation } from "./browser.ts";
import { apps, cookieName, domain, login, openSso } from "./sso-stage.ts";

const [red, blue] = apps;

test("single sign-on: signed in by way of one application, signed in at the other, one session at the provider", async (t) => {
  const { browser, provider, seen } = await openSso(t);
  const user = browser();
  const landed = await user.go(`${red}/oauth2/login?redirect=%2Fpage%3Fa%3D1`);
  assert.deepEqual([landed.status, landed.url], [200, `${red}/page?a=1`]);
  assert.deepEqual(
    user.trail.map((url) => url.replace(provider.issuer, "provider").replace(/\?.*/u, "")),
    [
      `${red}/oauth2/login`,
      `${login}/oauth2/login`,
      "provider/authorize",
      `${login}/oauth2/callback`,
      `${red}/page`,
    ],
  );
  assert.equal((await user.send(`${blue}/x`)).status, 200);
  assert.equal(provider.count("/token"), 1);
  const tokens = seen.map((requests) => requests.at(-1)?.headers.authorization);
  assert.match(tokens[0] ?? "", /^Bearer ey/u);
  assert.equal(tokens[0], tokens[1]);
});

test("single sign-on: the session's cookie has its own name, the domain and the path /; the server's others are its own", async (t) => {
  const { browser, seen } = await openSso(t);
  const user = browser();
  let at = `${red}/oauth2/login`;
  const lines: string[] = [];
  for (let hops = 0; hops < 4; hops++) {
    const answer = await user.send(at, { headers: navigation });
    if (at.startsWith(login)) lines.push(...(answer.headers["set-cookie"] ?? []));
    at = new URL(answer.headers.location ?? "", at).href;
  }
  const session = lines.find((line) => line.startsWith(`${cookieName}=`));
  assert.match(session ?? "", /; Path=\/; HttpOnly; SameSite=Lax; Secure; Domain=example\.test$/u);
  const others = lines.filter((line) => line !== session);
  assert.ok(others.length >= 2);
  for (const line of others) assert.match(line, /^__Host-io\.nais\.wonderwall\.(?!.*Domain=)/u);
  await user.send(`${red}/`, { headers: { cookie: `mine=1; ${cookieName}=${user.cookie(cookieName)}` } });
  assert.equal(seen[0]!.at(-1)?.headers.cookie, "mine=1", "weak point 4.2.2: never sent to the application");
});

test("single sign-on: logging out at any application, or at the server, ends the session at all of them", async (t) => {
  const { signedIn, provider, seen } = await openSso(t);
  for (const place of [red, blue, login]) {
    const user = await signedIn();
    const cookie = `${cookieName}=${user.cookie(cookieName)}`;
    const landed = await user.go(`${place}/oauth2/logout`);
    assert.ok(
      user.trail.some((url) => url.startsWith(`${provider.issuer}/logout?`)),
      place,
    );
    assert.equal(user.cookie(cookieName), undefined);
    assert.equal(landed.url, `https://www.${domain}/`);
    for (const [index, app] of apps.entries()) {
      await user.send(`${app}/`, { headers: { cookie } });
      assert.equal(seen[index]!.at(-1)?.headers.authorization, undefined, `${app} after ${place}`);
      assert.equal((await user.send(`${app}/oauth2/session`, { headers: { cookie } })).status, 401);
    }
  }
});

test("single sign-on: a logout goes on to the page of the application that was asked for, and to no other domain", async (t) => {
  const { signedIn } = await openSso(t);
  const pages: [string, string][] = [
    [`${blue}/oauth2/logout?redirect=%2Fbase%2Fbye`, `${blue}/bye`],
    [`${blue}/oauth2/logout?redirect=https%3A%2F%2Fevil.example%2F`, `${blue}/`],
    [`${login}/oauth2/logout?redirect=${encodeURIComponent(`${red}/bye`)}`, `${red}/bye`],
  ];
  for (const [from, to] of pages) assert.equal((await (await signedIn()).go(from)).url, to, from);
  const out = await (await signedIn()).go(`${login}/oauth2/logout?redirect=https%3A%2F%2Fevil.example%2F`);
  assert.equal(out.url, `https://www.${domain}/`);
});

test("single sign-on: a logout closes what the session has open at the proxies", async (t) => {
  const stage = await openSso(t);
  const user = await stage.signedIn();
  stage.handler = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 1\n\n");
  };
  const headers = { host: new URL(blue).host, cookie: `${cookieName}=${user.cookie(cookieName)}` };
  const [host, port] = stage.addresses[2]!.split(":");
  const [events] = (await once(
    http.get({ host, port, path: "/base/events", headers, agent: false }),
    "response",
  )) as [http.IncomingMessage];
  const closed = new Promise((resolve) => events.once("close", resolve));
  events.on("error", () => undefined).resume();
  await user.send(`${login}/oauth2/logout/local`, { headers: navigation });
  await closed;
});

const elsewhere = [
  `https://evil${domain}/`,
  `https://${domain}.evil.example/`,
  `https://${domain}@evil.example/`,
  "https://evil.example/",
  "//evil.example/",
  "/page",
  `http://red.${domain}/`,
  `https://red.${domain}/oauth2/logout`,
];
for (const target of elsewhere) {
  test(`single sign-on: the server sends nobody to ${target}`, async (t) => {
    const { browser } = await openSso(t);
    const landed = await browser().go(`${login}/oauth2/login?redirect=${encodeURIComponent(target)}`);
    assert.deepEqual([landed.status, landed.url], [200, `https://www.${domain}/`]);
  });
}

test("single sign-on: the server sends users on to any host of the domain, on a dot boundary", async (t) => {
  const { browser } = await openSso(t);
  for (const target of [`https://${domain}/x?y=1`, `https://a.b.${domain}/x`]) {
    const landed = await browser().go(`${login}/oauth2/login?redirect=${encodeURIComponent(target)}`);
    assert.equal(landed.url, target);
  }
});

test("single sign-on: the proxy sends every wish on, domain_hint too (weak point 4.2.19), with its own defaults", async (t) => {
  const { browser } = await openSso(t, {
    proxies: { WONDERWALL_OPENID_ACR_VALUES: "idporten-loa-high", WONDERWALL_OPENID_UI_LOCALES: "nb" },
  });
  const ask = async (query: string): Promise<Record<string, string>> => {
    const away = await browser().send(`${blue}/oauth2/login?${query}`, { headers: navigation });
    assert.equal(away.status, 302);
    const url = new URL(away.headers.location ?? "");
    assert.equal(url.origin + url.pathname, `${login}/oauth2/login`);
    return Object.fromEntries(url.searchParams);
  };
  assert.deepEqual(await ask(""), { level: "idporten-loa-high", locale: "nb", redirect: `${blue}/` });
  const wishes = {
    level: "l",
    locale: "en",
    prompt: "login",
    domain_hint: "d",
    max_age: "5",
    login_hint: "h",
  };
  assert.deepEqual(await ask(`${new URLSearchParams(wishes)}&redirect=%2Fbase%2Fx%3Fy&nonsense=1`), {
    ...wishes,
    redirect: `${blue}/x?y`,
  });
  const stranger = await ask("redirect=https%3A%2F%2Fevil.example%2F");
  assert.equal(stranger["redirect"], `${blue}/`);
});

test("single sign-on: callbacks at a proxy begin anew; interactive endpoints are for people there too", async (t) => {
  const { browser } = await openSso(t);
  const at = async (path: string, headers: Record<string, string>) => {
    const { status, headers: answered } = await browser().send(`${blue}/oauth2${path}`, { headers });
    return [status, answered.location];
  };
  assert.deepEqual(await at("/callback?code=x&state=y", navigation), [
    302,
    "/base/oauth2/login?redirect=%2Fbase%2F",
  ]);
  assert.deepEqual(await at("/logout/callback", navigation), [302, `${login}/oauth2/logout`]);
  for (const path of ["/login", "/logout", "/callback", "/logout/callback"])
    assert.equal((await at(path, background))[0], 401, path);
});

test("single sign-on: the server's root begins a sign-in, everything else leads to the default page", async (t) => {
  const { browser } = await openSso(t);
  const at = async (path: string, method = "GET") => {
    const { status, headers } = await browser().send(`${login}${path}`, { method });
    return [status, headers.location];
  };
  assert.deepEqual(await at("/"), [302, "/oauth2/login"]);
  for (const path of ["/x", "/favicon.ico", "/oauth2x"])
    assert.deepEqual(await at(path), [302, `https://www.${domain}/`]);
  assert.deepEqual(await at("/", "POST"), [302, `https://www.${domain}/`]);
  assert.equal((await at("/oauth2/nothing"))[0], 404);
});

test("single sign-on: session endpoints at a proxy are the server's, with the session's cookie and no other", async (t) => {
  const { signedIn, relayed, clock, provider } = await openSso(t);
  const user = await signedIn();
  user.setCookie("mine", "1");
  const shown = await user.send(`${blue}/oauth2/session`, { headers: background });
  assert.equal(shown.status, 200);
  assert.equal(shown.headers["cache-control"], "no-store");
  const { tokens } = JSON.parse(shown.body) as { tokens: Record<string, number> };
  assert.equal(tokens["next_auto_refresh_in_seconds"], -1);
  assert.equal(relayed.at(-1)?.headers.get("cookie"), `${cookieName}=${user.cookie(cookieName)}`);
  clock.now += 100;
  const refreshed = await user.send(`${blue}/oauth2/session/refresh`, {
    method: "POST",
    headers: background,
  });
  assert.equal(refreshed.status, 200);
  assert.equal(provider.count("/token", "refresh_token"), 1);
  const forged = { ...background, "sec-fetch-site": "cross-site", origin: "https://evil.example" };
  const cross = await user.send(`${blue}/oauth2/session/refresh`, { method: "POST", headers: forged });
  assert.equal(cross.status, 403);
  assert.equal((await user.send(`${blue}/oauth2/logout/local`, { headers: background })).status, 204);
  assert.equal(user.cookie(cookieName), undefined, "the server's Set-Cookie is passed on");
  assert.equal((await user.send(`${red}/oauth2/session`, { headers: background })).status, 401);
});

test("single sign-on: front-channel and back-channel logout reach the server by way of a proxy too", async (t) => {
  const { signedIn, browser, provider, clock } = await openSso(t);
  const first = await signedIn();
  const query = new URLSearchParams({ iss: provider.issuer, sid: "sid-1" });
  const framed = await browser().send(`${red}/oauth2/logout/frontchannel?${query}`);
  assert.equal(framed.status, 200);
  assert.match(String(framed.headers["content-security-policy"]), /frame-ancestors/u);
  assert.equal((await first.send(`${blue}/oauth2/session`)).status, 401);
  const second = await signedIn();
  const times = { iat: clock.now, exp: clock.now + 60 };
  const events = { "http://schemas.openid.net/event/backchannel-logout": {} };
  const claims = { iss: provider.issuer, aud: "sso", jti: "j", sid: "sid-1", events, ...times };
  const answer = await browser().send(`${red}/oauth2/logout/backchannel`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: `logout_token=${await provider.sign(claims, { typ: "logout+jwt" })}`,
  });
  assert.equal(answer.status, 200);
  assert.equal((await second.send(`${blue}/oauth2/session`)).status, 401);
});

test("single sign-on: proxies refresh nothing; an expired token is sent to nobody, and the session goes on at the server", async (t) => {
  const { signedIn, clock, provider, seen } = await openSso(t);
  const user = await signedIn();
  clock.now += 301;
  await user.send(`${red}/`);
  assert.equal(seen[0]!.at(-1)?.headers.authorization, undefined);
  assert.equal(provider.count("/token", "refresh_token"), 0);
  await user.send(`${red}/oauth2/session/refresh`, { method: "POST", headers: background });
  await user.send(`${red}/`);
  assert.match(seen[0]!.at(-1)?.headers.authorization ?? "", /^Bearer ey/u);
});

test("single sign-on with forward-auth: what is due is refreshed by the server, once, and a server that is away signs nobody out", async (t) => {
  const forward = { WONDERWALL_SESSION_FORWARD_AUTH: "true" };
  const { signedIn, clock, provider, seen, stopServer } = await openSso(t, {
    server: forward,
    proxies: forward,
  });
  const user = await signedIn();
  const shown = await user.send(`${red}/oauth2/session`, { headers: background });
  assert.equal(JSON.parse(shown.body).tokens.next_auto_refresh_in_seconds, 270);
  const before = seen[0]!.at(-1)?.headers.authorization;
  clock.now += 301;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => user.send(`${apps[index % 2]}/oauth2/session/forwardauth`)),
  );
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([204]));
  assert.equal(provider.count("/token", "refresh_token"), 1);
  await user.send(`${red}/`);
  assert.notEqual(seen[0]!.at(-1)?.headers.authorization, before);
  await stopServer();
  clock.now += 280;
  assert.equal((await user.send(`${red}/`)).status, 200, "due, and still good");
  clock.now += 301;
  assert.equal((await user.send(`${red}/`)).status, 503, "expired, and the server may come back");
  assert.equal((await user.send(`${red}/oauth2/session`)).status, 503);
  const nobody = await user.send(`${red}/oauth2/session/forwardauth`, { headers: { cookie: "x=1" } });
  assert.equal(nobody.status, 401);
  assert.equal(nobody.headers.location, `${red}/oauth2/login?redirect=%2F`);
});

test("single sign-on: auto-login and the least level are each proxy's own", async (t) => {
  const { signedIn, browser, seen } = await openSso(t, {
    knobs: { acr: "idporten-loa-substantial" },
    proxies: { WONDERWALL_AUTO_LOGIN: "true", WONDERWALL_OPENID_ACR_VALUES: "" },
  });
  const away = await browser().send(`${red}/page`, { headers: navigation });
  assert.equal(away.headers.location, "/oauth2/login?redirect=%2Fpage");
  assert.equal((await browser().send(`${red}/page`, { headers: background })).status, 401);
  assert.equal(seen[0]!.length, 0);
  assert.equal((await (await signedIn()).send(`${red}/`)).status, 200);
});

test("single sign-on: a session below an application's level is none there", async (t) => {
  const { browser, seen, provider } = await openSso(t, {
    knobs: { acr: "idporten-loa-substantial" },
    server: {
      WONDERWALL_OPENID_PROVIDER: "idporten",
      WONDERWALL_OPENID_ACR_VALUES: "idporten-loa-substantial",
    },
    proxies: { WONDERWALL_OPENID_ACR_VALUES: "idporten-loa-high" },
  });
  const user = browser();
  await user.go(`${login}/oauth2/login?redirect=${encodeURIComponent(`${red}/`)}`);
  assert.equal(seen[0]!.at(-1)?.headers.authorization, undefined);
  provider.knobs.acr = "idporten-loa-high";
  await user.go(`${red}/oauth2/login`);
  assert.match(seen[0]!.at(-1)?.headers.authorization ?? "", /^Bearer ey/u);
});

test("single sign-on: requests at any application count as activity, by the server's rule", async (t) => {
  const { signedIn, clock } = await openSso(t, {
    knobs: { accessTokenSeconds: 3600 },
    server: { WONDERWALL_SESSION_INACTIVITY: "true", WONDERWALL_SESSION_INACTIVITY_TIMEOUT: "10m" },
  });
  const user = await signedIn();
  for (let index = 0; index < 4; index++) {
    clock.now += 400;
    await user.send(`${apps[index % 2]}/`);
  }
  const view = async () => (await user.send(`${login}/oauth2/session`)).body;
  assert.equal(JSON.parse(await view()).session.active, true);
  clock.now += 601;
  assert.equal(JSON.parse(await view()).session.active, false);
});

const origins = [
  { origin: `https://${domain}`, allowed: true },
  { origin: `https://red.${domain}`, allowed: true },
  { origin: `https://a.b.${domain}`, allowed: true },
  { origin: `https://evil${domain}`, allowed: false },
  { origin: `http://red.${domain}`, allowed: false },
  { origin: `https://red.${domain}:8443`, allowed: false },
  { origin: "null", allowed: false },
];
for (const { origin, allowed } of origins) {
  test(`single sign-on: pages of ${origin} ${allowed ? "may" : "may not"} ask the server across origins`, async (t) => {
    const { signedIn } = await openSso(t);
    const user = await signedIn();
    const expected = allowed ? origin : undefined;
    for (const [path, method] of [
      ["/login", "GET"],
      ["/logout", "GET"],
      ["/session", "GET"],
      ["/session/refresh", "POST"],
    ]) {
      const headers = {
        origin,
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
        "sec-fetch-site": allowed ? "same-site" : "cross-site",
      };
      const asked = {
        ...headers,
        "access-control-request-method": method!,
        "access-control-request-headers": "x-mine, content-type",
      };
      const before = await user.send(`${login}/oauth2${path}`, { method: "OPTIONS", headers: asked });
      assert.equal(before.status, 204);
      assert.equal(before.headers["access-control-allow-origin"], expected);
      assert.equal(
        before.headers["access-control-allow-headers"],
        allowed ? "x-mine, content-type" : undefined,
      );
      const methods = String(before.headers["access-control-allow-methods"]).split(", ");
      assert.equal(methods.includes(method!), allowed);
      const answer = await user.send(`${login}/oauth2${path}`, { method: method!, headers });
      assert.equal(answer.headers["access-control-allow-origin"], expected);
      assert.equal(answer.headers["access-control-allow-credentials"], allowed ? "true" : undefined);
      assert.ok(String(answer.headers["vary"]).includes("origin"));
      if (path === "/session/refresh") assert.equal(answer.status, allowed ? 200 : 403);
    }
  });
}

test("single sign-on: without the mode nobody may ask across origins", async (t) => {
  const { browser } = await openSso(t);
  const headers = { origin: `https://red.${domain}`, "access-control-request-method": "GET" };
  const answer = await browser().send(`${red}/oauth2/session`, { method: "OPTIONS", headers });
  assert.equal(answer.status, 405);
  assert.equal(answer.headers["access-control-allow-origin"], undefined);
});
