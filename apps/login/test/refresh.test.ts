import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Secret } from "@portvakt/runtime/observe";
import { openKeyValueStore, type KeyValueStore } from "@portvakt/runtime/store";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const one = await openStage(options);
  t.after(() => one.close());
  return one;
}

async function ended(one: Stage): Promise<number> {
  const texts = await Promise.all(one.replicas.map(({ metrics }) => metrics.render()));
  return texts.filter((text) => /portvakt_login_refreshes_total\{outcome="refused"\}/.test(text)).length;
}

/** Users need 1: 200 parallel requests at expiry over 3 replicas: exactly 1 refresh, 0 requests without a token, 0 logouts. */
async function parallelAtExpiry(t: TestContext, store: KeyValueStore | undefined): Promise<void> {
  const one = await stage(t, {
    replicas: 3,
    knobs: { tokenDelayMs: 50 },
    ...(store === undefined ? {} : { store }),
  });
  const { provider, upstream, clock, ingress } = one;
  const user = await one.signedIn();
  const cookie = `__Host-io.nais.wonderwall.session=${user.cookie("__Host-io.nais.wonderwall.session")}`;
  const before = upstream.seen[0]?.headers.authorization;
  upstream.seen.length = 0;
  clock.now += 301;
  const browsers = [0, 1, 2].map((replica) => one.browser(replica));
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      browsers[index % 3]!.send(`${ingress}/data/${index}`, { headers: { cookie } }),
    ),
  );
  assert.equal(provider.count("/token", "refresh_token"), 1, "exactly one refresh at the provider");
  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
  assert.equal(upstream.seen.length, 200);
  const tokens = new Set(upstream.seen.map((seen) => seen.headers.authorization));
  assert.equal(tokens.size, 1, "everybody got the successor token");
  assert.ok(!tokens.has(before) && !tokens.has(undefined), "0 requests without a token or with the old one");
  assert.equal(await ended(one), 0, "0 logouts");
  assert.equal((await browsers[1]!.send(`${ingress}/oauth2/session`, { headers: { cookie } })).status, 200);
}

test("users need 1: 200 parallel requests at expiry over 3 replicas on one store", (t) =>
  parallelAtExpiry(t, undefined));

test("users need 1: the same on a real Redis", async (t) => {
  const url = process.env["PORTVAKT_TEST_REDIS_URL"];
  assert.ok(url, "PORTVAKT_TEST_REDIS_URL is not set: start a Redis and name it there");
  const store = await openKeyValueStore({
    url: new Secret(url),
    now: () => Date.now() / 1000,
    keyPrefix: `login-test-${randomUUID()}:`,
  });
  t.after(() => store.close());
  await parallelAtExpiry(t, store);
});

test("weak point 4.2.8: a refresh response without refresh_token keeps the old one (RFC 6749 section 6)", async (t) => {
  const { provider, signedIn, clock, ingress } = await stage(t, { knobs: { rotate: false } });
  const user = await signedIn();
  for (let round = 0; round < 3; round++) {
    clock.now += 280;
    assert.equal((await user.send(`${ingress}/`)).status, 200);
  }
  assert.equal(provider.count("/token", "refresh_token"), 3);
});

test("a final refusal (invalid_grant) ends the session", async (t) => {
  const { provider, signedIn, clock, ingress, upstream } = await stage(t, {
    env: { PORTVAKT_LOGIN_AUTO_LOGIN: "true" },
  });
  const user = await signedIn();
  upstream.seen.length = 0;
  provider.knobs.tokenTrouble = () => ({ status: 400, body: { error: "invalid_grant" } });
  clock.now += 280;
  assert.equal((await user.send(`${ingress}/`)).status, 401);
  assert.equal((await user.send(`${ingress}/oauth2/session`)).status, 401);
  assert.equal(upstream.seen.length, 0);
});

