import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { background, navigation, openBrowser, type Browser } from "./browser.ts";
import { caddy, documents, envoy, nginx, traefik, type Front } from "./front.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";
import { sendRaw } from "./wire.ts";

const ingress = "https://app.example.no";
const on = {
  PORTVAKT_LOGIN_SESSION_FORWARD_AUTH: "true",
  PORTVAKT_LOGIN_SESSION_FORWARD_AUTH_SET_HEADERS: "true",
};

const ownAddress = { PORTVAKT_LOGIN_SESSION_FORWARD_AUTH_BIND_ADDRESS: "127.0.0.1:0" };

async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const one = await openStage({ ingress, ...options, env: { ...on, ...options.env } });
  t.after(() => one.close());
  return one;
}

/** A browser that reaches the ingress through the proxy in front. */
function browserThrough(front: string): Browser {
  return openBrowser({ "app.example.no": front });
}

// Envoy and Traefik are not packaged everywhere: with them the same is tested where these variables name them.
const fronts: Readonly<Record<string, Front>> = {
  nginx,
  caddy,
  ...(process.env["PORTVAKT_TEST_ENVOY"] === undefined ? {} : { envoy }),
  ...(process.env["PORTVAKT_TEST_TRAEFIK"] === undefined ? {} : { traefik }),
};
for (const [name, front] of Object.entries(fronts)) {
  test(`forward-auth with ${name}, as documented: sign-in, token, background calls, forged headers, logout`, async (t) => {
    const on = await stage(t, {
      env: {
        ...ownAddress,
        // Traefik's file says why.
        ...(name === "traefik" ? { PORTVAKT_LOGIN_TRUSTED_PROXIES: "127.0.0.1" } : {}),
      },
    });
    const address = await front(t, {
      login: on.replicas[0]!.address,
      question: new URL(on.replicas[0]!.running.addresses["forwardAuth"]!).host,
      application: `127.0.0.1:${on.upstream.port}`,
    });
    const browser = browserThrough(address);
    const { seen } = on.upstream;

    const call = await browser.send(`${ingress}/data`, {
      headers: { ...background, authorization: "Bearer forged", referer: `${ingress}/page` },
    });
    assert.equal(call.status, 401);
    assert.match(call.headers["content-type"] ?? "", /problem\+json/);
    assert.equal(call.headers.location, `${ingress}/oauth2/login?redirect=%2Fpage`);
    const first = await browser.send(`${ingress}/orders?a=1&b=2`, { headers: navigation });
    assert.equal(first.status, 302);
    // PORTVAKT_TEST_NGINX and PORTVAKT_TEST_CADDY name the programs; npm test finds or installs them.
    assert.equal(first.headers.location, `${ingress}/oauth2/login?redirect=%2Forders%3Fa%3D1%26b%3D2`);
    assert.equal(seen.length, 0, "nothing reached the application without a session");

    const page = await browser.go(`${ingress}/orders?a=1&b=2`);
    assert.deepEqual([page.status, page.body, page.url], [200, "application", `${ingress}/orders?a=1&b=2`]);
    assert.match(seen[0]!.headers.authorization ?? "", /^Bearer ey/);
    assert.ok(!(seen[0]!.headers.cookie ?? "").includes("wonderwall"), "our own cookies stay with us");

    await browser.send(`${ingress}/data`, {
      headers: {
        ...background,
        authorization: "Bearer forged",
        "x-wonderwall-id-token": "forged",
        "x-wonderwall-forward-auth-token": "forged",
        "x-original-method": "GET",
      },
    });
    const { headers } = seen.at(-1)!;
    assert.equal(headers.authorization, seen[0]!.headers.authorization, "a forged token is replaced");
    assert.deepEqual(
      [headers["x-wonderwall-id-token"] ?? "", headers["x-wonderwall-forward-auth-token"] ?? ""],
      ["", ""],
    );

    const before = seen.length;
    const ownPost = await browser.send(`${ingress}/orders`, {
      method: "POST",
      headers: background,
      body: "x",
    });
    assert.deepEqual([ownPost.status, seen.at(-1)?.body], [200, "x"]);
    const foreign = { ...background, "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    const cross = await browser.send(`${ingress}/orders`, { method: "POST", headers: foreign, body: "y" });
    assert.deepEqual([cross.status, seen.length], [403, before + 1]);

    const told = on.logs.length;
    for (const path of ["", "/", "/navigate", "/navigate/orders", "?a=1", "/navigate?a=1"]) {
      const asked = await browser.send(`${ingress}/oauth2/session/forwardauth${path}`, {
        headers: background,
      });
      assert.equal(asked.status, 404, `a script asks the question itself: ${path}`);
      for (const one of ["authorization", "cookie", "x-wonderwall-forward-auth-token"])
        assert.equal(asked.headers[one], undefined, one);
    }
    assert.deepEqual(
      [seen.length, on.logs.length],
      [before + 1, told],
      "it goes no further than the proxy in front",
    );

    await browser.send(`${ingress}/oauth2/logout`, { headers: navigation });
    assert.equal((await browser.send(`${ingress}/data`, { headers: background })).status, 401);
    assert.equal(seen.length, before + 1);
  });
}

const shapes = [
  {
    name: "Traefik: X-Forwarded-Host and -Uri, another Host",
    path: "/oauth2/session/forwardauth/navigate",
    headers: {
      host: "portvakt.internal:3000",
      "x-forwarded-host": "app.example.no",
      "x-forwarded-method": "GET",
      "x-forwarded-uri": "/orders?a=1&b=2",
    },
  },
  {
    name: "Envoy: the path that was asked for behind the prefix",
    path: "/oauth2/session/forwardauth/navigate/orders?a=1&b=2",
    headers: {},
  },
];
for (const { name, path, headers } of shapes) {
  test(`forward-auth as asked by ${name}`, async (t) => {
    const { replicas, signedIn } = await stage(t, {
      env: { PORTVAKT_LOGIN_TRUSTED_PROXIES: "127.0.0.0/8" },
    });
    const direct = openBrowser({ "app.example.no": replicas[0]!.address });
    const away = await direct.send(`${ingress}${path}`, { headers: { ...navigation, ...headers } });
    assert.equal(away.status, 302);
    assert.equal(away.headers.location, `${ingress}/oauth2/login?redirect=%2Forders%3Fa%3D1%26b%3D2`);
    const call = await direct.send(`${ingress}${path}`, { headers: { ...background, ...headers } });
    assert.equal(call.status, 401);
    const user = await signedIn();
    const yes = await user.send(`${ingress}${path}`, { headers: { ...background, ...headers } });
    // Envoy takes 200 alone for a yes.
    assert.equal(yes.status, 200);
    assert.match(yes.headers.authorization ?? "", /^Bearer ey/);
  });
}

test("forward-auth: with an address of its own, the question is answered there and nothing else is; browsers get no token", async (t) => {
  const {
    browser,
    signedIn,
    ingress: at,
    replicas,
    upstream,
    logs,
  } = await stage(t, {
    env: ownAddress,
  });
  const { forwardAuth = "" } = replicas[0]!.running.addresses;
  const inside = openBrowser({ "app.example.no": new URL(forwardAuth).host });
  const user = await signedIn();
  const [name = ""] = user.cookieNames();
  const cookie = `${name}=${user.cookie(name)}`;
  upstream.seen.length = 0;
  for (const path of ["", "/navigate", "/navigate/orders"]) {
    const question = `${at}/oauth2/session/forwardauth${path}`;
    const outside = await user.send(question, { headers: background });
    assert.deepEqual([outside.status, outside.headers.authorization], [404, undefined]);
    const answer = await inside.send(question, { headers: { ...background, cookie } });
    assert.equal(answer.status, path === "" ? 204 : 200);
    assert.match(answer.headers.authorization ?? "", /^Bearer ey/);
    assert.equal((await inside.send(question, { headers: background })).status, 401);
  }
  for (const path of ["/", "/oauth2/session", "/oauth2/login", "/orders"])
    assert.equal((await inside.send(at + path, { headers: { ...navigation, cookie } })).status, 404, path);
  assert.equal(upstream.seen.length, 0);
  assert.equal((await browser().send(`${at}/oauth2/session`)).status, 401);
  assert.ok(!logs.some((line) => line.includes("FORWARD_AUTH_BIND_ADDRESS")));
});

test("forward-auth: tokens on the address that browsers reach are told in the log", async (t) => {
  const { logs } = await stage(t);
  assert.equal(logs.filter((line) => /FORWARD_AUTH_BIND_ADDRESS is not set/.test(line)).length, 1);
});

test("forward-auth: a path that ends in /oauth2/ping opens nothing", async (t) => {
  const { replicas } = await stage(t);
  const direct = openBrowser({ "app.example.no": replicas[0]!.address });
  const answer = await direct.send(`${ingress}/oauth2/session/forwardauth/navigate/x/oauth2/ping`);
  assert.equal(answer.status, 401);
});

test("GHSA-7x63-xv5r-3p2x: a forged X-Forwarded-Uri or -Host opens no path in forward-auth", async (t) => {
  const { replicas } = await stage(t, { env: { PORTVAKT_LOGIN_AUTO_LOGIN_IGNORE_PATHS: "/public/**" } });
  const direct = openBrowser({ "app.example.no": replicas[0]!.address });
  for (const forged of [
    { "x-forwarded-uri": "/public/page" },
    { "x-original-uri": "/public/page" },
    { "x-forwarded-uri": "https://evil.example/" },
    { "x-forwarded-host": "evil.example", "x-forwarded-uri": "/public/page" },
  ]) {
    const answer = await direct.send(`${ingress}/oauth2/session/forwardauth/navigate`, {
      headers: { ...navigation, ...forged },
    });
    assert.equal(answer.status, 302);
    assert.ok(answer.headers.location?.startsWith(`${ingress}/oauth2/login?redirect=%2F`));
    assert.ok(!answer.headers.location!.includes("evil"));
  }
});

test("forward-auth: a WebSocket is asked for like anything else, and not by another site's page", async (t) => {
  const { replicas, signedIn } = await stage(t);
  const cookie = `__Host-io.nais.wonderwall.session=${(await signedIn()).cookie("__Host-io.nais.wonderwall.session")}`;
  const ask = (origin: string): Promise<string> =>
    sendRaw(
      replicas[0]!.address,
      `GET /oauth2/session/forwardauth HTTP/1.1\r\nHost: app.example.no\r\nCookie: ${cookie}\r\nOrigin: ${origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      /\r\n\r\n/,
    );
  assert.match(await ask(ingress), /^HTTP\/1\.1 204 /);
  assert.match(await ask("https://evil.example"), /^HTTP\/1\.1 403 /);
});

const rules = [
  {
    file: "traefik.yml",
    says: /^ {4}portvakt:\n +rule: Host\(\S+ && \(.+\) && !PathPrefix\(`\/oauth2\/session\/forwardauth`\)$/mu,
  },
  {
    file: "traefik.yml",
    says: /^ {4}application:\n +rule: Host\(\S+ && !PathPrefix\(`\/oauth2\/session\/forwardauth`\)$/mu,
  },
  {
    file: "envoy.yaml",
    says: /routes:\n +#.+\n +- match: \{ path_separated_prefix: \/oauth2\/session\/forwardauth \}\n +direct_response: \{ status: 404 \}\n/u,
  },
  { file: "traefik.yml", says: /^ +address: http:\S+:3002\/oauth2\/session\/forwardauth\/navigate$/mu },
  { file: "traefik.yml", says: /^ +authResponseHeaders: \[Authorization, Cookie, /mu },
  { file: "traefik.yml", says: /^ +trustForwardHeader: false$/mu },
  { file: "envoy.yaml", says: /^ +server_uri: \{ uri: http:\S+:3002, cluster: portvakt_question, /mu },
  { file: "envoy.yaml", says: /^ +path_prefix: \/oauth2\/session\/forwardauth\/navigate$/mu },
  {
    file: "envoy.yaml",
    says: /allowed_upstream_headers:\s+patterns: \[\{ exact: authorization \}, \{ exact: cookie \}\]/u,
  },
  { file: "envoy.yaml", says: /^ +failure_mode_allow: false$/mu },
];
for (const { file, says } of rules) {
  test(`forward-auth: ${file} says ${says.source}`, async () => {
    assert.match(await readFile(join(documents, file), "utf8"), says);
  });
}

for (const file of ["nginx.conf", "Caddyfile", "traefik.yml", "envoy.yaml"]) {
  test(`forward-auth: ${file} names endpoints and headers that there are`, async (t) => {
    const { signedIn } = await stage(t);
    const document = await readFile(join(documents, file), "utf8");
    const user = await signedIn();
    const paths = [...document.matchAll(/\/oauth2\/session[\w/]*/gu)].map(([path]) => path);
    assert.ok(paths.length > 0);
    for (const path of new Set(paths)) {
      const { status, headers } = await user.send(ingress + path, { headers: background });
      assert.ok(status === 200 || status === 204, path);
      for (const name of ["authorization", "cookie"]) assert.ok(headers[name] !== undefined, name);
    }
    for (const name of ["authorization", "cookie"]) assert.match(document, new RegExp(name, "iu"));
  });
}
