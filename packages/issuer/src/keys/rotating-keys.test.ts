import assert from "node:assert/strict";
import { test } from "node:test";
import { anyAudience, verifyJwt } from "@portvakt/oauth";
import { rotatingSigningKeys } from "../index.ts";
import type { SigningKeyStore, StoredKey } from "../index.ts";
import { planRotation, roles } from "./rotation-plan.ts";

const policy = { periodSeconds: 86_400, aheadSeconds: 3_600, keepSeconds: 4_500 };
const algorithms = ["ES256"] as const;

function memoryStore(): SigningKeyStore & { keys: readonly StoredKey[]; changes: number } {
  let turn: Promise<unknown> = Promise.resolve();
  const store = {
    keys: [] as readonly StoredKey[],
    changes: 0,
    read: async () => store.keys,
    change(change: (keys: readonly StoredKey[]) => Promise<readonly StoredKey[]>) {
      const mine = turn.then(async () => {
        store.changes++;
        store.keys = await change(store.keys);
        return store.keys;
      });
      turn = mine;
      return mine;
    },
  };
  return store;
}

function replica(store: SigningKeyStore, clock: { now: number }) {
  return rotatingSigningKeys({ store, now: () => clock.now, algorithms, ...policy });
}

test("weak point 4.4.6: the next key is published a whole period before it signs", async () => {
  const clock = { now: 1_000_000 };
  const keys = replica(memoryStore(), clock);
  await keys.refresh();
  const first = keys.signer();
  const ahead = keys.jwks().keys.map((key) => key.kid);
  assert.equal(ahead.length, 2);
  clock.now += policy.periodSeconds;
  const second = keys.signer();
  assert.notEqual(second.kid, first.kid);
  assert.ok(ahead.includes(second.kid), "a verifier that cached the key set knows the new key");
});

test("weak point 4.4.6: signing and rotating on time need no store", async () => {
  const clock = { now: 1_000_000 };
  const store = memoryStore();
  const keys = replica(store, clock);
  await keys.refresh();
  store.read = () => Promise.reject(new Error("the database is down"));
  clock.now += policy.periodSeconds + 10;
  assert.ok(await keys.signer().sign({ iss: "x" }));
  assert.equal(keys.ready, true);
});

test("a superseded key verifies as long as its tokens live, and then goes", async () => {
  const clock = { now: 1_000_000 };
  const keys = replica(memoryStore(), clock);
  await keys.refresh();
  const old = keys.signer();
  clock.now += policy.periodSeconds - 1;
  const token = await old.sign({ iss: "x", iat: clock.now, exp: clock.now + 900 });
  clock.now += 890;
  await keys.refresh();
  const rules = { issuer: "x", audience: anyAudience, keys: keys.keySet, algorithms } as const;
  assert.equal((await verifyJwt(token, rules, () => clock.now)).ok, true);
  clock.now += policy.keepSeconds;
  await keys.refresh();
  assert.ok(!keys.jwks().keys.some((key) => key.kid === old.kid));
});

test("three replicas that start at once on an empty store agree on the keys", async () => {
  const clock = { now: 1_000_000 };
  const store = memoryStore();
  const replicas = [1, 2, 3].map(() => replica(store, clock));
  await Promise.all(replicas.map((keys) => keys.refresh()));
  const kids = replicas.map((keys) => keys.signer().kid);
  assert.equal(new Set(kids).size, 1);
  assert.equal(store.keys.length, 2);
});

test("emergency: new keys sign at once, the old ones are withdrawn", async () => {
  const clock = { now: 1_000_000 };
  const keys = replica(memoryStore(), clock);
  await keys.refresh();
  const before = keys.jwks().keys.map((key) => key.kid);
  await keys.replaceAll();
  assert.ok(!before.includes(keys.signer().kid));
  assert.equal(keys.jwks().keys.filter((key) => before.includes(key.kid)).length, 0);
});

test("emergency: a read that began before it does not bring the old keys back", async () => {
  const clock = { now: 1_000_000 };
  const store = memoryStore();
  const keys = replica(store, clock);
  await keys.refresh();
  const old = keys.signer().kid;
  const read = store.read;
  const slow = Promise.withResolvers<undefined>();
  store.read = async () => {
    const before = await read();
    await slow.promise;
    return before;
  };
  const poll = keys.refresh();
  await replica({ ...store, read }, clock).replaceAll();
  store.read = read;
  const notice = keys.refresh();
  slow.resolve(undefined);
  await Promise.all([poll, notice]);
  assert.notEqual(keys.signer().kid, old);
  assert.ok(!keys.jwks().keys.some(({ kid }) => kid === old));
});

test("the published keys have kid, alg and use, and no private member", async () => {
  const keys = replica(memoryStore(), { now: 1_000_000 });
  await keys.refresh();
  for (const key of keys.jwks().keys) {
    assert.equal(key.alg, "ES256");
    assert.equal(key.use, "sig");
    assert.ok(key.kid);
    assert.equal("d" in key, false);
  }
});

test("a plan never leaves a moment without a key, whenever it is made", () => {
  const key = (activeFrom: number): StoredKey => ({
    kid: String(activeFrom),
    alg: "ES256",
    jwk: { kty: "EC" },
    activeFrom,
  });
  let keys: StoredKey[] = [];
  for (let now = 0; now < 20 * policy.periodSeconds; now += 7_001) {
    const { create, drop } = planRotation(keys, now, policy);
    keys = [...keys.filter((one) => !drop.includes(one)), ...create.map(key)];
    assert.ok(roles(keys, now).current);
    assert.ok(roles(keys, now).next.every((one) => one.activeFrom >= now));
    assert.ok(keys.length <= 4, `${keys.length} keys`);
  }
});
