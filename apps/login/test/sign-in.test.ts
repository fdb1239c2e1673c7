import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import type { JWTPayload } from "jose";
import { background, navigation } from "./browser.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const one = await openStage(options);
  t.after(() => one.close());
  return one;
}

const sessionCookie = "__Host-io.nais.wonderwall.session";

test("journey 1.1: a browser signs in and the application receives the access token", async (t) => {
  const { provider, upstream, browser, ingress } = await stage(t, {
    env: { PORTVAKT_LOGIN_AUTO_LOGIN: "true" },
  });
  const user = browser();
  const answer = await user.go(`${ingress}/page?a=1`);
  assert.equal(answer.status, 200);
  assert.equal(answer.url, `${ingress}/page?a=1`);
  assert.equal(provider.count("/par"), 1);
  const [seen] = upstream.seen;
  assert.match(seen?.headers.authorization ?? "", /^Bearer ey/);
  assert.deepEqual(user.cookieNames(), [sessionCookie]);
});

test("a client secret instead of a key, without PAR", async (t) => {
  const { provider, signedIn, upstream } = await stage(t, { secret: true, knobs: { par: false } });
  await signedIn();
  assert.equal(provider.count("/par"), 0);
  assert.match(upstream.seen[0]?.headers.authorization ?? "", /^Bearer ey/);
});

test("RFC 7636 and RFC 9126: with PAR the browser carries only client_id and request_uri; S256, state and nonce are always sent", async (t) => {
  const { provider, browser, ingress } = await stage(t);
  const answer = await browser().send(`${ingress}/oauth2/login`, { headers: navigation });
  assert.equal(answer.status, 302);
  const location = new URL(answer.headers.location ?? "");
  assert.deepEqual([...location.searchParams.keys()].sort(), ["client_id", "request_uri"]);
  const form = provider.requests.find((one) => one.path === "/par")?.form;
  assert.equal(form?.get("code_challenge_method"), "S256");
  assert.match(form?.get("code_challenge") ?? "", /^[\w-]{43}$/);
  assert.match(form?.get("state") ?? "", /^[\w-]{43}$/);
  assert.match(form?.get("nonce") ?? "", /^[\w-]{43}$/);
  assert.equal(form?.get("redirect_uri"), `${ingress}/oauth2/callback`);
});

test("ID-porten's habits: level, locale and the platform's variables", async (t) => {
  const first = await stage(t);
  const { provider, browser, ingress } = await stage(t, {
    env: {
      PORTVAKT_LOGIN_CLIENT_ID: "",
      PORTVAKT_LOGIN_WELL_KNOWN_URL: "",
      WONDERWALL_OPENID_PROVIDER: "idporten",
      IDPORTEN_CLIENT_ID: "client-1",
      IDPORTEN_WELL_KNOWN_URL: first.provider.wellKnownUrl,
    },
  });
  assert.equal((await browser().send(`${ingress}/oauth2/login`, { headers: navigation })).status, 302);
  assert.equal(provider.count("/par"), 0, "the preset's well-known URL counts");
  const form = first.provider.requests.find((one) => one.path === "/par")?.form;
  assert.equal(form?.get("acr_values"), "idporten-loa-high");
  assert.equal(form?.get("ui_locales"), "nb");
});

const levels = [
  {
    name: "a supported level is asked for",
    query: "level=idporten-loa-substantial",
    acr: "idporten-loa-substantial",
  },
  { name: "an old name is translated", query: "level=Level3", acr: "idporten-loa-substantial" },
  {
    name: "an unknown level falls back to the configured one",
    query: "level=none",
    acr: "idporten-loa-high",
  },
];
for (const { name, query, acr } of levels) {
  test(`login?level=: ${name}`, async (t) => {
    const { provider, browser, ingress } = await stage(t, { env: { PORTVAKT_LOGIN_PROVIDER: "idporten" } });
    await browser().send(`${ingress}/oauth2/login?${query}`, { headers: navigation });
    assert.equal(provider.requests.find((one) => one.path === "/par")?.form.get("acr_values"), acr);
  });
}

