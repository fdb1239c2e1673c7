// Refreshing while the store, the lock or the process goes away: the new tokens are the only ones that are worth anything.
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import http from "node:http";
import { openKeyValueStore, StoreUnavailable, type KeyValueStore, type Lock } from "@portvakt/runtime/store";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

const sessionName = "__Host-io.nais.wonderwall.session";
const autoLogin = { PORTVAKT_LOGIN_AUTO_LOGIN: "true" };

/** A store in memory on the stage's clock, whose methods can be replaced one by one. */
async function openChangeable(): Promise<{
  store: KeyValueStore;
  with: Partial<KeyValueStore>;
  inner: KeyValueStore;
  clock: { now: number };
}> {
  const one = { clock: { now: 1_800_000_000 }, with: {} as Partial<KeyValueStore> };
  const inner = await openKeyValueStore({ now: () => one.clock.now });
  const store = new Proxy(inner, {
    get: (target, name: keyof KeyValueStore) => one.with[name] ?? target[name].bind(target),
  });
  return Object.assign(one, { store, inner });
}

async function staged(
  t: TestContext,
  options: StageOptions = {},
): Promise<{
  one: Stage;
  changeable: Awaited<ReturnType<typeof openChangeable>>;
  headers: { cookie: string };
}> {
  const changeable = await openChangeable();
  const one = await openStage({ env: autoLogin, ...options, store: changeable.store });
  t.after(() => one.close());
  changeable.clock = one.clock;
  const user = await one.signedIn();
  return { one, changeable, headers: { cookie: `${sessionName}=${user.cookie(sessionName)}` } };
}

const away = (): Promise<never> => Promise.reject(new StoreUnavailable("away"));

test("RFC 9700 section 4.14.2: a refresh token that was rotated is not sent again when the store did not take its successor", async (t) => {
  const { one, changeable, headers } = await staged(t, { replicas: 2 });
  one.clock.now += 280;
  changeable.with = { setFenced: away };
  const first = await one.browser(0).send(`${one.ingress}/`, { headers });
  assert.equal(first.status, 200);
  const successor = one.upstream.seen.at(-1)?.headers.authorization;
  one.clock.now += 30;
  assert.equal(
    (await one.browser(0).send(`${one.ingress}/`, { headers })).status,
    200,
    "the old one has expired",
  );
  changeable.with = {};
  for (const replica of [0, 1])
    assert.equal((await one.browser(replica).send(`${one.ingress}/`, { headers })).status, 200);
  assert.deepEqual(
    one.upstream.seen.slice(-3).map((seen) => seen.headers.authorization),
    [successor, successor, successor],
  );
  assert.equal(one.provider.count("/token", "refresh_token"), 1);
});

test("RFC 9700 section 4.14.2: tokens that wait for the store are written when it is back, without a request", async (t) => {
  const { one, changeable, headers } = await staged(t);
  const written = Promise.withResolvers<boolean>();
  one.clock.now += 280;
  changeable.with = { setFenced: away };
  assert.equal((await one.browser().send(`${one.ingress}/`, { headers })).status, 200);
  changeable.with = {
    setFenced: async (...write) => {
      const done = await changeable.inner.setFenced(...write);
      written.resolve(done);
      return done;
    },
  };
  assert.equal(await written.promise, true);
});

test("RFC 9700 section 4.14.2: another process waits for tokens that could not be written, and does not ask with the one that is spent", async (t) => {
  const { one, changeable, headers } = await staged(t, { replicas: 2 });
  one.clock.now += 280;
  changeable.with = { setFenced: away };
  assert.equal((await one.browser(0).send(`${one.ingress}/`, { headers })).status, 200);
  one.clock.now += 16; // the lock has run out
  changeable.with = {
    setFenced: away,
    lock: async (...wanted) => {
      const lock = await changeable.inner.lock(...wanted);
      changeable.with = {}; // the store is back, and the other process is the first that has it
      return lock;
    },
  };
  assert.equal((await one.browser(1).send(`${one.ingress}/`, { headers })).status, 200);
  assert.equal(one.provider.count("/token", "refresh_token"), 1);
  const [first, second] = one.upstream.seen.slice(-2).map((seen) => seen.headers.authorization);
  assert.equal(first, second);
});

test("a logout while tokens wait for the store stays a logout, and they are revoked", async (t) => {
  const { one, changeable, headers } = await staged(t);
  one.clock.now += 280;
  changeable.with = { setFenced: away };
  const browser = one.browser();
  assert.equal((await browser.send(`${one.ingress}/`, { headers })).status, 200);
  const out = await browser.send(`${one.ingress}/oauth2/logout/local`, { headers });
  assert.equal(out.status, 204);
  changeable.with = {};
  await one.provider.arrived("/revoke", 4);
  assert.equal((await browser.send(`${one.ingress}/`, { headers })).status, 401);
});

