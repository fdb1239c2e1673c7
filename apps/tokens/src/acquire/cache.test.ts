import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { cacheKey, createCache, type Loading, type Perishable } from "./cache.ts";

class Final extends Error {}
/** Asked too often: come back in 3 s. */
class TooOften extends Error {}

function setUp(maxEntries = 10) {
  const clock = { seconds: 1000, wrong: 0 };
  const calls: string[] = [];
  const cache = createCache<string>({
    now: () => 1_750_000_000 + clock.seconds + clock.wrong,
    steady: () => clock.seconds,
    random: () => 0,
    maxEntries,
    repeatSeconds: (error) => (error instanceof Final ? 5 : error instanceof TooOften ? 3 : undefined),
    isFinal: (error) => error instanceof Final,
  });
  const loading = (load: () => Promise<Perishable<string>>, skip = false): Loading<string> => ({
    load: () => {
      calls.push("load");
      return load();
    },
    wait: (flight) => flight,
    skip,
  });
  const good = (value: string, lifetime = 100) =>
    loading(async () => ({ value, expiresAt: clock.seconds + lifetime }));
  return { clock, calls, cache, loading, good };
}

test("bounded: the least recently used goes first", async () => {
  const { cache, good, calls } = setUp(2);
  await cache.obtain("a", good("A"));
  await cache.obtain("b", good("B"));
  await cache.obtain("a", good("A"));
  await cache.obtain("c", good("C"));
  assert.equal(cache.size, 2);
  assert.equal(calls.length, 3);
  await cache.obtain("a", good("A"));
  assert.equal(calls.length, 3, "a was used last, so b went");
  await cache.obtain("b", good("B"));
  assert.equal(calls.length, 4);
});

test("a value without a lifetime is handed out and not kept", async () => {
  const { cache, good } = setUp();
  assert.equal((await cache.obtain("a", good("A", 0))).value, "A");
  assert.equal(cache.size, 0);
});

test("renewal: one at a time, in the background, and a failure is tried again only after a pause", async () => {
  const { cache, clock, calls, good, loading } = setUp();
  await cache.obtain("a", good("A"));
  clock.seconds += 75;
  const failing = loading(() => Promise.reject(new Error("down")));
  assert.equal((await cache.obtain("a", failing)).source, "hit");
  assert.equal((await cache.obtain("a", failing)).source, "hit");
  await new Promise((resolve) => setImmediate(resolve));
  await cache.obtain("a", failing);
  assert.equal(calls.length, 2);
  clock.seconds += 6;
  await cache.obtain("a", failing);
  assert.equal(calls.length, 3);
});

test("skip: what was under way when it was asked for is not kept", async () => {
  const { cache, clock, loading, good } = setUp();
  const slow = Promise.withResolvers<Perishable<string>>();
  const before = cache.obtain(
    "a",
    loading(() => slow.promise),
  );
  const skipped = await cache.obtain("a", { ...good("new"), skip: true });
  assert.equal(skipped.value, "new");
  slow.resolve({ value: "old", expiresAt: clock.seconds + 100 });
  assert.equal((await before).value, "old");
  assert.equal((await cache.obtain("a", good("other"))).value, "new");
});

test("skip while the provider is down: who asked is told, and others keep what is held", async () => {
  const { cache, good, loading } = setUp();
  await cache.obtain("a", good("A"));
  const failed = { ...loading(() => Promise.reject(new Error("down"))), skip: true };
  await assert.rejects(async () => cache.obtain("a", failed), /down/);
  assert.deepEqual(await cache.obtain("a", good("B")), { value: "A", expiresAt: 1100, source: "hit" });
});

const refusing = () => Promise.reject(new Final());
const settled = () => new Promise((resolve) => setImmediate(resolve));

for (const wrong of [7200, -7200]) {
  test(`a clock that is ${wrong} s off: what is held is handed out for as long as it is good, whatever the provider makes of us`, async () => {
    const { cache, clock, good, loading, calls } = setUp();
    await cache.obtain("a", good("A"));
    clock.wrong = wrong;
    const refused = loading(refusing);
    assert.deepEqual(await cache.obtain("a", refused), { value: "A", expiresAt: 1100, source: "stale" });
    for (let times = 0; times < 3; times++)
      assert.equal((await cache.obtain("a", refused)).source, "hit", "tries keep their pause");
    assert.equal(calls.length, 2);
    clock.seconds += 6;
    assert.equal((await cache.obtain("a", refused)).source, "stale");
    assert.equal(calls.length, 3);
    clock.seconds = 1100;
    await assert.rejects(async () => cache.obtain("a", refused), Final);
  });

  test(`a clock that was ${wrong} s off and is set right: neither its refusals nor its values outlast it`, async () => {
    const { cache, clock, good, loading } = setUp();
    clock.wrong = wrong;
    await assert.rejects(async () => cache.obtain("a", loading(refusing)), Final);
    await cache.obtain("b", good("B"));
    clock.wrong = 0;
    assert.equal((await cache.obtain("a", good("A"))).value, "A");
    assert.equal((await cache.obtain("b", good("B2"))).value, "B2");
    assert.equal((await cache.obtain("b", good("B3"))).value, "B2", "it is in doubt no longer");
  });
}