const badTokens: { name: string; claims: (claims: JWTPayload) => JWTPayload; query?: string }[] = [
  {
    name: "OpenID Connect Core 3.1.3.7 (2): another issuer",
    claims: (claims) => ({ ...claims, iss: "https://evil.example" }),
  },
  {
    name: "OpenID Connect Core 3.1.3.7 (3): another audience",
    claims: (claims) => ({ ...claims, aud: "client-2" }),
  },
  {
    name: "OpenID Connect Core 3.1.3.7 (3): an untrusted audience beside ours",
    claims: (claims) => ({ ...claims, aud: ["client-1", "client-2"], azp: "client-1" }),
  },
  {
    name: "OpenID Connect Core 3.1.3.7 (5): another authorized party (weak point 4.2.11)",
    claims: (claims) => ({ ...claims, azp: "client-2" }),
  },
  {
    name: "OpenID Connect Core 3.1.3.7 (9): expired",
    claims: (claims) => ({ ...claims, exp: Number(claims.iat) - 60 }),
  },
  {
    name: "OpenID Connect Core 3.1.3.7 (11): another nonce",
    claims: (claims) => ({ ...claims, nonce: "other" }),
  },
  {
    name: "OpenID Connect Core 3.1.3.6: another access token's at_hash (weak point 4.2.11)",
    claims: (claims) => ({ ...claims, at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }),
  },
  {
    name: "OpenID Connect Core 3.1.3.7 (13): auth_time older than max_age=0 (weak point 4.2.11)",
    claims: (claims) => ({ ...claims, auth_time: Number(claims.iat) - 60 }),
    query: "prompt=login",
  },
  {
    name: "OpenID Connect Core 3.1.3.7 (13): no auth_time although max_age was sent",
    claims: (claims) => ({ ...claims, auth_time: undefined }),
    query: "prompt=login",
  },
  {
    name: "OpenID Connect Core 3.1.3.7 (12): a lower acr than asked for",
    claims: (claims) => ({ ...claims, acr: "idporten-loa-substantial" }),
  },
  { name: "no subject", claims: ({ sub: _sub, ...claims }) => claims },
];
for (const { name, claims, query } of badTokens) {
  test(`the ID token is refused: ${name}`, async (t) => {
    const { browser, ingress, provider, upstream } = await stage(t, {
      env: { PORTVAKT_LOGIN_PROVIDER: "idporten", PORTVAKT_LOGIN_AUTO_LOGIN: "true" },
      knobs: { idClaims: claims },
    });
    const user = browser();
    const answer = await user.go(`${ingress}/oauth2/login?${query ?? ""}`);
    assert.equal(answer.status, 500);
    assert.equal(user.cookie(sessionCookie), undefined);
    assert.equal(upstream.seen.length, 0);
    assert.equal(provider.count("/token"), 4, "the first attempt and three more");
  });
}

const issuers = [
  { name: "missing although announced", knobs: { iss: "" } },
  { name: "another provider's", knobs: { iss: "https://evil.example" } },
  { name: "another's, even when not announced", knobs: { announceIss: false, iss: "https://evil.example" } },
];
for (const { name, knobs } of issuers) {
  test(`RFC 9207 section 2.4: iss ${name} is refused before the code is sent anywhere`, async (t) => {
    const { browser, ingress, provider } = await stage(t, { knobs });
    const answer = await browser().go(`${ingress}/oauth2/login`);
    assert.equal(answer.status, 401);
    assert.equal(provider.count("/token"), 0);
  });
}

test("weak point 4.2.14: two tabs sign in side by side, each to its own page", async (t) => {
  const { browser, ingress } = await stage(t);
  const user = browser();
  const one = await user.send(`${ingress}/oauth2/login?redirect=/one`, { headers: navigation });
  const two = await user.send(`${ingress}/oauth2/login?redirect=/two`, { headers: navigation });
  const last = await user.go(two.headers.location ?? "");
  const first = await user.go(one.headers.location ?? "");
  assert.equal(first.url, `${ingress}/one`);
  assert.equal(last.url, `${ingress}/two`);
});

test("ten tabs at once: at most five attempts are kept, the oldest go, a late callback with a live session goes on", async (t) => {
  const { browser, clock, ingress } = await stage(t);
  const user = browser();
  const tabs = [];
  for (let index = 0; index < 10; index++) {
    clock.now += 1;
    tabs.push(await user.send(`${ingress}/oauth2/login?redirect=/tab${index}`, { headers: navigation }));
  }
  assert.equal(user.cookieNames().filter((name) => name.includes(".callback.")).length, 5);
  assert.equal((await user.go(tabs[9]?.headers.location ?? "")).url, `${ingress}/tab9`);
  assert.equal(
    (await user.go(tabs[0]?.headers.location ?? "")).url,
    `${ingress}/`,
    "its attempt is gone, the session is not",
  );
});