for (const moment of ["before a refusal is judged", "while the session is being ended"])
  test(`RFC 6749 section 5.2: invalid_grant ends no session whose successor a slower process writes ${moment}`, async (t) => {
    const { one, changeable, headers } = await staged(t, { replicas: 2 });
    one.clock.now += 280;
    const [slow, due, written] = [1, 2, 3].map(() => Promise.withResolvers<void>()) as [P, P, P];
    const meanwhile = async (now: boolean): Promise<void> => {
      if (!now) return;
      due.resolve();
      await written.promise;
    };
    changeable.with = {
      setFenced: async (...write) => {
        slow.resolve();
        await due.promise;
        const done = await changeable.inner.setFenced(...write);
        written.resolve();
        return done;
      },
      lock: async (...wanted) => {
        const lock = await changeable.inner.lock(...wanted);
        const extend = async (seconds: number): Promise<boolean> => {
          await meanwhile(moment.startsWith("before"));
          return lock!.extend(seconds);
        };
        return lock && { ...lock, extend };
      },
      deleteIf: async (...what) => {
        await meanwhile(moment.startsWith("while"));
        return changeable.inner.deleteIf(...what);
      },
    };
    const first = one.browser(0).send(`${one.ingress}/a`, { headers });
    await slow.promise;
    one.clock.now += 16; // the lock has run out, the token has 4 s left
    const second = one.browser(1).send(`${one.ingress}/b`, { headers });
    assert.deepEqual([(await first).status, (await second).status], [200, 200]);
    assert.equal((await one.browser(0).send(`${one.ingress}/c`, { headers })).status, 200);
  });

type P = PromiseWithResolvers<void>;

/** Locks that are always lost when they are to be extended. */
const lost = (inner: KeyValueStore): Pick<KeyValueStore, "lock"> => ({
  lock: async (...wanted): Promise<Lock | undefined> => {
    const lock = await inner.lock(...wanted);
    return lock && { ...lock, extend: async () => false };
  },
});

test("who has lost the lock does not ask a second time", async (t) => {
  const { one, changeable, headers } = await staged(t);
  changeable.with = lost(changeable.inner);
  one.provider.knobs.tokenTrouble = () => ({ status: 500, body: { error: "server_error" } });
  one.clock.now += 301;
  assert.equal((await one.browser().send(`${one.ingress}/`, { headers })).status, 503);
  assert.equal(one.provider.count("/token", "refresh_token"), 1);
});

test("RFC 6749 section 5.2: invalid_grant ends no session for who has lost the lock", async (t) => {
  const { one, changeable, headers } = await staged(t);
  changeable.with = lost(changeable.inner);
  one.provider.knobs.tokenTrouble = () => {
    one.clock.now += 21; // as long as anybody waits for another process
    return { status: 400, body: { error: "invalid_grant" } };
  };
  one.clock.now += 280;
  assert.equal((await one.browser().send(`${one.ingress}/`, { headers })).status, 503);
  one.provider.knobs.tokenTrouble = undefined;
  changeable.with = {};
  one.clock.now += 10;
  assert.equal((await one.browser().send(`${one.ingress}/`, { headers })).status, 200);
});

test("at shutdown a refresh whose browser has left is waited for: its tokens are written before the store is closed", async (t) => {
  const { one, changeable, headers } = await staged(t, { env: { PORTVAKT_LOGIN_SHUTDOWN_GRACE: "30s" } });
  const done: string[] = [];
  const stopped = Promise.withResolvers<void>();
  changeable.with = {
    setFenced: async (...write) => {
      await stopped.promise;
      const written = await changeable.inner.setFenced(...write);
      done.push("written");
      return written;
    },
  };
  one.clock.now += 280;
  const [host, port] = one.replicas[0]!.address.split(":");
  const ask = (): http.ClientRequest =>
    http.get({ host, port, path: "/", headers: { host: "app.test", ...headers }, agent: false });
  const left = ask().on("error", () => {});
  await one.provider.arrived("/token", 2);
  left.destroy();
  const closed = one.replicas[0]!.running.close().then(() => done.push("closed"));
  for (let refused = false; !refused;)
    refused = await new Promise((resolve) => {
      const late = ask().on("error", () => resolve(true));
      late.on("response", (response) => (response.resume(), resolve(false)));
    });
  stopped.resolve();
  await closed;
  assert.deepEqual(done, ["written", "closed"]);
});
