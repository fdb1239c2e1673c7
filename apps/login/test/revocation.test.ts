// Tokens of a session that the provider itself ends are revoked (RFC 7009), although no browser is there to open the session.
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { createKeyRing } from "@portvakt/runtime/seal";
import { Secret } from "@portvakt/runtime/observe";
import { openKeyValueStore } from "@portvakt/runtime/store";
import { revocationsIn } from "../src/session/revocation.ts";
import type { Session } from "../src/session/model.ts";
import { background, type Answer } from "./browser.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const one = await openStage(options);
  t.after(() => one.close());
  return one;
}

async function logOut({ provider, clock, browser, ingress }: Stage, whom: object): Promise<Answer> {
  const events = { "http://schemas.openid.net/event/backchannel-logout": {} };
  const times = { iat: clock.now, exp: clock.now + 60 };
  const claims = { iss: provider.issuer, aud: "client-1", jti: "j", events, ...times, ...whom };
  return browser().send(`${ingress}/oauth2/logout/backchannel`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: `logout_token=${await provider.sign(claims, { typ: "logout+jwt" })}`,
  });
}

const revoked = ({ provider }: Stage): (string | null)[] =>
  provider.requests.filter(({ path }) => path === "/revoke").map(({ form }) => form.get("token"));
const refreshTokens = ({ provider }: Stage): (string | null)[] =>
  provider.requests.flatMap(({ form }) => form.get("refresh_token") ?? []);

test("a back-channel logout revokes the tokens that the session has by then, and its answer does not wait for that", async (t) => {
  const on = await stage(t);
  const user = await on.signedIn();
  on.clock.now += 290;
  await user.send(`${on.ingress}/`, { headers: background });
  const [spent] = refreshTokens(on);
  const hold = Promise.withResolvers<void>();
  on.provider.knobs.beforeRevoked = () => hold.promise;
  assert.equal((await logOut(on, { sid: "sid-1" })).status, 200);
  await on.provider.arrived("/revoke", 1);
  hold.resolve();
  const [token] = revoked(on);
  assert.match(token ?? "", /^[\w-]{36}$/);
  assert.notEqual(token, spent);
});

test("a back-channel logout of a user revokes the tokens of each of the user's sessions", async (t) => {
  const on = await stage(t);
  for (const sid of ["sid-1", "sid-2", "sid-3"]) {
    on.provider.knobs.sid = sid;
    await on.signedIn();
  }
  await logOut(on, { sub: "user-1" });
  await on.provider.arrived("/revoke", 3);
  assert.equal(new Set(revoked(on)).size, 3);
});

test("a front-channel logout revokes too; without a refresh token, the access token", async (t) => {
  const on = await stage(t, { knobs: { refreshTokens: false } });
  await on.signedIn();
  const query = new URLSearchParams({ iss: on.provider.issuer, sid: "sid-1" });
  await on.browser().send(`${on.ingress}/oauth2/logout/frontchannel?${query}`);
  await on.provider.arrived("/revoke", 1);
  assert.equal(`Bearer ${revoked(on)[0]}`, on.upstream.seen[0]?.headers.authorization);
});

test("a refresh that ends after the logout leaves no token behind", async (t) => {
  const on = await stage(t, { knobs: { tokenDelayMs: 150 } });
  const user = await on.signedIn();
  on.clock.now += 301;
  const late = user.send(`${on.ingress}/`, { headers: background });
  await on.provider.arrived("/token", 2);
  await logOut(on, { sid: "sid-1" });
  await late;
  await on.provider.arrived("/revoke", 3);
  assert.equal(new Set(revoked(on)).size, 3, "the old refresh token, the new one, the new access token");
  assert.equal(on.upstream.seen.at(-1)?.headers.authorization, undefined);
});

test("a provider without the endpoint is asked nothing, and nothing is kept for it", async (t) => {
  const store = await openKeyValueStore({ now: () => 1_800_000_000 });
  const kept: string[] = [];
  const spy = new Proxy(store, {
    get: (target, name: keyof typeof store) =>
      name === "set"
        ? (key: string, ...rest: [Uint8Array, { ttlSeconds: number }]) => {
            kept.push(key);
            return target.set(key, ...rest);
          }
        : target[name].bind(target),
  });
  const on = await stage(t, { store: spy, knobs: { revocation: false } });
  await on.signedIn();
  assert.ok(kept.some((key) => key.startsWith("login:session:")));
  assert.ok(!kept.some((key) => key.startsWith("login:revocation:")));
  assert.equal((await logOut(on, { sid: "sid-1" })).status, 200);
});

const session: Session = {
  id: "id",
  provider: "openid",
  issuer: "https://idp.test",
  subject: "user",
  providerSession: "sid",
  hasSid: true,
  level: undefined,
  methods: [],
  authenticatedAt: undefined,
  nonce: "n",
  createdAt: 1000,
  endsAt: 2000,
  inactivitySeconds: undefined,
  tokens: { accessToken: "a", idToken: "i", refreshToken: "refresh", expiresAt: 1300, refreshedAt: 1000 },
};

test("what is kept to revoke opens only for whoever has our keys and the provider's name for session or user", async () => {
  const now = (): number => 1000;
  const store = await openKeyValueStore({ now });
  const ring = (fill: number) => createKeyRing([new Secret(Buffer.alloc(32, fill).toString("base64"))]);
  const ours = revocationsIn(store, { ring: ring(1), now, wanted: () => true });
  await ours.keep(session);
  const { issuer } = session;
  const found = { provider: "openid", tokens: { refreshToken: "refresh" } };
  assert.deepEqual(await ours.find("id", { issuer, providerSession: "sid" }), found);
  assert.deepEqual(await ours.find("id", { issuer, subject: "user" }), found);
  for (const of of [
    { issuer, subject: "sid" },
    { issuer: "https://evil.test", subject: "user" },
  ])
    assert.equal(await ours.find("id", of), undefined);
  const others = revocationsIn(store, { ring: ring(2), now, wanted: () => true });
  assert.equal(await others.find("id", { issuer, subject: "user" }), undefined);
});
