// What the proxy that people run today does, and no other test is named after (peers.md section 1.1).
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { background, navigation } from "./browser.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const one = await openStage(options);
  t.after(() => one.close());
  return one;
}

test("17: a pushed request that meets a 500 is pushed once more, with an assertion of its own", async (t) => {
  const { browser, ingress, provider } = await stage(t, { knobs: { pushTroubles: 1 } });
  assert.equal((await browser().go(`${ingress}/oauth2/login`)).status, 200);
  const proofs = provider.requests.flatMap(({ path, form }) =>
    path === "/par" ? [form.get("client_assertion")] : [],
  );
  assert.equal(proofs.length, 2);
  assert.notEqual(proofs[0], proofs[1]);
});

test("18: the sixth login of a signed-in browser within 5 s is 429, of a new browser never", async (t) => {
  const { signedIn, browser, ingress } = await stage(t);
  const user = await signedIn();
  const ask = async (one: typeof user) =>
    (await one.send(`${ingress}/oauth2/login`, { headers: navigation })).status;
  const seen: number[] = [];
  for (let index = 0; index < 6; index++) seen.push(await ask(user));
  assert.deepEqual(seen, [302, 302, 302, 302, 302, 429]);
  assert.equal(await ask(browser()), 302);
});

test("98: without sid the provider's session has the name that session_state says", async (t) => {
  const { signedIn, ingress, provider } = await stage(t, {
    knobs: { sid: undefined, sessionState: "state-1" },
  });
  const user = await signedIn();
  const query = new URLSearchParams({ iss: provider.issuer, sid: "state-1" });
  assert.equal((await user.send(`${ingress}/oauth2/logout/frontchannel?${query}`)).status, 200);
  assert.equal((await user.send(`${ingress}/oauth2/session`)).status, 401);
});

for (const { name, knobs, status } of [
  { name: "neither", knobs: { sid: undefined }, status: 500 },
  { name: "session_state", knobs: { sid: undefined, sessionState: "s" }, status: 200 },
  { name: "sid", knobs: {}, status: 200 },
]) {
  test(`98: a provider with check_session_iframe names the session by ${name}: ${status}`, async (t) => {
    const metadata = { check_session_iframe: "https://idp.test/session" };
    const { browser, ingress } = await stage(t, { knobs: { ...knobs, metadata } });
    assert.equal((await browser().go(`${ingress}/oauth2/login`)).status, status);
  });
}

test("101: with 2 minutes or less to live, tokens are refreshed no sooner than at half of that", async (t) => {
  const { signedIn, ingress, provider, clock } = await stage(t, { knobs: { accessTokenSeconds: 40 } });
  const user = await signedIn();
  for (const [at, refreshes] of [
    [19, 0],
    [21, 1],
  ] as const) {
    clock.now = 1_800_000_000 + at;
    await user.send(`${ingress}/`, { headers: background });
    assert.equal(provider.count("/token", "refresh_token"), refreshes, `at ${at} s`);
  }
});

test("108: an ID token that is no newer than the one before is not taken from a refresh; its tokens are", async (t) => {
  const { signedIn, ingress, provider, clock, upstream } = await stage(t, {
    env: { PORTVAKT_LOGIN_UPSTREAM_INCLUDE_ID_TOKEN: "true" },
  });
  const user = await signedIn();
  await user.send(`${ingress}/`, { headers: background });
  const before = upstream.seen.at(-1)!.headers;
  const issuedAt = clock.now;
  provider.knobs.idClaims = (claims) => ({ ...claims, iat: issuedAt });
  clock.now += 290;
  await user.send(`${ingress}/`, { headers: background });
  const after = upstream.seen.at(-1)!.headers;
  assert.notEqual(after.authorization, before.authorization);
  assert.equal(after["x-wonderwall-id-token"], before["x-wonderwall-id-token"]);
});
