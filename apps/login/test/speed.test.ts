// Promises about time, shown by counting what takes time: round trips to the store, requests until a change is seen.
import { test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Secret } from "@portvakt/runtime/observe";
import { openKeyValueStore, type KeyValueStore } from "@portvakt/runtime/store";
import { background, openBrowser } from "./browser.ts";
import { openStage, type Stage } from "./stage.ts";

const sessionName = "__Host-io.nais.wonderwall.session";

/** A store that, while it is held, answers only in rounds: everything asked since the last round at once, as one round trip would. */
async function heldStore(): Promise<{
  store: KeyValueStore;
  hold(): void;
  rounds(until: Promise<unknown>): Promise<number>;
}> {
  const inner = await openKeyValueStore({ now: () => 1_800_000_000 });
  let held = false;
  let waiting: (() => void)[] = [];
  const store = new Proxy(inner, {
    get(target, name: keyof KeyValueStore) {
      const method = target[name].bind(target) as (...args: unknown[]) => unknown;
      return async (...args: unknown[]) => {
        if (held && name !== "close") await new Promise<void>((resolve) => waiting.push(resolve));
        return method(...args);
      };
    },
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    store,
    hold: () => (held = true),
    async rounds(until) {
      const state = { done: false };
      let rounds = 0;
      void until.finally(() => (state.done = true));
      while (!state.done) {
        // What runs without the store may run: until something waits for it and nothing more joins.
        for (let turns = 0; turns < 20; turns++) await turn();
        if (waiting.length === 0) continue;
        const now = waiting;
        waiting = [];
        rounds += 1;
        for (const go of now) go();
      }
      held = false;
      return rounds;
    },
  };
}

async function backChannel(on: Stage, jti: string): ReturnType<ReturnType<Stage["browser"]>["send"]> {
  const claims = {
    iss: on.provider.issuer,
    aud: "client-1",
    iat: on.clock.now,
    exp: on.clock.now + 60,
    jti,
    sub: "user-1",
    events: { "http://schemas.openid.net/event/backchannel-logout": {} },
  };
  const token = await on.provider.sign(claims, { typ: "logout+jwt" });
  return on.browser().send(`${on.ingress}/oauth2/logout/backchannel`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: `logout_token=${token}`,
  });
}

for (const sessions of [1, 20]) {
  test(`a back-channel logout of ${sessions} sessions takes at most 4 round trips to the store, and waits for nothing of the provider's`, async (t) => {
    const { store, hold, rounds } = await heldStore();
    const on = await openStage({ store });
    t.after(() => on.close());
    for (let index = 0; index < sessions; index++) await on.signedIn();
    const revoking = Promise.withResolvers<void>();
    on.provider.knobs.beforeRevoked = () => revoking.promise;
    const codes = on.provider.count("/token");
    hold();
    const answer = backChannel(on, "j-1");
    const count = await rounds(answer);
    assert.equal((await answer).status, 200);
    assert.ok(count <= 4, `${count} round trips`);
    assert.equal(on.provider.count("/token"), codes);
    revoking.resolve();
  });
}

test("on Redis a logout is seen by a replica that remembers the session, within a few requests in a row", async (t) => {
  const url = process.env["PORTVAKT_TEST_REDIS_URL"];
  assert.ok(url, "PORTVAKT_TEST_REDIS_URL is not set: start a Redis and name it there");
  const keyPrefix = `login-test-${randomUUID()}:`;
  const now = (): number => 1_800_000_000;
  const open = () => openKeyValueStore({ url: new Secret(url), now, keyPrefix });
  const [one, other] = [await open(), await open()];
  const first = await openStage({ store: one });
  const second = await openStage({ store: other, wellKnownUrl: first.provider.wellKnownUrl });
  t.after(async () => {
    await second.close();
    await first.close();
    await Promise.all([one.close(), other.close()]);
  });
  const user = await first.signedIn();
  const elsewhere = openBrowser({ "app.test": second.replicas[0]!.address });
  const cookie = `${sessionName}=${user.cookie(sessionName)}`;
  const look = async (): Promise<number> =>
    (await elsewhere.send(`${second.ingress}/oauth2/session`, { headers: { ...background, cookie } })).status;
  for (let index = 0; index < 3; index++) assert.equal(await look(), 200);
  assert.equal((await backChannel(first, "j-1")).status, 200);
  let requests = 1;
  while ((await look()) !== 401 && requests < 50) requests += 1;
  assert.ok(requests < 50, "the other replica saw the logout within 50 requests in a row");
});