test("RFC 6749 section 4.1.2: a code is sent once, however often its callback is asked for; who asks again is signed in anew", async (t) => {
  const { browser, ingress, provider } = await stage(t);
  const user = browser();
  const begun = await user.send(`${ingress}/oauth2/login?redirect=/page`, { headers: navigation });
  const back = await user.send(begun.headers.location ?? "");
  const reached = Promise.withResolvers<void>();
  provider.knobs.tokenTrouble = () => (reached.resolve(), undefined);
  provider.knobs.tokenDelayMs = 100;
  const cookie = user
    .cookieNames()
    .map((name) => `${name}=${user.cookie(name)}`)
    .join("; ");
  const callback = () => browser().send(back.headers.location ?? "", { headers: { ...navigation, cookie } });
  const first = callback();
  await reached.promise;
  const again = await callback();
  assert.equal((await first).headers.location, "/page");
  assert.equal(provider.count("/token"), 1);
  assert.equal(again.status, 307);
  assert.equal((await user.go(`${ingress}${again.headers.location}`)).url, `${ingress}/page`);
});

test("a callback that this browser never began is refused (RFC 6749 section 10.12)", async (t) => {
  const { browser, ingress, provider } = await stage(t);
  const attacker = browser();
  const begun = await attacker.send(`${ingress}/oauth2/login`, { headers: navigation });
  const back = await attacker.send(begun.headers.location ?? "");
  const victim = browser();
  const answer = await victim.send(back.headers.location ?? "", { headers: navigation });
  assert.equal(answer.status, 401);
  assert.equal(provider.count("/token"), 0);
});

test("a repeated parameter in the callback is refused (RFC 6749 section 3.1)", async (t) => {
  const { browser, ingress } = await stage(t);
  const answer = await browser().send(`${ingress}/oauth2/callback?code=a&code=b&state=c`, {
    headers: navigation,
  });
  assert.equal(answer.status, 400);
});

test("the user who cancels at the provider sees a page and is not sent there again", async (t) => {
  const { browser, ingress, provider } = await stage(t, { knobs: { authorizeError: "access_denied" } });
  const answer = await browser().go(`${ingress}/oauth2/login`, { headers: { "accept-language": "en" } });
  assert.equal(answer.status, 401);
  assert.match(answer.body, /Signing in was cancelled/);
  assert.equal(provider.count("/authorize"), 1);
});

test("weak point 4.2.17: the error page speaks the browser's language and shows the correlation id", async (t) => {
  const { browser, ingress } = await stage(t, { knobs: { authorizeError: "access_denied" } });
  for (const [header, lang] of [
    ["nn-NO,nn;q=0.9,en;q=0.8", "nn"],
    ["se", "se"],
    ["fr, en;q=0.5", "en"],
    ["fr", "nb"],
  ] as const) {
    const answer = await browser().go(`${ingress}/oauth2/login`, {
      headers: { "accept-language": header, "x-request-id": "ref-1" },
    });
    assert.match(answer.body, new RegExp(`<html lang="${lang}">`));
    assert.match(answer.body, /<code>ref-1<\/code>/);
  }
});

test("a provider's trouble is tried again by itself at most three times", async (t) => {
  const { browser, ingress, provider } = await stage(t, { knobs: { authorizeError: "server_error" } });
  const answer = await browser().go(`${ingress}/oauth2/login`);
  assert.equal(answer.status, 500);
  assert.equal(provider.count("/authorize"), 4);
});

test("interactive endpoints answer 401 to background calls", async (t) => {
  const { browser, ingress } = await stage(t);
  for (const path of ["login", "logout", "callback", "logout/callback"]) {
    const answer = await browser().send(`${ingress}/oauth2/${path}`, { headers: background });
    assert.equal(answer.status, 401);
    assert.equal(JSON.parse(answer.body).error_path, `/oauth2/${path}`);
  }
});

test("a redirect loop is cut: the sixth login of a signed-in browser within five seconds gets 429", async (t) => {
  const { signedIn, ingress, clock } = await stage(t);
  const user = await signedIn();
  const statuses = [];
  for (let index = 0; index < 6; index++)
    statuses.push((await user.send(`${ingress}/oauth2/login`, { headers: navigation })).status);
  assert.deepEqual(statuses, [302, 302, 302, 302, 302, 429]);
  clock.now += 6;
  assert.equal((await user.send(`${ingress}/oauth2/login`, { headers: navigation })).status, 302);
});