const troubles = [
  { name: "5xx", answer: { status: 500, body: { error: "server_error" } } },
  { name: "temporarily_unavailable", answer: { status: 503, body: { error: "temporarily_unavailable" } } },
  {
    name: "invalid_client (a key that the provider has yet to learn)",
    answer: { status: 401, body: { error: "invalid_client" } },
  },
  { name: "an answer that is no JSON object", answer: { status: 502, body: "<html>" } },
];
for (const { name, answer } of troubles) {
  test(`a provider in trouble (${name}) leaves the tokens in use until they expire, and ends nothing`, async (t) => {
    const { provider, signedIn, clock, ingress, upstream } = await stage(t, {
      env: { PORTVAKT_LOGIN_AUTO_LOGIN: "true" },
    });
    const user = await signedIn();
    provider.knobs.tokenTrouble = () => answer;
    clock.now += 280;
    assert.equal((await user.send(`${ingress}/`)).status, 200, "the token is still valid");
    upstream.seen.length = 0;
    clock.now += 30;
    const late = await user.send(`${ingress}/`);
    assert.equal(late.status, 503, "an expired token is not passed on, and nobody is signed out");
    assert.equal(late.headers["retry-after"], "2");
    assert.equal(upstream.seen.length, 0);
    provider.knobs.tokenTrouble = undefined;
    clock.now += 10;
    assert.equal((await user.send(`${ingress}/`)).status, 200);
  });
}

test("a provider that stumbles once at expiry is asked once more, and nobody notices", async (t) => {
  const { provider, signedIn, clock, ingress } = await stage(t);
  const user = await signedIn();
  const troubles = [{ status: 500, body: { error: "server_error" } }];
  provider.knobs.tokenTrouble = () => troubles.pop();
  clock.now += 301;
  assert.equal((await user.send(`${ingress}/`)).status, 200);
  assert.equal(provider.count("/token", "refresh_token"), 2);
});

test("a clock that ran ahead and is set right again keeps nobody waiting for the pause that it began", async (t) => {
  const { provider, signedIn, clock, ingress } = await stage(t);
  const user = await signedIn();
  provider.knobs.tokenTrouble = () => ({ status: 401, body: { error: "invalid_client" } });
  clock.now += 7200;
  assert.equal((await user.send(`${ingress}/`)).status, 503);
  clock.now -= 7200 - 301;
  provider.knobs.tokenTrouble = undefined;
  assert.equal((await user.send(`${ingress}/`)).status, 200);
});

test("what a clock that ran ahead said of a token's end is not believed once the clock is right: the token is renewed", async (t) => {
  const { provider, signedIn, clock, ingress, upstream } = await stage(t);
  const user = await signedIn();
  clock.now += 7200;
  assert.equal((await user.send(`${ingress}/`)).status, 200);
  clock.now -= 7200;
  const ahead = upstream.seen.at(-1)?.headers.authorization;
  assert.equal((await user.send(`${ingress}/`)).status, 200);
  assert.equal(provider.count("/token", "refresh_token"), 2);
  assert.notEqual(upstream.seen.at(-1)?.headers.authorization, ahead);
});

test("OpenID Connect Core section 12.2: a provider with another clock ends no session: what it says of its user counts", async (t) => {
  const { provider, signedIn, clock, ingress, upstream } = await stage(t, {
    env: { PORTVAKT_LOGIN_AUTO_LOGIN: "true" },
  });
  const user = await signedIn();
  provider.knobs.idClaims = (claims) => ({ ...claims, iat: clock.now - 7500, exp: clock.now - 7200 });
  clock.now += 280;
  upstream.seen.length = 0;
  assert.equal((await user.send(`${ingress}/`)).status, 200);
  assert.equal(upstream.seen.length, 1);
});

test("OpenID Connect Core section 12.2: a refreshed ID token of another user ends the session", async (t) => {
  const { provider, signedIn, clock, ingress } = await stage(t, {
    env: { PORTVAKT_LOGIN_AUTO_LOGIN: "true" },
  });
  const user = await signedIn();
  provider.knobs.sub = "user-2";
  clock.now += 280;
  assert.equal((await user.send(`${ingress}/`)).status, 401);
});

test("without a refresh token the session is over when the access token is", async (t) => {
  const { signedIn, clock, ingress, upstream } = await stage(t, {
    env: { PORTVAKT_LOGIN_AUTO_LOGIN: "true" },
    knobs: { refreshTokens: false },
  });
  const user = await signedIn();
  upstream.seen.length = 0;
  clock.now += 301;
  assert.equal((await user.send(`${ingress}/`)).status, 401);
  assert.equal(upstream.seen.length, 0);
});