test("a machine that slept: the steady clock stood still with it, so the first caller gets a new value", async () => {
  const { cache, clock, good } = setUp();
  await cache.obtain("a", good("A"));
  clock.wrong = 3600;
  assert.equal((await cache.obtain("a", good("A2"))).value, "A2");
});

test("asked too often: the same is not asked again before its time, and what is held stays", async () => {
  const { cache, clock, calls, good, loading } = setUp();
  const tooOften = loading(() => Promise.reject(new TooOften()));
  await assert.rejects(async () => cache.obtain("a", tooOften), TooOften);
  clock.seconds += 2;
  await assert.rejects(async () => cache.obtain("a", tooOften), TooOften);
  assert.equal(calls.length, 1);
  clock.seconds += 1;
  assert.equal((await cache.obtain("a", good("A"))).value, "A");
  clock.seconds += 95;
  assert.equal((await cache.obtain("a", tooOften)).source, "stale");
  await settled();
  assert.equal((await cache.obtain("a", good("A2"))).value, "A2");
});

test("a final refusal is kept briefly, another error not at all", async () => {
  const { cache, clock, calls, loading } = setUp();
  const refused = loading(() => Promise.reject(new Final()));
  await assert.rejects(async () => cache.obtain("a", refused), Final);
  await assert.rejects(async () => cache.obtain("a", refused), Final);
  assert.equal(calls.length, 1);
  clock.seconds += 5;
  await assert.rejects(async () => cache.obtain("a", refused), Final);
  assert.equal(calls.length, 2);
  const failed = loading(() => Promise.reject(new Error("down")));
  await assert.rejects(async () => cache.obtain("b", failed));
  await assert.rejects(async () => cache.obtain("b", failed));
  assert.equal(calls.length, 4);
});

test("near its end a value is waited for; when that fails it is handed out, but never after it has expired", async () => {
  const { cache, clock, good, loading } = setUp();
  await cache.obtain("a", good("A"));
  const failed = loading(() => Promise.reject(new Error("down")));
  clock.seconds += 95;
  assert.deepEqual(await cache.obtain("a", failed), { value: "A", expiresAt: 1100, source: "stale" });
  clock.seconds += 5;
  await assert.rejects(async () => cache.obtain("a", failed));
});

test("weak point of a sibling library, ambiguous cache keys: different lists never have the same key", () => {
  const parts = fc.array(fc.option(fc.string(), { nil: undefined }), { maxLength: 5 });
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const same = a.length === b.length && a.every((part, at) => part === b[at]);
      return same === (cacheKey(a) === cacheKey(b));
    }),
  );
  assert.notEqual(cacheKey(["ab", "c"]), cacheKey(["a", "bc"]));
  assert.notEqual(cacheKey([""]), cacheKey([undefined]));
  assert.notEqual(cacheKey(["1:a,1:b"]), cacheKey(["a", "b"]));
});

test("near its expiry, a value that was asked for again is renewed though nobody asks; one that was not, is left", async () => {
  const { cache, clock, calls, good } = setUp();
  const ahead = (value: string) => ({ ...good(value), ahead: true });
  await cache.obtain("used", ahead("1"));
  await cache.obtain("used", ahead("2"));
  await cache.obtain("once", ahead("3"));
  await cache.obtain("of-a-user", good("4"));
  await cache.obtain("of-a-user", good("5"));
  assert.equal(calls.length, 3);
  clock.seconds += 69;
  cache.renewDue(10);
  assert.equal(calls.length, 3, "not yet due");
  clock.seconds += 1;
  cache.renewDue(10);
  assert.equal(calls.length, 4);
  await new Promise((resolve) => setImmediate(resolve));
  clock.seconds += 29;
  assert.deepEqual(await cache.obtain("used", ahead("6")), { value: "2", expiresAt: 1170, source: "hit" });
  assert.equal(calls.length, 4);
});

test("not more are renewed at once than is said, and what expired meanwhile is forgotten", async () => {
  const { cache, clock, calls, good } = setUp();
  for (const key of ["a", "b", "c"]) {
    await cache.obtain(key, { ...good(key), ahead: true });
    await cache.obtain(key, { ...good(key), ahead: true });
  }
  clock.seconds += 70;
  cache.renewDue(2);
  assert.equal(calls.length, 5);
  clock.seconds += 31;
  cache.renewDue(10);
  assert.equal(calls.length, 5);
});