test("session fixation: signing in replaces the session that the browser had", async (t) => {
  const { signedIn, browser, ingress } = await stage(t);
  const user = await signedIn();
  const planted = user.cookie(sessionCookie) ?? "";
  await user.go(`${ingress}/oauth2/login`);
  assert.notEqual(user.cookie(sessionCookie), planted);
  const attacker = browser();
  await attacker.send(`${ingress}/oauth2/ping`);
  attacker.setCookie(sessionCookie, planted);
  assert.equal((await attacker.send(`${ingress}/oauth2/session`)).status, 401);
});

test("weak point 4.2.5: a provider that is down at the start does not stop the process, and sign-in works once it is up", async (t) => {
  const { replicas, browser, ingress } = await stage(t, {
    wellKnownUrl: "http://127.0.0.1:9/.well-known/openid-configuration",
  });
  const answer = await browser().send(`${ingress}/oauth2/login`, { headers: navigation });
  assert.equal(answer.status, 503);
  const ready = await replicas[0]!.running.ready();
  assert.equal(ready.ready, false);
  assert.equal(ready.checks["provider:openid"]?.ok, false);
  assert.equal(ready.checks["store"]?.ok, true);
});

for (const { fallback, status } of [
  { fallback: "", status: 200 },
  { fallback: "RS256", status: 200 },
  { fallback: "PS256", status: 500 },
]) {
  test(`keys that name no algorithm, with openid.jwks-fallback-alg "${fallback}": ${status}`, async (t) => {
    const { browser, ingress } = await stage(t, {
      env: { WONDERWALL_OPENID_JWKS_FALLBACK_ALG: fallback },
      knobs: {
        keysNameAlgorithm: false,
        metadata: { id_token_signing_alg_values_supported: ["RS256", "PS256"] },
      },
    });
    assert.equal((await browser().go(`${ingress}/oauth2/login`)).status, status);
  });
}

test("an unknown signing key is fetched anew: the provider may rotate its keys while we run", async (t) => {
  const { signedIn, provider, clock } = await stage(t);
  await signedIn();
  const before = provider.count("/jwks");
  await provider.rotateKey();
  clock.now += 10;
  await signedIn();
  assert.equal(provider.count("/jwks"), before + 1);
});

const pages = [
  { name: "short", query: "a", attempts: 5, kept: true },
  { name: "of 500 characters", query: "a".repeat(500), attempts: 3, kept: true },
  { name: "of 1,000 characters", query: "a".repeat(1000), attempts: 2, kept: true },
  { name: "of 2,000 characters", query: "a".repeat(2000), attempts: 5, kept: false },
  { name: "of 600 quotation marks", query: '"'.repeat(600), attempts: 5, kept: false },
];
for (const { name, query, attempts, kept } of pages) {
  test(`RFC 6265bis section 5.6: sign-in pages with a target ${name} leave cookies that every server in front takes`, async (t) => {
    const { browser, clock, ingress } = await stage(t);
    const user = browser();
    const names = (): string[] => user.cookieNames().filter((one) => one.includes(".callback."));
    let last = "";
    for (let tab = 0; tab < 7; tab++) {
      clock.now += 1;
      const wanted = encodeURIComponent(`/s?q=${query}`);
      const away = await user.send(`${ingress}/oauth2/login?redirect=${wanted}`, { headers: navigation });
      for (const line of away.headers["set-cookie"] ?? []) assert.ok(line.length <= 4096);
      last = away.headers.location ?? "";
    }
    const header = names()
      .map((one) => `${one}=${user.cookie(one)}`)
      .join("; ");
    assert.ok(header.length <= 4096, `${header.length} bytes`);
    assert.equal(names().length, attempts);
    const landed = await user.go(last);
    assert.equal(landed.url, kept ? `${ingress}/s?q=${query}` : `${ingress}/`);
  });
}

test("RFC 6265bis section 5.6: a logout's target too long for a cookie is the home", async (t) => {
  const { ingress, signedIn } = await stage(t);
  const wanted = encodeURIComponent(`/s?q=${"a".repeat(1900)}`);
  const away = await (
    await signedIn()
  ).send(`${ingress}/oauth2/logout?redirect=${wanted}`, { headers: navigation });
  const lines = away.headers["set-cookie"] ?? [];
  assert.ok(lines.some((line) => line.includes(".logout=")));
  for (const line of lines) assert.ok(line.length <= 2048, `${line.length} bytes`);
});