test("a logout while a refresh is under way stays a logout", async (t) => {
  const { provider, signedIn, clock, ingress } = await stage(t, {
    env: { PORTVAKT_LOGIN_AUTO_LOGIN: "true" },
  });
  const user = await signedIn();
  const cookie = `__Host-io.nais.wonderwall.session=${user.cookie("__Host-io.nais.wonderwall.session")}`;
  clock.now += 280;
  const asked = Promise.withResolvers<void>();
  provider.knobs.tokenTrouble = () => (asked.resolve(), undefined);
  provider.knobs.tokenDelayMs = 1;
  const during = user.send(`${ingress}/slow`, { headers: { cookie } });
  await asked.promise;
  await user.send(`${ingress}/oauth2/logout/local`);
  assert.ok([200, 401].includes((await during).status));
  assert.equal((await user.send(`${ingress}/oauth2/session`, { headers: { cookie } })).status, 401);
});

test("weak point 4.2.9: every request counts as activity, on whatever replica, and a refresh is not needed for it", async (t) => {
  const one = await stage(t, {
    replicas: 2,
    env: {
      PORTVAKT_LOGIN_AUTO_LOGIN: "true",
      PORTVAKT_LOGIN_SESSION_INACTIVITY: "true",
      PORTVAKT_LOGIN_SESSION_INACTIVITY_TIMEOUT: "100s",
    },
    knobs: { accessTokenSeconds: 36_000 },
  });
  const { clock, ingress, provider } = one;
  const user = await one.signedIn();
  const cookie = `__Host-io.nais.wonderwall.session=${user.cookie("__Host-io.nais.wonderwall.session")}`;
  const elsewhere = one.browser(1);
  for (let round = 0; round < 4; round++) {
    clock.now += 80;
    const through = round % 2 === 0 ? user : elsewhere;
    assert.equal((await through.send(`${ingress}/`, { headers: { cookie } })).status, 200);
  }
  assert.equal(provider.count("/token", "refresh_token"), 0);
  clock.now += 101;
  assert.equal((await user.send(`${ingress}/`, { headers: { cookie } })).status, 401);
  const session = await user.send(`${ingress}/oauth2/session`, { headers: { cookie } });
  assert.equal(session.status, 200);
  assert.equal(JSON.parse(session.body).session.active, false);
  assert.equal(
    (
      await user.send(`${ingress}/oauth2/session/refresh`, {
        method: "POST",
        headers: { cookie, origin: ingress },
      })
    ).status,
    401,
  );
});

test("the absolute lifetime ends a session that is in use", async (t) => {
  const { signedIn, clock, ingress } = await stage(t, {
    env: { PORTVAKT_LOGIN_AUTO_LOGIN: "true", PORTVAKT_LOGIN_SESSION_MAX_LIFETIME: "1h" },
  });
  const user = await signedIn();
  for (let minute = 0; minute < 55; minute += 4) {
    clock.now += 240;
    assert.equal((await user.send(`${ingress}/`)).status, 200);
  }
  clock.now += 300;
  assert.equal((await user.send(`${ingress}/`)).status, 401);
});

test("the session's JSON is the baseline's", async (t) => {
  const { signedIn, clock, ingress } = await stage(t);
  const user = await signedIn();
  clock.now += 10;
  const { session, tokens } = JSON.parse((await user.send(`${ingress}/oauth2/session`)).body);
  assert.deepEqual(session, {
    created_at: "2027-01-15T08:00:00Z",
    ends_at: "2027-01-15T18:00:00Z",
    timeout_at: "0001-01-01T00:00:00Z",
    ends_in_seconds: 35_990,
    active: true,
    timeout_in_seconds: -1,
  });
  assert.deepEqual(tokens, {
    expire_at: "2027-01-15T08:05:00Z",
    refreshed_at: "2027-01-15T08:00:00Z",
    expire_in_seconds: 290,
    next_auto_refresh_in_seconds: 260,
    refresh_cooldown: true,
    refresh_cooldown_seconds: 50,
  });
});

test("refresh inside the cooldown is a no-op, after it a refresh", async (t) => {
  const { signedIn, clock, ingress, provider } = await stage(t);
  const user = await signedIn();
  const refresh = () =>
    user.send(`${ingress}/oauth2/session/refresh`, { method: "POST", headers: { origin: ingress } });
  assert.equal((await refresh()).status, 200);
  assert.equal(provider.count("/token", "refresh_token"), 0);
  clock.now += 61;
  assert.equal((await refresh()).status, 200);
  assert.equal(provider.count("/token", "refresh_token"), 1);
});
